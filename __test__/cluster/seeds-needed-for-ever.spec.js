'use strict'

// Root nodes are a way in, nothing more. Without any of them a client says so, with each one's
// reason; later nobody needs them. What they were told (login, TLS) holds for all nodes, also
// behind other addresses.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { createCluster, RootNodesUnavailableError, ErrorReply } = require('../..')
const { freePort } = require('../support/ports')
const { skipWithoutTls } = require('../support/redis-server')
const { at, scene, timeOf, until, assertAbout, CANARY } = require('./scene')

describe('root nodes', { concurrency: true }, () => {
  it('that are all gone fail connect() with the reason of each, and commands by their deadline',
    async t => {
      const set = scene(t)
      const ports = [await freePort(), await freePort()]
      const rootNodes = ports.map(port => at({ host: '127.0.0.1', port }))
      const client = set.cast(createCluster({
        rootNodes, password: CANARY, socket: { connectTimeout: 1500 }
      }))
      const connect = client.connect()
      const command = client.withCommandOptions({ timeout: 700 }).get('key')
      assertAbout(await timeOf(command), 700)
      const late = await set.failure(command)
      assert.strictEqual(late.code, 'TIMEOUT')
      assert.strictEqual(late.applied, 'no')
      assertNames(late.cause, ports)
      assertNames(await set.failure(connect), ports)
      assert.strictEqual(client.isReady, false)
    })

  it('that are all gone at first are found once they are there', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 2 })
    for (const node of cluster.nodes) await node.stop()
    const client = set.clusterClient(cluster, { commandOptions: { timeout: 8000 } })
    const failed = new Promise(resolve => { client.on('error', resolve) })
    const stored = client.set(cluster.keyIn(0), 'value')
    await failed
    for (const node of cluster.nodes) await node.start()
    assert.strictEqual(await stored, 'OK')
  })

  it('of which one is there are enough, and quick', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 3 })
    const gone = at({ host: '127.0.0.1', port: await freePort() })
    const silent = await set.fake({ handshake: false })
    const rootNodes = [gone, at(silent), gone, at(cluster.nodes[2])]
    const client = set.clusterClient(cluster, { rootNodes })
    const started = performance.now()
    await client.connect()
    const took = performance.now() - started
    // The silent one holds up for 20 s whoever waits for it. A busy machine has needed 3.
    assert.ok(took < 10_000, `connected after ${took} ms`)
    assert.strictEqual(client.nodeByAddress.size, 3)
  })

  it('that go away later are not missed', async t => {
    const set = scene(t)
    const cluster = await set.cluster({ primaries: 3, replicas: 1 })
    const seed = cluster.replicas[0]
    const client = set.clusterClient(cluster, { rootNodes: [at(seed)] })
    await client.connect()
    await cluster.kill(seed)
    const [from, to] = cluster.primaries
    const slots = [0, 1, 2]
    for (const slot of slots) await cluster.migrateSlot(slot, from, to)
    const stored = slots.map(slot => client.set(cluster.keyIn(slot), 'value'))
    assert.deepStrictEqual(await Promise.all(stored), ['OK', 'OK', 'OK'])
    await until(() => client.slots[2]?.master.port === to.port, 'the client to have asked')
  })

  it('that refuse the password fail everything at once', async t => {
    const set = scene(t)
    const cluster = await set.cluster({ primaries: 1, replicas: 0 })
    const rootNodes = [at(cluster.nodes[0])]
    const client = set.cast(createCluster({ rootNodes, password: 'another' }))
    const command = client.get('key')
    const connect = client.connect()
    assert.ok(await timeOf(Promise.allSettled([command, connect])) < 2000)
    for (const error of await set.failures([command, connect])) {
      assert.ok(error instanceof RootNodesUnavailableError, error.stack)
      assert.strictEqual(error.retryable, false)
      assert.strictEqual(error.cause.code, 'AUTH')
      assert.ok(error.cause.cause instanceof ErrorReply)
      assert.strictEqual(error.cause.cause.code, 'WRONGPASS')
      assert.ok(!error.message.includes('another'))
    }
    // No storm against the server either: at most a try for each question.
    const failed = await cluster.command(cluster.nodes[0], 'INFO', 'errorstats')
    assert.ok(Number(/errorstat_WRONGPASS:count=(\d+)/.exec(failed)[1]) <= 4, failed)
  })
})

describe('what root nodes were told', { concurrency: true }, () => {
  it('holds for all nodes: the login', async t => {
    const set = scene(t)
    const cluster = await set.cluster({ primaries: 3, replicas: 1 })
    const client = set.clusterClient(cluster, { readStrategy: 'replica' })
    await assertServed(client, cluster)
    const byUrl = set.cast(createCluster({ rootNodes: [cluster.nodes[0].url] }))
    await assertServed(byUrl, cluster)
  })

  it('holds for all nodes: TLS', { skip: skipWithoutTls() }, async t => {
    const set = scene(t)
    const cluster = await set.cluster({ primaries: 3, replicas: 0, tls: true })
    const { ca } = cluster.certificates
    const socket = { tls: true, ca: require('node:fs').readFileSync(ca) }
    const client = set.clusterClient(cluster, { socket })
    const oracle = set.oracle(client)
    await assertServed(client, cluster)
    await oracle.healed()
    const [from, to] = cluster.primaries
    for (let slot = 0; slot < 20; slot++) await cluster.migrateSlot(slot, from, to)
    await oracle.healed()
    await oracle.stop()
    assert.strictEqual(oracle.failed, 0, JSON.stringify([...oracle.failures]))
    await oracle.verify()
  })

  it('holds behind other addresses: nodeAddressMap leads everywhere, MOVED and ASK too',
    async t => {
      const set = scene(t)
      const cluster = await set.cluster({ primaries: 2, replicas: 0 })
      const { proxies, nodeAddressMap } = await set.proxies(cluster)
      const [from, to] = cluster.primaries
      const rootNodes = [at(proxies.get(from))]
      const client = set.clusterClient(cluster, { rootNodes, nodeAddressMap, name: 'ours' })
      const oracle = set.oracle(client)
      await oracle.healed()
      await cluster.beginMigration(0, from, to)
      await client.set(cluster.keyIn(0), 'value')
      await cluster.finishMigration(0, from, to)
      assert.strictEqual(await client.get(cluster.keyIn(0)), 'value')
      // Each link in turn is cut: what is lost is found again behind the same addresses.
      for (const proxy of proxies.values()) {
        assert.ok(proxy.accepted > 0)
        proxy.reset()
        await oracle.healed()
      }
      await oracle.stop()
      await oracle.verify()
      // Nobody has gone past the proxies: each node sees the connections of its own only.
      for (const [node, proxy] of proxies) {
        const list = await cluster.command(node, 'CLIENT', 'LIST')
        const ours = list.split('\n').filter(line => line.includes('name=ours'))
        assert.ok(ours.length > 0)
        assert.ok(ours.length <= proxy.links.size, `${ours.length} of ${proxy.links.size}`)
      }
    })
})

/** Asserts that keys on every primary are served. */
async function assertServed (client, cluster) {
  const keys = cluster.primaries.map(node => cluster.keyOn(node))
  await Promise.all(keys.map(key => client.set(key, key)))
  const patient = client.withCommandOptions({ timeout: 10_000 })
  for (const key of keys) {
    // A replica may be a moment behind.
    await until(async () => await patient.get(key) === key, `${key} to be read`)
  }
}

/** Asserts that `error` tells of each root node. */
function assertNames (error, ports) {
  assert.ok(error instanceof RootNodesUnavailableError, error?.stack)
  assert.strictEqual(error.retryable, true)
  for (const port of ports) assert.ok(error.message.includes(`127.0.0.1:${port}`), error.message)
  assert.match(error.message, /refused/i)
  assert.ok(error.cause)
}
