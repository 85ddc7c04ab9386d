'use strict'

// The address of a node that has died may go to a node of another cluster, which takes the same
// login and says that all slots are its own. No key of this cluster belongs there.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { scene, until } = require('./scene')

describe('a node of another cluster at the address of a dead one', { concurrency: true }, () => {
  it('gets no key of the others, and none of the dead one once it is known', async t => {
    const set = scene(t)
    const home = await set.fakeCluster()
    const { foreign, stranger } = await foreignCluster(set)
    const [dead, other, third] = home.primaries
    const client = set.clusterClient(home)
    const nodes = []
    client.on('node-error', (error, node) => {
      if (error.code === 'FOREIGN_NODE') nodes.push(node.address)
    })
    await client.connect()
    const keys = [other, third].map(node => home.keyOn(node))
    await Promise.all([home.keyOn(dead), ...keys].map(key => client.set(key, 'value')))

    await takeOver(dead, stranger)
    // Whoever is asked, also if it is the stranger.
    const refreshes = foreign.refreshes.length
    await until(async () => {
      await Promise.all(keys.map(key => client.set(key, 'value')))
      client._bridge.core.lookAround()
      return foreign.refreshes.length > refreshes + 3 || nodes.length > 0
    }, 'the stranger to be asked')
    await until(() => nodes.length > 0, 'the stranger to be known')
    assert.deepStrictEqual([...new Set(nodes)], [dead.address])
    const before = foreign.received({ command: 'SET' }).length

    const error = await set.failure(
      client.withCommandOptions({ timeout: 1_000 }).set(home.keyOn(dead), 'value'))
    assert.strictEqual(error.code, 'TIMEOUT')
    assert.strictEqual(error.applied, 'no')
    assert.strictEqual(error.cause.code, 'FOREIGN_NODE')
    await Promise.all(keys.map(key => client.set(key, 'later')))
    const sets = foreign.received({ command: 'SET' })
    assert.strictEqual(sets.length, before)
    assert.ok(sets.every(({ args: [, key] }) => !keys.includes(key)))

    // Once the cluster has given the slots to somebody else, they are served again.
    other.slots = [...other.slots, ...dead.slots]
    dead.slots = []
    assert.strictEqual(await client.set(home.keyIn(0), 'value'), 'OK')
    assert.strictEqual(foreign.received({ command: 'SET' }).length, before)
  })

  it('gives way to the node itself when that comes back', async t => {
    const set = scene(t)
    const home = await set.fakeCluster()
    const { stranger } = await foreignCluster(set)
    const [dead] = home.primaries
    const key = home.keyOn(dead)
    const client = set.clusterClient(home, { commandOptions: { timeout: 20_000 } })
    const known = new Promise(resolve => {
      client.on('node-error', error => { if (error.code === 'FOREIGN_NODE') resolve() })
    })
    await client.connect()
    await client.set(key, 'value')
    await takeOver(dead, stranger)
    await known
    const stored = client.set(key, 'again')
    await stranger.stop()
    await dead.start()
    assert.strictEqual(await stored, 'OK')
    assert.strictEqual(dead.data.get(key), 'again')
  })
})

describe('a real node of another cluster at the address of a dead one', () => {
  it('gets no key of the others, and none of the dead one once it is known', async t => {
    const set = scene(t)
    const [home, foreign] = [
      await set.cluster({ primaries: 3, replicas: 0 }),
      await set.cluster({ primaries: 1, replicas: 0 })
    ]
    const [dead, ...others] = home.primaries
    const [stranger] = foreign.primaries
    const rootNodes = home.nodes.map(({ host, port }) => ({ socket: { host, port } }))
    const client = set.clusterClient(home, { rootNodes })
    const known = new Promise(resolve => {
      client.on('node-error', error => { if (error.code === 'FOREIGN_NODE') resolve() })
    })
    await client.connect()
    const keys = others.map(node => home.keyOn(node))
    await Promise.all([home.keyOn(dead), ...keys].map(key => client.set(key, 'before')))
    await home.kill(dead)
    await foreign.kill(stranger)
    stranger.port = dead.port
    await stranger.start()
    let isKnown = false
    known.then(() => { isKnown = true })
    await until(async () => {
      await Promise.all(keys.map(key => client.set(key, 'later')))
      return isKnown
    }, 'the stranger to be known')
    // A node that was started again refuses everything for two seconds.
    await until(async () => /cluster_state:ok/.test(
      await foreign.command(stranger, 'CLUSTER', 'INFO')), 'the stranger to serve')
    for (const key of keys) {
      assert.strictEqual(await foreign.command(stranger, 'EXISTS', key), 0)
    }
    const size = await foreign.command(stranger, 'DBSIZE')
    const error = await set.failure(
      client.withCommandOptions({ timeout: 1_000 }).set(home.keyOn(dead, 1), 'value'))
    assert.strictEqual(error.code, 'TIMEOUT')
    assert.strictEqual(error.cause.code, 'FOREIGN_NODE')
    assert.strictEqual(await foreign.command(stranger, 'DBSIZE'), size)
  })
})

describe('a cluster that was built anew', { concurrency: true }, () => {
  it('at the same addresses is found at once', async t => {
    const set = scene(t)
    const home = await set.fakeCluster()
    const client = await set.clusterClient(home).connect()
    const key = home.keyIn(0)
    await client.set(key, 'before')
    const started = performance.now()
    for (const node of home.nodes) {
      node.id = node.id.replaceAll('f', 'a')
      for (const connection of node.connections) connection.reset()
    }
    assert.strictEqual(await client.set(key, 'after'), 'OK')
    const ids = () => client.masters.map(({ id }) => id).sort()
    await until(() => ids().every(id => id.startsWith('a')), 'the new ids')
    const took = performance.now() - started
    t.diagnostic(`${Math.round(took)} ms`)
    assert.ok(took < 10_000, `${took} ms`)
  })

  it('elsewhere is found in the end, by the root nodes', async t => {
    const set = scene(t)
    const home = await set.fakeCluster()
    const { foreign, stranger } = await foreignCluster(set)
    const client = set.clusterClient(home, { commandOptions: { timeout: 60_000 } })
    await client.connect()
    await client.set(home.keyIn(0), 'before')
    const [root, ...others] = home.nodes
    const started = performance.now()
    await Promise.all(others.map(node => node.stop()))
    await takeOver(root, stranger)
    // Not at once: the other nodes may only be out of reach.
    const key = home.keyOn(others[0])
    assert.strictEqual(await client.set(key, 'after'), 'OK')
    const took = performance.now() - started
    t.diagnostic(`${Math.round(took)} ms`)
    assert.ok(took > 10_000, `${took} ms`)
    assert.strictEqual(foreign.nodes[0].data.get(key), 'after')
  })
})

/** A cluster of one node, which has all slots: `{ foreign, stranger }`. */
async function foreignCluster (set) {
  const foreign = await set.fakeCluster({ nodes: 1 })
  const [stranger] = foreign.nodes
  stranger.id = 'b'.repeat(40)
  return { foreign, stranger }
}

/** `stranger` listens where `node` did. */
async function takeOver (node, stranger) {
  await node.stop()
  await stranger.stop()
  stranger.port = node.port
  await stranger.start()
}
