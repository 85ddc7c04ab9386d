'use strict'

// A command with keys of several slots is what it is on one server: every key counts once, replies
// stand where their keys were, and what can only be done as a whole is refused as a whole.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createCluster, RESP_TYPES } = require('../..')
const { startFakeCluster } = require('../support/fake-cluster')
const { startCluster } = require('../support/redis-cluster')

/** Keys of many slots, in all three thirds of the cluster. */
const KEYS = Array.from({ length: 50 }, (_, i) => `key:${i}`)

describe('keys of several slots', () => {
  let cluster, client
  before(async () => {
    cluster = await startCluster({ primaries: 3, replicas: 0 })
    client = await createCluster({ rootNodes: cluster.rootNodes }).connect()
  })
  after(async () => {
    await client?.close()
    await cluster?.stop()
  })

  it('are set in every form that MSET has', async () => {
    const pairs = KEYS.map(key => [key, `v:${key}`])
    for (const form of [pairs, pairs.flat(), Object.fromEntries(pairs)]) {
      await client.flushAll()
      assert.strictEqual(await client.mSet(form), 'OK')
      assert.deepStrictEqual(await client.mGet(KEYS), KEYS.map(key => `v:${key}`))
      assert.strictEqual(await client.dbSize(), KEYS.length)
    }
  })

  it('come back in the order in which they were asked for, also twice', async () => {
    const asked = ['key:3', 'missing', Buffer.from('key:1'), 'key:3', 'key:40']
    assert.deepStrictEqual(await client.mGet(asked),
      ['v:key:3', null, 'v:key:1', 'v:key:3', 'v:key:40'])
  })

  it('are counted once each', async () => {
    assert.strictEqual(await client.exists(['key:1', 'key:2', 'key:1', 'missing']), 3)
    assert.strictEqual(await client.touch(['key:1', 'key:2', 'missing']), 2)
    assert.strictEqual(await client.del(['key:1', 'key:2', 'key:1', 'missing']), 2)
    assert.strictEqual(await client.UNLINK(['key:1', 'key:3', 'key:4']), 2)
    assert.strictEqual(await client.exists(KEYS), KEYS.length - 4)
  })

  it('have the types of the mapping', async () => {
    await client.mSet({ 'key:1': 'é', 'key:2': 'b' })
    const view = client.withTypeMapping({
      [RESP_TYPES.BLOB_STRING]: Buffer,
      [RESP_TYPES.SIMPLE_STRING]: Buffer,
      [RESP_TYPES.NUMBER]: BigInt
    })
    const values = await view.mGet(['key:1', 'key:2'])
    assert.deepStrictEqual(values, [Buffer.from('é'), Buffer.from('b')])
    assert.strictEqual(await view.exists(['key:1', 'key:2']), 2n)
    assert.deepStrictEqual(await view.mSet({ 'key:1': '1', 'key:2': '2' }), Buffer.from('OK'))
    const text = client.withTypeMapping({ [RESP_TYPES.NUMBER]: String })
    assert.strictEqual(await text.del(['key:1', 'key:2']), '2')
  })

  it('come to a callback', async () => {
    const heard = await new Promise(resolve => {
      const returned = client.mGet(['a', 'b'], (...args) => resolve(args))
      assert.strictEqual(returned, undefined)
    })
    assert.deepStrictEqual(heard, [null, [null, null]])
    const [error] = await new Promise(resolve => {
      client.mGet(['a', 1], (...args) => resolve(args))
    })
    assert.ok(error instanceof TypeError)
  })

  it('are refused as on one server, when they are no keys', async () => {
    for (const [method, wrong] of [['mGet', ['a', 1]], ['mGet', []], ['del', ['a', null]],
      ['del', []], ['mSet', ['a', '1', 'b']], ['mSet', { a: '1', b: 2 }], ['mSet', []],
      ['mSet', [['a', '1'], 'b']], ['mSet', null], ['exists', undefined]]) {
      await assert.rejects(client[method](wrong), error =>
        error instanceof TypeError && error.message.startsWith(`${method}: `))
    }
    assert.deepStrictEqual(await client.mGet(['a', 'b']), [null, null])
  })

  it('count with the prefix: a hash tag in it holds them together', async () => {
    const tagged = createCluster({ rootNodes: cluster.rootNodes, keyPrefix: '{t}' })
    const plain = createCluster({ rootNodes: cluster.rootNodes, keyPrefix: Buffer.from('p:') })
    for (const one of [tagged, plain]) {
      assert.strictEqual(await one.mSet({ a: '1', b: '2', c: '3' }), 'OK')
      assert.deepStrictEqual(await one.mGet(['c', 'a']), ['3', '1'])
    }
    assert.deepStrictEqual(await client.mGet(['{t}a', 'p:b']), ['1', '2'])
    await tagged.close()
    await plain.close()
  })

  it('keep their order with other commands of their turn', async () => {
    const replies = await Promise.all([
      client.set('a', '1'), client.mSet({ a: '2', b: '2' }), client.incr('a'),
      client.mGet(['a', 'b']), client.del(['a', 'b']), client.mGet(['a', 'b'])
    ])
    assert.deepStrictEqual(replies, ['OK', 'OK', 3, ['3', '2'], 2, [null, null]])
  })

  it('may hold large values', async () => {
    const large = Buffer.alloc(100_000, 'x')
    assert.strictEqual(await client.mSet([['a', large], ['b', 'small'], ['c', large]]), 'OK')
    const values = await client.mGet(['c', 'b', 'a'])
    assert.deepStrictEqual(values.map(value => value.length), [100_000, 5, 100_000])
  })

  it('end together when their signal is aborted', async () => {
    const aborted = client.withAbortSignal(AbortSignal.abort())
    await assert.rejects(aborted.mGet(['a', 'b']), { name: 'AbortError', applied: 'no' })
    const aborter = new AbortController()
    const pending = client.withAbortSignal(aborter.signal).del(KEYS)
    aborter.abort()
    await assert.rejects(pending, { name: 'AbortError' })
  })

  it('are refused where only all or nothing makes sense', async () => {
    for (const call of [() => client.mSetNX({ a: '1', b: '2' }), () => client.rename('a', 'b'),
      () => client.sInterStore('a', ['b', 'c']),
      () => client.sendCommand(['RENAME', 'a', 'b'])]) {
      await assert.rejects(call(), { code: 'CROSSSLOT', applied: 'no' })
    }
    assert.strictEqual(await client.del(['a', 'b', 'c']), 3)
  })
})

describe('a command that was split', () => {
  let cluster, client
  before(async () => {
    cluster = await startFakeCluster()
    client = await createCluster({ rootNodes: cluster.rootNodes }).connect()
  })
  after(async () => {
    client?.destroy()
    await cluster?.stop()
  })
  const keys = () => cluster.nodes.map(node => cluster.keyOn(node))

  it('has one command for each slot, and stays whole if there is only one', async () => {
    const [a, b] = keys()
    await client.mGet([a, b, a])
    const lengths = cluster.received({ command: 'MGET' }).map(({ args }) => args.length)
    assert.deepStrictEqual(lengths.sort(), [2, 3])
    cluster.log.length = 0
    const tagged = [0, 1, 2].map(nth => cluster.keyOn(cluster.nodes[0], nth))
    await client.mGet(tagged)
    assert.deepStrictEqual(cluster.received({ command: 'MGET' }).map(({ args }) => args.slice(1)),
      [tagged])
  })

  it('follows redirects part by part', async () => {
    const [a, b] = keys()
    await client.mSet([[a, '1'], [b, '2']])
    cluster.moveSlot(cluster.slotOf(b), cluster.nodes[2])
    assert.deepStrictEqual(await client.mGet([b, a]), ['2', '1'])
  })

  it('rejects with the error of a part, which says that others may have been applied', async () => {
    const [a, b] = keys()
    const undo = cluster.answer({ command: 'DEL', slot: cluster.slotOf(b) }, 'OOM no memory')
    await assert.rejects(client.del([a, b]), { name: 'ErrorReply', code: 'OOM' })
    assert.strictEqual(await client.exists(a), 0, 'the other part was applied')
    undo()
    const offline = client.withCommandOptions({ timeout: 200 })
    const stop = cluster.answer({ command: 'DEL', slot: cluster.slotOf(a) }, 'hang')
    await assert.rejects(offline.del([a, b]), { name: 'TimeoutError', applied: 'unknown' })
    stop()
  })
})
