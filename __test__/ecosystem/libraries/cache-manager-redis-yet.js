'use strict'

// cache-manager-redis-yet, which hands its own options (`ttl`, `keyPrefix`) through to the client.

const assert = require('node:assert')
const { createRequire } = require('node:module')

const { redisClusterStore, redisStore } = require('cache-manager-redis-yet')

const { caching } = createRequire(require.resolve('cache-manager-redis-yet'))('cache-manager')

module.exports = async ({ url, rootNodes }) => {
  // Some programs give the nodes more than node-redis knows.
  const nodes = rootNodes?.map(({ url }) => {
    const { hostname: host, port } = new URL(url)
    return { url, host, port: Number(port) }
  })
  const store = url === undefined
    ? await redisClusterStore({ rootNodes: nodes, ttl: 60_000 })
    : await redisStore({ url, ttl: 60_000, no_ready_check: true, keyPrefix: '' })
  const cache = await caching(store)
  await cache.set('foo', { bar: 'bäz' })
  await cache.set('short', 1, 20_000)
  await cache.set('forever', [1], 0)
  let computed = 0
  const wrap = () => cache.wrap('answer', async () => { computed++; return 42 })
  const seen = {
    get: [await cache.get('foo'), await cache.get('no') ?? null],
    ttls: await Promise.all(['foo', 'short', 'forever', 'no'].map(key => store.ttl(key)))
      .then(ttls => ttls.map(ttl => ttl > 0 ? Math.ceil(ttl / 20_000) : ttl)),
    wrapped: [await wrap(), await wrap()], computed,
    refused: await cache.set('nothing', undefined).then(() => 'taken', error => error.name)
  }
  assert.deepStrictEqual(seen.get[0], { bar: 'bäz' })
  if (url !== undefined) {
    await store.mset([['{m}a', 1], ['{m}b', { two: 2 }]])
    seen.many = await store.mget('{m}a', '{m}b', '{m}no')
    seen.keys = (await store.keys()).toSorted()
    seen.matching = (await store.keys('{m}*')).toSorted()
    await store.mdel('{m}a', '{m}b')
    await cache.reset()
    seen.left = await store.keys()
  }
  await cache.del('foo')
  seen.deleted = await cache.get('foo') ?? null
  await store.client.quit()
  return seen
}
