'use strict'

// A cluster has no MONITOR of its own: asking it for one is refused with the way to it, and that
// way works.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { recorder } = require('../pubsub/scene')
const { startCluster } = require('../support/redis-cluster')
const { skipBefore7 } = require('../support/redis-server')
const { clientFor } = require('./pubsub-scene')

describe('monitor() of a cluster', { skip: skipBefore7() }, () => {
  let cluster
  before(async () => { cluster = await startCluster({ replicas: 0 }) })
  after(() => cluster.stop())

  it('is refused, in every form', async t => {
    const client = clientFor(t, cluster)
    const words = { name: 'TypeError', message: /nodeClient\(node\)\)\.monitor/ }
    await assert.rejects(client.monitor(() => {}), words)
    await assert.rejects(client.MONITOR(() => {}), words)
    await assert.rejects(client.withTypeMapping({}).monitor(() => {}), words)
    const error = await new Promise(resolve => client.monitor(() => {}, resolve))
    assert.strictEqual(error.name, 'TypeError')
    assert.strictEqual(client.isPubSubActive, false)
  })

  it('is to be had from each node', async t => {
    const client = clientFor(t, cluster)
    await client.connect()
    const [node] = client.masters
    const listener = recorder()
    const stop = await (await client.nodeClient(node)).monitor(listener)
    const key = cluster.keyOn(cluster.nodes.find(({ port }) => port === node.port))
    await client.get(key)
    await listener.until(calls => calls.some(([line]) => line.includes(key)))
    await stop()
  })
})
