'use strict'

// What libraries use of a cluster's nodes is there at once after `connect()`: clients of single
// nodes, events in node-redis's order, a scan of all primaries, raw commands for several nodes.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const nodeRedis = require('redis')

const oxidis = require('../..')
const { startCluster } = require('../support/redis-cluster')
const { heard } = require('../behaviour/eventually')

describe('a cluster, beside node-redis', () => {
  let cluster, client, theirs
  before(async () => {
    cluster = await startCluster({ primaries: 3, replicas: 1 })
    const options = { rootNodes: cluster.rootNodes.map(root =>
      typeof root === 'string' ? { url: root } : root) }
    client = oxidis.createCluster(options)
    theirs = nodeRedis.createCluster(options)
    for (const of of [client, theirs]) of.on('error', () => {}).on('node-error', () => {})
    await Promise.all([client.connect(), theirs.connect()])
  })
  after(async () => {
    client?.destroy()
    theirs?.destroy()
    await cluster?.stop()
  })

  it('has a client for each node, ready at once and connected when it is used', async () => {
    const addresses = []
    for (const of of [theirs, client]) {
      for (const { address, client: node } of of.masters) {
        assert.deepStrictEqual([node.isOpen, node.isReady], [true, true])
        assert.strictEqual(await node.sendCommand(['PING']), 'PONG')
        assert.deepStrictEqual([node.isOpen, node.isReady], [true, true])
        const view = node.withTypeMapping({})
        assert.strictEqual(view.isReady, true)
        addresses.push(address)
      }
    }
    assert.strictEqual(new Set(addresses).size, 3)
    const [{ client: node }] = client.masters
    assert.strictEqual(client.masters[0].client, node)
    assert.strictEqual(await client.nodeClient(client.masters[0]), node)
    for (const { client: replica } of client.replicas) {
      assert.strictEqual((await replica.role()).role, 'slave')
    }
    assert.strictEqual(client.getSlotMaster(0).client.isOpen, true)
    assert.strictEqual(client.getRandomNode().client.isOpen, true)
  })

  it('tells of its nodes in the same order', async () => {
    const names = ['node-connect', 'node-ready', 'node-disconnect', 'connect', 'disconnect']
    const seen = []
    for (const { createCluster } of [nodeRedis, oxidis]) {
      const url = `redis://127.0.0.1:${cluster.primaries[0].port}`
      const of = createCluster({ rootNodes: [{ url }] })
      of.on('error', () => {})
      const events = []
      for (const name of names) of.on(name, () => events.push(name))
      await of.connect()
      assert.strictEqual(events.at(-1), 'connect')
      const ended = heard(of, 'disconnect')
      of.destroy()
      await ended
      seen.push(events)
    }
    const count = (events, name) => events.filter(event => event === name).length
    for (const name of names) assert.strictEqual(count(seen[1], name), count(seen[0], name), name)
    assert.ok(seen[1].indexOf('connect') > seen[1].lastIndexOf('node-ready'))
    assert.strictEqual(seen[1].at(-1), 'disconnect')
  })

  it('connects to one node only with minimizeConnections', async t => {
    const of = oxidis.createCluster({ rootNodes: cluster.rootNodes, minimizeConnections: true })
    t.after(() => of.destroy())
    await of.connect()
    assert.strictEqual(of.stats().lanes.filter(lane => lane.connected).length, 1)
  })

  it('goes through all primaries by scan()', async () => {
    await client.flushAll()
    const keys = Array.from({ length: 500 }, (_, n) => `key:${n}`)
    await client.mSet(keys.map(key => [key, 'x']))
    for (const of of [theirs, client]) {
      const found = new Set()
      let cursor = '0'
      do {
        const page = await of.scan(cursor, { MATCH: 'key:*', COUNT: 50 })
        for (const key of page.keys) found.add(key)
        cursor = page.cursor
      } while (cursor !== '0')
      assert.strictEqual(found.size, 500)
    }
    const buffers = client.withTypeMapping({ [oxidis.RESP_TYPES.BLOB_STRING]: Buffer })
    const page = await buffers.scan('0')
    assert.ok(Buffer.isBuffer(page.cursor))
    assert.ok(page.keys.every(Buffer.isBuffer))
    const { cursor } = await client.scan(0)
    assert.match(cursor, /^[1-9]\d*$/)
    await assert.rejects(client.scan('123456789'), { kind: 'SCAN_CURSOR' })
    await assert.rejects(client.scan('0', { COUNT: 'many' }), TypeError)
  })

  it('splits raw commands as their methods are split', async () => {
    await client.flushAll()
    const pairs = ['a', '1', 'b', '2', 'c', '3', 'd', '4']
    for (const args of [['MSET', ...pairs], ['MGET', 'a', 'b', 'c', 'd', 'none'],
      ['EXISTS', 'a', 'b', 'c'], ['TOUCH', 'a', 'd'], ['DBSIZE'], ['DEL', 'a', 'b'],
      ['UNLINK', 'c'], ['PUBSUB', 'NUMSUB', 'x', 'y'], ['FLUSHALL']]) {
      await theirs.flushAll()
      await theirs.mSet({ a: '1', b: '2', c: '3', d: '4' })
      const expected = await theirs.sendCommand(undefined, false, args)
      await theirs.mSet({ a: '1', b: '2', c: '3', d: '4' })
      const ours = await client.sendCommand(args)
      await theirs.mSet({ a: '1', b: '2', c: '3', d: '4' })
      const form = await client.sendCommand(args[1], true, args)
      assert.deepStrictEqual([ours, form], [expected, expected], args.join(' '))
    }
    assert.deepStrictEqual(
      await client.sendCommand([Buffer.from('mget'), Buffer.from('none'), 'no']), [null, null])
    await assert.rejects(client.sendCommand(['CLIENT', 'SETNAME', 'x']), TypeError)
  })
})
