'use strict'

// Whatever happens to the network or the server, a transaction under WATCH is run once or not at
// all, its error says which, nobody gets a session that somebody else has left dirty, and work goes
// on soon after.

const assert = require('node:assert')
const { once } = require('node:events')
const { describe, it } = require('node:test')

const { defineScript } = require('../..')
const { atRest, scene, until } = require('./scene')

/** Each does its harm a few times; it may wait for what it has done, not for the recovery. */
const FAULTS = {
  'CLIENT KILL of everybody': ({ admin }) => admin.clientKill({ filter: 'TYPE', type: 'normal' }),

  'a reset of everything at once': async ({ proxy }, round) => {
    proxy.blackHole({ direction: round % 2 === 0 ? 'up' : 'down' })
    await once(proxy, 'held')
    proxy.reset()
    proxy.heal()
  },

  // Somewhere within a transaction, each time elsewhere.
  'a connection cut after n bytes': async ({ proxy }, round) => {
    const cut = once(proxy, 'disconnection')
    proxy.cutAfter(300 + 41 * round, {
      direction: round % 2 === 0 ? 'up' : 'down', how: round % 3 === 0 ? 'close' : 'reset'
    })
    await cut
  },

  // For longer than the commands' deadline: their replies come late.
  'a server that is stopped and goes on': async ({ server, client }) => {
    const { timeouts } = client.stats()
    server.pause()
    await until(() => client.stats().timeouts > timeouts, 'a deadline that passes')
    server.resume()
  },

  'CLIENT PAUSE': async ({ admin, client }) => {
    const { timeouts } = client.stats()
    await admin.clientPause(2 * TIMEOUT, 'ALL')
    await until(() => client.stats().timeouts > timeouts, 'a deadline that passes')
    await admin.clientUnpause()
  },

  'a server that comes back empty': async ({ server }) => {
    // Stopped first, so that there is something without a reply when the end comes.
    server.pause()
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    await server.restart()
  }
}

for (const RESP of [2, 3]) {
  describe(`a transaction in a session, RESP${RESP}`, { concurrency: 3 }, () => {
    for (const [name, fault] of Object.entries(FAULTS)) {
      it(`outlives ${name}`, async t => {
        const set = scene(t)
        const server = await set.server()
        const proxy = await set.proxy(server)
        const admin = set.client(server)
        const client = set.client(proxy, { RESP, scripts, commandOptions: { timeout: TIMEOUT } })
        const oracle = set.oracle(client, { workers: 8, pairs: 4, sessions: 8 })
        const script = countByScript(set, client)
        // A fault that met no transaction on its way would have tested nothing.
        for (let round = 0; round < ROUNDS || oracle.doubtful === 0; round++) {
          assert.ok(round < MOST_ROUNDS, 'no fault met a transaction')
          await oracle.healed()
          await fault({ server, proxy, admin, client }, round)
        }
        proxy.heal()
        await oracle.healed()
        await Promise.all([oracle.stop(), script.stop()])
        const emptied = name.includes('empty')
        await oracle.verify(admin, { emptied })
        assert.ok(script.acknowledged > 0)
        const count = Number(await admin.get('by script'))
        assert.ok(count <= script.acknowledged + script.unknown, `${count} by script`)
        if (!emptied) assert.ok(count >= script.acknowledged, `${count} by script`)
        await atRest(client)
      })
    }
  })
}

/** Calls a script over and over: a server that has lost it is given it again. */
function countByScript (set, client) {
  const account = { acknowledged: 0, unknown: 0, stopping: false }
  const running = (async () => {
    while (!account.stopping) {
      try {
        const count = await client.countOne('by script')
        account.acknowledged++
        assert.ok(count <= account.acknowledged + account.unknown, `${count} by script`)
      } catch (error) {
        assert.match(String(error.code), /^(CONNECTION_LOST|TIMEOUT)$/, error)
        if (error.applied !== 'no') account.unknown++
        await new Promise(resolve => { setTimeout(resolve, REST) })
      }
    }
  })()
  // Told by stop(); until then it is nobody's.
  running.catch(() => {})
  set.defer(() => { account.stopping = true })
  account.stop = () => {
    account.stopping = true
    return running
  }
  return account
}

const scripts = {
  countOne: defineScript({
    SCRIPT: 'return redis.call("INCR", KEYS[1])',
    NUMBER_OF_KEYS: 1,
    parseCommand: (parser, key) => { parser.pushKey(key) },
    transformReply: undefined
  })
}

const ROUNDS = 4
const MOST_ROUNDS = 50
// Short (ms), so that stopping a server for longer does not take long. A busy machine has needed
// more than 400 for one round trip.
const TIMEOUT = 1500
// As the oracle rests after a failure.
const REST = 5
