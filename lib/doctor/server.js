'use strict'

/*
 * What kind of server is it, which version, which protocol, which role? And is it ready?
 */

const { Refused, fieldsOf } = require('./wire')

/**
 * Asks the server about itself. Returns the fields of INFO; empty if it does not tell.
 * @param {object} patient
 * @param {import('./wire').Wire} wire
 */
async function examine (patient, wire) {
  const { options, findings } = patient
  const info = infoOf(await wire.ask('INFO'))
  const hello = options.RESP === 3 ? await wire.ask('HELLO', '3') : undefined
  const protocol = hello instanceof Refused || hello === undefined ? 2 : 3
  const kind = kindOf(info, fieldsOf(hello))
  findings.measured.server = { ...kind, protocol, role: info.role, mode: modeOf(info) }
  if (kind.name === undefined) {
    findings.note('server', 'PROXY', 'the server does not say what it is: it is a proxy, or this ' +
      'user may not run INFO', 'through a proxy some commands are missing: look into its manual')
  } else {
    findings.ok('server', `${kind.name} ${kind.version}, RESP${protocol}`)
  }
  if (options.RESP === 3 && protocol === 2) {
    findings.note('server', 'RESP2_ONLY', 'the server does not speak RESP3, so RESP2 is spoken; ' +
      'no reply is lost by that', 'RESP: 2 saves a round trip for each connection')
  }
  if (kind.name === 'Redis' && Number.parseInt(kind.version, 10) < OLDEST) {
    findings.warn('server', 'OLD_SERVER', `Redis ${kind.version} is no longer maintained`,
      'update the server')
  }
  if (wire.first?.isLoading || info.loading === '1') loading(findings, info)
  role(patient, info)
  return info
}

function infoOf (reply) {
  if (typeof reply !== 'string') return {}
  const lines = reply.split('\r\n').filter(line => line.includes(':'))
  return Object.fromEntries(lines.map(line => {
    const at = line.indexOf(':')
    return [line.slice(0, at), line.slice(at + 1)]
  }))
}

function kindOf (info, hello) {
  if (info.valkey_version !== undefined) return { name: 'Valkey', version: info.valkey_version }
  if (info.dragonfly_version !== undefined) {
    return { name: 'Dragonfly', version: info.dragonfly_version }
  }
  if (info.redis_version !== undefined) return { name: 'Redis', version: info.redis_version }
  if (hello.server !== undefined) {
    return { name: String(hello.server), version: String(hello.version ?? '') }
  }
  return { name: undefined, version: undefined }
}

function modeOf (info) {
  const isCluster = info.cluster_enabled === '1'
  return info.redis_mode ?? info.server_mode ?? (isCluster ? 'cluster' : undefined)
}

function loading (findings, { loading_loaded_perc: percent, loading_eta_seconds: eta }) {
  const done = percent ? `, ${percent} % are done` : ''
  const text = `the server is reading its data from disk${done}` +
    (eta ? `, and needs ${eta} s more` : '')
  findings.fail('server', 'LOADING', text, 'wait; the client tries again by itself')
}

function role ({ options, findings }, info) {
  if (info.role === 'master') findings.ok('server', 'it is a primary')
  if (info.role !== 'slave') return
  const primary = `${info.master_host} port ${info.master_port}`
  if (options.readonly) {
    findings.ok('server', `it is a replica of ${primary}`)
  } else {
    findings.warn('server', 'REPLICA', `it is a replica of ${primary}, and refuses every write ` +
      '(READONLY)',
    'connect to the primary; createSentinel and createCluster find it by themselves')
  }
  if (info.master_link_status === 'down') {
    findings.warn('server', 'PRIMARY_LOST', 'the replica has no connection to its primary, so ' +
      'its data is getting old',
    'look whether the primary runs, and at `masterauth` of the replica')
  }
}

/** The oldest major version of Redis that gets security updates. */
const OLDEST = 6

module.exports = { examine, infoOf, modeOf }
