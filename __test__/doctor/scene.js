'use strict'

// What tests of the doctor share: servers that show a finding, and a look at the report.

const assert = require('node:assert')
const { once } = require('node:events')
const net = require('node:net')
const { inspect } = require('node:util')

const { diagnose } = require('../../lib/doctor')
const { startFakeServer } = require('../support/fake-server')
const { listenAnywhere } = require('../support/ports')

const SECRET = 'canary-hunter2'

/**
 * The finding with this code in the report about `given`. Its text and its remedy are no empty
 * words, and nothing in the report is a secret.
 */
async function finding (given, code, how) {
  const report = await diagnose(given, how)
  const found = report.findings.find(one => one.code === code)
  assert.ok(found, `${code} is not among ${inspect(report.findings)}`)
  assert.ok(found.text.length > 20 && (found.remedy === undefined || found.remedy.length > 5))
  assert.ok(!JSON.stringify(report).includes(SECRET), 'a secret is shown')
  const level = LEVELS[found.level]
  assert.ok(report.status >= level, `${code} is ${found.level}, the status ${report.status}`)
  return { ...found, report }
}

/**
 * The status of a report as it would be on a machine that is not busy: without what is said about
 * the latency.
 */
function statusOf ({ findings }) {
  return Math.max(0, ...findings.filter(({ check }) => check !== 'latency')
    .map(({ level }) => LEVELS[level]))
}

const LEVELS = { ok: 0, note: 0, warning: 1, error: 2 }

/**
 * A scripted server that ends with test `t`. It answers as a healthy server does, but for the
 * commands in `answers`: name (`PING`, `CLIENT SETINFO`) -> RESP, or a function of the reply.
 */
async function scripted (t, answers = {}) {
  const server = await startFakeServer({ handshake: false })
  t.after(() => server.stop())
  server.on('command', (args, reply) => {
    const [name, sub] = args.map(arg => arg.toUpperCase())
    const answer = answers[`${name} ${sub}`] ?? answers[name] ?? HEALTHY[`${name} ${sub}`] ??
      HEALTHY[name] ?? '+OK\r\n'
    if (typeof answer === 'function') answer(reply, args)
    else reply.send(answer)
  })
  return server
}

function bulk (text) {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`
}

/** INFO of a healthy server, changed by `fields`; a field of null is left out. */
function info (fields = {}) {
  const all = {
    redis_version: '7.4.0',
    redis_mode: 'standalone',
    role: 'master',
    loading: '0',
    maxclients: '10000',
    connected_clients: '1',
    used_memory: '1000000',
    maxmemory: '0',
    maxmemory_policy: 'noeviction',
    aof_enabled: '1',
    rdb_last_bgsave_status: 'ok',
    ...fields
  }
  return bulk(Object.entries(all).filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}:${value}\r\n`).join(''))
}

const HEALTHY = {
  PING: '+PONG\r\n',
  HELLO: '%3\r\n+server\r\n+redis\r\n+version\r\n+7.4.0\r\n+proto\r\n:3\r\n',
  INFO: info(),
  GET: '_\r\n',
  'ACL WHOAMI': bulk('default'),
  'CONFIG GET': `*2\r\n${bulk('save')}${bulk('3600 1')}`
}

/** A TCP server of the test's own at a free port of 127.0.0.1: `accept` gets each socket. */
async function listening (t, accept, server = net.createServer(accept)) {
  const sockets = new Set()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  const port = await listenAnywhere(server)
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return port
}

module.exports = { SECRET, bulk, finding, info, listening, scripted, statusOf }
