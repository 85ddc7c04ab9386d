'use strict'

// Sentinels that are behind, or lie, and a primary that was demoted behind everybody's back: no
// write goes where the others do not see the primary, and nobody goes round in circles.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { startFakeServer } = require('../support/fake-server')
const { skipBefore7, startServer } = require('../support/redis-server')
const { until } = require('../support/until')
const { Count, scene } = require('./scene')

const WRITES = 50
/** How often writes are begun in one case, each time on a new connection. */
const CLIENTS = 5

describe('one of three sentinels', { skip: skipBefore7() }, () => {
  it('that names a replica is not believed, however new its news', async t => {
    const made = await scene(t, { sentinels: 2 })
    const { set } = made
    const [replica] = set.replicas
    const liar = await made.falseSentinel({ primary: replica, epoch: 999, replicas: set.replicas })
    await write(made, liar)
    assert.strictEqual(await made.refusedBy(replica), 0)
  })

  it('that names a server of somebody else is not believed, even while the others disagree',
    async t => {
      const made = await scene(t, { sentinels: 2 })
      const { set } = made
      const foreign = await startServer()
      made.defer(() => foreign.stop())
      const liar = await made.falseSentinel({
        primary: foreign, epoch: 999, replicas: [set.primary, ...set.replicas]
      })
      await write(made, liar)
      // During a failover the two others differ for a moment.
      const client = await made.connected({ sentinelRootNodes: roots(set, liar) })
      const count = new Count(client, 4)
      await count.settled()
      const everySentinel = set.sentinels.map(on => set.waitForSwitch({ on }))
      await set.failover()
      await Promise.all(everySentinel)
      await count.settled()
      await count.stop()
      assert.deepStrictEqual(await count.doubled(), [])
      assert.strictEqual(await set.command(foreign, 'DBSIZE'), 0)
      const info = await set.command(foreign, 'INFO', 'commandstats')
      assert.doesNotMatch(info, /cmdstat_(incr|set):/)
    })

  it('that slept through a failover is not believed when it wakes up', async t => {
    const made = await scene(t)
    const { set } = made
    const old = set.primary
    const stale = await made.falseSentinel({ primary: old, epoch: 0, replicas: set.replicas })
    const switched = set.waitForSwitch()
    await set.failover()
    const { server } = await switched
    await set.waitUntilHealthy()
    const sentinelRootNodes = [...set.sentinelRootNodes.slice(0, 2), stale]
      .map(({ host, port }) => ({ host, port }))
    for (let i = 0; i < CLIENTS; i++) {
      const client = await made.connected({ sentinelRootNodes })
      assert.strictEqual(client.getMasterNode().port, server.port)
      await client.incr('n')
      client.destroy()
    }
    assert.strictEqual(await made.refusedBy(old), 0)
  })

  it('that hangs while the primary is replaced holds nobody up', async t => {
    const made = await scene(t)
    const { set } = made
    const client = await made.connected({ commandOptions: { timeout: 15_000 } })
    const count = new Count(client, 4)
    await count.settled()
    const { port } = client.getSentinelNode()
    const hangs = set.sentinels.find(sentinel => sentinel.port === port)
    set.pause(hangs)
    const switched = set.waitForSwitch()
    await set.kill(set.primary)
    const { at } = await switched
    const recovered = await count.settled(at)
    t.diagnostic(`answered ${Math.round(recovered)} ms after +switch-master`)
    assert.ok(recovered < 5_000, `${recovered} ms`)
    set.resume(hangs)
    await count.settled()
    await count.stop()
    assert.deepStrictEqual(await count.doubled(), [])
  })
})

describe('a primary that was made a replica behind the sentinels\' backs',
  { skip: skipBefore7() }, () => {
    it('gets each waiting write once, not in a loop, until there is another', async t => {
      const made = await scene(t)
      const { set } = made
      const client = await made.connected({ commandOptions: { timeout: 30_000 } })
      const count = new Count(client, 8)
      await count.settled()
      const old = set.primary
      const switched = set.waitForSwitch()
      await set.demote(old, set.replicas[0])
      await switched
      await set.waitUntilHealthy()
      await count.settled()
      await count.stop()
      const refused = await made.refusedBy(old)
      t.diagnostic(`${refused} writes of ${count.workers.length} callers were refused`)
      // What was under way, and what followed before the first refusal came back.
      assert.ok(refused <= 4 * count.workers.length, `${refused} were refused`)
      assert.deepStrictEqual(await count.doubled(), [])
    })
  })

describe('a node that the sentinels name', { skip: skipBefore7() }, () => {
  it('gets no command before it says that it is a primary, and is asked seldom', async t => {
    const made = await scene(t, { replicas: 0, sentinels: 1 })
    const node = await startFakeServer()
    made.defer(() => node.stop())
    let role = 'slave'
    const asked = []
    node.on('command', (args, reply) => {
      if (args[0] !== 'ROLE') return reply.integer(1)
      asked.push(performance.now())
      reply.array(role === 'master' ? ['master', 0, []] : ['slave', '127.0.0.1', 1, 'connect', 0])
    })
    const sentinel = await made.falseSentinel({ primary: node, epoch: 1 })
    const { host, port } = sentinel
    const client = made.client({ sentinelRootNodes: [{ host, port }] })
    const pending = client.incr('n')
    await until('it was asked some times', async () => asked.length >= 4)
    assert.deepStrictEqual(node.commands.filter(([name]) => name === 'INCR'), [])
    const apart = (asked.at(-1) - asked[0]) / (asked.length - 1)
    // 200 ms, less what timers and a busy event loop blur.
    assert.ok(apart > 100, `asked every ${Math.round(apart)} ms`)
    role = 'master'
    assert.strictEqual(await pending, 1)
  })

  it('is not sent the same write for ever, though it says that it is one', async t => {
    const made = await scene(t, { replicas: 0, sentinels: 1 })
    const node = await startFakeServer()
    made.defer(() => node.stop())
    node.on('command', (args, reply) => args[0] === 'ROLE'
      ? reply.array(['master', 0, []])
      : reply.error('READONLY You can\'t write against a read only replica.'))
    const sentinel = await made.falseSentinel({ primary: node, epoch: 1 })
    const { host, port } = sentinel
    const client = made.client({
      sentinelRootNodes: [{ host, port }],
      maxCommandRediscovers: 2,
      commandOptions: { timeout: 0 }
    })
    await assert.rejects(client.incr('n'), { code: 'READONLY', applied: 'no', retryable: true })
    assert.strictEqual(node.commands.filter(([name]) => name === 'INCR').length, 3)
  })
})

/** Writes with several clients that have two true sentinels and a false one. */
async function write (made, liar) {
  const { set } = made
  for (let i = 0; i < CLIENTS; i++) {
    const client = await made.connected({ sentinelRootNodes: roots(set, liar) })
    await Promise.all(Array.from({ length: WRITES }, () => client.incr('written')))
    assert.strictEqual(client.getMasterNode().port, set.primary.port)
    client.destroy()
  }
  assert.strictEqual(await set.command(set.primary, 'GET', 'written'), String(WRITES * CLIENTS))
}

function roots (set, liar) {
  return [...set.sentinelRootNodes, { host: liar.host, port: liar.port }]
}
