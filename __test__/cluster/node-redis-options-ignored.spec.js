'use strict'

// Options of node-redis's clusters do what they do there: a function as nodeAddressMap, no root
// node at all, minimizeConnections. JSON.MGET finds the keys of all nodes.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { createCluster, RootNodesUnavailableError } = require('../..')
const { at, scene } = require('./scene')

describe('nodeAddressMap as a function', () => {
  it('is asked once for each address, and leads to the nodes', async t => {
    const set = scene(t)
    const cluster = await set.cluster({ primaries: 2, replicas: 0 })
    const { proxies, nodeAddressMap: map } = await set.proxies(cluster)
    const asked = []
    const nodeAddressMap = address => {
      asked.push(address)
      return asked.length === 1 ? map[address] : Promise.resolve(map[address])
    }
    const rootNodes = [at(proxies.get(cluster.nodes[0]))]
    const client = set.clusterClient(cluster, { rootNodes, nodeAddressMap })
    await client.connect()
    for (let slot = 0; slot < 16384; slot += 4000) await client.set(cluster.keyIn(slot), 'v')
    assert.deepStrictEqual([...client.nodeByAddress.keys()].sort(),
      [...proxies.values()].map(({ host, port }) => `${host}:${port}`).sort())
    assert.deepStrictEqual(asked.sort(), Object.keys(map).sort())
  })

  it('that returns nothing leaves addresses as they are', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 2 })
    const client = set.clusterClient(cluster, { nodeAddressMap: () => undefined })
    await client.connect()
    assert.strictEqual(client.nodeByAddress.size, 2)
  })

  it('that throws is told with its exception, and is asked again', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 2 })
    const mine = new RangeError('mine')
    let asked = 0
    const client = set.clusterClient(cluster, {
      nodeAddressMap: () => {
        if (asked++ === 0) throw mine
        return undefined
      }
    })
    const told = new Promise(resolve => { client.once('error', resolve) })
    await client.set(cluster.keyIn(0), 'v')
    const error = await told
    assert.strictEqual(error.code, 'ADDRESS')
    assert.strictEqual(error.cause, mine)
  })

  it('that returns no address is told', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 1 })
    const client = set.clusterClient(cluster, { nodeAddressMap: () => ({ host: 'x' }) })
    const told = new Promise(resolve => { client.once('error', resolve) })
    client.get('k').catch(() => {})
    assert.match((await told).cause.message, /"nodeAddressMap" must return \{ host, port \}/)
  })
})

describe('no root node', () => {
  it('fails at connect() and with each command, at once', async t => {
    const client = createCluster({ rootNodes: [] })
    t.after(() => client.destroy())
    const started = performance.now()
    await assert.rejects(client.connect(), RootNodesUnavailableError)
    await assert.rejects(client.get('k'), RootNodesUnavailableError)
    assert.ok(performance.now() - started < 4000)
  })
})

describe('minimizeConnections', () => {
  it('connects to no node before it is needed; neither does its absence', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 3 })
    for (const minimizeConnections of [true, false, undefined]) {
      const client = set.clusterClient(cluster, { minimizeConnections })
      await client.connect()
      assert.strictEqual(client.masters.length, 3)
    }
  })
})

describe('json.mGet', () => {
  it('of keys in several slots asks all of their nodes, in the order of the keys', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 3 })
    cluster.answer({ command: 'JSON.MGET' }, ([, ...args], reply) => {
      reply.array(args.slice(0, -1).map(key => JSON.stringify({ key })))
    })
    const client = set.clusterClient(cluster)
    await client.connect()
    const keys = [9000, 10, 16000, 11].map(slot => cluster.keyIn(slot))
    const expected = keys.map(key => ({ key }))
    assert.deepStrictEqual(await client.json.mGet(keys, '$'), expected)
    assert.deepStrictEqual(await client.json.mGet(keys, '$', (name, value) => (
      typeof value === 'string' ? value.length : value)), keys.map(({ length: key }) => ({ key })))
    const sent = cluster.log.filter(({ args }) => args[0] === 'JSON.MGET').slice(0, 4)
    for (const { args, node } of sent) {
      for (const key of args.slice(1, -1)) {
        assert.strictEqual(cluster.nodeOf(cluster.slotOf(key)), node)
      }
    }
    // A chain and a command by hand go to one node, which would answer null for keys of others.
    await assert.rejects(client.multi().json.mGet(keys, '$').exec(), /CROSSSLOT/)
    await assert.rejects(client.sendCommand(['JSON.MGET', ...keys, '$']), /CROSSSLOT/)
    await assert.rejects(client.json.mSet(keys.map(key => ({ key, path: '$', value: 1 }))),
      /CROSSSLOT/)
  })
})
