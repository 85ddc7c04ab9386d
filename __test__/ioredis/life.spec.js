'use strict'

// The status, the events and the errors of an instance, from its start to its end, are those of
// ioredis.

const assert = require('node:assert')
const { once } = require('node:events')
const { after, afterEach, before, describe, test } = require('node:test')

const { freePort } = require('../support/ports')
const { startServer } = require('../support/redis-server')
const { FACES, compare, eventOf, outcomeOf, ready, record } = require('./pair')

let server
const open = new Set()

before(async () => { server = await startServer() })
after(() => server?.stop())
afterEach(() => {
  for (const redis of open) redis.disconnect()
  open.clear()
})

/** A new instance, which is closed behind the test. */
function make (Redis, ...args) {
  const redis = new Redis(...args)
  open.add(redis)
  return redis
}

const start = (Redis, options) => make(Redis, server.port, '127.0.0.1', options)

describe('an instance', () => {
  test('that connects tells connecting, connect and ready', () => compare(async ({ Redis }) => {
    const redis = start(Redis)
    const events = record(redis)
    const first = redis.status
    await ready(redis)
    const again = await outcomeOf(() => redis.connect())
    redis.disconnect()
    const last = redis.status
    await once(redis, 'end')
    return { events, first, again, last, after: await outcomeOf(() => redis.get('k')) }
  }))

  test('that is lazy waits for its first command', () => compare(async ({ Redis }) => {
    const redis = start(Redis, { lazyConnect: true })
    const events = record(redis)
    const first = redis.status
    const value = await redis.ping()
    const quit = await redis.quit()
    await once(redis, 'end')
    return { events, first, value, quit, again: await outcomeOf(() => redis.quit()) }
  }))

  test('that never connected ends by quit and by disconnect', () => compare(async ({ Redis }) => {
    const one = start(Redis, { lazyConnect: true })
    const other = start(Redis, { lazyConnect: true })
    const events = [record(one), record(other)]
    const quit = one.quit()
    other.disconnect()
    const outcome = await outcomeOf(() => quit)
    if (other.status !== 'end') await once(other, 'end')
    if (one.status !== 'end') await once(one, 'end')
    return { outcome, status: [one.status, other.status], events: events[1] }
  }))

  test('that is closed connects again when it is asked', () => compare(async ({ Redis }) => {
    const redis = start(Redis)
    await ready(redis)
    const events = record(redis)
    redis.disconnect()
    await once(redis, 'end')
    await redis.connect()
    const value = await redis.set('again', 1)
    return { events, value }
  }))

  test('makes another connection for disconnect(true)', () => compare(async ({ Redis }) => {
    const redis = start(Redis, { retryStrategy: () => 1 })
    await ready(redis)
    const events = record(redis)
    redis.disconnect(true)
    await eventOf(redis, 'ready')
    return { events, value: await redis.ping() }
  }))

  test('tells of a server that refuses, until the strategy gives up', () =>
    compare(async ({ Redis }) => {
      const port = await closedPort()
      const times = []
      const retryStrategy = time => { times.push(time); return time < 4 ? 1 : undefined }
      const redis = make(Redis, port, '127.0.0.1', { retryStrategy })
      const events = record(redis)
      const outcome = await outcomeOf(() => redis.get('k'))
      return { events, outcome, times, status: redis.status }
    }))

  test('rejects what waits after maxRetriesPerRequest attempts', () =>
    compare(async ({ Redis }) => {
      const port = await closedPort()
      const redis = make(Redis, port, '127.0.0.1',
        { retryStrategy: () => 1, maxRetriesPerRequest: 2 })
      redis.on('error', () => {})
      return Promise.all([outcomeOf(() => redis.get('k')), outcomeOf(() => redis.set('k', 1))])
    }))

  test('rejects at once without an offline queue', () => compare(async ({ Redis }) => {
    const redis = start(Redis, { enableOfflineQueue: false })
    const early = await outcomeOf(() => redis.get('k'))
    await ready(redis)
    return { early, late: await redis.ping() }
  }))

  test('connect() rejects at the first close', () => compare(async ({ Redis }) => {
    const port = await closedPort()
    const redis = make(Redis, port, '127.0.0.1', { lazyConnect: true, retryStrategy: null })
    const events = record(redis)
    const outcome = await outcomeOf(() => redis.connect())
    return { outcome, events, status: redis.status }
  }))

  test('says what a wrong password is, to all who wait', () => compare(async ({ Redis }) => {
    const other = await startServer({ requirepass: 'right' })
    try {
      const redis = make(Redis, other.port, '127.0.0.1',
        { password: 'wrong', retryStrategy: times => times < 2 ? 1 : null })
      const events = record(redis)
      const ended = eventOf(redis, 'end')
      const outcome = await outcomeOf(() => redis.get('k'))
      await ended
      return { events, outcome }
    } finally {
      await other.stop()
    }
  }, withoutSecrets))

  test('takes a password that it does not need', () => compare(async ({ Redis }) => {
    const redis = start(Redis, { password: 'needless' })
    redis.on('error', () => {})
    return redis.ping()
  }))

  test('selects its database on each connection', () => compare(async ({ Redis }) => {
    const redis = start(Redis, { db: 2, retryStrategy: () => 1 })
    await redis.set('where', 'two')
    await redis.select(3)
    await redis.set('where', 'three')
    const { select } = redis.condition
    redis.disconnect(true)
    await eventOf(redis, 'ready')
    return { select, value: await redis.get('where') }
  }))

  test('tells a changed database once', () => compare(async ({ Redis }) => {
    const redis = start(Redis)
    await ready(redis)
    const events = record(redis)
    await redis.select(4)
    await redis.select(4)
    await outcomeOf(() => redis.select('x'))
    return events
  }))
})

describe('nobody waits for ever', () => {
  test('for a reply, when the connection is closed while it is made anew', async () => {
    const port = await closedPort()
    const redis = make(FACES.oxidis, port, '127.0.0.1', { retryStrategy: () => 60_000 })
    redis.on('error', () => {})
    await eventOf(redis, 'reconnecting')
    const outcome = outcomeOf(() => redis.get('k'))
    redis.disconnect()
    const { error } = await outcome
    assert.strictEqual(error.message, 'Connection is closed.')
    assert.strictEqual(redis.status, 'end')
  })

  test('for a reply, when nothing is sent again', async () => {
    const redis = start(FACES.oxidis,
      { autoResendUnfulfilledCommands: false, retryStrategy: () => 1 })
    await ready(redis)
    const outcome = outcomeOf(() => redis.blpop('nothing', 0))
    await until(redis)
    redis.disconnect(true)
    assert.strictEqual((await outcome).error.message, 'Connection is closed.')
  })

  test('for a blocking command, which goes on over the next connection', async () => {
    const redis = start(FACES.oxidis, { retryStrategy: () => 1 })
    await ready(redis)
    const popped = redis.blpop('later', 0)
    await until(redis)
    redis.disconnect(true)
    await eventOf(redis, 'ready')
    const other = start(FACES.oxidis)
    await other.lpush('later', 'v')
    assert.deepStrictEqual(await popped, ['later', 'v'])
  })

  /** Waits until the server has a blocked client. */
  async function until () {
    const control = start(FACES.oxidis)
    let info
    do info = await control.info('clients'); while (!/blocked_clients:[1-9]/.test(info))
  }
})

/** A port on which nobody listens: the same for both faces. */
async function closedPort () {
  closedPort.port ??= await freePort()
  return closedPort.port
}

/** ioredis shows the password among the arguments of its error. Ours does not. */
function withoutSecrets (seen) {
  return JSON.parse(JSON.stringify(seen, (name, value) => name === 'args' ? [] : value))
}
