'use strict'

// The nodes of a cluster do not pass keyspace notifications on to one another. They come from every
// primary all the same, each once, whatever happens to primaries and slots.

const assert = require('node:assert')
const { after, before, beforeEach, describe, it } = require('node:test')

const { clientFor, moveSlot } = require('../cluster/pubsub-scene')
const { startCluster } = require('../support/redis-cluster')
const { skipBefore7 } = require('../support/redis-server')
const { until } = require('../support/until')
const { heard, recorder } = require('./scene')

const NAMES = [
  ['pSubscribe', 'pUnsubscribe', '__keyspace@0__:*'],
  ['pSubscribe', 'pUnsubscribe', '__key*__:*'],
  ['subscribe', 'unsubscribe', '__keyevent@0__:set']
]

const NOTIFYING = { args: ['--notify-keyspace-events', 'KEA'] }

/**
 * The keys that `set` events of a listener name, sorted: those of the channels of keys or, if only
 * the channel of the event was listened to, its messages.
 */
function keysOf ({ calls }) {
  const ofKeys = calls.filter(([, channel]) => channel.startsWith('__keyspace@0__:'))
  const keys = ofKeys.length > 0
    ? ofKeys.filter(([event]) => event === 'set').map(([, channel]) => channel.slice(15))
    : calls.filter(([, channel]) => channel === '__keyevent@0__:set').map(([key]) => key)
  return keys.sort()
}

let rounds = 0

/** Sets 90 keys, about as many on each of the primaries, and says which. */
async function setNinety (client) {
  const round = rounds++
  const keys = Array.from({ length: 90 }, (_, n) => `${round}:${n}`)
  await Promise.all(keys.map(key => client.set(key, 'x')))
  return keys
}

/** All of `keys` have come, each once. */
async function comeOnce (client, listener, keys) {
  const all = async expected => {
    await until('all notifications come', async () => {
      const come = new Set(keysOf(listener))
      return expected.every(key => come.has(key))
    })
    return keysOf(listener).filter(key => expected.includes(key))
  }
  assert.deepStrictEqual(await all(keys), [...keys].sort())
  // What a node says of these keys, again perhaps, comes before what it says of the next ones.
  const next = await setNinety(client)
  assert.deepStrictEqual(await all([...keys, ...next]), [...keys, ...next].sort())
}

describe('keyspace notifications of a cluster', { skip: skipBefore7() }, () => {
  let cluster
  before(async () => { cluster = await startCluster(NOTIFYING) })
  after(() => cluster.stop())
  beforeEach(() => cluster.waitUntilHealthy())

  /** How many nodes of each role are subscribed to the pattern or channel. */
  async function subscribed (name) {
    const counts = { primary: 0, replica: 0 }
    for (const node of cluster.running) {
      const held = name.includes('*')
        ? await cluster.command(node, 'PUBSUB', 'NUMPAT')
        : (await cluster.command(node, 'PUBSUB', 'CHANNELS', name)).length
      counts[node.role] += Number(held)
    }
    return counts
  }

  for (const RESP of [2, 3]) {
    for (const [subscribe, unsubscribe, name] of NAMES) {
      it(`of ${name} come from all primaries, with RESP${RESP}`, async t => {
        const client = clientFor(t, cluster, { RESP })
        const listener = recorder()
        await client[subscribe](name, listener)
        // Before anything else: the call resolves when all primaries have confirmed.
        assert.deepStrictEqual(await subscribed(name), { primary: 3, replica: 0 })
        await comeOnce(client, listener, await setNinety(client))
        assert.strictEqual(client.stats().pubsub.subscriptions, 1)
        await client[unsubscribe](name)
        assert.deepStrictEqual(await subscribed(name), { primary: 0, replica: 0 })
        assert.strictEqual(client.isPubSubActive, false)
      })
    }
  }

  it('do not make other messages come more often', async t => {
    const client = clientFor(t, cluster)
    const [listener, other] = [recorder(), recorder()]
    await client.pSubscribe('__key*', listener)
    await client.subscribe('__keys', other)
    for (let n = 0; n < 30; n++) await client.publish('__keys', `${n}`)
    const expected = Array.from({ length: 30 }, (_, n) => `${n}`)
    await Promise.all([listener.until(30), other.until(30)])
    const keys = await setNinety(client)
    await until('the notifications come', async () => keysOf(listener).length >= keys.length)
    const messages = listener.calls.filter(([, channel]) => channel === '__keys')
    assert.deepStrictEqual(messages.map(([message]) => message), expected)
    assert.deepStrictEqual(other.messages(), expected)
  })

  for (const how of ['hands over', 'is killed']) {
    it(`come once when a primary ${how}, and from its successor then`, async t => {
      const client = clientFor(t, cluster)
      const writer = clientFor(t, cluster)
      for (const one of [client, writer]) one.on('node-error', () => {})
      const listener = recorder()
      await client.pSubscribe('__keyspace@0__:*', listener)
      const node = cluster.primaries[1]
      const key = cluster.keyOn(node)
      let isOver = false
      const load = (async () => {
        for (let n = 0; !isOver; n++) {
          await writer.withCommandOptions({ timeout: 500 }).set(`${how}:${n}:${key}`, 'x')
            .catch(() => {})
          await new Promise(resolve => setTimeout(resolve, 2))
        }
      })()
      const told = heard(client, 'resubscribed')
      if (how === 'is killed') await cluster.kill(node)
      else await cluster.failover(cluster.replicas.find(({ primary }) => primary === node))
      await cluster.waitForPromotion(node)
      const { patterns, lostMs } = await told
      assert.strictEqual(patterns, 1)
      assert.ok(lostMs > 0)
      if (how === 'is killed') await cluster.restart(node)
      await cluster.waitUntilHealthy()
      isOver = true
      await load
      await comeOnce(client, listener, await setNinety(client))
      const keys = keysOf(listener)
      assert.strictEqual(new Set(keys).size, keys.length, 'a notification came twice')
      await until('primaries alone are subscribed to', async () => {
        const { primary, replica } = await subscribed('*')
        return primary === 3 && replica === 0
      })
    })
  }

  it('come once while a slot and its keys move', async t => {
    const client = clientFor(t, cluster)
    const writer = clientFor(t, cluster)
    const listener = recorder()
    await client.pSubscribe('__keyspace@0__:*', listener)
    const [from, to] = cluster.primaries
    const slot = from.slots[0][0]
    const keys = []
    for (const [source, target] of [[from, to], [to, from]]) {
      const move = moveSlot(cluster, slot, source, target)
      for (let n = 0; n < 50; n++) {
        const key = `move:${keys.length}:${cluster.keyIn(slot)}`
        keys.push(key)
        await writer.set(key, 'x')
      }
      await move
    }
    await comeOnce(writer, listener, [...keys, ...await setNinety(writer)])
  })
})

describe('keyspace notifications of a primary', { skip: skipBefore7() }, () => {
  it('come when it is new, and not twice when it becomes a replica', async t => {
    const cluster = await startCluster({ replicas: 0, ...NOTIFYING })
    t.after(() => cluster.stop())
    const client = clientFor(t, cluster)
    const listener = recorder()
    await client.pSubscribe('__keyspace@0__:*', listener)
    const [from] = cluster.primaries
    const slot = from.slots[0][0]
    const told = heard(client, 'resubscribed')
    const added = await cluster.addNode()
    await moveSlot(cluster, slot, from, added)
    // The client only listens, so no node tells it.
    assert.strictEqual((await told).patterns, 1)
    const writer = clientFor(t, cluster)
    const moved = `moved:${cluster.keyIn(slot)}`
    await writer.set(moved, 'x')
    await comeOnce(writer, listener, [moved, ...await setNinety(writer)])
    await moveSlot(cluster, slot, added, from)
    const keys = []
    const key = cluster.keyIn(slot)
    const set = async () => {
      keys.push(`back:${keys.length}:${key}`)
      await writer.set(keys.at(-1), 'x')
    }
    await set()
    // That came from another node than expected, so the client asks at once where everything is.
    await until('a primary without slots is listened to no more', async () =>
      await cluster.command(added, 'PUBSUB', 'NUMPAT') === 0)
    await cluster.follow(added, from)
    await until('the former primary is a replica', async () => {
      await set()
      const replication = await cluster.command(added, 'INFO', 'replication')
      return replication.includes('master_link_status:up')
    })
    for (let n = 0; n < 100; n++) await set()
    await cluster.waitUntilHealthy()
    await comeOnce(writer, listener, [...keys, ...await setNinety(writer)])
  })
})
