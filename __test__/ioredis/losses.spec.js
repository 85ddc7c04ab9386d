'use strict'

// What a lost connection means: nothing runs twice, nothing waits for ever, nothing is held up, and
// one instance has one connection for what ioredis does on one.

const assert = require('node:assert')
const { once } = require('node:events')
const { spawn } = require('node:child_process')
const path = require('node:path')
const { after, afterEach, before, beforeEach, describe, test } = require('node:test')

const { startFaultProxy } = require('../support/fault-proxy')
const { startServer } = require('../support/redis-server')
const { FACES, eventOf, outcomeOf, ready, until } = require('./pair')

const { Redis } = FACES.oxidis
const { Redis: Theirs } = FACES.ioredis

let server, control, proxy
const open = new Set()

before(async () => {
  server = await startServer()
  control = new Theirs(server.port, '127.0.0.1')
})
after(async () => {
  control?.disconnect()
  await server?.stop()
})
beforeEach(async () => {
  await control.flushall()
  proxy = await startFaultProxy(server)
})
afterEach(async () => {
  for (const redis of open) redis.disconnect()
  open.clear()
  await proxy.stop()
})

function start (Class, options, port = proxy.port) {
  const redis = new Class(port, '127.0.0.1', { retryStrategy: () => 1, ...options })
  redis.on('error', () => {})
  open.add(redis)
  return redis
}

/** Sends something whose reply is lost, and lets the connection be made again. */
async function losing (redis, send) {
  await ready(redis)
  proxy.blackHole({ direction: 'down' })
  const held = once(proxy, 'held')
  const outcome = outcomeOf(send)
  await held
  proxy.heal()
  proxy.reset()
  return outcome
}

describe('a command whose reply is lost', () => {
  test('is not run twice if it writes', async () => {
    const redis = start(Redis)
    const { error } = await losing(redis, () => redis.incr('n'))
    assert.strictEqual(error.message, 'Connection is closed.')
    assert.strictEqual(await redis.get('n'), '1')
  })

  test('says that nobody knows whether it was run', async () => {
    const redis = start(Redis)
    let failure
    await losing(redis, () => redis.incr('n').catch(error => { failure = error }))
    assert.strictEqual(failure.applied, 'unknown')
    assert.strictEqual(failure.code, 'CONNECTION_CLOSED')
  })

  test('is run twice if the application wants that, as in ioredis', async () => {
    for (const Class of [Redis, Theirs]) {
      await control.del('n')
      const redis = start(Class, { autoResendUnfulfilledCommands: true })
      assert.deepStrictEqual(await losing(redis, () => redis.incr('n')), { value: 2 })
      redis.disconnect()
    }
  })

  test('is not run twice by a duplicate, which has the options of its original', async () => {
    const redis = start(Redis).duplicate()
    redis.on('error', () => {})
    open.add(redis)
    const { error } = await losing(redis, () => redis.incr('n'))
    assert.strictEqual(error?.message, 'Connection is closed.')
  })

  test('is sent again if it only reads', async () => {
    await control.set('k', 'v')
    const redis = start(Redis)
    assert.deepStrictEqual(await losing(redis, () => redis.get('k')), { value: 'v' })
  })

  test('ends a transaction as a whole', async () => {
    const redis = start(Redis)
    const { error } = await losing(redis, () => redis.multi().incr('n').incr('n').exec())
    assert.strictEqual(error.message, 'Connection is closed.')
    assert.strictEqual(await redis.get('n'), '2')
  })

  test('ends each command of a pipeline by itself', async () => {
    await control.set('k', 'v')
    const redis = start(Redis)
    const { value: [[error], [none, value]] } =
      await losing(redis, () => redis.pipeline().incr('n').get('k').exec())
    assert.strictEqual(error.message, 'Connection is closed.')
    assert.deepStrictEqual([none, value], [null, 'v'])
  })
})

describe('commands that wait for a connection', () => {
  test('go out in the order of their calls', async () => {
    const redis = start(Redis)
    await ready(redis)
    redis.disconnect(true)
    const calls = Array.from({ length: 50 }, (_, i) => redis.rpush('list', i))
    await Promise.all(calls)
    assert.deepStrictEqual(await control.lrange('list', 0, -1),
      Array.from({ length: 50 }, (_, i) => String(i)))
  })

  test('are answered before quit', async () => {
    const redis = start(Redis)
    const all = [redis.set('k', 'v'), redis.get('k'), redis.quit()]
    assert.deepStrictEqual(await Promise.all(all), ['OK', 'v', 'OK'])
    await until(() => redis.status === 'end')
  })
})

describe('a blocking command', () => {
  const clients = async () => {
    const list = await control.client('LIST')
    return list.split('\n').filter(line => / name=mine( |$)/.test(line))
  }

  test('needs no second connection where nothing else is sent', async () => {
    const redis = start(Redis, { connectionName: 'mine' }, server.port)
    await ready(redis)
    const popped = redis.bzpopmin('z', 0)
    await until(async () => /blocked_clients:1/.test(await control.info('clients')))
    const all = (await control.client('LIST')).trim().split('\n')
    assert.strictEqual(all.length, 2, 'the other one is the test\'s own')
    await control.zadd('z', 1, 'm')
    assert.deepStrictEqual(await popped, ['z', 'm', '1'])
  })

  test('holds nobody up, and names one connection only', async () => {
    const redis = start(Redis, { connectionName: 'mine' }, server.port)
    await ready(redis)
    const popped = redis.blpop('list', 0)
    await until(async () => /blocked_clients:1/.test(await control.info('clients')))
    assert.strictEqual(await redis.set('k', 'v'), 'OK')
    assert.strictEqual(await redis.get('k'), 'v')
    assert.strictEqual((await clients()).length, 1)
    await redis.select(1)
    await redis.set('k', 'other')
    assert.strictEqual(await redis.get('k'), 'other')
    await control.lpush('list', 'x')
    assert.deepStrictEqual(await popped, ['list', 'x'])
    assert.strictEqual(await redis.get('k'), 'other')
    await redis.subscribe('channel')
    assert.strictEqual((await clients()).length, 1)
  })

  test('is not overtaken by what another client sends after it', async () => {
    for (let i = 0; i < 20; i++) {
      const redis = start(Redis, {}, server.port)
      await ready(redis)
      const read = redis.xread('BLOCK', 2000, 'STREAMS', `s${i}`, '$')
      // Everything of this turn is written by now.
      await new Promise(setImmediate)
      await control.xadd(`s${i}`, '*', 'f', 'v')
      assert.notStrictEqual(await read, null)
      redis.disconnect()
    }
  })

  test('goes on when its server has died without a word', async () => {
    const redis = start(Redis)
    await ready(redis)
    const popped = redis.blpop('list', 1)
    await until(async () => /blocked_clients:1/.test(await control.info('clients')))
    proxy.blackHole()
    await eventOf(redis, 'close')
    proxy.heal()
    await until(async () => /blocked_clients:[1-9]/.test(await control.info('clients')))
    await control.rpush('list', 'x', 'y')
    assert.strictEqual((await popped)[0], 'list')
  })

  test('gives null after blockingTimeout', async () => {
    const redis = start(Redis, { blockingTimeout: 50 }, server.port)
    assert.strictEqual(await redis.blpop('list', 0), null)
  })
})

test('an instance leaves a server that has become a replica', async () => {
  const replica = await startServer()
  try {
    const redis = start(Redis, {}, replica.port)
    const other = start(Redis, {}, replica.port)
    await other.replicaof('127.0.0.1', server.port)
    await redis.select(1)
    const { error } = await outcomeOf(() => redis.set('k', 'v'))
    assert.match(error.message, /^READONLY/)
    await eventOf(redis, 'ready')
    await other.replicaof('NO', 'ONE')
    assert.strictEqual(await redis.set('k', 'v'), 'OK')
    assert.match(await redis.client('INFO'), / db=1 /)
  } finally {
    for (const redis of open) redis.disconnect()
    await replica.stop()
  }
})

describe('a process', () => {
  const code = end => `
    const Redis = require(${JSON.stringify(path.join(__dirname, '..', '..', 'ioredis'))})
    const redis = new Redis(${server.port}, '127.0.0.1')
    redis.set('k', 'v').then(() => { ${end} })`

  const run = end =>
    spawn(process.execPath, ['-e', code(end)], { stdio: ['ignore', 'pipe', 'inherit'] })

  test('ends once its instances are closed', async () => {
    for (const end of ['redis.quit()', 'redis.disconnect()']) {
      const [status] = await once(run(end), 'exit')
      assert.strictEqual(status, 0)
    }
  })

  test('stays alive as long as one is open', async () => {
    const child = run('console.log("open"); setTimeout(() => console.log("still"), 300).unref()')
    let text = ''
    child.stdout.on('data', data => { text += data })
    await until(() => text === 'open\nstill\n')
    assert.strictEqual(child.exitCode, null)
    child.kill()
    await once(child, 'exit')
  })
})
