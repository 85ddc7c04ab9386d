'use strict'

// Shard channels are had from the node that has their slot now, whatever happens to slots and
// nodes, and a subscription resolves when that node has confirmed it.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { heard, recorder } = require('../pubsub/scene')
const { startFakeCluster } = require('../support/fake-cluster')
const { startCluster } = require('../support/redis-cluster')
const { skipBefore7 } = require('../support/redis-server')
const {
  clientFor, confirmSubscriptions, flows, heldBy, moveSlot, numbersOf, stream
} = require('./pubsub-scene')

describe('shard channels', { skip: skipBefore7() }, () => {
  let cluster
  before(async () => { cluster = await startCluster() })
  after(() => cluster.stop())

  const elsewhere = node => cluster.primaries.find(other => other !== node)

  for (const RESP of [2, 3]) {
    it(`of several slots are subscribed to in one call, with RESP${RESP}`, async t => {
      const client = clientFor(t, cluster, { RESP })
      const listener = recorder()
      const names = Array.from({ length: 60 }, (_, n) => `s${n}`)
      await client.sSubscribe(names, listener)
      for (const name of names) {
        // The name of a shard channel decides which node has it.
        assert.strictEqual(await client.sPublish(name, `to ${name}`), 1)
        await heldBy(cluster, cluster.nodeOf(cluster.slotOf(name)), name)
      }
      await listener.until(names.length)
      assert.deepStrictEqual(listener.calls.map(call => call.join()).sort(),
        names.map(name => `to ${name},${name}`).sort())
      await client.sUnsubscribe(names.slice(1))
      assert.strictEqual(await client.sPublish('s1', ''), 0)
      assert.strictEqual(await client.sPublish('s0', ''), 1)
      await client.sUnsubscribe()
      assert.strictEqual(await client.sPublish('s0', ''), 0)
      assert.strictEqual(client.stats().pubsub.subscriptions, 0)
    })

    it(`move with their slot, with RESP${RESP}`, async t => {
      const client = clientFor(t, cluster, { RESP })
      const [moving, staying] = [recorder(), recorder()]
      const from = cluster.primaries[0]
      const to = elsewhere(from)
      const slot = from.slots[0][0]
      const [name, near] = [cluster.keyIn(slot), cluster.keyIn(from.slots.at(-1)[1])]
      await client.sSubscribe(name, moving)
      await client.sSubscribe(near, staying)
      for (const [source, target] of [[from, to], [to, from]]) {
        const told = heard(client, 'resubscribed')
        await moveSlot(cluster, slot, source, target)
        const { shardChannels, lostMs } = await told
        assert.strictEqual(shardChannels, 1)
        assert.ok(lostMs < 5_000, `${lostMs} ms`)
        await heldBy(cluster, target, name)
        await flows(client, 'sPublish', name, moving)
      }
      await heldBy(cluster, from, near)
      await flows(client, 'sPublish', near, staying)
    })
  }

  it('move when the client does not know yet where their slot is', async t => {
    const client = clientFor(t, cluster)
    const listener = recorder()
    await client.ping()
    const from = cluster.primaries[1]
    const slot = from.slots[0][0]
    const to = elsewhere(from)
    await moveSlot(cluster, slot, from, to)
    const name = cluster.keyIn(slot)
    // Its former owner says MOVED.
    await client.sSubscribe(name, listener)
    await heldBy(cluster, to, name)
    await flows(client, 'sPublish', name, listener)
    await moveSlot(cluster, slot, to, from)
  })

  for (const how of ['killed', 'replaced']) {
    it(`are had from the new primary when theirs is ${how}`, async t => {
      const client = clientFor(t, cluster)
      client.on('node-error', () => {})
      const listener = recorder()
      const node = cluster.primaries[2]
      const name = cluster.keyOn(node)
      await client.sSubscribe(name, listener)
      const numbers = stream(client.withCommandOptions({ timeout: 500 }), 'sPublish', name)
      await listener.until(20)
      const told = heard(client, 'resubscribed')
      if (how === 'killed') await cluster.kill(node)
      else await cluster.failover(cluster.replicas.find(({ primary }) => primary === node))
      const promoted = await cluster.waitForPromotion(node)
      const { shardChannels } = await told
      assert.strictEqual(shardChannels, 1)
      assert.ok(performance.now() - promoted.at < 5_000, 'soon after the promotion')
      await heldBy(cluster, promoted.node, name)
      await flows(client, 'sPublish', name, listener)
      await numbers.stop()
      const messages = numbersOf(listener)
      assert.deepStrictEqual(messages, [...new Set(messages)].sort((a, b) => a - b))
      if (how === 'killed') await cluster.restart(node)
      await cluster.waitUntilHealthy()
    })
  }
})

describe('a shard channel', () => {
  async function scene (t, options) {
    const fake = await startFakeCluster({ nodes: 3 })
    t.after(() => fake.stop())
    confirmSubscriptions(fake)
    const client = clientFor(t, fake, options)
    client.on('node-error', () => {})
    // So that it knows where everything is.
    await client.ping()
    const [from, to] = fake.nodes
    const name = fake.keyOn(from)
    return { fake, client, from, to, name, slot: fake.slotOf(name) }
  }

  const asked = (fake, command = 'SSUBSCRIBE') =>
    fake.received({ command }).map(({ node }) => node)

  it('is published to by way of the node that has its slot; channels by any', async t => {
    const { fake, client } = await scene(t)
    const names = fake.nodes.map(node => fake.keyOn(node))
    fake.answer({ command: ['PUBLISH', 'SPUBLISH'] }, (args, reply) => reply.integer(0))
    for (const name of names) {
      await client.sPublish(name, 'x')
      await client.publish(name, 'x')
    }
    assert.deepStrictEqual(asked(fake, 'SPUBLISH'), fake.nodes)
    assert.strictEqual(new Set(asked(fake, 'PUBLISH')).size, 1)
  })

  it('is asked for once where a MOVED leads to', async t => {
    const { fake, client, from, to, name, slot } = await scene(t)
    fake.moveSlot(slot, to)
    await client.sSubscribe(name, () => {})
    assert.deepStrictEqual(asked(fake), [from, to])
  })

  it('is asked for again when a MOVED leads to a stranger, once the nodes are known', async t => {
    const { fake, client, from, to, name, slot } = await scene(t)
    fake.answer({ node: from, command: 'SSUBSCRIBE', times: 1 }, `MOVED ${slot} 127.0.0.1:1`)
    fake.moveSlot(slot, to)
    await client.sSubscribe(name, () => {})
    assert.deepStrictEqual(asked(fake).at(0), from)
    assert.deepStrictEqual(asked(fake).at(-1), to)
    assert.ok(asked(fake).length <= 3)
  })

  it('is refused when the nodes do not agree on who has it', async t => {
    const { fake, client, from, to, name, slot } = await scene(t)
    fake.answer({ node: from, command: 'SSUBSCRIBE' }, to.moved(slot))
    fake.answer({ node: to, command: 'SSUBSCRIBE' }, from.moved(slot))
    await assert.rejects(client.sSubscribe(name, () => {}), { code: 'MAX_REDIRECTIONS' })
    assert.ok(asked(fake).length <= 7, `asked ${asked(fake).length} times`)
    assert.strictEqual(client.isPubSubActive, false)
  })

  it('is waited for while the cluster is down, within the deadline', async t => {
    const { fake, client, name } = await scene(t)
    fake.answer({ command: 'SSUBSCRIBE', times: 3 }, 'CLUSTERDOWN The cluster is down')
    await client.sSubscribe(name, () => {})
    assert.strictEqual(asked(fake).length, 4)
    fake.answer({ command: 'SSUBSCRIBE' }, 'CLUSTERDOWN The cluster is down')
    const other = fake.keyOn(fake.nodes[0], 1)
    await assert.rejects(
      client.withCommandOptions({ timeout: 400 }).sSubscribe(other, () => {}), { code: 'TIMEOUT' })
  })

  it('that an ACL forbids is refused alone', async t => {
    const { fake, client, name } = await scene(t)
    const forbidden = fake.keyOn(fake.nodes[0], 1)
    fake.answer({ command: 'SSUBSCRIBE' }, (args, reply) =>
      args.includes(forbidden) && reply.error('NOPERM No permissions to access a channel'))
    const [fine, refused] = await Promise.allSettled(
      [name, forbidden].map(channel => client.sSubscribe(channel, () => {})))
    assert.strictEqual(fine.status, 'fulfilled')
    assert.strictEqual(refused.reason.code, 'NOPERM')
    assert.strictEqual(client.stats().pubsub.subscriptions, 1)
  })

  it('can be given up while it is on its way', async t => {
    const { fake, client, to, name, slot } = await scene(t)
    fake.answer({ node: to, command: 'SSUBSCRIBE' }, 'hang')
    fake.moveSlot(slot, to)
    const listener = recorder()
    const wanted = client.sSubscribe(name, listener)
    wanted.catch(() => {})
    while (!asked(fake).includes(to)) await new Promise(setImmediate)
    const given = client.withCommandOptions({ timeout: 300 }).sUnsubscribe(name)
    // The node has not answered, so nobody knows; but nothing waits for ever.
    await assert.rejects(given, { code: 'TIMEOUT' })
    assert.strictEqual(listener.calls.length, 0)
    client.destroy()
    await assert.rejects(wanted, { code: 'CLOSED' })
  })

  it('moves when the nodes are known anew, although nobody has said so to it', async t => {
    const { fake, client, from, to, name, slot } = await scene(t)
    const near = fake.keyIn(from.slots[0][0] + 1)
    await client.sSubscribe([name, near], () => {})
    const told = heard(client, 'resubscribed')
    fake.moveSlot(slot, to)
    // A command finds out.
    await client.get(name)
    assert.strictEqual((await told).shardChannels, 1)
    assert.deepStrictEqual(asked(fake), [from, from, to])
  })

  it('costs one connection to each node, which ends with the last subscription', async t => {
    const { fake, client } = await scene(t)
    const names = fake.nodes.flatMap(node => [0, 1, 2].map(nth =>
      fake.keyIn(node.slots[0][0] + nth)))
    await Promise.all(names.map(name => client.sSubscribe(name, () => {})))
    await client.subscribe('a', () => {})
    const of = command => new Set(fake.received({ command }).map(({ connection }) => connection))
    const connections = of('SSUBSCRIBE')
    assert.strictEqual(connections.size, 3)
    // One of them serves for channels as well.
    assert.strictEqual(new Set([...connections, ...of('SUBSCRIBE')]).size, 3)
    await client.sUnsubscribe()
    await client.unsubscribe()
    const isOpen = connection => fake.nodes.some(node => [...node.connections].includes(connection))
    while ([...connections].some(isOpen)) await new Promise(resolve => setTimeout(resolve, 20))
    await client.sSubscribe(names[0], () => {})
  })
})
