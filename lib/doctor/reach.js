'use strict'

/*
 * Can the server be reached? The addresses of its name, and a TCP connection to each of them.
 */

const { lookup } = require('node:dns/promises')
const { isIP } = require('node:net')

const { Failure, reach, within } = require('./wire')

/**
 * The addresses of the host; null if there are none. A Unix socket has none and needs none.
 * @param {object} patient see index.js
 */
async function resolve ({ options: { socket }, findings }) {
  const { host, family } = socket
  if (socket.path !== undefined) return []
  if (socket.lookup !== undefined) {
    findings.note('name', 'NAME_ASKED', 'the option socket.lookup resolves the host name, so the ' +
      'answer of the system is not looked at')
    return [host]
  }
  if (isIP(host) !== 0) return [host]
  let found
  try {
    found = await within(lookup(host, { all: true, verbatim: true }))
  } catch ({ code }) {
    if (code === 'ENOTFOUND') {
      findings.fail('name', 'NAME_UNKNOWN', `there is no address for the name ${host}`,
        'look for a typing error; within Docker or Kubernetes the name is that of the service, ' +
        'and it is known in the same network only')
    } else {
      findings.fail('name', 'NAME_UNRESOLVED', `the name ${host} could not be resolved: ${code}`,
        'the name server does not answer: look at /etc/resolv.conf and at the network')
    }
    return null
  }
  const wanted = found.filter(one => family === 0 || one.family === family)
    .map(({ address }) => address)
  findings.measured.addresses = wanted
  if (wanted.length === 0) {
    findings.fail('name', 'NAME_FAMILY',
      `the name ${host} has no IPv${family} address, which the option socket.family asks for`,
      'leave socket.family away')
    return null
  }
  findings.ok('name', `${host} is ${wanted.join(', ')}`)
  return wanted
}

/**
 * Connects to each address. Returns the first one that answers, as options of `net.connect`; null
 * if none does.
 * @param {object} patient
 * @param {string[]} addresses
 */
async function connect ({ options: { socket }, findings }, addresses) {
  const { port, path, localAddress } = socket
  const targets = path === undefined
    ? addresses.map(host => ({ host, port, localAddress }))
    : [{ path }]
  const outcomes = await Promise.all(targets.map(async target => {
    try {
      const { socket, took } = await reach(target)
      socket.destroy()
      return { target, took }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return { target, code: error.code }
    }
  }))
  const good = outcomes.filter(({ code }) => code === undefined)
  const bad = outcomes.filter(({ code }) => code !== undefined)
  if (good.length === 0) {
    unreachable(findings, bad[0].code, path ?? `${addresses.join(', ')} port ${port}`)
    return null
  }
  const [{ target, took }] = good
  findings.measured.connectMs = took
  findings.ok('tcp', `${nameOf(target)} accepts connections (${took.toFixed(1)} ms)`)
  if (bad.length > 0) {
    findings.warn('tcp', 'ADDRESS_DEAD',
      `${bad.map(({ target, code }) => `${nameOf(target)} (${code})`).join(', ')} of the same ` +
      'name cannot be reached, so that some connections take longer',
      'take the address out of the name server, or choose a family with socket.family')
  }
  return target
}

function unreachable (findings, code, where) {
  const [name, text, remedy] = REASONS[code] ??
    ['UNREACHABLE', `cannot be reached: ${code}`, 'look at the address and at the network']
  findings.fail('tcp', name, `${where} ${text}`, remedy)
}

const REASONS = {
  ECONNREFUSED: ['REFUSED', 'refuses connections: nothing listens there',
    'start the server, or look for the right port; a server that is bound to 127.0.0.1 is ' +
    'reached from its own machine only (`bind` in redis.conf)'],
  TIMEOUT: ['SILENT', 'does not answer at all',
    'a firewall or a security group drops the packets, or the address is of another network'],
  ENOENT: ['NO_SOCKET', 'does not exist', 'look at `unixsocket` in redis.conf'],
  EACCES: ['SOCKET_DENIED', 'may not be opened by this user',
    'look at `unixsocketperm` in redis.conf and at the groups of this user']
}

function nameOf ({ host, port, path }) {
  return path ?? (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)
}

module.exports = { connect, nameOf, resolve }
