'use strict'

// Stores of the ioredis age: connect-redis 7, cache-manager-ioredis-yet and unstorage.

const assert = require('node:assert')

const { redisStore } = require('cache-manager-ioredis-yet')
const { default: ConnectRedis } = require('connect-redis-7')
const Redis = require('ioredis')

module.exports = async ({ url }) => ({
  connectRedis: await useConnectRedis(url),
  cacheManager: await useCacheManager(url),
  unstorage: await useUnstorage(url)
})

async function useConnectRedis (url) {
  const client = new Redis(url)
  const store = new ConnectRedis({ client, prefix: 'app:', ttl: 60 })
  const call = (method, ...args) => new Promise((resolve, reject) => {
    store[method](...args, (error, value) => error ? reject(error) : resolve(value))
  })
  await call('set', 'one', { cookie: {}, name: 'ünï' })
  await call('set', 'two', { cookie: {}, name: 'two' })
  await call('touch', 'one', { cookie: {} })
  const seen = {
    one: await call('get', 'one'), ids: (await call('ids')).toSorted(),
    length: await call('length'), all: (await call('all')).map(({ name }) => name).toSorted(),
    expires: await client.ttl('app:one') > 0
  }
  assert.strictEqual(seen.one.name, 'ünï')
  await call('destroy', 'one')
  seen.left = await call('length')
  await call('clear')
  seen.cleared = await call('length')
  await client.quit()
  return seen
}

async function useCacheManager (url) {
  const { port } = new URL(url)
  const store = await redisStore({ host: '127.0.0.1', port: Number(port), ttl: 60_000 })
  await store.set('foo', { bar: 'bäz', date: new Date(0) })
  await store.set('forever', [1], 0)
  await store.mset([['a', 1], ['b', { two: 2 }]])
  const seen = {
    get: [await store.get('foo'), await store.get('no') ?? null],
    ttls: [await store.ttl('foo') > 0, await store.ttl('forever'), await store.ttl('no')],
    many: await store.mget('a', 'b', 'no'), keys: (await store.keys()).toSorted()
  }
  assert.strictEqual(seen.get[0].bar, 'bäz')
  await store.mdel('a', 'b')
  await store.reset()
  seen.left = await store.keys()
  await store.client.quit()
  return seen
}

async function useUnstorage (url) {
  const { createStorage } = await import('unstorage')
  const { default: redisDriver } = await import('unstorage/drivers/redis')
  const driver = redisDriver({ url, base: 'app', ttl: 100, scanCount: 5 })
  const storage = createStorage({ driver })
  await storage.setItem('a:b', { deep: 'ünï' })
  await storage.setItemRaw('raw', Buffer.from('bytes'))
  await storage.setItems(Array.from({ length: 20 }, (_, n) => ({ key: `many:${n}`, value: n })))
  const seen = {
    item: await storage.getItem('a:b'),
    has: [await storage.hasItem('a:b'), await storage.hasItem('no')],
    raw: String(await storage.getItemRaw('raw')), none: await storage.getItem('no'),
    keys: (await storage.getKeys()).toSorted(), many: await storage.getItems(['many:1', 'many:2'])
  }
  await storage.removeItem('a:b')
  await storage.clear('many:')
  seen.left = (await storage.getKeys()).toSorted()
  await storage.dispose()
  return seen
}
