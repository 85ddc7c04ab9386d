'use strict'

// Every method on a real server: oxidis and node-redis resolve to deep-equal values, or reject
// with the same text of the server, in RESP2 and RESP3 and with type mappings.
//
// Each call of calls.js runs twice, once on each client, on data that is laid anew before: of the
// type that the method is for, then none, then of another type.

const assert = require('node:assert')
const { describe, test, before, after } = require('node:test')

const redis = require('redis')

const oxidis = require('../..')
const { commands } = require('../../lib/commands')
const { startServer } = require('../support/redis-server')
const calls = require('./calls')
const {
  Comparison, NOT_RUN, SETTINGS, STATES, callTheirs, checkNames, nameOf, outcomesOfSides
} = require('./comparison')

const comparison = new Comparison()
let server, control

before(async () => {
  server = await startServer()
  control = await redis.createClient(address()).connect()
})

after(async () => {
  control?.destroy()
  await server?.stop()
})

for (const setting of SETTINGS) {
  describe(nameOf(setting), () => {
    let ours, theirs

    before(async () => {
      const options = { ...address(), RESP: setting.RESP }
      ours = await oxidis.createClient(options).connect()
      theirs = await redis.createClient(options).on('error', () => {}).connect()
    })

    after(async () => {
      await ours?.close()
      theirs?.destroy()
    })

    for (const row of commands) {
      if (row.name in NOT_RUN) continue
      test(row.name, async () => {
        const [ourView, theirView] = [ours, theirs].map(viewOf)
        const cases = await outcomesOfSides(row, STATES, [
          { client: ours, call: args => ourView[row.name](...args) },
          { client: theirs, call: args => callTheirs(theirView, row, args) }
        ])
        for (const { id, outcomes: [actual, expected] } of cases) {
          comparison.compare(row, id, setting, actual, expected)
        }
      })
    }

    test('latencyHistogram has calls and buckets', async () => {
      await ours.get('missing')
      const histogram = await ours.latencyHistogram('get', 'nonsense')
      assert.deepStrictEqual(Object.keys(histogram), ['get'])
      assert.deepStrictEqual(Object.keys(histogram.get), ['calls', 'histogram_usec'])
      for (const [name, count] of Object.entries(histogram.get.histogram_usec)) {
        assert.match(name, /^\d+$/)
        assert.strictEqual(typeof count, 'number')
      }
    })

    function viewOf (client) {
      return setting.mapping ? client.withTypeMapping(setting.mapping) : client
    }
  })
}

test('a field called __proto__ survives, unlike in node-redis', async () => {
  await control.sendCommand(['HSET', 'proto', '__proto__', 'kept', 'f', 'v'])
  for (const RESP of [2, 3]) {
    const client = await oxidis.createClient({ ...address(), RESP }).connect()
    const hash = await client.hGetAll('proto')
    assert.deepStrictEqual(Object.entries(hash), [['__proto__', 'kept'], ['f', 'v']])
    assert.strictEqual(Object.getPrototypeOf(hash), Object.prototype)
    await client.close()
  }
})

test('every method has a call, or a reason to have none', t => {
  for (const { name } of commands) assert.ok(calls[name]?.length > 0 || name in NOT_RUN, name)
  checkNames()
  comparison.checkComplete()
  t.diagnostic(`differential: ${comparison}`)
})

function address () {
  return { socket: { host: '127.0.0.1', port: server.port } }
}
