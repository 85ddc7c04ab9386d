'use strict'

// However often a subscription moves from node to node, no message comes twice, and those that come
// are in order.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { heard, recorder } = require('../pubsub/scene')
const { startCluster } = require('../support/redis-cluster')
const { skipBefore7 } = require('../support/redis-server')
const {
  clientFor, flows, heldBy, holders, moveSlot, numbersOf, stream
} = require('./pubsub-scene')

describe('a message in a cluster', { skip: skipBefore7() }, () => {
  let cluster
  before(async () => { cluster = await startCluster({ replicas: 0 }) })
  after(() => cluster.stop())

  function checkOrder (listener) {
    const numbers = numbersOf(listener)
    assert.strictEqual(new Set(numbers).size, numbers.length, 'a message came twice')
    assert.deepStrictEqual(numbers, numbers.toSorted((a, b) => a - b))
  }

  it('comes once while the slot of its shard channel goes round', async t => {
    const client = clientFor(t, cluster)
    const publisher = clientFor(t, cluster)
    const listener = recorder()
    const [first, second, third] = cluster.primaries
    const slot = first.slots[0][0]
    const name = cluster.keyIn(slot)
    await client.sSubscribe(name, listener)
    const numbers = stream(publisher, 'sPublish', name)
    for (const [from, to] of [[first, second], [second, third], [third, first], [first, second],
      [second, first]]) {
      const told = heard(client, 'resubscribed')
      await moveSlot(cluster, slot, from, to)
      await told
      await flows(publisher, 'sPublish', name, listener)
      await heldBy(cluster, to, name)
    }
    const sent = await numbers.stop()
    checkOrder(listener)
    assert.ok(numbersOf(listener).length > sent / 2, 'most of them come')
  })

  it('comes once while the connection of its channel is killed again and again', async t => {
    const client = clientFor(t, cluster)
    client.on('node-error', () => {})
    const publisher = clientFor(t, cluster)
    const [plain, shard] = [recorder(), recorder()]
    const name = cluster.keyOn(cluster.primaries[1])
    await client.subscribe('d', plain)
    await client.sSubscribe(name, shard)
    const streams = [stream(publisher, 'publish', 'd'), stream(publisher, 'sPublish', name)]
    for (let round = 0; round < 5; round++) {
      const [node] = await holders(cluster, 'd')
      const told = heard(client, 'resubscribed')
      await cluster.command(node, 'CLIENT', 'KILL', 'TYPE', 'pubsub')
      await told
      await flows(publisher, 'publish', 'd', plain)
      await flows(publisher, 'sPublish', name, shard)
      assert.strictEqual((await holders(cluster, 'd')).length, 1)
      await heldBy(cluster, cluster.primaries[1], name)
    }
    await Promise.all(streams.map(stream => stream.stop()))
    checkOrder(plain)
    checkOrder(shard)
  })

  it('comes once to a client that subscribes and unsubscribes while its slot moves', async t => {
    const client = clientFor(t, cluster)
    const publisher = clientFor(t, cluster)
    const [first, second] = cluster.primaries
    const slot = first.slots[0][0]
    const names = [0, 1, 2, 3].map(nth => cluster.keyIn(slot, nth))
    const listener = recorder()
    let isOver = false
    const churn = (async () => {
      for (let round = 0; !isOver; round++) {
        await client.sSubscribe(names, listener)
        await Promise.all(names.map(name => publisher.sPublish(name, `${round} of ${name}`)))
        await client.sUnsubscribe(names)
      }
    })()
    for (let round = 0; round < 10; round++) {
      await moveSlot(cluster, slot, first, second)
      await moveSlot(cluster, slot, second, first)
    }
    isOver = true
    await churn
    const messages = listener.messages()
    assert.strictEqual(new Set(messages).size, messages.length, 'a message came twice')
    assert.strictEqual(client.stats().pubsub.subscriptions, 0)
    for (const name of names) assert.deepStrictEqual(await holders(cluster, name, true), [])
  })
})
