'use strict'

// bentocache: a memory and Redis below it, and a bus that tells other processes of changes.

const assert = require('node:assert')

const Redis = require('ioredis')

module.exports = async ({ url }) => {
  const { BentoCache, bentostore } = await import('bentocache')
  const { memoryDriver } = await import('bentocache/drivers/memory')
  const { redisBusDriver, redisDriver } = await import('bentocache/drivers/redis')
  const connection = { host: '127.0.0.1', port: Number(new URL(url).port) }
  const make = () => new BentoCache({
    default: 'all',
    stores: {
      all: bentostore().useL1Layer(memoryDriver({})).useL2Layer(redisDriver({ connection }))
        .useBus(redisBusDriver({ connection }))
    }
  })
  const [one, other] = [make(), make()]
  let computed = 0
  const get = cache => cache.getOrSet({ key: 'answer', ttl: '1m', factory: async () => ++computed })
  const answers = [...await Promise.all([get(one), get(one)]), await get(other)]
  await one.set({ key: 'name', value: 'ünï', ttl: '1m' })
  const seen = { answers, computed, name: await other.get({ key: 'name' }) }
  // The bus tells the other cache that its memory is out of date.
  const probe = new Redis(url)
  while ((await probe.pubsub('NUMSUB', 'bentocache.notifications:all'))[1] < 2) await pause()
  await one.set({ key: 'name', value: 'new', ttl: '1m' })
  while (await other.get({ key: 'name' }) !== 'new') await pause()
  await one.delete({ key: 'name' })
  while (await other.get({ key: 'name' }) !== undefined) await pause()
  seen.keys = (await probe.keys('*answer*')).length
  await probe.quit()
  await Promise.all([one.disconnectAll(), other.disconnectAll()])
  assert.strictEqual(seen.computed, 1)
  return seen
}

function pause () {
  return new Promise(resolve => { setTimeout(resolve, 5) })
}
