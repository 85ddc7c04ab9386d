'use strict'

// Redirects that go in circles, make no sense, or lead to somebody who is no part of the cluster.
// Nothing is connected to or kept that no node has named, and every command ends.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { MaxCommandRedirectionsError } = require('../..')
const { scene, until, CANARY } = require('./scene')

describe('MOVED', { concurrency: true }, () => {
  it('back and forth between two nodes ends after maxCommandRedirections', async t => {
    const set = scene(t)
    for (const maxCommandRedirections of [0, 1, 5, 15]) {
      const cluster = await set.fakeCluster({ nodes: 2 })
      const [one, two] = cluster.primaries
      const client = await set.clusterClient(cluster, { maxCommandRedirections }).connect()
      cluster.answer({ node: one, slot: 0 }, two.moved(0))
      cluster.answer({ node: two, slot: 0 }, one.moved(0))
      const error = await set.failure(client.set(cluster.keyIn(0), 'value'))
      assert.ok(error instanceof MaxCommandRedirectionsError)
      assert.strictEqual(error.code, 'MAX_REDIRECTIONS')
      assert.strictEqual(error.applied, 'no')
      const sets = cluster.received({ command: 'SET' })
      assert.strictEqual(sets.length, maxCommandRedirections + 1)
      // The one that was named last, and never asked.
      const last = sets.at(-1).node === one ? two : one
      assert.ok(error.message.includes(last.address), error.message)
      assert.ok(!error.message.includes(cluster.keyIn(0)))
      // Others are served meanwhile and afterwards.
      assert.strictEqual(await client.set(cluster.keyOn(two), 'value'), 'OK')
    }
  })

  it('back and forth does not make a storm of questions for the slots', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 2 })
    const [one, two] = cluster.primaries
    const client = await set.clusterClient(cluster).connect()
    cluster.answer({ node: one, slot: 0 }, two.moved(0))
    cluster.answer({ node: two, slot: 0 }, one.moved(0))
    const started = performance.now()
    while (performance.now() < started + 1500) {
      await set.failures(Array.from({ length: 20 }, () => client.incr(cluster.keyIn(0))))
    }
    assertCalm(cluster, started)
    assert.ok(cluster.refreshes.length > 2)
  })

  it('to the node itself takes another connection and asks again, until it is true', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 2 })
    const [node] = cluster.primaries
    const client = await set.clusterClient(cluster).connect()
    await client.set(cluster.keyIn(0), 'before')
    const [{ connection }] = cluster.received({ node, command: 'SET' })
    const refreshes = cluster.refreshes.length
    cluster.answer({ node, command: 'SET', slot: 0, times: 3 }, node.moved(0))
    const sets = Array.from({ length: 3 }, (_, index) =>
      client.set(cluster.keyIn(0), String(index)))
    assert.deepStrictEqual(await Promise.all(sets), ['OK', 'OK', 'OK'])
    assert.strictEqual(await client.get(cluster.keyIn(0)), '2')
    const served = cluster.received({ node, command: 'SET' }).at(-1)
    assert.notStrictEqual(served.connection, connection)
    // Which may be a moment later.
    await until(() => cluster.refreshes.length > refreshes, 'a question for the slots')
  })

  it('that makes no sense moves nothing, and the command runs once it ends', async t => {
    const set = scene(t)
    await Promise.all(NONSENSE.map(async lie => {
      const cluster = await set.fakeCluster({ nodes: 2 })
      const [node] = cluster.primaries
      const client = await set.clusterClient(cluster).connect()
      const before = [...client.nodeByAddress.keys()]
      const refreshes = cluster.refreshes.length
      cluster.answer({ node, command: 'SET', times: 2 }, lie)
      assert.strictEqual(await client.set(cluster.keyIn(0), 'value'), 'OK', lie)
      assert.strictEqual(cluster.received({ node, command: 'SET' }).length, 3)
      assert.ok(cluster.refreshes.length > refreshes, lie)
      assert.deepStrictEqual([...client.nodeByAddress.keys()], before)
    }))
  })

  it('with an empty host means the host that said so', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 2 })
    const [from, to] = cluster.primaries
    const client = await set.clusterClient(cluster).connect()
    cluster.answer({ node: from, slot: 0 }, `MOVED 0 :${to.port}`)
    cluster.answer({ node: to, slot: 0 }, (_, reply) => reply.ok())
    assert.strictEqual(await client.set(cluster.keyIn(0), 'value'), 'OK')
    assert.strictEqual(cluster.received({ node: to, command: 'SET' }).length, 1)
  })

  for (const word of ['MOVED', 'ASK']) {
    it(`or ASK: ${word} to somebody no node has named gives nobody the password`, async t => {
      const set = scene(t)
      const cluster = await set.fakeCluster({ nodes: 2 })
      const [node] = cluster.primaries
      const stranger = await set.fake()
      const client = await set.clusterClient(cluster).connect()
      const refreshes = cluster.refreshes.length
      const lie = `${word} 0 ${stranger.host}:${stranger.port}`
      cluster.answer({ node, slot: 0 }, (_, reply, { connection: { queue } }) => {
        if (queue) queue.isRefused = true
        return reply.error(lie)
      })
      const started = performance.now()
      const hurried = client.withCommandOptions({ timeout: 1500 })
      const errors = await set.failures([
        hurried.set(cluster.keyIn(0), 'value'),
        hurried.get(cluster.keyIn(0)),
        hurried.multi().incr(cluster.keyIn(0)).exec(),
        hurried.blPop(cluster.keyIn(0), 1)
      ])
      for (const error of errors) {
        assert.match(String(error.code), /^(TIMEOUT|MOVED|ASK|MAX_REDIRECTIONS)$/, error.stack)
      }
      assert.strictEqual(stranger.accepted, 0)
      assert.ok(!client.nodeByAddress.has(`${stranger.host}:${stranger.port}`))
      await until(() => cluster.refreshes.length > refreshes, 'a question for the slots')
      assertCalm(cluster, started)
      // The nodes themselves did get it.
      assert.ok(JSON.stringify(cluster.received({ node, command: 'HELLO' })
        .map(({ args }) => args)).includes(CANARY))
      assert.strictEqual(await client.set(cluster.keyIn(1), 'value'), 'OK')
    })
  }
})

describe('CLUSTER SLOTS', { concurrency: true }, () => {
  it('that makes no sense is not believed, and another node is asked', async t => {
    const set = scene(t)
    const node = ['127.0.0.1', 1, 'f'.repeat(40)]
    const lies = [
      [], [[0, 16384, node]], [[-1, 5, node]], [[5, 1, node]], [[0]], [['x', 'y', node]], 'slots',
      [[0, 16383, ['?', 1]]], [[0, 16383, ['127.0.0.1', 70000]]], [[0, 16383, ['a b', 1]]],
      Array.from({ length: 1001 }, (_, at) => [at, at, ['127.0.0.1', at + 1]])
    ]
    for (const lie of lies) {
      const cluster = await set.fakeCluster({ nodes: 2 })
      const [liar, honest] = cluster.primaries
      cluster.answer({ node: liar, command: 'CLUSTER SLOTS' }, (_, reply) =>
        typeof lie === 'string' ? reply.bulk(lie) : reply.array(lie))
      const rootNodes = [liar, honest].map(({ host, port }) => ({ socket: { host, port } }))
      const client = set.clusterClient(cluster, { rootNodes })
      assert.strictEqual(await client.set(cluster.keyIn(0), 'value'), 'OK')
      assert.deepStrictEqual([...client.nodeByAddress.keys()].sort(),
        [liar.address, honest.address].sort())
      client.destroy()
    }
  })

  it('is asked again when a slot is missing, and its commands wait', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 2, slots: [[[1, 8000]], [[8001, 16383]]] })
    const [node] = cluster.primaries
    const client = await set.clusterClient(cluster).connect()
    const stored = client.set(cluster.keyIn(0), 'value')
    assert.strictEqual(await client.set(cluster.keyIn(1), 'value'), 'OK')
    const started = performance.now()
    const refreshes = cluster.refreshes.length
    await until(() => cluster.refreshes.length > refreshes + 1, 'two more questions')
    assertCalm(cluster, started)
    node.slots = [[0, 8000]]
    assert.strictEqual(await stored, 'OK')
  })
})

/** Asserts that the slots were not asked for more often than harms nobody. */
function assertCalm (cluster, since) {
  const asked = cluster.received({ command: 'CLUSTER SLOTS' }).filter(({ at }) => at >= since)
  // Once in 200 ms; of a second node as well, while a busy first one has not answered.
  const most = 2 * (performance.now() - since) / APART + 4
  assert.ok(asked.length <= most, `asked ${asked.length} times, at most ${most} were expected`)
}

const NONSENSE = [
  'MOVED 3999 ?:6379', 'MOVED 0 127.0.0.1:70000', 'MOVED 0 127.0.0.1:0', 'MOVED 0 127.0.0.1',
  'MOVED 99999 127.0.0.1:6379', 'MOVED 0 __proto__', 'MOVED 0 __proto__:1', 'MOVED __proto__ x:1',
  'MOVED 0 a/b:6379', 'MOVED', 'MOVED 0', 'ASK 0 ?:6379', 'ASK -1 127.0.0.1:1'
]
// Between two questions for the slots, ms.
const APART = 200
