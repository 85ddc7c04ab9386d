'use strict'

// Servers may not know how their clients reach a node. What they say then is followed as Redis
// documents it; where it leads nowhere, the error says so.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { scene } = require('./scene')

/** The hosts that CLUSTER SLOTS names in place of an address, and what stands beside them. */
const FOLLOWED = {
  'no host, which means the one that was asked': node => [null, node.port, node.id, []],
  'an empty host, which means the one that was asked': node => ['', node.port, node.id, []],
  '"?" with the address beside it': node => ['?', node.port, node.id, ['ip', node.host]]
}

describe('a node that is named without its address', { concurrency: true }, () => {
  for (const [what, describeNode] of Object.entries(FOLLOWED)) {
    it(`by ${what}, is reached`, async t => {
      const set = scene(t)
      const cluster = await set.fakeCluster({ nodes: 2 })
      answer(cluster, describeNode)
      const client = await set.clusterClient(cluster).connect()
      for (const node of cluster.primaries) {
        assert.strictEqual(await client.set(cluster.keyOn(node), 'value'), 'OK')
        assert.strictEqual(cluster.received({ node, command: 'SET' }).length, 1)
      }
      // Redirects name the node in the same way.
      const [one, two] = cluster.primaries
      cluster.moveSlot(0, two)
      cluster.answer({ node: one, slot: 0 }, `MOVED 0 ?:${two.port}`)
      assert.strictEqual(await client.set(cluster.keyIn(0), 'value'), 'OK')
    })
  }

  it('is missed with an error that tells why', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 2 })
    const [known, unknown] = cluster.primaries
    answer(cluster, node => [node === unknown ? '?' : node.host, node.port, node.id, []])
    const client = set.clusterClient(cluster, {
      // A busy machine takes its time to connect.
      defaults: { socket: { connectTimeout: 3_000 } }, commandOptions: { timeout: 1_000 }
    })
    await client.connect()
    assert.strictEqual(await client.set(cluster.keyOn(known), 'value'), 'OK')
    const error = await set.failure(client.set(cluster.keyOn(unknown), 'value'))
    assert.strictEqual(error.code, 'TIMEOUT')
    assert.strictEqual(error.applied, 'no')
    assert.strictEqual(error.cause?.code, 'TOPOLOGY')
    assert.match(error.cause.message, /cluster-announce-hostname/)
  })

  it('as all others are, is missed with an error that tells why', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 2 })
    answer(cluster, node => ['?', node.port, node.id, []])
    const client = set.clusterClient(cluster, { commandOptions: { timeout: 1_000 } })
    const error = await set.failure(client.set('key', 'value'))
    assert.strictEqual(error.code, 'TIMEOUT')
    assert.match(error.cause.message, /cluster-announce-hostname/)
  })
})

/** All nodes answer CLUSTER SLOTS with what `describeNode` says of each. */
function answer (cluster, describeNode) {
  cluster.answer({ command: 'CLUSTER SLOTS' }, (args, reply) => reply.array(
    cluster.primaries.flatMap(node =>
      node.slots.map(range => [...range, describeNode(node)]))))
}
