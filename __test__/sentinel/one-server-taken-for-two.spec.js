'use strict'

// Sentinels may call one server by its name and by its addresses. Those are one primary, which its
// run id tells; and a run id that somebody has copied makes no other server the primary.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { skipBefore7, startServer } = require('../support/redis-server')
const { until } = require('../support/until')
const { Count, scene } = require('./scene')

describe('a primary that sentinels call by its name and by its address',
  { skip: skipBefore7() }, () => {
    it('is one primary, with one address for the client, and is followed', async t => {
      const made = await scene(t, { replicas: 1, sentinels: 2, byName: [0] })
      const { set } = made
      const named = await Promise.all(set.sentinels.map(sentinel => set.addressFrom(sentinel)))
      assert.deepStrictEqual(named.map(({ host }) => host).sort(), ['127.0.0.1', 'localhost'])
      const client = made.client({ scanInterval: 100, commandOptions: { timeout: 30_000 } })
      const changes = []
      client.on('topology-change', change => changes.push(change))
      await client.connect()
      const count = new Count(client, 4)
      await count.settled()
      // Whichever sentinels have answered first, the client stays where it is.
      const looks = async () => {
        const info = await set.command(set.primary, 'INFO', 'commandstats')
        return Number(/cmdstat_role:calls=(\d+)/.exec(info)?.[1] ?? 0)
      }
      const before = await looks()
      await until('ten more looks', async () => await looks() > before + 10)
      const primaries = changes.filter(({ type }) => type === 'MASTER_CHANGE')
      assert.strictEqual(primaries.length, 1, JSON.stringify(changes))
      assert.strictEqual(count.failed, 0, JSON.stringify([...count.failures]))
      const switched = set.waitForSwitch()
      await set.failover()
      const { port } = await switched
      await until('the client knows the new primary', async () =>
        client.getMasterNode()?.port === port)
      await count.settled()
      await count.stop()
      assert.deepStrictEqual(await count.doubled(), [])
    })

    it('is read from its replicas too, once most sentinels agree on their addresses', async t => {
      const made = await scene(t, { replicas: 1, sentinels: 3, byName: [1] })
      const { set } = made
      const client = await made.connected({ replicaPoolSize: 1, scanInterval: 100 })
      await until('a replica', async () => client.getReplicaNodes().size === 1)
      const [replica] = client.getReplicaNodes().keys()
      assert.strictEqual(replica.port, set.replicas[0].port)
    })
  })

describe('a server whose sentinel has copied the run id of the primary',
  { skip: skipBefore7() }, () => {
    it('is not the primary', async t => {
      const made = await scene(t, { replicas: 0, sentinels: 1 })
      const { set } = made
      const { primary } = set
      const foreign = await startServer()
      made.defer(() => foreign.stop())
      const [, runId] = /run_id:(\w+)/.exec(await set.command(primary, 'INFO', 'server'))
      const honest = await made.falseSentinel({
        primary: { host: 'localhost', port: primary.port, runId }, epoch: 1
      })
      const { host, port } = foreign
      const liar = await made.falseSentinel({ primary: { host, port, runId }, epoch: 999 })
      const sentinelRootNodes = [honest, liar].map(({ host, port }) => ({ host, port }))
      for (let i = 0; i < 5; i++) {
        const client = await made.connected({ sentinelRootNodes })
        await client.incr('n')
        assert.deepStrictEqual(client.getMasterNode(), { host: 'localhost', port: primary.port })
        client.destroy()
      }
      const info = await set.command(foreign, 'INFO', 'commandstats')
      assert.doesNotMatch(info, /cmdstat_incr:/)
      assert.strictEqual(await set.command(primary, 'GET', 'n'), '5')
    })
  })
