'use strict'

// Pub/Sub in a cluster: clients, who is subscribed where, and a stream of messages.

const { createCluster } = require('../..')
const { slotOf } = require('../support/hash-slot')
const { until } = require('../support/until')

/** A client of `cluster`, real or fake, that ends with test `t`. */
function clientFor (t, cluster, options) {
  const client = createCluster({ rootNodes: cluster.rootNodes, ...options })
  t.after(() => client.destroy())
  return client
}

/** The nodes of a real cluster that somebody is subscribed at, to a channel or a shard channel. */
async function holders (cluster, channel, isShard = false) {
  const held = await Promise.all(cluster.running.map(node =>
    cluster.command(node, 'PUBSUB', isShard ? 'SHARDCHANNELS' : 'CHANNELS', channel)))
  return cluster.running.filter((node, index) => held[index].length > 0)
}

/**
 * Moves a slot, and resolves when all nodes, replicas among them, have the same view of who has
 * which slots, and since which epoch.
 */
async function moveSlot (cluster, slot, from, to) {
  await cluster.migrateSlot(slot, from, to)
  await until('all nodes know of the move', async () => {
    const views = await Promise.all(cluster.running.map(node =>
      cluster.command(node, 'CLUSTER', 'NODES')))
    const known = views.map(view => view.trimEnd().split('\n').map(line => {
      const [id, , , , , , epoch, , ...slots] = line.split(' ')
      return [id, epoch, ...slots].join(' ')
    }).sort().join())
    return known.every(other => other === known[0])
  })
}

/** The one node that has a shard channel, once that is `node`. */
async function heldBy (cluster, node, ...channels) {
  for (const channel of channels) {
    await until(`${channel} is had from its new owner`, async () => {
      const found = await holders(cluster, channel, true)
      return found.length === 1 && found[0] === node
    })
  }
}

/**
 * Publishes numbers, one after the other, until `stop()` is called, which resolves to how many were
 * sent. What fails was not sent for sure, or twice: it is not tried again.
 */
function stream (client, method, channel) {
  let isOver = false
  let count = 0
  const ended = (async () => {
    while (!isOver) {
      await client[method](channel, `${count++}`).catch(() => {})
      // Other work, such as what a failover needs, gets its turn on a small machine.
      await new Promise(resolve => setTimeout(resolve, 1))
    }
    return count
  })()
  return {
    stop () {
      isOver = true
      return ended
    }
  }
}

/** Waits until messages come that were published from now on. */
async function flows (client, method, channel, listener) {
  const before = listener.calls.length
  const probe = `probe:${Math.random()}`
  await until(`messages of ${channel} come`, async () => {
    await client[method](channel, probe).catch(() => {})
    return listener.calls.slice(before).some(([message]) => message === probe)
  })
}

/** Of the messages that came: those of a stream, as numbers. */
function numbersOf (listener) {
  return listener.messages().filter(message => !message.startsWith('probe:')).map(Number)
}

/** Makes a fake cluster confirm subscriptions: those of shard channels where their slot is. */
function confirmSubscriptions (fake) {
  fake.answer({ command: NAMES }, ([name, ...channels], reply, { node }) => {
    const isShard = name === 'SSUBSCRIBE' || name === 'SUNSUBSCRIBE'
    if (isShard && fake.nodeOf(slotOf(channels[0])) !== node) return false
    for (const channel of channels) reply.array([name.toLowerCase(), channel, 1])
    return true
  })
}

const NAMES = ['SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE', 'UNSUBSCRIBE', 'PUNSUBSCRIBE',
  'SUNSUBSCRIBE']

module.exports = {
  clientFor, confirmSubscriptions, flows, heldBy, holders, moveSlot, numbersOf, stream
}
