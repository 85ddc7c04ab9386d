'use strict'

// What applications can ask of a cache object, and hear from it: as in node-redis. One object may
// serve several clients of the same server.

const assert = require('node:assert')
const { subscribe, unsubscribe } = require('node:diagnostics_channel')
const { once } = require('node:events')
const { after, before, beforeEach, describe, it } = require('node:test')

const nodeRedis = require('redis')

const oxidis = require('../..')
const { createClient, createCluster, BasicClientSideCache, CacheStats } = oxidis
const { BasicPooledClientSideCache } = oxidis
const { quiet, startScene } = require('./scene')

describe('a cache object', () => {
  let scene, client, other
  before(async () => {
    scene = await startScene()
    client = scene.client
    other = scene.other
  })
  after(() => scene.stop())
  beforeEach(() => scene.reset())

  it('counts hits, misses, loads and failures', async () => {
    await other.rPush('list', 'a')
    await client.get('k')
    await client.get('k')
    await client.get('k')
    await client.get('list').catch(() => {})
    const stats = scene.cache.stats()
    assert.ok(stats instanceof CacheStats)
    const { hitCount, missCount, loadSuccessCount, loadFailureCount, evictionCount } = stats
    assert.deepStrictEqual([hitCount, missCount, loadSuccessCount, loadFailureCount, evictionCount],
      [2, 2, 1, 1, 0])
    assert.ok(stats.totalLoadTime > 0)
    assert.strictEqual(stats.hitRate(), 0.5)
    assert.strictEqual(stats.averageLoadPenalty(), stats.totalLoadTime / 2)
    assert.strictEqual(scene.cache.size(), 1)
  })

  it('counts nothing without recordStats', async () => {
    client = scene.add({}, { recordStats: false })
    await client.get('k')
    await client.get('k')
    assert.deepStrictEqual({ ...scene.cache.stats() }, { ...CacheStats.empty() })
    client = scene.add()
  })

  it('is cleared by the application, with its counts or without them', async () => {
    await client.get('k')
    scene.cache.clear(false)
    assert.strictEqual(scene.cache.size(), 0)
    assert.strictEqual(scene.cache.stats().evictionCount, 1)
    assert.strictEqual(scene.cache.stats().missCount, 1)
    await client.get('k')
    assert.strictEqual(scene.cache.stats().missCount, 2)
    scene.cache.clear()
    assert.deepStrictEqual({ ...scene.cache.stats() }, { ...CacheStats.empty() })
  })

  it('forgets a key that the application says has changed, or all of them', async () => {
    // What the server has told before is not news any more.
    await client.get('a')
    const heard = []
    const listen = key => heard.push(key)
    scene.cache.on('invalidate', listen)
    await client.get('a')
    await client.get('b')
    scene.cache.invalidate('a')
    assert.strictEqual(scene.cache.size(), 1)
    scene.cache.invalidate(Buffer.from('b'))
    assert.strictEqual(scene.cache.size(), 0)
    await client.get('a')
    scene.cache.invalidate(null)
    assert.strictEqual(scene.cache.size(), 0)
    scene.cache.off('invalidate', listen)
    assert.deepStrictEqual(heard, ['a', Buffer.from('b'), null])
    assert.throws(() => scene.cache.invalidate(1), /argument "key"/)
    assert.throws(() => scene.cache.invalidate(), TypeError)
  })

  it('says which keys the server has invalidated', async () => {
    const key = Buffer.from([0xff, 0x61])
    await client.get(key)
    const told = once(scene.cache, 'invalidate')
    await other.set(key, '1')
    assert.deepStrictEqual(await told, [key])
    await client.get(key)
    const all = once(scene.cache, 'invalidate')
    await other.flushAll()
    await client.echo('x')
    await client.get(key)
    assert.deepStrictEqual(await all, [null])
  })

  it('tells those who watch of requests and evictions, and whose they are', async t => {
    await other.set('k', 'five!')
    await client.get('other')
    const heard = []
    const hear = ({ clientId, ...message }) => {
      assert.match(clientId, /^127\.0\.0\.1:/)
      heard.push(message)
    }
    const channels = [oxidis.CHANNELS.CACHE_REQUEST, oxidis.CHANNELS.CACHE_EVICTION]
    for (const channel of channels) subscribe(channel, hear)
    t.after(() => channels.forEach(channel => unsubscribe(channel, hear)))
    await client.get('k')
    await client.get('k')
    await client.strLen('k')
    await scene.told('k', () => other.set('k', '1'))
    assert.deepStrictEqual(heard, [
      { result: 'miss' },
      { result: 'hit', bytesSaved: 5 },
      { result: 'miss' },
      { reason: 'invalidation', count: 2 }
    ])
  })
})

describe('a client', () => {
  it('hands out the cache that it has, and none if it has none', () => {
    const cache = new BasicClientSideCache()
    const client = createClient({ clientSideCache: cache })
    assert.strictEqual(client.clientSideCache, cache)
    assert.strictEqual(client.withTypeMapping({}).clientSideCache, cache)
    assert.ok(createClient({ clientSideCache: {} }).clientSideCache instanceof BasicClientSideCache)
    assert.strictEqual(createClient().clientSideCache, undefined)
    assert.throws(() => oxidis.createClientPool({}, { clientSideCache: 1 }), /clientSideCache/)
    assert.throws(() => oxidis.createClientPool({ RESP: 2 }, { clientSideCache: {} }), TypeError)
  })
})

describe('one cache object', () => {
  it('keeps what each of its clients has read apart', async t => {
    const scene = await startScene()
    t.after(() => scene.stop())
    const { server, other, cache } = scene
    const prefixed = quiet(createClient({
      url: server.url, clientSideCache: cache, keyPrefix: 'p:', database: 1
    }))
    t.after(() => prefixed.destroy())
    await other.set('k', 'plain')
    await prefixed.set('k', 'prefixed')
    assert.strictEqual(await scene.client.get('k'), 'plain')
    assert.strictEqual(await prefixed.get('k'), 'prefixed')
    assert.strictEqual(await scene.client.get('k'), 'plain')
    assert.strictEqual(cache.size(), 2)
    prefixed.destroy()
    assert.strictEqual(cache.size(), 1)
  })

  it('is not for clients of two servers', async t => {
    const cache = new BasicClientSideCache()
    const options = { socket: { host: '127.0.0.1', port: 1 }, clientSideCache: cache }
    const client = createClient(options)
    t.after(() => client.destroy())
    createClient(options).destroy()
    assert.throws(() => createClient({ ...options, socket: { host: '127.0.0.1', port: 2 } }),
      /clientSideCache.*another server/)
    assert.throws(() => createCluster({
      rootNodes: [{ socket: { host: '127.0.0.1', port: 1 } }], defaults: { clientSideCache: cache }
    }), TypeError)
    client.destroy()
    createClient({ ...options, socket: { host: '127.0.0.1', port: 2 } }).destroy()
  })
})

describe('wrong options of a cache', () => {
  const wrong = {
    'ttl: -1': [{ ttl: -1 }, /"(clientSideCache\.)?ttl" must be an integer/],
    'maxEntries: 1.5': [{ maxEntries: 1.5 }, /maxEntries/],
    'maxBytes: 0': [{ maxBytes: 0 }, /maxBytes/],
    'evictPolicy: lru': [{ evictPolicy: 'lru' }, /'LRU' or 'FIFO'/],
    'recordStats: 1': [{ recordStats: 1 }, /recordStats/]
  }
  for (const [name, [options, pattern]] of Object.entries(wrong)) {
    it(`are refused: ${name}`, () => {
      assert.throws(() => createClient({ clientSideCache: options }), pattern)
      assert.throws(() => new BasicClientSideCache(options), pattern)
    })
  }

  it('are refused: no object, a list, and a cache of somebody else', () => {
    const foreign = new nodeRedis.BasicClientSideCache()
    for (const value of [true, 1, 'on', [], foreign]) {
      assert.throws(() => createClient({ clientSideCache: value }), /option "clientSideCache" must/)
    }
    assert.throws(() => createClient({ clientSideCache: { size: 1 }, strictOptions: true }),
      /clientSideCache.size/)
    createClient({ clientSideCache: null }).destroy()
  })
})

describe('the classes of caches', () => {
  it('have what those of node-redis have for applications', () => {
    const ours = new BasicPooledClientSideCache({ ttl: 5, maxEntries: 7, evictPolicy: 'FIFO' })
    const theirs = new nodeRedis.BasicPooledClientSideCache(
      { ttl: 5, maxEntries: 7, evictPolicy: 'FIFO' })
    assert.ok(ours instanceof BasicClientSideCache)
    for (const name of ['ttl', 'maxEntries', 'lru']) assert.strictEqual(ours[name], theirs[name])
    for (const name of ['size', 'stats', 'clear', 'invalidate', 'on', 'once', 'emit']) {
      assert.strictEqual(typeof ours[name], typeof theirs[name], name)
    }
  })

  it('have statistics that calculate as those of node-redis', () => {
    const Theirs = new nodeRedis.BasicClientSideCache().stats().constructor
    const numbers = [[0, 0, 0, 0, 0, 0], [8, 2, 1, 1, 30, 4], [3, 9, 0, 2, 7, 0]]
    const methods = ['requestCount', 'hitRate', 'missRate', 'loadCount', 'loadFailureRate',
      'averageLoadPenalty']
    for (const one of numbers) {
      for (const method of methods) {
        assert.strictEqual(CacheStats.of(...one)[method](), Theirs.of(...one)[method](), method)
      }
      for (const other of numbers) {
        for (const method of ['plus', 'minus']) {
          assert.deepStrictEqual({ ...CacheStats.of(...one)[method](CacheStats.of(...other)) },
            { ...Theirs.of(...one)[method](Theirs.of(...other)) })
        }
      }
    }
    assert.deepStrictEqual({ ...CacheStats.empty() }, { ...Theirs.empty() })
    assert.throws(() => CacheStats.of(-1), /"hitCount"/)
  })
})
