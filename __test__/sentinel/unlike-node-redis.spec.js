'use strict'

// The same calls and events as node-redis's client has, on the same set.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const redis = require('redis')

const { ClientClosedError, createSentinel, defineScript } = require('../..')
const { startSentinels } = require('../support/redis-sentinel')
const { skipBefore7 } = require('../support/redis-server')
const { until } = require('../support/until')

describe('a client of Sentinel', { skip: skipBefore7() }, () => {
  let set, options
  before(async () => {
    set = await startSentinels({ replicas: 1 })
    options = { name: set.name, sentinelRootNodes: set.sentinelRootNodes, replicaPoolSize: 1 }
  })
  after(() => set?.stop())

  async function both (t, more, use) {
    const results = []
    for (const create of [redis.createSentinel, createSentinel]) {
      const client = create({ ...options, ...more })
      const events = []
      client.on('error', () => {})
      client.on('topology-change', event => events.push(event))
      t.after(() => client.destroy())
      await client.connect()
      results.push(await use(client, events))
      await client.close()
    }
    return results
  }

  it('tells the same of the topology', async t => {
    const [theirs, ours] = await both(t, {}, async (client, events) => {
      // node-redis emits these events while it connects. Our client may emit them a little later.
      await until('all is told', async () => events.some(({ type }) => type === 'SENTINEL_CHANGE'))
      return events.filter(({ type }) => type !== 'SENTINEL_CHANGE')
        .map(({ type, node, size }) => ({ type, ...(node && { node }), ...(size && { size }) }))
    })
    const sorted = events => events.map(event => JSON.stringify(event)).sort()
    assert.deepStrictEqual(sorted(ours), sorted(theirs))
  })

  it('has the same getters', async t => {
    const [theirs, ours] = await both(t, {}, async client => ({
      primary: client.getMasterNode(),
      replicas: [...client.getReplicaNodes().keys()],
      isKnown: set.sentinels.some(({ port }) => port === client.getSentinelNode().port),
      isOpen: client.isOpen,
      isReady: client.isReady
    }))
    assert.deepStrictEqual(ours, theirs)
  })

  it('answers the same calls alike', async t => {
    const scripts = {
      add: defineScript({
        SCRIPT: 'return redis.call("INCRBY", KEYS[1], ARGV[1])',
        NUMBER_OF_KEYS: 1,
        parseCommand (parser, key, by) {
          parser.pushKey(key)
          parser.push(String(by))
        }
      })
    }
    const [theirs, ours] = await both(t, { scripts, keyPrefix: 'app:' }, async client => {
      const replies = []
      const keep = async promise => replies.push(await promise)
      await keep(client.set('k', 'v'))
      await keep(client.mSet(['a', '1', 'b', '2', 'k', 'w']))
      await keep(client.add('counter', 2))
      await keep(client.multi().get('k').del(['a', 'b', 'counter']).exec())
      await keep(client.sendCommand(false, ['SET', 'raw', '1']))
      await keep(client.use(async lease => {
        await lease.watch('k')
        return lease.multi().set('k', 'x').exec()
      }))
      const lease = await client.acquire()
      await keep(lease.sendCommand(false, ['GET', 'raw']))
      await keep(lease.get('k'))
      await lease.release()
      await keep(client.withTypeMapping({ [redis.RESP_TYPES.BLOB_STRING]: Buffer })
        .hGetAll('none'))
      await keep(client.del(['k', 'raw']))
      return replies
    })
    assert.deepStrictEqual(JSON.stringify(ours), JSON.stringify(theirs))
  })

  it('reads from replicas if it is told to, but never goes on with the cursor of another',
    async t => {
      const client = createSentinel(options)
      t.after(() => client.destroy())
      await client.connect()
      const [replica] = set.replicas
      await client.hSet('h', Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [i, i])))
      await client.wait(1, 2_000)
      await until('the replica has a connection', async () => (
        [...client.getReplicaNodes().values()].some(count => count > 0)))
      const runs = async name => {
        const info = await set.command(replica, 'INFO', 'commandstats')
        return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(info)?.[1] ?? 0)
      }
      const before = await runs('hget')
      for (let i = 0; i < 20; i++) assert.strictEqual(await client.hGet('h', String(i)), String(i))
      assert.strictEqual(await runs('hget') - before, 20)
      let count = 0
      for await (const page of client.hScanIterator('h', { COUNT: 10 })) count += page.length
      assert.ok(count >= 2000)
      assert.strictEqual(await runs('hscan'), 0)
      await client.del('h')
    })

  it('tells what is wrong with a connection, and passes it on if it is told to', async t => {
    const client = createSentinel({ ...options, passthroughClientErrorEvents: true })
    t.after(() => client.destroy())
    const [told, errors] = [[], []]
    client.on('client-error', event => told.push(event))
    client.on('error', error => errors.push(error))
    await client.connect()
    await set.command(set.primary, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await until('it is told', async () => told.some(({ type }) => type === 'MASTER'))
    const { node, error } = told.find(({ type }) => type === 'MASTER')
    assert.deepStrictEqual(node, client.getMasterNode())
    assert.ok(error instanceof Error)
    await until('it is passed on', async () => errors.some(({ cause }) => cause === error))
    assert.strictEqual(await client.ping(), 'PONG')
  })

  it('is closed for good, twice, and can be opened again', async t => {
    const client = createSentinel(options)
    t.after(() => client.destroy())
    await client.connect()
    const events = []
    for (const name of ['end', 'ready']) client.on(name, () => events.push(name))
    const pending = client.incr('n')
    await client.close()
    await client.close()
    assert.strictEqual(typeof await pending, 'number')
    await assert.rejects(client.get('k'), ClientClosedError)
    assert.deepStrictEqual([client.isOpen, client.isReady], [false, false])
    await client.connect()
    assert.deepStrictEqual([client.isOpen, client.isReady], [true, true])
    await until('it is told', async () => events.includes('ready'))
    assert.deepStrictEqual(events, ['end', 'ready'])
    await client.del('n')
  })
})
