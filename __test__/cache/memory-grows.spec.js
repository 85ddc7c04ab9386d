'use strict'

// The cache stays within its bounds, and keeps nothing of what it has dropped.

const assert = require('node:assert')
const { after, before, beforeEach, describe, it } = require('node:test')

const { createClient, BasicClientSideCache } = require('../..')
const { Store } = require('../../lib/cache/store')
const { Table } = require('../../lib/cache/table')
const { eventually } = require('../behaviour/eventually')
const { quiet, startScene } = require('./scene')

describe('a cache', () => {
  let scene, client, other
  before(async () => {
    scene = await startScene()
    other = scene.other
  })
  after(() => scene.stop())
  beforeEach(() => other.flushAll())

  const table = () => client._bridge.table

  it('with maxEntries keeps no more, nor the keys of others', async () => {
    client = scene.add({}, { maxEntries: 100 })
    for (let n = 0; n < 6_000; n += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, i) => client.get(`key:${n + i}`)))
    }
    assert.strictEqual(scene.cache.size(), 100)
    assert.strictEqual(table().index.size, 100)
    assert.strictEqual(table().size, 100)
    assert.strictEqual(scene.cache.stats().evictionCount, 5_900)
  })

  it('with maxBytes drops what was not used for longest', async () => {
    client = scene.add({}, { maxBytes: 20_000 })
    await other.set('used', 'x')
    await client.get('used')
    for (let n = 0; n < 50; n++) {
      await other.set(`k${n}`, 'x'.repeat(1_000))
      await client.get(`k${n}`)
      await client.get('used')
    }
    const { result, misses } = await scene.misses(() => client.get('used'))
    assert.deepStrictEqual([result, misses], ['x', 0])
    assert.ok(scene.cache.size() >= 8 && scene.cache.size() <= 10, String(scene.cache.size()))
    assert.strictEqual((await scene.misses(() => client.get('k49'))).misses, 0)
    assert.strictEqual((await scene.misses(() => client.get('k0'))).misses, 1)
  })

  it('keeps nothing that is larger than maxBytes by itself', async () => {
    client = scene.add({}, { maxBytes: 1_000 })
    await other.set('k', 'x'.repeat(1_000))
    await client.get('k')
    await client.get('k')
    assert.strictEqual(scene.cache.size(), 0)
    assert.strictEqual(table().index.size, 0)
  })

  it('with FIFO drops the oldest although it was used', async () => {
    client = scene.add({}, { maxEntries: 2, evictPolicy: 'FIFO' })
    for (const key of ['a', 'b', 'a', 'c']) await client.get(key)
    assert.strictEqual((await scene.misses(() => client.get('b'))).misses, 0)
    assert.strictEqual((await scene.misses(() => client.get('a'))).misses, 1)
  })

  it('with LRU drops what was not used', async () => {
    client = scene.add({}, { maxEntries: 2 })
    for (const key of ['a', 'b', 'a', 'c']) await client.get(key)
    assert.strictEqual((await scene.misses(() => client.get('a'))).misses, 0)
    assert.strictEqual((await scene.misses(() => client.get('b'))).misses, 1)
  })

  it('with a ttl serves nothing beyond it, and says what it drops', async () => {
    client = scene.add({}, { ttl: 20 })
    const dropped = []
    scene.cache.on('cache-evict', key => dropped.push(key))
    await other.set('k', '1')
    await client.get('k')
    await eventually(async () => {
      await client.get('k')
      return scene.cache.stats().missCount > 1
    }, 'the end of the ttl')
    assert.deepStrictEqual(dropped, ['k'])
    assert.strictEqual(scene.cache.stats().evictionCount, 1)
  })

  it('forgets a connection\'s invalidations that nobody reads', async () => {
    client = scene.add()
    const keys = Array.from({ length: 1_000 }, (_, n) => `k${n}`)
    await Promise.all(keys.map(key => client.get(key)))
    for (const key of keys) other.set(key, '1')
    await eventually(() => scene.cache.size() === 0, 'the invalidations')
    assert.strictEqual(table().index.size, 0)
  })

  it('is empty once its client is closed, and works when it is opened again', async () => {
    client = scene.add()
    await client.get('k')
    assert.strictEqual(scene.cache.size(), 1)
    await client.close()
    assert.strictEqual(scene.cache.size(), 0)
    await client.connect()
    await client.get('k')
    assert.strictEqual((await scene.misses(() => client.get('k'))).misses, 0)
    await scene.told('k', () => other.set('k', '1'))
    assert.strictEqual(await client.get('k'), '1')
  })

  it('shares its bounds among clients', async () => {
    const cache = new BasicClientSideCache({ maxEntries: 3 })
    const clients = [1, 2].map(() =>
      quiet(createClient({ url: scene.server.url, clientSideCache: cache })))
    for (const key of ['a', 'b']) for (const client of clients) await client.get(key)
    assert.strictEqual(cache.size(), 3)
    for (const client of clients) client.destroy()
    assert.strictEqual(cache.size(), 0)
  })
})

describe('a table', () => {
  it('keeps what is due, however full the cache is', () => {
    const store = new Store({ ttl: 0, maxEntries: 1, maxBytes: 1_000, evictPolicy: 'LRU' })
    const table = new Table(store, () => 0, () => {})
    const names = table.shelf(1).byKey
    const due = table.begin(names, 'due', 'due')
    for (const key of ['a', 'b', 'c']) table.keep(table.begin(names, key, key), 'x')
    assert.ok(due.isDue && names.get('due') === due)
    assert.deepStrictEqual([...names.keys()], ['due', 'c'])
    table.keep(due, 'x')
    assert.deepStrictEqual([...names.keys()], ['due'])
    table.forget('due')
    assert.deepStrictEqual([store.count, store.bytes, table.index.size], [0, 0, 0])
  })
})
