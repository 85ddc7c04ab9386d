'use strict'

// A process that is stopped, as a function between two calls is, and whose connections the server
// closes meanwhile: its next command goes to a new connection, and is not lost on the old one.

const assert = require('node:assert')
const fs = require('node:fs')
const { describe, it } = require('node:test')
const { setTimeout: delay } = require('node:timers/promises')

const { runScript } = require('../behaviour/child-script')
const { skipWithoutTls } = require('../support/redis-server')
const { scene, until, CANARY } = require('./scene')

for (const tls of [false, true]) {
  const skip = (process.platform === 'win32' && 'no process can be stopped on Windows') ||
    (tls && skipWithoutTls())
  describe(`a freeze of the process, ${tls ? 'over TLS' : 'over plain TCP'}`, { skip }, () => {
    for (const [what, call] of Object.entries(CALLS())) {
      it(`costs no command after it, ${what}`, async t => {
        const set = scene(t)
        const server = await set.server({ tls })
        const socket = tls ? { ca: fs.readFileSync(server.certificates.ca, 'utf8') } : {}
        const admin = set.client(server, { socket: tls ? { ...socket, tls: true } : {} })
        await admin.connect()
        const outcomes = []
        let freezing = Promise.resolve()
        const options = JSON.stringify({ url: server.url, password: CANARY, socket })
        await runScript(SCRIPT(call), {
          args: [options, String(FROZEN)],
          onLine: (line, child) => {
            outcomes.push(line)
            freezing = outcomes.length > ROUNDS ? child.kill() : freeze(child, admin)
            Promise.resolve(freezing).catch(() => child.kill('SIGKILL'))
          }
        })
        await freezing
        assert.deepStrictEqual(outcomes, Array(ROUNDS + 1).fill('answered'))
      })
    }
  })
}

/** Stops the process until the server has closed its connections. */
async function freeze (child, admin) {
  child.kill('SIGSTOP')
  const state = `/proc/${child.pid}/stat`
  if (fs.existsSync(state)) {
    await until(() => / T /.test(fs.readFileSync(state, 'latin1')), 'a process that is stopped')
  }
  await admin.clientKill({ filter: 'TYPE', type: 'normal' })
  // The process knows by its clock that it was stopped.
  await delay(2 * FROZEN)
  child.kill('SIGCONT')
}

/** Commands that may not be sent twice, so that they cannot be repeated silently. */
function CALLS () {
  return {
    'over the lane': 'client.incr(\'n\')',
    'in a session': 'client.session(session => session.incr(\'n\'))'
  }
}

/** Calls once, and then whenever it finds that it was stopped, before it has read anything. */
function SCRIPT (call) {
  return `
    const client = oxidis.createClient(JSON.parse(process.argv[1]))
    client.on('error', () => {})
    const frozen = Number(process.argv[2])
    const call = () => ${call}.then(
      () => console.log('answered'),
      error => console.log(error.code, error.applied))
    let last = performance.now()
    setInterval(() => {
      const now = performance.now()
      if (now - last > frozen) call()
      last = performance.now()
    }, 5)
    call()`
}

// Before connections were looked at, five of seven calls were lost.
const ROUNDS = 8

// ms. Longer than the event loop of an idle process is ever late, mostly; if not, one call more is
// made, which does no harm.
const FROZEN = 300
