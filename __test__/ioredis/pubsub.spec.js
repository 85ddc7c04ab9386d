'use strict'

// Pub/Sub, MONITOR and scans tell what they tell in ioredis.

const assert = require('node:assert')
const { after, afterEach, before, describe, test } = require('node:test')

const { startServer } = require('../support/redis-server')
const { FACES, compare, eventOf, outcomeOf, ready, until } = require('./pair')

let server, control
const open = new Set()

before(async () => {
  server = await startServer()
  control = new FACES.ioredis(server.port, '127.0.0.1')
})
after(async () => {
  control?.disconnect()
  await server?.stop()
})
afterEach(() => {
  for (const redis of open) redis.disconnect()
  open.clear()
})

function start (Redis, options) {
  const redis = new Redis(server.port, '127.0.0.1', options)
  open.add(redis)
  return redis
}

/** What an instance hears of messages. */
function hear (redis) {
  const heard = []
  for (const name of ['message', 'messageBuffer', 'pmessage', 'pmessageBuffer', 'smessage',
    'smessageBuffer']) redis.on(name, (...details) => heard.push([name, ...details]))
  return heard
}

const sorted = list => list.map(entry => JSON.stringify(entry)).sort()

describe('messages', () => {
  test('come as text and as Buffers', () => compare(async ({ Redis }) => {
    const redis = start(Redis)
    const heard = hear(redis)
    const counts = [await redis.subscribe('a', 'b'), await redis.psubscribe('p*'),
      await redis.ssubscribe('s')]
    await control.publish('a', 'text é')
    await control.publish('pq', Buffer.from([255]))
    await control.spublish('s', 'sharded')
    await until(() => heard.length === 6)
    const value = await redis.set('k', 'v')
    const { mode } = redis
    const ends = [await redis.unsubscribe('a'), await redis.punsubscribe('p*'),
      await redis.unsubscribe(), await redis.sunsubscribe('s')]
    return { counts, heard: sorted(heard), value, mode, ends }
  }))

  test('shut other commands out with RESP2', () => compare(async ({ Redis }) => {
    const redis = start(Redis, { protocol: 2 })
    const heard = hear(redis)
    await redis.subscribe('a')
    const { mode } = redis
    const refused = await outcomeOf(() => redis.get('k'))
    await control.publish('a', 'b')
    await until(() => heard.length === 2)
    const end = await redis.unsubscribe('a')
    return { mode, refused, heard, end, after: redis.mode, value: await redis.set('k', 'v') }
  }))

  test('come again after a loss', () => compare(async ({ Redis, isOurs }) => {
    const redis = start(Redis, { retryStrategy: () => 1 })
    const heard = hear(redis)
    const channel = isOurs ? 'ours' : 'theirs'
    await redis.subscribe(channel)
    redis.disconnect(true)
    await eventOf(redis, 'ready')
    await until(async () => (await control.pubsub('numsub', channel))[1] === 1)
    await control.publish(channel, 'x')
    await until(() => heard.length === 2)
    return heard.map(([name, , message]) => [name, String(message)]).sort()
  }))

  test('have no prefix', () => compare(async ({ Redis }) => {
    const redis = start(Redis, { keyPrefix: 'p:' })
    const heard = hear(redis)
    await redis.subscribe('plain')
    await redis.publish('plain', 'x')
    await until(() => heard.length === 2)
    return sorted(heard)
  }))

  test('come where commands with callbacks are', () => compare(async ({ Redis }) => {
    const redis = start(Redis)
    await ready(redis)
    return new Promise(resolve => redis.subscribe('a', 'b', (...outcome) => resolve(outcome)))
  }))

  test('of nothing subscribed end at once', async () => {
    const redis = start(FACES.oxidis)
    assert.strictEqual(await redis.unsubscribe(), 0)
    await redis.psubscribe('p*')
    assert.strictEqual(await redis.unsubscribe(), 1)
    assert.strictEqual(await redis.punsubscribe(), 0)
  })
})

test('MONITOR tells of each command', () => compare(async ({ Redis }) => {
  const redis = start(Redis)
  const monitor = await redis.monitor()
  open.add(monitor)
  const heard = []
  monitor.on('monitor', (time, args, source, database) => {
    if (args[0] === 'set') heard.push([typeof time, args, typeof source, database])
  })
  await control.set('k', 'with "quotes"')
  await until(() => heard.length === 1)
  return { heard, status: monitor.status, mode: monitor.mode,
    refused: await outcomeOf(() => monitor.get('k')) }
}))

describe('scans', () => {
  before(async () => {
    await control.flushall()
    await control.mset(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`key:${i}`, i])))
    await control.hset('hash', { a: 1, b: 2 })
    await control.sadd('set', 'x', 'y')
    await control.zadd('zset', 1, 'x')
  })

  test('are streams of arrays', () => compare(async ({ Redis }) => {
    const redis = start(Redis)
    const all = async stream => {
      const list = []
      for await (const part of stream) list.push(...part)
      return list
    }
    return [
      (await all(redis.scanStream({ match: 'key:*', count: 7 }))).sort(),
      (await all(redis.scanBufferStream({ type: 'hash' }))),
      await all(redis.hscanStream('hash')),
      (await all(redis.sscanStream('set', { match: '*' }))).sort(),
      await all(redis.zscanStream('zset'))
    ]
  }))

  test('end by close', async () => {
    const redis = start(FACES.oxidis)
    const stream = redis.scanStream({ count: 1 })
    let parts = 0
    for await (const part of stream) {
      assert.ok(Array.isArray(part))
      parts++
      stream.close()
    }
    assert.ok(parts <= 2)
  })

  test('fail with the error of the server', () => compare(async ({ Redis }) => {
    const redis = start(Redis)
    const [error] = await eventOf(redis.hscanStream('set').resume(), 'error')
    return error
  }))
})
