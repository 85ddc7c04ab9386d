'use strict'

// redlock-universal: a lock that one of many gets, that is extended, that expires, and a quorum of
// three clients.

const assert = require('node:assert')

const { createClient } = require('redis')

module.exports = async ({ url }) => {
  const { LockManager, NodeRedisAdapter, createLock, createRedlock } =
    await import('redlock-universal')
  const clients = await Promise.all([0, 1, 2].map(async database => {
    const client = createClient({ url, database })
    await client.connect()
    return client
  }))
  const adapters = clients.map(client => new NodeRedisAdapter(client))
  const lockOf = options => createLock({
    adapter: adapters[0], key: 'lock', ttl: 30_000, retryAttempts: 0, ...options
  })
  const [lock, other] = [lockOf(), lockOf()]
  const handle = await lock.acquire()
  const refused = await other.acquire().then(() => 'acquired', error => error.name)
  const extended = await lock.extend(handle, 60_000)
  const ttl = await clients[0].pTTL('lock')
  assert.ok(ttl > 30_000, `${ttl}`)
  const held = await lock.isLocked('lock')
  const released = [
    await lock.release(handle), await lock.release(handle).catch(error => error.name)
  ]
  // 20 at once under one lock, each of which reads, waits and writes: none is lost.
  let busy = 0
  const waiting = lockOf({ key: 'counter', retryAttempts: 1000, retryDelay: 2 })
  await clients[0].set('count', 0)
  await Promise.all(Array.from({ length: 20 }, async () => {
    const handle = await waiting.acquire()
    assert.strictEqual(++busy, 1)
    const count = Number(await clients[0].get('count'))
    await new Promise(resolve => { setImmediate(resolve) })
    await clients[0].set('count', count + 1)
    busy--
    await waiting.release(handle)
  }))
  const count = await clients[0].get('count')
  const quorum = createRedlock({ adapters, key: 'quorum', ttl: 30_000, retryAttempts: 0 })
  const many = await quorum.acquire()
  const keys = await Promise.all(clients.map(client => client.exists('quorum')))
  const refusedByQuorum = await createRedlock({
    adapters, key: 'quorum', ttl: 30_000, retryAttempts: 0
  }).acquire().then(() => 'acquired', error => error.name)
  const releasedMany = await quorum.release(many)
  const manager = new LockManager({ nodes: adapters.slice(0, 1) })
  const batch = await manager.acquireBatch(['a', 'b', 'c'], { ttl: 10_000 })
  const inBatch = await clients[0].exists(['a', 'b', 'c'])
  await manager.releaseBatch(batch)
  const afterBatch = await clients[0].exists(['a', 'b', 'c'])
  const used = await lockOf({ key: 'using', ttl: 5000 }).using(async signal => signal.aborted)
  await Promise.all(clients.map(client => client.close()))
  return {
    refused, extended, held, released, count, keys, refusedByQuorum, releasedMany, inBatch,
    afterBatch, used
  }
}
