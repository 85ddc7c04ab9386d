'use strict'

// A chain that writes reads what it has written: its reads go to the primary too, also where other
// reads go to replicas. A replica may not have the value yet.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createCluster } = require('../..')
const { startFakeCluster } = require('../support/fake-cluster')
const { until } = require('../support/until')

describe('with reads from replicas', () => {
  let cluster, client, key
  before(async () => {
    cluster = await startFakeCluster({ nodes: 2, replicas: 1 })
    // What a replica has is older.
    for (const node of cluster.replicas) {
      cluster.answer({ node, command: 'GET' }, (args, reply) => reply.bulk('older'))
      cluster.answer({ node, command: 'STRLEN' }, (args, reply) => reply.integer(5))
    }
    client = createCluster({
      rootNodes: cluster.rootNodes,
      useReplicas: true,
      modules: { own: { get: { parseCommand: (p, key) => { p.push('get'); p.pushKey(key) } } } }
    })
    await client.connect()
    key = cluster.keyOn(cluster.primaries[0])
    // Replicas are read from once their lanes are connected.
    await until('a replica serves reads', async () => await client.get(key) === 'older')
  })
  after(async () => {
    client?.destroy()
    await cluster.stop()
  })

  const read = {
    'get': chain => chain.get(key),
    'addCommand': chain => chain.addCommand(['get', key]),
    'addCommand with bytes': chain =>
      chain.addCommand([Uint8Array.from(Buffer.from('GET')), Buffer.from(key)]),
    'a custom module': chain => chain.own.get(key)
  }
  for (const [way, add] of Object.entries(read)) {
    it(`a pipeline that writes never reads an older value by ${way}`, async () => {
      for (let i = 0; i < 50; i++) {
        const value = String(i)
        assert.deepStrictEqual(
          await add(client.multi().set(key, value)).execAsPipeline(), ['OK', value])
        assert.deepStrictEqual(
          (await add(client.multi()).incr(`${key}:n`).execAsPipeline())[0], value)
      }
    })

    it(`a pipeline that only reads goes to a replica by ${way}`, async () => {
      assert.deepStrictEqual(
        await add(client.multi().strLen(key)).execAsPipeline(), [5, 'older'])
    })
  }

  it('a transaction reads from the primary', async () => {
    assert.deepStrictEqual(await client.multi().set(key, 'new').get(key).exec(), ['OK', 'new'])
  })

  it('a pipeline stays with the primary when its slot has moved', async () => {
    await client.set(key, 'moved')
    cluster.moveSlot(cluster.slotOf(key), cluster.primaries[1])
    assert.deepStrictEqual(
      await client.multi().set(key, 'there').get(key).execAsPipeline(), ['OK', 'there'])
    for (let i = 0; i < 20; i++) {
      assert.deepStrictEqual(
        await client.multi().set(key, String(i)).get(key).execAsPipeline(), ['OK', String(i)])
    }
  })

  it('other reads of the turn go to replicas as ever', async () => {
    const [chain, ...alone] = await Promise.all([
      client.multi().set(key, 'x').get(key).execAsPipeline(),
      client.get(key), client.get(key)
    ])
    assert.deepStrictEqual([chain, ...alone], [['OK', 'x'], 'older', 'older'])
  })
})
