'use strict'

// Slots on the move under load, with the keys in them. Nobody notices: no error, no order lost, and
// the client asks where everything is now and then, not all the time.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { scene, until, watch, Appender } = require('./scene')

describe('slots that move under load', () => {
  it('cost no error and no order', async t => {
    const set = scene(t)
    const cluster = await set.cluster({ replicas: 0 })
    const [from, to] = cluster.nodes
    const all = Array.from({ length: MOVED }, (_, index) => index)
    const slots = [...all]
    // Hot lists in slots that are moved at the beginning, in between and at the end.
    const hot = [0, 1, 2, 100, 300, 301, 500, 900, 998, 999]
    const filler = set.clusterClient(cluster)
    await Promise.all(all.map(slot => filler.set(cluster.keyIn(slot, 7), `in ${slot}`)))
    const client = set.clusterClient(cluster)
    const witness = watch(set, client, cluster)
    const oracle = set.oracle(witness)
    const appender = new Appender(set, client, cluster, hot)
    await oracle.healed()
    const before = await looks(cluster)
    const started = performance.now()
    while (slots.length > 0) {
      // Many at a time, as tools do it; one after the other would take a minute.
      const some = slots.splice(0, AT_ONCE)
      await Promise.all(some.map(slot => cluster.migrateSlot(slot, from, to)))
    }
    const took = performance.now() - started
    const asked = await looks(cluster) - before
    await oracle.healed()
    await Promise.all([oracle.stop(), appender.stop()])
    const { redirects } = client.stats()
    const commands = oracle.completed + appender.answered
    t.diagnostic(`${MOVED} slots in ${Math.round(took)} ms under ${commands} commands: ` +
      `${redirects} redirects, asked ${asked} times`)
    assert.deepStrictEqual(witness.failures.map(({ error }) => error.stack), [])
    await oracle.verify()
    await appender.check()
    assert.ok(redirects > 0, 'no command met a slot that had moved')
    assert.ok(asked <= took / APART + 2, `asked ${asked} times in ${took} ms`)
    const values = await Promise.all(all.map(slot => client.get(cluster.keyIn(slot, 7))))
    assert.deepStrictEqual(values, all.map(slot => `in ${slot}`))
  })

  it('to a node that has just joined cost no error and no order', async t => {
    const set = scene(t)
    const cluster = await set.cluster({ primaries: 2, replicas: 0 })
    const [from] = cluster.nodes
    const client = set.clusterClient(cluster)
    const witness = watch(set, client, cluster)
    const oracle = set.oracle(witness)
    const appender = new Appender(set, client, cluster, [0, 1, 2, 10, 20])
    await oracle.healed()
    const joined = await cluster.addNode()
    for (let slot = 0; slot < 30; slot++) {
      await cluster.beginMigration(slot, from, joined)
      await under(oracle, 50)
      await cluster.moveKeys(slot, from, joined)
      // All keys of the slot are there, and no node names its owner yet.
      await under(oracle, 50)
      await cluster.finishMigration(slot, from, joined)
    }
    await oracle.healed()
    await Promise.all([oracle.stop(), appender.stop()])
    assert.deepStrictEqual(witness.failures.map(({ error }) => error.stack), [])
    await oracle.verify()
    await appender.check()
    assert.ok(await commandsOf(cluster, joined) > 0, 'the new node was never asked')
    assert.ok(client.nodeByAddress.has(`${joined.host}:${joined.port}`))
  })

  it('to a node that has none yet are served there before they are its own', async t => {
    const set = scene(t)
    const cluster = await set.cluster({ primaries: 2, replicas: 0 })
    const [from] = cluster.nodes
    const client = set.clusterClient(cluster)
    const keys = [0, 1, 2].map(nth => cluster.keyIn(0, nth))
    await Promise.all(keys.map(key => client.set(key, key)))
    // CLUSTER SLOTS does not name it, but other commands do.
    const joined = await cluster.addNode()
    await cluster.beginMigration(0, from, joined)
    await cluster.moveKeys(0, from, joined)
    assert.deepStrictEqual(await Promise.all(keys.map(key => client.get(key))), keys)
    const counted = Array.from({ length: 50 }, () => client.incr(cluster.keyIn(0, 3)))
    assert.deepStrictEqual(await Promise.all(counted), counted.map((_, index) => index + 1))
    await cluster.finishMigration(0, from, joined)
    assert.strictEqual(await client.incr(cluster.keyIn(0, 3)), 51)
  })
})

/** Resolves once the load has run on by `count` commands. */
function under (oracle, count) {
  const { completed } = oracle
  return until(() => oracle.completed > completed + count, 'the load to run')
}

/** How often the nodes of `cluster` were asked for the slots, all together. */
async function looks (cluster) {
  const stats = await Promise.all(cluster.nodes.map(node =>
    cluster.command(node, 'INFO', 'commandstats')))
  return stats.reduce((sum, text) =>
    sum + Number(/cmdstat_cluster\|slots:calls=(\d+)/.exec(text)?.[1] ?? 0), 0)
}

/** How many keys `node` has been given by clients. */
async function commandsOf (cluster, node) {
  const text = await cluster.command(node, 'INFO', 'commandstats')
  return Number(/cmdstat_rpush:calls=(\d+)/.exec(text)?.[1] ?? 0)
}

const MOVED = 1000
const AT_ONCE = 5
// Between two questions for the slots, ms.
const APART = 200
