'use strict'

// In a cluster each node tells of the keys that were read from it. What a node tells no more of,
// because a slot has left it or the node has gone, is not served.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { BasicClientSideCache } = require('../..')
const { scene } = require('../cluster/scene')
const { eventually } = require('../behaviour/eventually')

async function start (t, clusterOptions, options) {
  const s = scene(t)
  const cluster = await s.cluster({ primaries: 2, replicas: 0, ...clusterOptions })
  const cache = new BasicClientSideCache()
  const client = s.clusterClient(cluster, { clientSideCache: cache, ...options })
  const other = s.clusterClient(cluster)
  await client.connect()
  await other.connect()
  return { cluster, cache, client, other }
}

describe('a cluster\'s client with a cache', () => {
  it('is told by each node', async t => {
    const { cluster, cache, client, other } = await start(t)
    const keys = cluster.primaries.map(node => cluster.keyOn(node))
    for (const [n, key] of keys.entries()) {
      await other.set(key, '1')
      assert.strictEqual(await client.get(key), '1')
      assert.strictEqual(await client.get(key), '1')
      assert.strictEqual(cache.stats().hitCount, n + 1)
    }
    for (const key of keys) {
      await other.set(key, '2')
      await eventually(async () => await client.get(key) === '2', 'the new value')
    }
  })

  it('finds what it has written, over all of its ways', async t => {
    const { cluster, client, other } = await start(t)
    const [a, b] = cluster.primaries.map(node => cluster.keyOn(node))
    const read = () => client.mGet([a, b])
    await other.mSet({ [a]: '1', [b]: '1' })
    assert.deepStrictEqual(await read(), ['1', '1'])
    const both = await Promise.all([client.mSet({ [a]: '2', [b]: '2' }), read()])
    assert.deepStrictEqual(both[1], ['2', '2'])
    await client.session(a, session => session.set(a, '3'))
    assert.deepStrictEqual(await read(), ['3', '2'])
    const [, behind] = await Promise.all([client.multi().set(b, '4').exec(), read()])
    assert.deepStrictEqual(behind, ['3', '4'])
    await read()
    await client.del([a, b])
    assert.deepStrictEqual(await read(), [null, null])
    await other.mSet({ [a]: '1', [b]: '1' })
    await eventually(async () => (await read()).join() === '1,1', 'the values')
    await client.flushAll()
    assert.deepStrictEqual(await read(), [null, null])
  })

  it('caches keys of several slots for each slot', async t => {
    const { cluster, cache, client, other } = await start(t)
    const [a, b] = cluster.primaries.map(node => cluster.keyOn(node))
    await other.mSet({ [a]: '1', [b]: '2' })
    await client.mGet([a, b])
    const { missCount } = cache.stats()
    assert.deepStrictEqual(await client.mGet([a, b]), ['1', '2'])
    assert.deepStrictEqual(await client.mGet([b, a]), ['2', '1'])
    assert.strictEqual(cache.stats().missCount, missCount)
  })

  it('serves nothing of a slot that has moved, whoever writes to it then', async t => {
    const { cluster, client, other } = await start(t)
    const [from, to] = cluster.primaries
    for (let n = 0; n < 3; n++) {
      const key = cluster.keyOn(from, n)
      const slot = cluster.slotOf(key)
      await other.set(key, '1')
      assert.strictEqual(await client.get(key), '1')
      await cluster.migrateSlot(slot, from, to)
      await other.set(key, '2')
      await eventually(async () => await client.get(key) === '2', 'the new value')
      await other.set(key, '3')
      await eventually(async () => await client.get(key) === '3', 'the newest value')
    }
  })

  it('serves nothing of a node that is gone', async t => {
    const { cluster, cache, client, other } = await start(t, { primaries: 3, replicas: 1 })
    const [node] = cluster.primaries
    const key = cluster.keyOn(node)
    await other.set(key, '1')
    await client.get(key)
    await client.get(key)
    assert.ok(cache.size() > 0)
    await cluster.kill(node)
    await cluster.waitForPromotion(node)
    await eventually(async () => {
      await other.set(key, '2').catch(() => {})
      return await other.get(key).catch(() => null) === '2'
    }, 'a write to the new primary')
    await eventually(async () =>
      await client.withCommandOptions({ timeout: 1000 }).get(key).catch(() => null) === '2',
    'the new value')
  })

  it('is told by replicas that it reads from', async t => {
    const { cluster, cache, client, other } =
      await start(t, { primaries: 3, replicas: 1 }, { readStrategy: 'replica' })
    const key = cluster.keyOn(cluster.primaries[0])
    for (let n = 0; n < 20; n++) {
      await other.set(key, String(n))
      await eventually(async () => await client.get(key) === String(n), 'the value')
    }
    await eventually(async () => {
      const { hitCount } = cache.stats()
      await client.get(key)
      return cache.stats().hitCount > hitCount
    }, 'a hit')
  })

  it('does not cache for clients of single nodes', async t => {
    const { cluster, cache, client } = await start(t)
    const key = cluster.keyOn(cluster.primaries[0])
    const node = await client.getNodeClientForKey(key)
    await node.get(key)
    await node.get(key)
    assert.strictEqual(cache.stats().missCount, 0)
  })
})
