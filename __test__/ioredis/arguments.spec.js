'use strict'

// Arguments, options and the forms of the constructor mean what they mean in ioredis.

const assert = require('node:assert')
const { inspect } = require('node:util')
const { describe, test } = require('node:test')

const { FACES, compare, outcomeOf, ready, scene } = require('./pair')

const made = scene({ unixSocket: true })

const same = (program, options) => compare(async ({ Redis }) => {
  await made.control.flushall()
  const redis = made.start(Redis, options)
  await ready(redis)
  return program(redis, Redis)
})

describe('arguments', () => {
  test('are flattened, spread and made text', () => same(async redis => [
    await redis.mset({ a: 1, b: null, c: undefined, d: true }),
    await redis.mset(new Map([['e', 2 ** 60], ['f', 1.5]])),
    await redis.mget(['a', 'b'], 'c', ['d', 'e', 'f']),
    await redis.hset('h', { x: 1, y: Buffer.from([255]) }, ),
    await redis.hmset('h', new Map([['z', 9007199254740993n]])),
    await redis.hgetall('h'),
    await redis.hgetallBuffer('h'),
    await redis.del(['a', 'b'], 'missing'),
    await redis.call('SET', 'k', 'v'),
    await redis.call('get', ['k']),
    await redis.callBuffer('get', 'k'),
    await redis.send_command('get', 'k'),
    await outcomeOf(() => redis.set('k', ['a', ['b']]))
  ]))

  test('that are bytes stay bytes', async () => {
    const redis = made.start(FACES.oxidis)
    await redis.set('bytes', new Uint8Array([1, 255]))
    assert.deepStrictEqual(await redis.getBuffer('bytes'), Buffer.from([1, 255]))
  })

  test('may be changed once the call has returned', async () => {
    const redis = made.start(FACES.oxidis)
    const small = Buffer.from('before')
    const large = Buffer.alloc(100_000, 1)
    // The first wait for the connection, the others go out at once.
    const early = [redis.set('small', small), redis.set('large', large)]
    small.fill(0)
    large.fill(0)
    await Promise.all(early)
    assert.strictEqual(await redis.get('small'), 'before')
    assert.strictEqual((await redis.getBuffer('large'))[99_999], 1)
  })

  test('end with a callback', () => same(async redis => {
    const heard = []
    const promise = redis.set('k', 'v', (...outcome) => heard.push(outcome))
    const value = await promise
    redis.lpush('k', 1, error => heard.push(error.message))
    await redis.ping()
    return { value, heard }
  }))

  test('have the prefix where they are keys', () => same(async redis => {
    await redis.mset('a', 1, 'b', 2)
    await redis.rpush('list', 2, 1)
    return [
      await redis.get('a'), await redis.call('get', 'b'),
      await redis.sort('list', 'BY', 'w_*', 'GET', '#', 'GET', 'o_*', 'STORE', 'sorted'),
      await redis.zadd('z', 1, 'm'), await redis.zunionstore('out', 1, 'z'),
      await redis.eval('return KEYS', 2, 'x', 'y'),
      await redis.xadd('s', '1-1', 'f', 'v'), await redis.xread('STREAMS', 's', '0'),
      await redis.bitop('NOT', 'dest', 'a'), await redis.object('encoding', 'a'),
      await redis.pipeline().get('a').exec(),
      (await redis.keys('*')).sort(),
      (await made.control.keys('*')).sort()
    ]
  }, { keyPrefix: 'p:' }))

  test('have a prefix of bytes', async () => {
    // ioredis sends such a command as text, which the server refuses.
    const redis = made.start(FACES.oxidis, { keyPrefix: Buffer.from([255, 58]) })
    await redis.set('k', 'v')
    assert.strictEqual(await redis.get(Buffer.from('k')), 'v')
    assert.deepStrictEqual(await made.control.keysBuffer('*'), [Buffer.from([255, 58, 107])])
  })
})

describe('transformers', () => {
  for (const [kind, set] of [['argument', 'setArgumentTransformer'],
    ['reply', 'setReplyTransformer']]) {
    test(`of the ${kind} hold for the process`, () => same(async (redis, { Command }) => {
      const before = Command._transformer[kind].strlen
      Command[set]('strlen', kind === 'argument' ? () => ['other'] : reply => [reply])
      try {
        await redis.set('other', 'four')
        return [await redis.strlen('k'), await redis.pipeline().strlen('k').exec(),
          await redis.multi().strlen('k').exec()]
      } finally {
        if (before === undefined) delete Command._transformer[kind].strlen
      }
    }))
  }

  test('that throw reject their command', () => same(async (redis, { Command }) => {
    Command.setReplyTransformer('strlen', () => { throw new Error('mine') })
    try {
      return await outcomeOf(() => redis.strlen('k'))
    } finally {
      delete Command._transformer.reply.strlen
    }
  }))
})

describe('a Command', () => {
  test('can be made and sent by hand', () => same(async (redis, { Command }) => {
    const set = new Command('set', ['k', 'v'], { replyEncoding: 'utf8' })
    const get = new Command('get', ['k'])
    redis.sendCommand(set)
    redis.sendCommand(get)
    return [await set.promise, await get.promise, get.name, get.args,
      Command.checkFlag('BLOCKING_COMMANDS', 'BLPOP')]
  }))

  test('is what programs see that replace sendCommand', () => same(async redis => {
    const names = []
    const { sendCommand } = Object.getPrototypeOf(redis)
    redis.sendCommand = function (command, ...rest) {
      names.push([command.name, command.args])
      const { resolve } = command
      command.resolve = reply => { names.push(String(reply)); resolve(reply) }
      return sendCommand.call(this, command, ...rest)
    }
    await redis.set('k', 1)
    return names
  }))
})

describe('the constructor', () => {
  const forms = () => [
    [made.server.port], [String(made.server.port)], [made.server.port, '127.0.0.1', { db: 1 }],
    [`redis://127.0.0.1:${made.server.port}/2`], [`127.0.0.1:${made.server.port}`],
    [`redis://127.0.0.1:${made.server.port}?db=3&connectionName=named`],
    [made.server.unixSocket], [`${made.server.unixSocket}?db=4`],
    [{ port: String(made.server.port), db: '5', host: '127.0.0.1' }],
    [null, { port: made.server.port }], [made.server.port, { connectionName: 'mine' }]
  ]

  test('takes every form', async () => {
    for (const form of forms()) {
      await compare(async ({ Redis }) => {
        const redis = new Redis(...form)
        made.keep(redis)
        const info = await redis.client('INFO')
        const { host, port, db, path, connectionName } = redis.options
        return { options: { host, port, db, path, connectionName },
          seen: / name=\S*/.exec(info)[0] + / db=\d+/.exec(info)[0] }
      })
    }
  })

  test('reads URLs as ioredis does', () => {
    const { parseURL } = require('ioredis/built/utils')
    const ours = require('../../lib/ioredis/url').parseURL
    for (const url of ['6380', '/tmp/redis.sock', '/tmp/redis.sock?db=2', '127.0.0.1',
      '127.0.0.1:6380', 'redis://user:p%40ss@127.0.0.1:6380/4?allowUsernameInURI=true',
      'redis://:secret@127.0.0.1', 'rediss://127.0.0.1', '//127.0.0.1:7000/1',
      'redis://[::1]:6379/0', 'redis://127.0.0.1/?family=6', '127.0.0.1:6379?db=2']) {
      assert.deepStrictEqual(ours(url), parseURL(url), url)
    }
  })

  test('refuses what it cannot do, by name', () => {
    const { Redis } = FACES.oxidis
    for (const [options, text] of [[{ Connector: () => {} }, /"Connector"/],
      [{ tls: 'RedisCloudFixed' }, /"tls" names a profile/],
      [{ replyMapping: 'resp3', protocol: 2 }, /only supported with protocol 3/],
      [{ port: 'x', host: 5 }, /"socket\.host"/]]) {
      assert.throws(() => new Redis({ lazyConnect: true, ...options }), text)
    }
    assert.throws(() => new Redis(() => {}), /Invalid argument/)
  })

  test('fills in the defaults of ioredis', () => {
    const theirs = FACES.ioredis.defaultOptions
    const ours = FACES.oxidis.defaultOptions
    const known = options => Object.fromEntries(Object.entries(options)
      .map(([name, value]) => [name, typeof value === 'function' ? 'function' : value]))
    assert.deepStrictEqual(known(ours), known(theirs))
  })

  test('keeps the password out of what is printed', () => {
    const redis = new FACES.oxidis.Redis({ password: 'secret', lazyConnect: true })
    assert.doesNotMatch(inspect(redis, { depth: 5 }), /secret/)
    redis.disconnect()
  })
})

describe('reconnectOnError', () => {
  test('makes another connection, and sends the command again for 2', () =>
    compare(async ({ Redis }) => {
      const seen = []
      const redis = made.start(Redis, {
        retryStrategy: () => 1,
        reconnectOnError: error => {
          seen.push(error.message)
          return seen.length === 1 ? 2 : false
        }
      })
      await redis.set('k', 'text')
      const outcome = await outcomeOf(() => redis.lpush('k', 1))
      return { outcome, seen }
    }))
})

test('a command ends with its commandTimeout', () => compare(async ({ Redis }) => {
  const redis = made.start(Redis, { commandTimeout: 50 })
  const waiting = await outcomeOf(() => redis.blpop('nothing', 0))
  const dead = new Redis(1, '127.0.0.1', { commandTimeout: 50, retryStrategy: () => 1000 })
  dead.on('error', () => {})
  made.keep(dead)
  return { waiting, queued: await outcomeOf(() => dead.get('k')) }
}))
