'use strict'

// A node has one address, wherever it is written: in events, in errors, in `nodeByAddress`. That of
// an IPv6 node stands in brackets; without them, as node-redis writes it, it is found as well.

const assert = require('node:assert')
const dgram = require('node:dgram')
const { once } = require('node:events')
const { before, describe, it } = require('node:test')

const { createSentinel } = require('../..')
const { scene, until } = require('./scene')

/** 127.0.0.1 as an IPv6 address: servers that listen there are reached by it. */
const HOST = '::ffff:127.0.0.1'

describe('a node with an IPv6 address', { concurrency: true }, () => {
  let skip
  before(async () => {
    const socket = dgram.createSocket('udp6')
    try {
      socket.bind(0, HOST)
      await once(socket, 'listening')
    } catch (error) {
      skip = `this machine has no IPv6: ${error.message}`
    }
    socket.close()
  })

  it('is that of an event about it', async t => {
    if (skip) return t.skip(skip)
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 2 })
    for (const node of cluster.nodes) node.host = HOST
    const client = set.clusterClient(cluster, { rootNodes: [cluster.nodes[0].url] })
    const told = { 'node-error': [], 'node-ready': [] }
    client.on('node-error', (error, node) => told['node-error'].push({ error, node }))
    client.on('node-ready', node => told['node-ready'].push(node))
    await client.connect()
    const [first, second] = cluster.primaries
    await Promise.all(cluster.primaries.map(node => client.set(cluster.keyOn(node), 'value')))
    const address = ({ port }) => `[${HOST}]:${port}`
    assert.deepStrictEqual(client.masters.map(node => node.address).sort(),
      [first, second].map(address).sort())
    assert.deepStrictEqual([...client.nodeByAddress.keys()].sort(),
      [first, second].map(address).sort())
    await until(() => told['node-ready'].length === 2, 'both nodes to be ready')
    assert.ok(told['node-ready'].every(node => client.masters.includes(node)))

    await second.stop()
    await until(() => told['node-error'].length > 0, 'an error of the node')
    const [{ node }] = told['node-error']
    assert.deepStrictEqual(node, client.nodeByAddress.get(address(second)))
    assert.strictEqual(node.host, HOST)
    assert.strictEqual(node.address, address(second))
  })

  it('is found as node-redis writes its address, and has a client of its own', async t => {
    if (skip) return t.skip(skip)
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 1 })
    const [node] = cluster.nodes
    node.host = HOST
    const client = await set.clusterClient(cluster, { rootNodes: [node.url] }).connect()
    const found = client.nodeByAddress.get(`${HOST}:${node.port}`)
    assert.strictEqual(found, client.masters[0])
    assert.ok(client.nodeByAddress.has(`${HOST}:${node.port}`))
    assert.ok(!client.nodeByAddress.has(`${HOST}:1`))
    const own = await client.nodeClient(found)
    assert.strictEqual(await own.echo('here'), 'here')
    // A change of the nodes closes only the clients of those that have left.
    client._bridge.core.lookAround()
    await client.set(cluster.keyIn(0), 'value')
    assert.strictEqual(await client.nodeClient(found), own)
  })

  it('is asked behind ASKING by its own address', async t => {
    if (skip) return t.skip(skip)
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 2 })
    for (const node of cluster.nodes) node.host = HOST
    const [from, to] = cluster.primaries
    const client = await set.clusterClient(cluster, { rootNodes: [from.url] }).connect()
    const key = cluster.keyIn(0)
    cluster.answer({ node: from, command: 'MY.SET' }, `ASK 0 ${HOST}:${to.port}`)
    cluster.answer({ node: to, command: 'MY.SET' }, (args, reply, { isAsking }) =>
      isAsking && reply.ok())
    assert.strictEqual(await client.sendCommand(key, false, ['MY.SET', 'x', key]), 'OK')
    assert.strictEqual(cluster.received({ node: to, command: 'MY.SET' }).length, 1)
  })

  it('is the primary of a client of Sentinel, whose errors are that of a primary', async t => {
    if (skip) return t.skip(skip)
    const set = scene(t)
    const [sentinel, primary] = [await set.fake(), await set.fake()]
    primary.on('command', (args, reply) => args[0] === 'ROLE'
      ? reply.array(['master', 0, []])
      : reply.ok())
    sentinel.on('command', ([command, question, ...rest], reply) => {
      if (command === 'SUBSCRIBE') {
        return [question, ...rest].forEach((name, i) => reply.array(['subscribe', name, i + 1]))
      }
      if (question === 'GET-MASTER-ADDR-BY-NAME') return reply.array([HOST, String(primary.port)])
      return question === 'MYID' ? reply.bulk('f'.repeat(40)) : reply.array([])
    })
    const { host, port } = sentinel
    const client = set.cast(createSentinel({ name: 'x', sentinelRootNodes: [{ host, port }] }))
    const errors = []
    client.on('client-error', error => errors.push(error))
    await client.connect()
    await client.set('key', 'value')
    assert.deepStrictEqual(client.getMasterNode(), { host: HOST, port: primary.port })
    await primary.stop()
    await until(() => errors.length > 0, 'an error of the primary')
    assert.strictEqual(errors[0].type, 'MASTER')
    assert.deepStrictEqual(errors[0].node, { host: HOST, port: primary.port })
  })
})
