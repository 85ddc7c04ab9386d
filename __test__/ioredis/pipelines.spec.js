'use strict'

// Pipelines, transactions and scripts have the outcomes that they have in ioredis.

const assert = require('node:assert')
const { describe, test } = require('node:test')

const { FACES, compare, eventOf, outcomeOf, ready, scene } = require('./pair')

const made = scene()

/** Runs one program on both faces, on an empty server, with an instance that is ready. */
const same = (program, options) => compare(async face => {
  await made.control.flushall()
  const redis = made.start(face.Redis, options)
  await ready(redis)
  return program(redis, face)
})

describe('a pipeline', () => {
  test('gives an entry for each command, errors among them', () => same(async redis => [
    await redis.pipeline().set('k', 'v').get('k').getBuffer('k').lpush('k', 1).exec(),
    await redis.pipeline([['set', 'k', 'w'], ['get', 'k'], ['hgetall', 'missing']]).exec(),
    await redis.pipeline().exec(),
    redis.pipeline().set('k', 'v').get('k').length
  ]))

  test('calls the callbacks of its commands', () => same(async redis => {
    const heard = []
    const result = await redis.pipeline()
      .set('k', 'v', (error, reply) => heard.push([error, reply]))
      .lpush('k', 1, error => heard.push(error.message))
      .exec((error, results) => heard.push([error, results.length]))
    await new Promise(setImmediate)
    return { result, heard }
  }))

  test('is sent once, however often exec is called', async () => {
    const redis = made.start(FACES.oxidis)
    const pipeline = redis.pipeline().incr('n')
    const [first, second] = [pipeline.exec(), pipeline.exec()]
    assert.strictEqual(first, second)
    assert.deepStrictEqual(await first, [[null, 1]])
    assert.strictEqual(await redis.get('n'), '1')
  })

  test('has transactions in it', () => same(async redis => [
    await redis.pipeline().set('a', 1).multi().get('a').hset('h', 'f', 'v').hgetall('h')
      .getBuffer('a').exec().get('a').exec(),
    await redis.pipeline().multi().set('a').get('a').exec().get('a').exec(),
    await redis.pipeline().multi().set('a', 1).discard().exec().get('a').exec()
  ]))

  test('takes large values and bytes', () => same(async redis => {
    const large = Buffer.alloc(100_000, 7)
    const [, [, reply], [, text]] = await redis.pipeline().set('b', large).getBuffer('b')
      .strlen('b').exec()
    return [reply.equals(large), text]
  }))

  test('waits for the connection', () => compare(async ({ Redis }) =>
    made.start(Redis).pipeline().set('k', 'v').get('k').exec()))

  test('takes a list of values as call and as command', () => same(async redis =>
    redis.pipeline().call('SET', 'k', 'v').call('get', 'k').mset({ a: 1, b: 2 }).mget(['a', 'b'])
      .exec()))
})

describe('a transaction', () => {
  test('gives pairs, and rejects with the reasons', () => same(async redis => [
    await redis.multi().set('k', 'v').get('k').lpush('k', 1).exec(),
    await redis.multi([['set', 'k', 'v'], ['getBuffer', 'k']]).exec(),
    await redis.multi().exec(),
    await outcomeOf(() => redis.multi().set('k').nonsense?.().exec()),
    await outcomeOf(() => redis.multi().set('k').get('k').lpush('a').exec())
  ]))

  test('calls callbacks', () => same(async redis => {
    const heard = []
    await redis.multi().set('k', 'v', (error, reply) => heard.push([error, reply]))
      .get('k', (error, reply) => heard.push([error, reply]))
      .exec((error, replies) => heard.push([error, replies]))
    await new Promise(setImmediate)
    return heard.map(entry => JSON.stringify(entry)).sort()
  }))

  test('is null when a watched key has changed', () => same(async redis => {
    await redis.watch('k')
    await made.control.set('k', 'other')
    const lost = await redis.multi().set('k', 'mine').exec()
    await redis.watch('k')
    const won = await redis.multi().set('k', 'mine').exec()
    return { lost, won, value: await redis.get('k') }
  }))

  test('is begun and ended by hand', () => same(async redis => {
    const first = await redis.multi({ pipeline: false })
    const queued = [redis.set('k', 'v'), redis.get('k'), redis.hgetall('h')]
    const replies = await redis.exec()
    const outcomes = await Promise.all(queued)
    await redis.multi({ pipeline: false })
    redis.set('k', 'x')
    const dropped = await redis.discard()
    const alone = await outcomeOf(() => redis.exec())
    await redis.multi({ pipeline: false })
    const wrong = await outcomeOf(() => redis.set('k'))
    const refused = await outcomeOf(() => redis.exec())
    return { first, outcomes, replies, dropped, alone, wrong, refused, k: await redis.get('k') }
  }))

  test('has hgetall as an object and other transformed replies', () => same(async redis => {
    await redis.hset('h', { a: 1, b: 2 })
    return redis.multi().hgetall('h').hgetallBuffer('h').exec()
  }))

  test('is not run unguarded when the connection that watched is gone', async () => {
    const redis = made.start(FACES.oxidis, { retryStrategy: () => 1 })
    await redis.watch('k')
    redis.disconnect(true)
    await eventOf(redis, 'ready')
    assert.strictEqual(await redis.multi().set('k', 'unguarded').exec(), null)
    assert.deepStrictEqual(await redis.multi().set('k', 'v').exec(), [[null, 'OK']])
  })

  test('by hand ends with its connection', async () => {
    const redis = made.start(FACES.oxidis, { retryStrategy: () => 1 })
    await redis.multi({ pipeline: false })
    redis.disconnect(true)
    await eventOf(redis, 'ready')
    const outcomes = await Promise.allSettled([redis.set('k', 'v'), redis.exec()])
    assert.deepStrictEqual(outcomes.map(({ reason }) => reason.message),
      Array(2).fill('Command aborted due to connection close'))
    assert.strictEqual(await redis.get('k'), null)
  })
})

describe('a script', () => {
  const lua = 'return {KEYS[1], ARGV[1], ARGV[2]}'

  test('is a method, in pipelines too', () => same(async redis => {
    redis.defineCommand('echo:two.1', { lua, numberOfKeys: 1 })
    redis.defineCommand('echoAny', { lua })
    return [
      await redis['echo:two.1']('k', 'a', 'b'),
      await redis['echo:two.1Buffer'](['k', 'a', 'b']),
      await redis.echoAny(1, 'k', 'a', 'b'),
      await redis.pipeline()['echo:two.1']('k', 'a', 'b').echoAny(1, 'k', 'c', 'd').exec(),
      await redis.multi()['echo:two.1']('k', 'a', 'b').exec()
    ]
  }))

  test('of the options goes along with duplicate', () => same(async redis => {
    redis.defineCommand('mine', { lua, numberOfKeys: 1 })
    const other = redis.duplicate()
    made.keep(other)
    return [typeof other.shared, typeof other.mine, await other.shared('k', 'a', 'b')]
  }, { scripts: { shared: { lua, numberOfKeys: 1 } } }))

  test('that the server has forgotten is sent whole again', () => same(async redis => {
    redis.defineCommand('two', { lua, numberOfKeys: 1 })
    await redis.two('k', 'a', 'b')
    await redis.script('flush')
    const alone = await redis.two('k', 'a', 'b')
    await redis.script('flush')
    const [[error, value]] = await redis.pipeline().two('k', 'c', 'd').exec()
    return { alone, error, value }
  }))

  test('that fails has an error', () => same(async redis => {
    redis.defineCommand('bad', { lua: 'return redis.error_reply("MINE is wrong")',
      numberOfKeys: 0 })
    redis.defineCommand('mixed', { lua: 'return {1, redis.error_reply("MINE")}', numberOfKeys: 0 })
    const { error } = await outcomeOf(() => redis.bad())
    return [error.message, await redis.mixed()]
  }))

  test('has the prefix of keys', () => same(async redis => {
    redis.defineCommand('two', { lua, numberOfKeys: 1 })
    return [await redis.two('k', 'a', 'b'), await redis.eval(lua, 1, 'k', 'a', 'b')]
  }, { keyPrefix: 'p:' }))
})
