'use strict'

// Channels and patterns are had from any one node, and from another one as soon as that is lost,
// hangs or leaves; each once, with the gap told.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { heard, recorder } = require('../pubsub/scene')
const { startFakeCluster } = require('../support/fake-cluster')
const { startCluster } = require('../support/redis-cluster')
const { skipBefore7 } = require('../support/redis-server')
const { until } = require('../support/until')
const {
  clientFor, confirmSubscriptions, flows, holders, numbersOf, stream
} = require('./pubsub-scene')

describe('channels and patterns of a cluster', { skip: skipBefore7() }, () => {
  let cluster
  before(async () => { cluster = await startCluster() })
  after(() => cluster.stop())

  for (const RESP of [2, 3]) {
    it(`come over one connection to any node, with RESP${RESP}`, async t => {
      const client = clientFor(t, cluster, { RESP })
      const [plain, pattern] = [recorder(), recorder()]
      // Nodes may pass a message on so late that the next test hears it.
      const [a, b, c] = [`a${RESP}`, `b${RESP}`, `c${RESP}`]
      await client.subscribe([a, b, c], plain)
      await client.pSubscribe(`p${RESP}*`, pattern)
      const found = await Promise.all([a, b, c].map(channel => holders(cluster, channel)))
      assert.strictEqual(new Set(found.flat()).size, 1)
      // Whatever node a publisher is connected to.
      for (const node of cluster.nodes) await cluster.command(node, 'PUBLISH', b, node.id)
      await client.publish(`p${RESP}q`, 'x')
      await Promise.all([plain.until(cluster.nodes.length), pattern.until(1)])
      assert.deepStrictEqual(new Set(plain.messages()), new Set(cluster.nodes.map(({ id }) => id)))
      assert.deepStrictEqual(pattern.calls, [['x', `p${RESP}q`]])
      await client.unsubscribe([a, b])
      assert.deepStrictEqual(await holders(cluster, a), [])
      await client.unsubscribe()
      await client.pUnsubscribe()
      assert.strictEqual(client.isPubSubActive, false)
      assert.strictEqual(client.stats().pubsub.subscriptions, 0)
    })
  }

  it('move when their node is killed in the middle of messages', async t => {
    const client = clientFor(t, cluster)
    client.on('node-error', () => {})
    const [plain, pattern] = [recorder(), recorder()]
    await client.subscribe('k', plain)
    await client.pSubscribe('p*', pattern)
    const [node] = await holders(cluster, 'k')
    const numbers = stream(client, 'publish', 'k')
    await plain.until(20)
    const told = heard(client, 'resubscribed')
    await cluster.kill(node)
    const gap = await told
    assert.ok(gap.lostMs >= 0 && gap.lostMs < 10_000, `${gap.lostMs} ms`)
    assert.deepStrictEqual({ ...gap, lostMs: 0 },
      { channels: 1, patterns: 1, shardChannels: 0, lostMs: 0 })
    await flows(client, 'publish', 'k', plain)
    await numbers.stop()
    const now = await holders(cluster, 'k')
    assert.strictEqual(now.length, 1)
    assert.notStrictEqual(now[0], node)
    const messages = numbersOf(plain)
    assert.deepStrictEqual(messages, [...new Set(messages)].sort((a, b) => a - b))
    await flows(client, 'publish', 'pq', pattern)
    assert.strictEqual(client.stats().pubsub.subscriptions, 2)
    if (node.role === 'primary') await cluster.waitForPromotion(node)
    await cluster.restart(node)
    await cluster.waitUntilHealthy()
  })

  it('move when their node hangs and is voted out', async t => {
    // Only primaries are voted out; which node it is, is a matter of chance.
    const { client, node } = await until('a primary is chosen', async () => {
      // Without PING, by which the connection would notice by itself.
      const client = clientFor(t, cluster, { pingInterval: 0 })
      await client.subscribe('h', () => {})
      const [node] = await holders(cluster, 'h')
      if (node.role === 'primary') return { client, node }
      await client.unsubscribe()
      client.destroy()
    })
    client.on('node-error', () => {})
    // Something has to ask for the nodes.
    const keys = cluster.primaries.map(primary => cluster.keyOn(primary))
    const told = heard(client, 'resubscribed')
    cluster.pause(node)
    let isOver = false
    const load = (async () => {
      while (!isOver) {
        const short = client.withCommandOptions({ timeout: 1_000 })
        await Promise.all(keys.map(key => short.incr(key).catch(() => {})))
      }
    })()
    const { channels } = await told
    isOver = true
    await load
    assert.strictEqual(channels, 1)
    cluster.resume(node)
    await cluster.waitUntilHealthy()
  })
})

describe('channels of a cluster', () => {
  // A client that is subscribed to `a`, over `connection` to `node`.
  async function scene (t, options) {
    const fake = await startFakeCluster({ nodes: 3 })
    t.after(() => fake.stop())
    confirmSubscriptions(fake)
    const client = clientFor(t, fake, options)
    client.on('node-error', () => {})
    const listener = recorder()
    await client.subscribe('a', listener)
    const [{ node, connection }] = fake.received({ command: 'SUBSCRIBE' })
    return { fake, client, listener, node, connection }
  }

  const nextSubscribe = fake => new Promise(resolve => {
    fake.on('command', entry => entry.args[0] === 'SUBSCRIBE' && resolve(entry))
  })

  it('move when their node leaves the cluster, and its connection ends', async t => {
    const { fake, client, node, connection } = await scene(t)
    const told = heard(client, 'resubscribed')
    const asked = nextSubscribe(fake)
    // The cluster stops those that it has at its end.
    t.after(() => node.stop())
    const [other] = fake.nodes.filter(other => other !== node)
    other.slots = [...other.slots, ...node.slots]
    node.slots = []
    node.primary = other
    fake.nodes = fake.nodes.filter(other => other !== node)
    t.after(() => node.stop())
    const key = fake.keyIn(other.slots.at(-1)[0])
    // Its new owner is asked by way of the former one.
    await client.get(key)
    assert.notStrictEqual((await asked).node, node)
    assert.strictEqual((await told).channels, 1)
    await until('the connection to the former node is closed', async () =>
      ![...node.connections].includes(connection))
    assert.strictEqual(fake.received({ command: 'SUBSCRIBE' }).length, 2)
  })

  for (const [what, answer] of [['hangs', 'hang'], ['fails', 'close']]) {
    it(`move when connecting to their node again ${what}`, async t => {
      const { fake, client, node, connection } = await scene(t)
      const told = heard(client, 'resubscribed')
      const asked = nextSubscribe(fake)
      fake.answer({ node, command: GREETING }, answer)
      connection.reset()
      assert.notStrictEqual((await asked).node, node)
      const { channels, lostMs } = await told
      assert.strictEqual(channels, 1)
      assert.ok(lostMs < 5_000, `${lostMs} ms`)
    })
  }

  it('move when their node does not answer a PING', async t => {
    const { fake, client, node } = await scene(t,
      { pingInterval: 100, defaults: { socket: { socketTimeout: 300 } } })
    fake.answer({ node, command: 'PING' }, 'hang')
    const told = heard(client, 'resubscribed')
    const asked = nextSubscribe(fake)
    assert.notStrictEqual((await asked).node, node)
    assert.strictEqual((await told).channels, 1)
  })

  it('stay, and are had again once, when only the connection is lost', async t => {
    const { fake, client, node, connection } = await scene(t)
    const told = heard(client, 'resubscribed')
    connection.reset()
    await told
    const asked = fake.received({ command: 'SUBSCRIBE' })
    assert.deepStrictEqual(asked.map(entry => entry.node), [node, node])
  })

  it('do not storm nodes of which none can be connected', async t => {
    const { fake, client, connection } = await scene(t)
    fake.answer({ command: GREETING }, 'close')
    connection.reset()
    const late = client.withCommandOptions({ timeout: 1_500 }).subscribe('b', () => {})
    await assert.rejects(late, { code: 'TIMEOUT' })
    // A few attempts at each node, with growing pauses.
    const count = fake.received({ command: 'HELLO' }).length
    assert.ok(count < 60, `${count} attempts`)
  })

  it('fail at once with a password that no node takes', async t => {
    const fake = await startFakeCluster({ nodes: 3 })
    t.after(() => fake.stop())
    fake.answer({ command: ['HELLO', 'AUTH'] }, 'WRONGPASS invalid username-password pair')
    const client = clientFor(t, fake, { defaults: { password: 'wrong' } })
    client.on('error', () => {})
    client.on('node-error', () => {})
    const since = performance.now()
    for (const method of ['subscribe', 'sSubscribe']) {
      await assert.rejects(client[method]('a', () => {}), ({ code }) => code !== 'TIMEOUT')
    }
    assert.ok(performance.now() - since < 4_000, 'before the deadline')
    assert.strictEqual(client.isPubSubActive, false)
  })

  it('end with the client', async t => {
    const { fake, client } = await scene(t)
    await client.sSubscribe('s', () => {})
    fake.answer({ command: 'SUBSCRIBE' }, 'hang')
    const unanswered = client.subscribe('b', () => {})
    client.destroy()
    await assert.rejects(unanswered, { code: 'CLOSED' })
    await until('all connections are closed', async () =>
      fake.nodes.every(({ connections }) => [...connections].length === 0))
    await assert.rejects(client.subscribe('c', () => {}), { name: 'ClientClosedError' })
  })
})

// What a connection begins with. A node that closes at HELLO gets the second, as proxies like it.
const GREETING = ['HELLO', 'PING']
