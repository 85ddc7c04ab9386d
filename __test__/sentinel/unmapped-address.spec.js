'use strict'

// Addresses that only servers can reach: `nodeAddressMap` holds for nodes and sentinels alike.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { skipBefore7 } = require('../support/redis-server')
const { until } = require('../support/until')
const { scene } = require('./scene')

/** Nobody listens there: a client that does not follow the map is refused. */
const PRIMARY = { host: '127.0.2.1', port: 1 }
const REPLICA = { host: '127.0.2.2', port: 1 }
const SENTINEL = { host: '127.0.2.3', port: 1 }

describe('nodeAddressMap', { skip: skipBefore7() }, () => {
  for (const [form, mapOf] of [['object', map => map], ['function', map => name => map[name]]]) {
    it(`as ${form} leads to the primary, its replicas and the sentinels`, async t => {
      const made = await scene(t, { replicas: 1, sentinels: 1 })
      const { set } = made
      const names = { primary: PRIMARY, epoch: 1, replicas: [REPLICA] }
      const other = await made.falseSentinel(names)
      const first = await made.falseSentinel({ ...names, sentinels: [SENTINEL] })
      const at = ({ host, port }) => ({ host, port })
      const addresses = {
        '127.0.2.1:1': at(set.primary),
        '127.0.2.2:1': at(set.replicas[0]),
        '127.0.2.3:1': at(other)
      }
      const client = await made.connected({
        sentinelRootNodes: [at(first)], replicaPoolSize: 1, nodeAddressMap: mapOf(addresses)
      })
      assert.strictEqual(await client.set('k', 'v'), 'OK')
      // Reads go to the replica.
      assert.strictEqual(await client.wait(1, 4_000), 1)
      assert.deepStrictEqual(client.getMasterNode(), at(set.primary))
      assert.deepStrictEqual([...client.getReplicaNodes().keys()], [at(set.replicas[0])])
      await first.stop()
      await until('the other one is asked', async () => other.said.length > 0)
      assert.strictEqual(await client.get('k'), 'v')
    })
  }
})
