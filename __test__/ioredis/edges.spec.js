'use strict'

// What only some programs meet: servers that load, TLS, tracing, callbacks that throw, RESP2 errors
// at shutdown. Compared with ioredis where both can do it.

const assert = require('node:assert')
const { execFile } = require('node:child_process')
const { tracingChannel } = require('node:diagnostics_channel')
const fs = require('node:fs')
const path = require('node:path')
const { after, afterEach, before, describe, test } = require('node:test')
const { promisify } = require('node:util')

const { startFakeServer } = require('../support/fake-server')
const { skipWithoutTls, startServer } = require('../support/redis-server')
const { FACES, compare, eventOf, outcomeOf, ready, record } = require('./pair')

let server
const open = new Set()

before(async () => { server = await startServer() })
after(() => server?.stop())
afterEach(() => {
  for (const redis of open) redis.disconnect()
  open.clear()
})

function start (Redis, options, port = server.port) {
  const redis = new Redis(port, '127.0.0.1', options)
  redis.on('error', () => {})
  open.add(redis)
  return redis
}

describe('a server that loads its data', () => {
  test('is asked again until it is ready', async () => {
    const fake = await startFakeServer()
    try {
      let asked = 0
      fake.on('command', ([name], reply) => {
        if (name.toUpperCase() === 'GET') return reply.bulk('v')
        asked++
        const loading = asked < 3 ? 1 : 0
        reply.bulk(`loading:${loading}\r\nloading_eta_seconds:100`)
      })
      const redis = start(FACES.oxidis, { maxLoadingRetryTime: 1 }, fake.port)
      const events = record(redis)
      const value = redis.get('k')
      await ready(redis)
      assert.strictEqual(await value, 'v')
      assert.strictEqual(asked, 3)
      assert.deepStrictEqual(events.map(([name]) => name), ['connecting', 'connect', 'ready'])
    } finally {
      await fake.stop()
    }
  })

  test('is not asked where that is not wanted', async () => {
    const fake = await startFakeServer()
    try {
      fake.on('command', ([name], reply) => reply.bulk(name))
      const redis = start(FACES.oxidis, { enableReadyCheck: false }, fake.port)
      assert.strictEqual(await redis.get('k'), 'get')
      assert.ok(!fake.commands.some(([name]) => name === 'INFO'))
    } finally {
      await fake.stop()
    }
  })
})

test('TLS works by options and by a URL', { skip: skipWithoutTls() }, async () => {
  const other = await startServer({ tls: true })
  try {
    const ca = fs.readFileSync(other.certificates.ca)
    await compare(async ({ Redis }) => {
      const redis = start(Redis, { tls: { ca, servername: 'localhost' } }, other.port)
      const byUrl = new Redis(`rediss://127.0.0.1:${other.port}`,
        { tls: { ca, rejectUnauthorized: false } })
      open.add(byUrl)
      return [await redis.ping(), await byUrl.ping()]
    })
  } finally {
    for (const redis of open) redis.disconnect()
    await other.stop()
  }
})

test('commands and transactions are told to tracers, without values', async () => {
  const seen = []
  const listen = kind => ({
    start: context => seen.push([kind, 'start', context.command ?? context.batchMode,
      context.args ?? context.batchSize]),
    asyncEnd: () => seen.push([kind, 'end'])
  })
  const channels = ['command', 'batch'].map(kind => [tracingChannel(`ioredis:${kind}`),
    { end () {}, asyncStart () {}, error () {}, ...listen(kind) }])
  const redis = start(FACES.oxidis)
  await ready(redis)
  for (const [channel, listeners] of channels) channel.subscribe(listeners)
  try {
    await redis.set('k', 'secret')
    await redis.multi().get('k').exec()
    await outcomeOf(() => redis.lpush('k', 'secret'))
  } finally {
    for (const [channel, listeners] of channels) channel.unsubscribe(listeners)
  }
  assert.deepStrictEqual(seen.filter(([, step]) => step === 'start'), [
    ['command', 'start', 'set', ['k', '?']], ['batch', 'start', 'MULTI', 1],
    ['command', 'start', 'lpush', ['k', '?']]])
  assert.strictEqual(seen.filter(([, step]) => step === 'end').length, 3)
})

test('a callback that throws is an uncaught exception, and others go on', async () => {
  const run = promisify(execFile)
  await compare(async ({ isOurs }) => {
    const name = isOurs ? path.join(__dirname, '..', '..', 'ioredis') : 'ioredis'
    const { stdout } = await run(process.execPath, ['-e', `
      const Redis = require(${JSON.stringify(name)})
      const redis = new Redis(${server.port}, '127.0.0.1')
      process.on('uncaughtException', error => console.log('uncaught', error.message))
      redis.ping(() => { throw new Error('mine') })
      redis.ping((error, reply) => { console.log(reply); redis.quit() })`],
    { cwd: path.join(__dirname, '..', '..') })
    return stdout.split('\n').sort()
  })
})

test('a wrong error is printed once nobody listens, never thrown', async () => {
  const run = promisify(execFile)
  await compare(async ({ isOurs }) => {
    const name = isOurs ? path.join(__dirname, '..', '..', 'ioredis') : 'ioredis'
    const { stderr } = await run(process.execPath, ['-e', `
      const Redis = require(${JSON.stringify(name)})
      new Redis(1, '127.0.0.1', { retryStrategy: null })`],
    { cwd: path.join(__dirname, '..', '..') })
    return stderr.split('\n')[0]
  })
})

describe('nobody waits for ever', () => {
  test('for a subscription when the instance is closed', async () => {
    const fake = await startFakeServer()
    try {
      fake.on('command', ([name], reply) => { if (name === 'INFO') reply.bulk('loading:0') })
      const redis = start(FACES.oxidis, {}, fake.port)
      await ready(redis)
      const outcomes = [outcomeOf(() => redis.subscribe('a')), outcomeOf(() => redis.get('k'))]
      await fake.next('SUBSCRIBE')
      redis.disconnect()
      for (const { error } of await Promise.all(outcomes)) {
        assert.strictEqual(error.message, 'Connection is closed.')
      }
    } finally {
      await fake.stop()
    }
  })

  test('for a command that a broken server answers with rubbish', async () => {
    const fake = await startFakeServer()
    try {
      fake.on('command', ([name], reply, connection) => {
        if (name === 'INFO') reply.bulk('loading:0')
        else connection.send('rubbish\r\n')
      })
      const redis = start(FACES.oxidis, { retryStrategy: () => null }, fake.port)
      await ready(redis)
      const { error } = await outcomeOf(() => redis.incr('n'))
      assert.strictEqual(error.message, 'Connection is closed.')
      if (redis.status !== 'end') await eventOf(redis, 'end')
    } finally {
      await fake.stop()
    }
  })
})

test('a command by hand settles within a pipeline as well', () => compare(async ({ Redis }) => {
  const redis = start(Redis)
  const command = new Redis.Command('echo', ['x'], { replyEncoding: 'utf8' })
  const pipeline = redis.pipeline()
  pipeline.sendCommand(command)
  return [await pipeline.exec(), await command.promise]
}))

test('a command that would leave others without replies is refused', async () => {
  const redis = start(FACES.oxidis)
  for (const args of [['client', 'REPLY', 'OFF'], ['sync'], ['MONITOR']]) {
    await assert.rejects(redis.call(...args), error => error.applied === 'no')
  }
  assert.strictEqual(await redis.ping(), 'PONG')
})

test('integers beyond 2^53 are numbers, as in ioredis, and the nearest ones', async () => {
  const redis = start(FACES.oxidis)
  await redis.set('large', '9223372036854775000')
  assert.strictEqual(await redis.incr('large'), Number(9223372036854775001n))
  assert.deepStrictEqual(await redis.multi().incr('large').exec(),
    [[null, Number(9223372036854775002n)]])
})
