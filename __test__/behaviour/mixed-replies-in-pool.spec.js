'use strict'

// A pool is a client with several connections: right replies under load, node-redis's getters and
// options.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, createClientPool, RedisClient, RedisClientPool } = require('../..')
const { startServer } = require('../support/redis-server')

describe('createClientPool', () => {
  let server
  before(async () => { server = await startServer() })
  after(() => server.stop())

  const make = (t, options, poolOptions) => {
    const pool = createClientPool(options, poolOptions)
    t.after(() => pool.destroy())
    return pool
  }

  it('gives each of 20,000 commands of one Promise.all its reply', async t => {
    const pool = make(t, server.url)
    const replies = await Promise.all(
      Array.from({ length: 20_000 }, (_, n) => pool.echo(String(n))))
    assert.ok(replies.every((reply, n) => reply === String(n)))
  })

  it('gives each of 200 workers its own replies, over all lanes', async t => {
    const pool = make(t, { url: server.url, lanes: 4, name: 'laned' })
    await pool.connect()
    await Promise.all(Array.from({ length: 200 }, async (_, worker) => {
      for (let round = 0; round < 50; round++) {
        const text = `${worker}:${round}:${'x'.repeat((worker * round) % 3000)}`
        assert.strictEqual(await pool.set(`w${worker}`, text), 'OK')
        assert.strictEqual(await pool.get(`w${worker}`), text)
      }
    }))
    const clients = await pool.clientList()
    const laned = clients.filter(client => client.name === 'laned').length
    assert.ok(laned >= 2 && laned <= 4, `${laned} connections`)
    assert.strictEqual(pool.totalClients, laned)
  })

  it('keeps the order of commands that are awaited', async t => {
    const pool = make(t, { url: server.url, lanes: 4 })
    for (let n = 0; n < 300; n++) assert.strictEqual(await pool.rPush('ordered', String(n)), n + 1)
  })

  it('has node-redis\'s getters', async t => {
    const pool = make(t, server.url)
    const numbers = () => [pool.idleClients, pool.clientsInUse, pool.totalClients,
      pool.tasksQueueLength]
    assert.deepStrictEqual(numbers(), [0, 0, 0, 0])
    await pool.get('k')
    assert.ok(pool.totalClients >= 1 && pool.totalClients <= 2)
    assert.deepStrictEqual([pool.clientsInUse, pool.tasksQueueLength], [0, 0])
    assert.strictEqual(pool.idleClients, pool.totalClients)
    await pool.close()
    assert.deepStrictEqual(numbers(), [0, 0, 0, 0])
  })

  it('is a client: views, callbacks, connect, close, duplicate', async t => {
    const pool = make(t, server.url)
    assert.ok(pool instanceof RedisClientPool && pool instanceof RedisClient)
    assert.strictEqual(await pool.connect(), pool)
    await pool.set('k', 'v')
    assert.deepStrictEqual(await pool.withTypeMapping({ 36: Buffer }).get('k'), Buffer.from('v'))
    assert.deepStrictEqual(
      await new Promise(resolve => { pool.get('k', (...args) => resolve(args)) }), [null, 'v'])
    const copy = pool.duplicate()
    t.after(() => copy.destroy())
    assert.ok(copy instanceof RedisClientPool)
    assert.strictEqual(await copy.get('k'), 'v')
    await pool.close()
    await assert.rejects(pool.get('k'), { code: 'CLOSED' })
    assert.strictEqual(await copy.get('k'), 'v')
  })

  it('takes node-redis\'s pool options, and a client\'s', async t => {
    const own = make(t, { url: server.url, lanes: 1, pool: { max: 7 } }, { maximum: 5 })
    await own.get('k')
    assert.strictEqual(own.stats().lanes.length, 1)
    assert.strictEqual(own.stats().pool.max, 7)
    const small = make(t, server.url,
      { minimum: 1, maximum: 1, acquireTimeout: 10, cleanupDelay: 5 })
    await small.get('k')
    assert.deepStrictEqual([small.stats().lanes.length, small.stats().pool.max], [1, 1])
    const usual = make(t, server.url)
    await usual.get('k')
    assert.deepStrictEqual([usual.stats().lanes.length, usual.stats().pool.max], [2, 100])
  })

  it('comes from a client as well, with its options', async t => {
    const client = createClient({ url: server.url, database: 3, keyPrefix: 'p:' })
    t.after(() => client.destroy())
    await client.set('k', 'in 3')
    const pool = client.createPool({ maximum: 3 })
    t.after(() => pool.destroy())
    assert.ok(pool instanceof RedisClientPool)
    assert.strictEqual(await pool.get('k'), 'in 3')
    assert.strictEqual(pool.stats().pool.max, 3)
  })

  it('works on while one of its lanes waits for a slow reply', async t => {
    const pool = make(t, server.url)
    await pool.connect()
    const large = 'x'.repeat(20e6)
    const [set, ...echoes] = await Promise.all([
      pool.set('large', large), ...Array.from({ length: 500 }, (_, n) => pool.echo(String(n)))])
    assert.strictEqual(set, 'OK')
    assert.ok(echoes.every((reply, n) => reply === String(n)))
    assert.ok(await pool.get('large') === large)
  })
})
