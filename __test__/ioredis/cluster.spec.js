'use strict'

// An instance of a whole cluster does what ioredis's does, and what ioredis cannot.

const assert = require('node:assert')
const { after, afterEach, before, beforeEach, describe, test } = require('node:test')

const { startCluster } = require('../support/redis-cluster')
const { skipBefore7 } = require('../support/redis-server')
const { FACES, compare, eventOf, outcomeOf, ready, record, until } = require('./pair')

const skip = skipBefore7()
let cluster
const open = new Set()

before(async () => {
  if (skip) return
  cluster = await startCluster({ primaries: 3, replicas: 1 })
  // Servers name a replica once something was written.
  const nodes = cluster.primaries.map(({ port }) => new FACES.ioredis(port, '127.0.0.1'))
  await until(async () => {
    await Promise.all(nodes.map((node, i) => node.set(cluster.keyOn(cluster.primaries[i], 0), 1)))
    const views = await Promise.all(nodes.map(node => node.cluster('SLOTS')))
    return views.flat().every(range => range.length === 4)
  })
  for (const node of nodes) node.disconnect()
})
after(() => cluster?.stop())
beforeEach(() => skip || Promise.all(cluster.primaries.map(async ({ port }) => {
  const node = new FACES.ioredis(port, '127.0.0.1')
  await node.flushall()
  node.disconnect()
})))
afterEach(() => {
  for (const redis of open) redis.disconnect()
  open.clear()
})

const seed = () => ({ host: '127.0.0.1', port: cluster.nodes[0].port })

function start (Redis, options, nodes = [seed()]) {
  const redis = new Redis.Cluster(nodes, options)
  redis.on('error', () => {})
  open.add(redis)
  return redis
}

const STATUSES = ['connecting', 'connect', 'ready', 'close', 'end', 'disconnecting']

describe('a cluster', { skip }, () => {
  test('tells its life as ioredis does', () => compare(async ({ Redis }) => {
    const redis = start(Redis)
    const events = record(redis, STATUSES)
    const first = redis.status
    await ready(redis)
    const again = await outcomeOf(() => redis.connect())
    const quit = await redis.quit()
    await eventOf(redis, 'end')
    return { first, events, again, quit, after: await outcomeOf(() => redis.get('k')) }
  }))

  test('sends each command to its node', () => compare(async ({ Redis }) => {
    const redis = start(Redis)
    const keys = Array.from({ length: 20 }, (_, i) => `key:${i}`)
    await redis.del('h')
    await Promise.all(keys.map(key => redis.set(key, `of ${key}`)))
    return [await Promise.all(keys.map(key => redis.get(key))),
      await redis.hset('h', { a: 1 }), await redis.hgetall('h'), await redis.getBuffer('key:1'),
      await outcomeOf(() => redis.lpush('h', 1))]
  }))

  test('has pipelines, transactions and scripts', () => compare(async ({ Redis }) => {
    const redis = start(Redis, { scripts: { mine: { lua: 'return {KEYS[1], ARGV[1]}',
      numberOfKeys: 1 } } })
    return [
      await redis.pipeline().set('{a}1', 1).get('{a}1').mine('{a}2', 'v').exec(),
      await redis.multi().set('{a}1', 2).get('{a}1').hgetall('{a}h').exec(),
      await redis.pipeline().multi().set('{a}1', 2).exec().get('{a}1').exec(),
      await Promise.all(['a', 'b', 'c', 'd'].map(key => redis.mine(key, 'v')))
    ]
  }))

  test('has instances of its nodes at once', () => compare(async ({ Redis }) => {
    const redis = start(Redis)
    const nodes = []
    redis.on('+node', node => nodes.push(node))
    await ready(redis)
    await until(() => redis.nodes('slave').length === 3)
    const sizes = ['all', 'master', 'slave'].map(role => redis.nodes(role).length)
    const answers = await Promise.all(redis.nodes().map(node => node.ping()))
    const options = redis.nodes('master').map(({ options: { port } }) => port).sort()
    return { sizes, answers, options, wrong: await outcomeOf(async () => redis.nodes('other')),
      isSame: redis.nodes().every(node => node instanceof Redis) }
  }))

  test('has subscriptions', () => compare(async ({ Redis }) => {
    const redis = start(Redis)
    await ready(redis)
    const heard = []
    redis.on('message', (...details) => heard.push(details))
    const count = await redis.subscribe('channel')
    await redis.publish('channel', 'text')
    await until(() => heard.length > 0)
    return { count, heard, end: await redis.unsubscribe('channel') }
  }))

  test('puts its prefix in front of keys', () => compare(async ({ Redis }) => {
    const redis = start(Redis, { keyPrefix: '{p}:' })
    await redis.mset({ a: 1, b: 2 })
    const other = redis.duplicate()
    open.add(other)
    return [await redis.mget('a', 'b'), await other.get('a')]
  }))

  test('takes ports, URLs and objects', () => compare(async ({ Redis }) => {
    const { port } = seed()
    const answers = []
    for (const node of [port, `redis://127.0.0.1:${port}`, { port: String(port) }]) {
      const redis = start(Redis, { lazyConnect: true }, [node])
      answers.push(await redis.set('k', 'v'))
    }
    return answers
  }))

  test('is found by the SRV records of its name', () => compare(async ({ Redis }) => {
    const asked = []
    const redis = start(Redis, {
      useSRVRecords: true,
      resolveSrv: (name, done) => {
        asked.push(name)
        done(null, [
          { priority: 2, weight: 1, name: '127.0.0.1', port: 1 },
          { priority: 1, weight: 5, name: '127.0.0.1', port: seed().port }
        ])
      }
    }, [{ host: 'name-of-the-cluster' }])
    const [set, got] = [await redis.set('k', 'v'), await redis.get('k')]
    return { asked, set, got, startupNodes: redis.startupNodes }
  }))

  test('whose records cannot be had goes on as its strategy says', () => compare(
    async ({ Redis }) => {
      const asked = []
      const redis = start(Redis, {
        lazyConnect: true,
        useSRVRecords: true,
        resolveSrv: (name, done) => {
          asked.push(name)
          if (asked.length === 1) return done(new Error('no such name'))
          done(null, [{ priority: 1, weight: 0, name: '127.0.0.1', port: seed().port }])
        }
      }, [{ host: 'name-of-the-cluster' }])
      const first = await outcomeOf(() => redis.connect())
      await ready(redis)
      return { first, asked, got: await redis.set('k', 'v') }
    }))

  test('reads from any node of the slot with scaleReads all', () => compare(async ({ Redis }) => {
    const redis = start(Redis, { scaleReads: 'all' })
    await ready(redis)
    await redis.set('k', 'v')
    const node = cluster.nodeOf(cluster.slotOf('k'))
    const calls = async () => {
      const nodes = redis.nodes('all')
      const counts = await Promise.all(nodes.map(async one => {
        const info = await one.info('commandstats')
        return [one.options.port, Number(/cmdstat_get:calls=(\d+)/.exec(info)?.[1] ?? 0)]
      }))
      return Object.fromEntries(counts)
    }
    await until(async () => await redis.get('k') === 'v')
    const before = await calls()
    for (let i = 0; i < 60; i++) await redis.get('k')
    const after = await calls()
    const own = after[node.port] - before[node.port]
    const others = Object.entries(after).filter(([port]) => Number(port) !== node.port)
      .reduce((sum, [port, count]) => sum + count - (before[port] ?? 0), 0)
    // By chance one of two nodes gets none of 60 once in 10^18.
    return { all: own + others, both: own > 0 && others > 0 }
  }))

  test('that is nowhere gives up when its strategy does', () => compare(async ({ Redis }) => {
    const times = []
    const redis = start(Redis, {
      clusterRetryStrategy: time => { times.push(time); return time < 3 ? 1 : null }
    }, [{ host: '127.0.0.1', port: 1 }])
    const events = record(redis, ['connecting', 'close', 'reconnecting', 'end', 'error'])
    const outcome = await outcomeOf(() => redis.get('k'))
    if (redis.status !== 'end') await eventOf(redis, 'end')
    return { outcome, times, events: events.map(([name, detail]) => [name, detail?.message]) }
  }))

  test('refuses what is wrong', () => compare(async ({ Redis }) =>
    outcomeOf(async () => new Redis.Cluster([seed()], { scaleReads: 'other' }))))
})

describe('what ioredis cannot', { skip }, () => {
  const ours = options => start(FACES.oxidis, options)

  test('a pipeline may have keys of all nodes', async () => {
    const keys = Array.from({ length: 20 }, (_, i) => `key:${i}`)
    const pipeline = ours().pipeline()
    for (const key of keys) pipeline.set(key, key).get(key)
    const results = await pipeline.exec()
    assert.deepStrictEqual(results.filter((_, i) => i % 2).map(([, value]) => value), keys)
  })

  test('a blocking command holds nobody up', async () => {
    const redis = ours()
    const popped = redis.blpop('list', 0)
    assert.strictEqual(await redis.set('{list}k', 'v'), 'OK')
    await redis.lpush('list', 'x')
    assert.deepStrictEqual(await popped, ['list', 'x'])
  })

  test('a watched key guards its transaction', async () => {
    const redis = ours()
    await redis.watch('k')
    await ours().set('k', 'other')
    assert.strictEqual(await redis.multi().set('k', 'mine').exec(), null)
    assert.deepStrictEqual(await redis.multi().get('k').exec(), [[null, 'other']])
  })

  test('reads go where scaleReads says', async () => {
    await ours().set('k', 'v')
    const asked = []
    const redis = ours({
      scaleReads: (nodes, command) => {
        asked.push([nodes.length, command.name])
        return nodes[0]
      }
    })
    assert.strictEqual(await redis.get('k'), 'v')
    assert.strictEqual(await redis.set('k', 'w'), 'OK')
    assert.deepStrictEqual(asked.map(([, name]) => name), ['get'])
    assert.ok(asked[0][0] >= 1)
  })

  test('a transaction by hand is refused, since it needs one node', async () => {
    await assert.rejects(ours().multi({ pipeline: false }), /needs one node/)
  })

  test('commands go on over a failover', async () => {
    const redis = ours()
    await redis.set('k', 'before')
    await cluster.kill(cluster.nodeOf(cluster.slotOf('k')))
    await until(async () => (await redis.set('k', 'after').catch(() => null)) === 'OK')
    assert.strictEqual(await redis.get('k'), 'after')
  })
})
