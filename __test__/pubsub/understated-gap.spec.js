'use strict'

// `lostMs` covers every message that was missed. A gap begins where messages stop to come for sure,
// which may be long before the loss of the connection is noticed.

const assert = require('node:assert')
const { describe, it } = require('node:test')
const { setTimeout: delay } = require('node:timers/promises')

const { clientFor: clusterClientFor } = require('../cluster/pubsub-scene')
const { startFaultProxy } = require('../support/fault-proxy')
const { startCluster } = require('../support/redis-cluster')
const { skipBefore7 } = require('../support/redis-server')
const { PROTOCOLS, clientFor, heard, recorder, serverFor } = require('./scene')

async function proxyFor (t, server) {
  const proxy = await startFaultProxy(server)
  t.after(() => proxy.stop())
  return proxy
}

/** Swallows everything for `ms`, then resets all connections. Resolves to how long that took. */
async function swallow (proxy, ms) {
  const since = performance.now()
  proxy.blackHole()
  await delay(ms)
  proxy.reset()
  const took = performance.now() - since
  proxy.heal()
  return took
}

for (const RESP of PROTOCOLS) {
  describe(`a gap with RESP${RESP}`, { concurrency: true }, () => {
    it('is as long as the network swallowed everything before it reset the connection', async t => {
      const server = await serverFor(t)
      const publisher = clientFor(t, server)
      const proxy = await proxyFor(t, server)
      const client = clientFor(t, proxy, { RESP })
      const [plain, quiet] = [recorder(), recorder()]
      const since = performance.now()
      await client.subscribe('a', plain)
      await client.pSubscribe('q*', quiet)
      for (let n = 0; n < 20; n++) {
        await publisher.publish('a', 'x')
        await delay(50)
      }
      await plain.until(20)
      const told = heard(client, 'resubscribed')
      const hole = swallow(proxy, 3_000)
      await publisher.publish('a', 'lost')
      const [took, { channels, patterns, lostMs }] = await Promise.all([hole, told])
      const all = performance.now() - since
      assert.deepStrictEqual([channels, patterns], [1, 1])
      assert.ok(lostMs >= Math.floor(took), `${lostMs} ms, although ${took} ms were lost`)
      assert.ok(lostMs <= Math.ceil(all), `${lostMs} ms of ${all} ms`)
    })

    it('covers all messages that a server drops when it cuts off a slow subscriber', async t => {
      const server = await serverFor(t,
        { args: ['--client-output-buffer-limit', 'pubsub', '1mb', '0', '0'] })
      const publisher = clientFor(t, server)
      const proxy = await proxyFor(t, server)
      const client = clientFor(t, proxy, { RESP })
      const listener = recorder()
      await client.subscribe('a', listener)
      const told = heard(client, 'resubscribed').then(gap => ({ ...gap, at: performance.now() }))
      // What the server passed on before it cuts the connection goes on to come for seconds.
      proxy.bandwidth(3_000_000, { direction: 'down' })
      const padding = 'x'.repeat(100_000)
      const published = []
      let isOver = false
      told.finally(() => { isOver = true }).catch(() => {})
      while (!isOver) {
        published.push(performance.now())
        const count = await publisher.publish('a', `${published.length - 1} ${padding}`)
        if (count === 0) break
      }
      const { at, lostMs } = await told
      const received = new Set(listener.messages().map(message => parseInt(message)))
      const lost = published.findIndex((_, nth) => !received.has(nth))
      assert.notStrictEqual(lost, -1)
      assert.ok(at - lostMs <= published[lost] + SLACK,
        `${lostMs} ms, although message ${lost} was lost ${at - published[lost]} ms ago`)
    })
  })
}

describe('gaps of several nodes of a cluster', { skip: skipBefore7() }, () => {
  it('begin for each node where its own messages stop to come', async t => {
    const cluster = await startCluster({ replicas: 0 })
    t.after(() => cluster.stop())
    const nodeAddressMap = {}
    const proxies = []
    for (const node of cluster.nodes) {
      const proxy = await proxyFor(t, node)
      nodeAddressMap[`${node.host}:${node.port}`] = { host: proxy.host, port: proxy.port }
      proxies.push(proxy)
    }
    const client = clusterClientFor(t, cluster, { nodeAddressMap })
    client.on('node-error', () => {})
    const listener = recorder()
    const names = cluster.primaries.map(node => cluster.keyOn(node))
    await client.sSubscribe(names, listener)
    const publisher = clusterClientFor(t, cluster)
    for (const name of names) await publisher.sPublish(name, 'x')
    await listener.until(names.length)
    for (const [nth, ms] of [[0, 3_000], [1, 1_500]]) {
      const told = heard(client, 'resubscribed')
      const [took, gap] = await Promise.all([swallow(proxies[nth], ms), told])
      assert.strictEqual(gap.shardChannels, 1)
      assert.ok(gap.lostMs >= Math.floor(took), `${gap.lostMs} ms, although ${took} ms were lost`)
    }
  })
})

// The clock of the test is read when the event comes, which a busy machine may delay; the gap ends
// with the confirmation. What is lost here is some seconds old.
const SLACK = 1_000
