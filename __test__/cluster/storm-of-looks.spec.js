'use strict'

// However many commands fail over a lost primary, the nodes that are left are asked where
// everything is a few times a second, not once for each.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { createCluster } = require('../..')
const { startCluster } = require('../support/redis-cluster')
const { skipBefore7 } = require('../support/redis-server')

describe('a failover', { skip: skipBefore7() }, () => {
  it('makes no storm of CLUSTER SLOTS, under thousands of commands', async t => {
    const servers = await startCluster()
    t.after(() => servers.stop())
    const cluster = await createCluster({ rootNodes: servers.rootNodes }).connect()
    t.after(() => cluster.destroy())
    const [killed] = servers.primaries
    const key = servers.keyOn(killed)
    const others = servers.nodes.filter(node => node !== killed)
    const asked = async () => {
      const counts = await Promise.all(others.map(async node => {
        const stats = await servers.command(node, 'INFO', 'commandstats')
        return Number(/cmdstat_cluster\|slots:calls=(\d+)/.exec(stats)?.[1] ?? 0)
      }))
      return counts.reduce((sum, count) => sum + count)
    }
    await cluster.set(key, 0)
    const [before, start] = [await asked(), performance.now()]
    await servers.kill(killed)
    // Each is an operation of its own, in a turn of its own.
    const sent = []
    for (let i = 0; i < 5000; i++) {
      sent.push(cluster.withCommandOptions({ timeout: 0 }).incr(key))
      if (i % 50 === 0) await new Promise(setImmediate)
    }
    const outcomes = await Promise.allSettled(sent)
    // What was called before the loss was known may be lost; all else has waited for the successor.
    const done = outcomes.filter(({ status }) => status === 'fulfilled')
    assert.ok(done.length > 4000, `${done.length} of 5000`)
    for (const { reason } of outcomes.filter(({ status }) => status === 'rejected')) {
      assert.strictEqual(reason.kind, 'CONNECTION_LOST')
    }
    const looks = await asked() - before
    const took = performance.now() - start
    // Never twice within 200 ms; each look may ask a second node, and that a third.
    const most = 3 * (took / 200 + 2)
    assert.ok(looks > 0 && looks <= most, `${looks} in ${took} ms, at most ${most}`)
  })
})
