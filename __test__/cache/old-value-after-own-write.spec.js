'use strict'

// A client reads what it has written, awaited or not, whichever way the write has gone. The server
// tells of a change after its reply, so the client has to forget by itself.

const assert = require('node:assert')
const { after, before, beforeEach, describe, it } = require('node:test')

const { createClient, createClientPool, defineScript } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { quiet, startScene } = require('./scene')

describe('a read behind a write of the same client', () => {
  let scene, client, other
  before(async () => {
    const scripts = {
      setTo: defineScript({
        SCRIPT: "return redis.call('SET', KEYS[1], ARGV[1])",
        NUMBER_OF_KEYS: 1,
        parseCommand (parser, key, value) {
          parser.pushKey(key)
          parser.push(value)
        }
      })
    }
    scene = await startScene({ scripts })
    client = scene.client
    other = scene.other
  })
  after(() => scene.stop())
  beforeEach(async () => {
    await scene.reset()
    await other.set('k', '1')
    await other.set('k2', '1')
    assert.strictEqual(await client.get('k'), '1')
    assert.strictEqual(await client.get('k2'), '1')
    assert.strictEqual(scene.cache.size(), 2)
  })

  const writes = {
    'of a method': () => client.set('k', '2'),
    'with a Buffer for a key': () => client.set(Buffer.from('k'), '2'),
    'of several keys': () => client.mSet({ a: 'x', k: '2' }),
    'by sendCommand': () => client.sendCommand(['set', 'k', '2']),
    'by a script': () => client.setTo('k', '2'),
    'by EVAL': () => client.eval("return redis.call('SET', KEYS[1], '2')", { keys: ['k'] }),
    'of a transaction': () => client.multi().set('a', 'x').set('k', '2').exec(),
    'of a pipeline': () => client.multi().set('k', '2').execAsPipeline(),
    'of a transaction with a large value': () =>
      client.multi().set('a', 'x'.repeat(20_000)).set('k', '2').set('b', 'x'.repeat(20_000)).exec(),
    'of a pipeline with a large value': () =>
      client.multi().set('a', 'x'.repeat(20_000)).set('k', '2').execAsPipeline(),
    'behind a large value': () => client.mSet(['a', 'x'.repeat(20_000), 'k', '2']),
    'by RENAME': async () => {
      await other.set('from', '2')
      return client.rename('from', 'k')
    }
  }

  for (const [name, write] of Object.entries(writes)) {
    it(`is not older than a write ${name}, which was awaited`, async () => {
      await write()
      assert.strictEqual(await client.get('k'), '2')
    })
    if (name === 'by RENAME') continue
    it(`is not older than a write ${name}, which was not awaited`, async () => {
      const [, read] = await Promise.all([write(), client.get('k')])
      assert.strictEqual(read, '2')
      assert.strictEqual(await client.get('k'), '2')
    })
  }

  it('does not join a read that was called before the write', async () => {
    scene.cache.clear()
    const [before, , behind] =
      await Promise.all([client.get('k'), client.set('k', '2'), client.get('k')])
    assert.deepStrictEqual([before, behind], ['1', '2'])
    assert.strictEqual(await client.get('k'), '2')
  })

  it('leaves what was not written in the cache', async () => {
    const { misses } = await scene.misses(async () => {
      await client.set('k', '2')
      await client.hSet('h', 'k2', 'k2')
      return client.get('k2')
    })
    assert.strictEqual(misses, 0)
  })

  it('is not older than a write of a session', async () => {
    await client.session(async session => {
      await session.set('k', '2')
      assert.strictEqual(await client.get('k'), '2')
      await session.multi().set('k', '3').exec()
      assert.strictEqual(await client.get('k'), '3')
      await session.sendCommand(['MULTI'])
      await session.set('k', '4')
      await client.get('k')
      await session.sendCommand(['EXEC'])
      assert.strictEqual(await client.get('k'), '4')
    })
  })

  it('is not older than what a blocking command has taken', async () => {
    await other.rPush('list', ['a', 'b'])
    assert.strictEqual(await client.lLen('list'), 2)
    await client.blPop('list', 1)
    assert.strictEqual(await client.lLen('list'), 1)
  })

  for (const [name, run] of Object.entries({
    flushAll: () => client.flushAll(),
    flushDb: () => client.flushDb(),
    'flushAll in a transaction': () => client.multi().flushAll().exec(),
    'flushall by sendCommand': () => client.sendCommand(['flushall']),
    'flushdb in a transaction by sendCommand': () => client.multi().sendCommand(['flushdb']).exec()
  })) {
    it(`finds nothing behind ${name}, awaited or not`, async () => {
      const [, read] = await Promise.all([run(), client.get('k')])
      assert.strictEqual(read, null)
      await other.set('k', '1')
      await client.get('k')
      await run()
      assert.strictEqual(await client.get('k'), null)
    })
  }
})

// The server says nothing in these tests, as a server that is slow to tell.
describe('a write over another connection', () => {
  /** A client of a server that answers GET with what was set last, and tells of nothing. */
  async function start (t, make, options) {
    const server = await startFakeServer()
    let value = '1'
    server.on('command', ([name, , ...args], reply) => {
      if (name === 'GET') return reply.bulk(value)
      if (name === 'SET') [value] = args
      return name === 'BLPOP' ? reply.null() : reply.ok()
    })
    const client = quiet(make({ url: server.url, clientSideCache: {}, ...options }))
    t.after(async () => {
      client.destroy()
      await server.stop()
    })
    await client.connect()
    return { server, client }
  }

  it('by a session is known when it is answered', async t => {
    const { client } = await start(t, createClient)
    await client.session(async session => {
      for (const value of ['2', '3'.repeat(20_000)]) {
        await client.get('k')
        const write = session.set('k', value)
        const meanwhile = client.get('k')
        await write
        assert.strictEqual(await client.get('k'), value)
        await meanwhile
        assert.strictEqual(await client.get('k'), value)
      }
    })
  })

  it('by a blocking command is known when it is answered', async t => {
    const { client, server } = await start(t, createClient)
    const asked = () => server.commands.filter(([name]) => name === 'GET').length
    await client.get('k')
    await client.blPop('k', 1)
    await client.get('k')
    assert.strictEqual(asked(), 2)
  })

  it('by another lane is known when it is answered, whatever was read meanwhile', async t => {
    const server = await startFakeServer()
    const pool = quiet(createClientPool({ url: server.url, lanes: 2, clientSideCache: {} }))
    t.after(async () => {
      pool.destroy()
      await server.stop()
    })
    await pool.connect()
    const set = server.next('SET')
    const write = pool.set('k', '2')
    const { reply: setReply, connection } = await set
    const get = server.next('GET')
    const read = pool.get('k')
    const { reply: getReply, connection: other } = await get
    assert.notStrictEqual(other, connection)
    getReply.bulk('1')
    assert.strictEqual(await read, '1')
    setReply.ok()
    await write
    const again = server.next('GET')
    const behind = pool.get('k')
    ;(await again).reply.bulk('2')
    assert.strictEqual(await behind, '2')
  })
})
