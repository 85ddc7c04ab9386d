'use strict'

// @keyv/redis, by itself, below cache-manager and below Apollo's cache, on one server and in a
// cluster: it makes its clients itself, of the options and of a client that it is given.

const assert = require('node:assert')

const { KeyvAdapter } = require('@apollo/utils.keyvadapter')
const { createCache } = require('cache-manager')
const { default: KeyvRedis, Keyv, createKeyv } = require('@keyv/redis')

const { connected } = require('../clients')

module.exports = async given => {
  const { url, rootNodes } = given
  const seen = { own: await useKeyv(new KeyvRedis(url ?? { rootNodes }, { namespace: 'own' })) }
  const client = await connected(given)
  const store = new KeyvRedis(client, { namespace: 'given', useUnlink: false })
  seen.given = await useKeyv(store)
  seen.cacheManager = await useCacheManager(url ?? { rootNodes })
  seen.apollo = await useApollo(await connected(given))
  return seen
}

async function useKeyv (store) {
  const keyv = new Keyv({ store, namespace: store.namespace })
  const errors = []
  keyv.on('error', error => errors.push(error.message))
  const seen = { errors }
  seen.set = [
    await keyv.set('text', 'välue'), await keyv.set('object', { deep: [1, null, 'x'] }),
    await keyv.set('short', 'lived', 60_000), await keyv.set('buffer', Buffer.from([1, 255]))
  ]
  seen.get = [
    await keyv.get('text'), await keyv.get('object'), await keyv.get('short'), await keyv.get('no'),
    (await keyv.get('buffer')).toString('hex')
  ]
  assert.strictEqual(seen.get[0], 'välue')
  seen.setMany = await keyv.setMany(Array.from({ length: 50 }, (_, i) =>
    ({ key: `many ${i}`, value: i, ttl: i % 2 ? 60_000 : undefined })))
  seen.getMany = await keyv.get(Array.from({ length: 52 }, (_, i) => `many ${i}`))
  seen.has = [await keyv.has('text'), await keyv.has('no')]
  seen.hasMany = await keyv.hasMany(['text', 'no', 'many 3'])
  seen.delete = [
    await keyv.delete('text'), await keyv.delete('text'), await keyv.delete(['many 0', 'many 1'])
  ]
  const found = []
  for await (const [key, value] of keyv.iterator()) {
    found.push(`${key} ${typeof value === 'number' ? value : typeof value}`)
  }
  seen.iterated = found.toSorted()
  await keyv.clear()
  const left = []
  for await (const [key] of keyv.iterator()) left.push(key)
  seen.left = left
  await keyv.disconnect()
  seen.errors = errors.length
  return seen
}

async function useCacheManager (place) {
  const redis = createKeyv(place, { namespace: 'cached' })
  const cache = createCache({ stores: [new Keyv(), redis], ttl: 60_000 })
  let computed = 0
  const compute = () =>
    cache.wrap('answer', async () => { computed++; return { answer: 42 } }, 60_000)
  const answers = await Promise.all([compute(), compute(), compute()])
  await cache.set('plain', 'text')
  await cache.mset([{ key: 'a', value: 1 }, { key: 'b', value: [2] }])
  const seen = {
    answers, computed, plain: await cache.get('plain'), many: await cache.mget(['a', 'b', 'no']),
    ttl: await cache.ttl('plain') > Date.now(),
    // Behind the memory's back: what Redis itself has.
    below: [await redis.get('plain'), await redis.get('answer')]
  }
  await cache.del('plain')
  seen.deleted = [await cache.get('plain') ?? null, await redis.get('plain') ?? null]
  await cache.mdel(['a', 'b'])
  seen.mdeleted = await cache.mget(['a', 'b'])
  await cache.clear()
  seen.cleared = await redis.get('answer') ?? null
  await cache.disconnect()
  return seen
}

async function useApollo (client) {
  const store = new KeyvRedis(client, { namespace: 'apollo' })
  const cache = new KeyvAdapter(new Keyv({ store, namespace: 'apollo' }))
  await Promise.all(['fqc:1', 'fqc:2', 'apq:3'].map((key, i) =>
    cache.set(key, JSON.stringify({ data: i }), { ttl: i === 0 ? null : 300 })))
  // A turn's keys are one request.
  const batch = await Promise.all(['fqc:2', 'apq:3', 'no', 'fqc:1'].map(key => cache.get(key)))
  const deleted = await cache.delete('apq:3')
  const after = await cache.get('apq:3')
  await client.close()
  return { batch, deleted, after: after ?? null }
}
