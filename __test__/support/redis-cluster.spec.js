'use strict'

// The support's own tests, clusters. A fault test proves nothing without its fault.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { startFaultProxy } = require('./fault-proxy')
const { slotOf } = require('./hash-slot')
const { startCluster } = require('./redis-cluster')
const { skipBefore7, skipWithoutTls } = require('./redis-server')
const { remember } = require('./traces')

describe('a started cluster', { skip: skipBefore7() }, () => {
  let cluster, everything
  before(async () => {
    cluster = await startCluster()
    everything = remember(cluster.nodes)
  })
  after(async () => {
    await cluster.stop()
    await everything.isGone()
  })

  it('has 3 primaries with all slots and 3 replicas, when it is handed over', async () => {
    assert.deepStrictEqual(cluster.primaries.map(({ slots }) => slots).sort(),
      [[[0, 5461]], [[10923, 16383]], [[5462, 10922]]])
    assert.deepStrictEqual(new Set(cluster.replicas.map(({ primary }) => primary)),
      new Set(cluster.primaries))
    for (const node of cluster.nodes) {
      assert.match(await cluster.command(node, 'CLUSTER', 'INFO'), /cluster_state:ok/)
    }
    assert.strictEqual(cluster.rootNodes.length, 6)
  })

  it('knows where its keys are', async () => {
    for (const node of cluster.primaries) {
      const key = cluster.keyOn(node)
      assert.strictEqual(await cluster.command(node, 'SET', key, 'v'), 'OK')
      assert.strictEqual(await cluster.command(node, 'CLUSTER', 'KEYSLOT', key), slotOf(key))
      assert.strictEqual(cluster.nodeOf(slotOf(key)), node)
    }
  })

  it('stops in the middle of moving a slot, and goes on', async () => {
    const [from, to] = cluster.primaries
    const key = nth => cluster.keyOn(from, nth)
    const slot = slotOf(key(0))
    const keys = [key(0), key(1)]
    for (const key of keys) await cluster.command(from, 'SET', key, 'v')
    await cluster.beginMigration(slot, from, to)
    await cluster.moveKeys(slot, from, to, { keys: [keys[0]] })
    await assert.rejects(cluster.command(from, 'GET', keys[0]), /^Error: ASK/)
    await assert.rejects(cluster.command(from, 'MGET', ...keys), /^Error: TRYAGAIN/)
    await cluster.moveKeys(slot, from, to)
    await cluster.finishMigration(slot, from, to)
    assert.deepStrictEqual(await cluster.command(to, 'MGET', ...keys), ['v', 'v'])
    await assert.rejects(cluster.command(from, 'GET', keys[0]), /^Error: MOVED/)
    await cluster.waitUntilAgreed()
    assert.strictEqual(cluster.nodeOf(slot), to)
    await cluster.migrateSlot(slot, to, from)
  })

  it('replaces a primary that was killed, and takes it back as a replica', async () => {
    const [killed] = cluster.primaries
    const heir = cluster.replicas.find(({ primary }) => primary === killed)
    const before = performance.now()
    await cluster.kill(killed)
    const { node, at } = await cluster.waitForPromotion(killed)
    assert.strictEqual(node, heir)
    assert.ok(at > before)
    assert.strictEqual(heir.role, 'primary')
    assert.ok(!cluster.primaries.includes(killed))
    await cluster.restart(killed)
    await cluster.waitUntilHealthy()
    assert.strictEqual(killed.primary, heir)
  })

  it('fails over by command', async () => {
    const [replica] = cluster.replicas
    const { primary } = replica
    await cluster.failover(replica, 'TAKEOVER')
    assert.strictEqual((await cluster.waitForPromotion(primary)).node, replica)
    await cluster.waitUntilHealthy()
    assert.strictEqual(primary.primary, replica)
  })

  it('takes nodes in, and lets them go', async () => {
    const node = await cluster.addNode()
    everything.add(node)
    const [from] = cluster.primaries
    const slot = from.slots[0][0]
    await cluster.migrateSlot(slot, from, node)
    await assert.rejects(cluster.removeNode(node), /has slots/)
    await cluster.migrateSlot(slot, node, from)
    await cluster.removeNode(node)
    await cluster.waitUntilHealthy()
    assert.strictEqual(cluster.nodes.length, 6)
  })

  it('announces other names for its nodes', async () => {
    const [node, other] = cluster.nodes
    const proxy = await startFaultProxy(node)
    await cluster.announce(node, { port: proxy.port, hostname: 'localhost' })
    const [, , ...lines] = (await cluster.command(other, 'CLUSTER', 'SLOTS')).flat()
    assert.ok(lines.some(line => Array.isArray(line) && line[1] === proxy.port))
    await cluster.announce(node, { port: node.port })
    await proxy.stop()
  })
})

describe('a cluster with a password and TLS', { skip: skipBefore7() || skipWithoutTls() }, () => {
  it('moves keys, and fails over', async () => {
    const cluster = await startCluster({ requirepass: 'a b', tls: { authClients: true } })
    const [from, to] = cluster.primaries
    const key = cluster.keyOn(from)
    await cluster.command(from, 'SET', key, 'v')
    await cluster.migrateSlot(slotOf(key), from, to)
    assert.strictEqual(await cluster.command(to, 'GET', key), 'v')
    await cluster.failover(cluster.replicas.find(({ primary }) => primary === to))
    await cluster.waitForPromotion(to)
    await cluster.stop()
  })
})
