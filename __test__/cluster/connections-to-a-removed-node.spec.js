'use strict'

// Nodes that leave and nodes that join, under load. The client closes its connections to a node
// that has left, within seconds and after the node's last answer, and no command is lost by that.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { scene, until, watch, Appender } = require('./scene')

describe('a node', () => {
  it('that joins is used, and one that leaves is let go of, without an error', async t => {
    const set = scene(t)
    const cluster = await set.cluster({ primaries: 2, replicas: 0 })
    const [first] = cluster.nodes
    const client = set.clusterClient(cluster, { name: NAME })
    const witness = watch(set, client, cluster)
    const oracle = set.oracle(witness)
    const appender = new Appender(set, client, cluster, [0, 1, 2])
    await oracle.healed()
    const node = await cluster.addNode()
    const address = `${node.host}:${node.port}`
    const slots = Array.from({ length: 200 }, (_, slot) => slot)
    for (const slot of slots) await cluster.migrateSlot(slot, first, node)
    // Somebody has to ask for the last one: a client does not look around for nothing.
    const portOfLast = async () => {
      await client.get(cluster.keyIn(199))
      return client.slots[199]?.master.port
    }
    await until(async () => await portOfLast() === node.port, 'the client to know')
    assert.ok(await connections(cluster, node) > 0)
    // A session of the application there, which is idle when the node leaves.
    await client.session(cluster.keyIn(0), session => session.get(cluster.keyIn(0)))
    const own = await client.nodeClient(client.nodeByAddress.get(address))
    assert.strictEqual(await own.ping(), 'PONG')
    for (const slot of slots) await cluster.migrateSlot(slot, node, first)
    const left = performance.now()
    await until(async () => await portOfLast() === first.port, 'the client to know')
    await until(() => !client.nodeByAddress.has(address), 'the client to know')
    // It runs on, so that it is the client who closes.
    await until(async () => await connections(cluster, node) === 0, 'the last connection to close')
    const took = performance.now() - left
    t.diagnostic(`the last connection was closed ${Math.round(took)} ms after the last slot`)
    assert.ok(took < LIMIT, `closed after ${took} ms`)
    await cluster.removeNode(node)
    await oracle.healed()
    await Promise.all([oracle.stop(), appender.stop()])
    assert.deepStrictEqual(witness.failures.map(({ error }) => error.stack), [])
    await oracle.verify()
    await appender.check()
  })

  it('that is gone from the answers but still busy may answer first', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 3 })
    const { leaving, stop, unname } = stage(set, cluster)
    const client = await set.clusterClient(cluster, { commandOptions: { timeout: 8000 } }).connect()
    const key = cluster.keyOn(leaving)
    await client.get(key)
    const answer = stop()
    const incrs = Array.from({ length: 10 }, () => client.incr(key))
    await until(() => cluster.received({ command: 'INCR' }).length === 10, 'the commands to arrive')
    await unname(client)
    answer()
    assert.deepStrictEqual(await Promise.all(incrs), incrs.map((_, index) => index + 1))
    await until(() => leaving.connections.size === 0, 'the connections to close')
  })

  it('that is gone from the answers and never answers is let go of all the same', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 3 })
    const { leaving, stop, unname } = stage(set, cluster)
    const client = await set.clusterClient(cluster, { commandOptions: { timeout: 0 } }).connect()
    const key = cluster.keyOn(leaving)
    await client.get(key)
    stop()
    const incr = client.incr(key)
    await until(() => cluster.received({ command: 'INCR' }).length > 0, 'the command to arrive')
    await unname(client)
    // What comes later goes to the new owner, and need not wait for ever either.
    const later = client.set(key, 'value')
    const error = await set.failure(incr)
    assert.match(error.kind, /^(CONNECTION_LOST|NODE_REMOVED)$/)
    assert.strictEqual(error.applied, 'unknown')
    assert.strictEqual(await later, 'OK')
    await until(() => leaving.connections.size === 0, 'the connections to close')
  })
})

/** Of three nodes, the last is about to leave. */
function stage (set, cluster) {
  const [first, second, leaving] = cluster.primaries
  set.defer(() => leaving.stop())
  return {
    leaving,
    /** It stops answering; the function that is returned lets it answer everything, in order. */
    stop () {
      const waiting = []
      const withdraw = cluster.answer({ node: leaving }, (args, reply, entry) =>
        waiting.push({ reply, entry }))
      return () => {
        withdraw()
        for (const { reply, entry } of waiting) {
          if (entry.args[0] === 'INCR') leaving.run(entry.args, reply)
          else leaving.serve(entry, reply)
        }
      }
    },
    /** Nobody names it any more, which `client` hears because another slot has moved as well. */
    async unname (client) {
      first.slots = [...first.slots, ...leaving.slots]
      leaving.slots = []
      cluster.nodes = cluster.nodes.filter(node => node !== leaving)
      const [[slot]] = second.slots
      cluster.moveSlot(slot, first)
      await client.set(cluster.keyIn(slot), 'value')
      await until(() => client.nodeByAddress.size === 2, 'the client to know')
    }
  }
}

/** How many connections of ours `node` has. */
async function connections (cluster, node) {
  const list = await cluster.command(node, 'CLIENT', 'LIST')
  return list.split('\n').filter(line => line.includes(`name=${NAME}`)).length
}

const NAME = 'ours'
// Promised are 5 s after the client has heard of it, which a node tells within a moment.
const LIMIT = 8000
