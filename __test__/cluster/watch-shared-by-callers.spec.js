'use strict'

// What is watched guards the next transaction: on the client of a node, which callers share, as in
// node-redis, and in a session, which nobody shares.

const assert = require('node:assert')
const { it } = require('node:test')

const { skipBefore7 } = require('../support/redis-server')
const { scene } = require('./scene')

it('a key that is watched on the client of its node, or in a session, guards a transaction', {
  skip: skipBefore7()
}, async t => {
  const set = scene(t)
  const cluster = await set.cluster({ primaries: 3, replicas: 0 })
  const [client, other] = [set.clusterClient(cluster), set.clusterClient(cluster)]
  await client.connect()
  const { port } = cluster.nodeOf(cluster.slotOf('k'))
  const node = await client.nodeClient(client.masters.find(one => one.port === port))
  await node.watch('k')
  await other.set('k', 'other')
  await assert.rejects(node.multi().set('k', 'mine').exec(), { name: 'WatchError' })
  const guarded = client.session('k', async session => {
    await session.watch('k')
    await other.set('k', 'another')
    return session.multi().set('k', 'mine').exec()
  })
  await assert.rejects(guarded, { name: 'WatchError' })
  assert.strictEqual(await other.get('k'), 'another')
})
