'use strict'

// An instance of a server that sentinels watch over finds it, as ioredis's does, and finds the next
// one after a failover.

const assert = require('node:assert')
const { after, afterEach, before, describe, test } = require('node:test')

const { startSentinels } = require('../support/redis-sentinel')
const { FACES, compare, eventOf, outcomeOf, ready, record, until } = require('./pair')

let set
const open = new Set()

before(async () => {
  set = await startSentinels({ replicas: 1, requirepass: 'secret', sentinelPassword: 'other' })
})
after(() => set?.stop())
afterEach(() => {
  for (const redis of open) redis.disconnect()
  open.clear()
})

const addresses = () => set.sentinels.map(({ port }) => ({ host: '127.0.0.1', port }))

function start (Redis, options) {
  const redis = new Redis({
    sentinels: addresses(), name: set.options.name, password: 'secret', sentinelPassword: 'other',
    ...options
  })
  redis.on('error', () => {})
  open.add(redis)
  return redis
}

const roleOf = async redis => /role:(\w+)/.exec(await redis.info('replication'))[1]

describe('an instance with sentinels', () => {
  test('finds the primary, and a replica', () => compare(async ({ Redis }) => {
    const redis = start(Redis)
    const events = record(redis)
    await ready(redis)
    const replica = start(Redis, { role: 'slave' })
    return { events, role: await roleOf(redis), other: await roleOf(replica),
      set: await redis.set('k', 'v'), readonly: await outcomeOf(() => replica.set('k', 'v')) }
  }))

  test('takes the replica that is preferred', () => compare(async ({ Redis }) => {
    const seen = []
    const redis = start(Redis, {
      role: 'slave',
      preferredSlaves: replicas => {
        seen.push(replicas.length, typeof replicas[0].port)
        return replicas[0]
      }
    })
    return { role: await roleOf(redis), seen }
  }))

  test('goes on when a sentinel does not answer', () => compare(async ({ Redis }) => {
    const redis = start(Redis, { sentinels: [{ host: '127.0.0.1', port: 1 }, ...addresses()] })
    return roleOf(redis)
  }))

  test('says that no sentinel answers, and ends if the strategy says so', () =>
    compare(async ({ Redis }) => {
      const nobody = [{ host: '127.0.0.1', port: 1 }]
      const one = start(Redis, { sentinels: nobody, sentinelRetryStrategy: null })
      const outcome = await outcomeOf(() => one.get('k'))
      const other = start(Redis, { sentinels: nobody,
        sentinelRetryStrategy: times => times < 3 ? 1 : null })
      const events = record(other)
      const ended = eventOf(other, 'end')
      const waited = await outcomeOf(() => other.get('k'))
      await ended
      return { outcome, events, waited, status: one.status }
    }, withoutLastError))

  test('ends when it is closed while it asks', async () => {
    const redis = start(FACES.oxidis, { sentinels: [{ host: '127.0.0.1', port: 1 }],
      sentinelRetryStrategy: () => 60_000 })
    const outcome = outcomeOf(() => redis.get('k'))
    await eventOf(redis, 'error')
    redis.disconnect()
    assert.strictEqual((await outcome).error.message, 'Connection is closed.')
  })

  test('finds the next primary after a failover', async () => {
    const redis = start(FACES.oxidis, { retryStrategy: () => 10 })
    await redis.set('k', 'before')
    await until(async () => /offset=\d+,lag=[01]/.test(await redis.info('replication')))
    const switched = set.waitForSwitch()
    await set.failover()
    await switched
    await until(async () => (await redis.set('k', 'after').catch(() => null)) === 'OK')
    assert.strictEqual(await roleOf(redis), 'master')
  })
})

/** ioredis says that the connection is closed. Ours says why there was none. */
function withoutLastError (seen) {
  return JSON.parse(JSON.stringify(seen, (name, value) =>
    name === 'message' ? value.replace(/ Last error: .*/, '') : value))
}

test('sentinels need a name', () => compare(async ({ Redis }) =>
  outcomeOf(async () => new Redis({ sentinels: addresses() }))))
