'use strict'

// `legacy()` is node-redis's: programs with callbacks get the same from both. Where node-redis
// sends a command that no server has (CONFIG_GET), it is the one that was meant here.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const redis = require('redis')

const oxidis = require('../..')
const { commands } = require('../../lib/commands')
const { isWhole } = require('../../lib/client/legacy')
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
  ['sendCommand', 'HGETALL', 'h'], ['sendCommand', 'config', 'get', 'no-such-parameter']
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

    const lay = async () => {
      await client.flushAll()
      await client.mSet({ k: 'v', a: '1', date: '0' })
      await client.hSet('h', { f: 'v', g: '5' })
      await client.sAdd('s', 'x')
      await client.zAdd('z', [{ score: 1.5, value: 'one' }, { score: 2, value: 'two' }])
    }

    it('calls back with what node-redis calls back with', async () => {
      for (const call of calls) {
        await lay()
        const expected = await called(theirs, call)
        await lay()
        assert.deepStrictEqual(await called(ours, call), expected, String(call))
      }
    })

    it('has every command of node-redis\'s by its names', () => {
      const names = commands.filter(isWhole).flatMap(({ name, upper }) => [name, upper])
      assert.ok(names.length > 400)
      for (const name of names) assert.strictEqual(typeof ours[name], 'function', name)
      assert.strictEqual(ours.zRangeWithScores, undefined)
    })

    it('sends commands of two words', async () => {
      const [, reply] = await heardBy(done => ours.configGet('maxmemory', done))
      assert.deepStrictEqual(RESP === 3 ? reply : { [reply[0]]: reply[1] }, { maxmemory: '0' })
      assert.deepStrictEqual(await heardBy(done => ours.CLIENT_GETNAME(done)), [null, null])
    })

    it('passes an error without a callback to the error listeners, if there are any', async t => {
      const other = client.duplicate()
      t.after(() => other.destroy())
      other.legacy().incr('h')
      await other.ping()
      const error = heard(other, 'error')
      other.legacy().incr('h')
      assert.strictEqual((await error).code, 'WRONGTYPE')
      other.legacy().set('quiet', 1)
      assert.strictEqual(await other.get('quiet'), '1')
    })

    it('follows the view that it is made of', async () => {
      const view = client.withTypeMapping({ [oxidis.RESP_TYPES.BLOB_STRING]: Buffer })
      assert.deepStrictEqual(await heardBy(done => view.legacy().echo('x', done)),
        [null, Buffer.from('x')])
    })

    it('quits', async t => {
      const other = client.duplicate()
      t.after(() => other.destroy())
      await other.connect()
      assert.deepStrictEqual(await heardBy(done => other.legacy().quit(done)), [null, 'OK'])
      assert.strictEqual(other.isOpen, false)
    })

    const missing = typeof oxidis.createClient().multi !== 'function' && 'there is no multi() yet'
    it('runs transactions', { skip: missing }, async () => {
      await lay()
      const run = legacy => heardBy(done => legacy.multi().set('m', 1).incr('m').hGetAll('h')
        .sendCommand('GET', 'k').exec(done))
      assert.deepStrictEqual(await run(ours), await run(theirs))
      const failing = await heardBy(done => ours.multi().incr('h').get('k').exec(done))
      assert.strictEqual(failing.length, 1)
      assert.deepStrictEqual([failing[0].code, failing[0].errorIndexes], ['MULTI', [0]])
    })
  })
}

describe('a callback of legacy() that throws', () => {
  it('is called once, and its error is the process\'s', async () => {
    const server = await startServer()
    try {
      const { stdout, code } = await runScript(`
        const client = oxidis.createClient(${JSON.stringify(server.url)})
        let calls = 0
        process.once('uncaughtException', error => {
          process.stdout.write(error.message + ' ' + calls)
          client.destroy()
        })
        client.legacy().ping(() => { calls++; throw new Error('own') })`)
      assert.deepStrictEqual([stdout, code], ['own 1', 0])
    } finally {
      await server.stop()
    }
  })
})

/** Resolves with the arguments that the callback is called with. */
function heardBy (call) {
  return new Promise(resolve => call((...args) => resolve(args)))
}
