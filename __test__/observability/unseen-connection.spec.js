'use strict'

// Each connection of a lane is told of when it is made and when it ends, each error once, and each
// command with the node that takes it.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { CHANNELS, createClient, createClientPool, createCluster, createSentinel } = require('../..')
const { startFakeCluster } = require('../support/fake-cluster')
const { startFaultProxy } = require('../support/fault-proxy')
const { slotOf } = require('../support/hash-slot')
const { startSentinels } = require('../support/redis-sentinel')
const { startServer } = require('../support/redis-server')
const { listen } = require('./listening')

const { CONNECTION_CLOSED, CONNECTION_READY, ERROR, POOL_CONNECTION_WAIT, TRACE_COMMAND } = CHANNELS

describe('the connections', () => {
  it('of a client are told of, over a loss and to the end', async t => {
    const server = await started(t)
    const proxy = await startFaultProxy(server)
    t.after(() => proxy.stop())
    const { host, port } = proxy
    const client = createClient({ socket: { host, port, reconnectStrategy: () => 1 } })
    client.on('error', () => {})
    t.after(() => client.destroy())
    const listening = heardIn(t)
    await client.connect()
    const ready = await listening.until(of(CONNECTION_READY))
    assert.deepStrictEqual({ ...ready.message, clientId: '', createTimeMs: 0 },
      { clientId: '', serverAddress: host, serverPort: port, createTimeMs: 0 })
    assert.ok(ready.message.createTimeMs > 0 && ready.message.createTimeMs < 60_000)
    assert.match(ready.message.clientId, /^127\.0\.0\.1:\d+\/0-[0-9a-f]{8}$/)
    const { clientId } = ready.message

    listening.events.length = 0
    proxy.reset()
    const lost = await listening.until(of(CONNECTION_CLOSED))
    assert.deepStrictEqual(lost.message, { clientId, reason: 'error', wasConnected: true })
    const { message } = await listening.until(of(ERROR))
    assert.ok(message.error instanceof Error)
    assert.deepStrictEqual({ ...message, error: null },
      { error: null, origin: 'client', internal: false, clientId, retryCount: 0 })
    await listening.until(of(CONNECTION_READY))

    listening.events.length = 0
    await client.close()
    assert.deepStrictEqual(listening.of(CONNECTION_CLOSED),
      [{ clientId, reason: 'application_close', wasConnected: true }])
    await client.close()
    client.destroy()
    assert.strictEqual(listening.of(CONNECTION_CLOSED).length, 1)
  })

  it('that cannot be made are counted by their errors', async t => {
    const server = await startServer()
    await server.stop()
    const client = createClient({
      socket: { host: '127.0.0.1', port: server.port, reconnectStrategy: () => 1 }
    })
    client.on('error', () => {})
    t.after(() => client.destroy())
    const listening = heardIn(t)
    client.connect().catch(() => {})
    await listening.until(({ channel, message }) => channel === ERROR && message.retryCount === 2)
    assert.deepStrictEqual(listening.of(ERROR).slice(0, 3).map(one => one.retryCount), [0, 1, 2])
    client.destroy()
    const [closed] = listening.of(CONNECTION_CLOSED)
    assert.deepStrictEqual({ ...closed, clientId: '' },
      { clientId: '', reason: 'application_close', wasConnected: false })
  })

  it('of a client that was never used are not told of', async t => {
    const listening = heardIn(t)
    createClient().destroy()
    assert.deepStrictEqual(listening.events, [])
  })

  it('of a pool are told of one by one', async t => {
    const server = await started(t)
    const pool = createClientPool({ url: server.url })
    t.after(() => pool.destroy())
    const listening = heardIn(t)
    await pool.connect()
    // The batches of several turns go over both lanes.
    while (listening.of(CONNECTION_READY).length < 2) {
      pool.get('k').catch(() => {})
      await new Promise(resolve => { setImmediate(resolve) })
    }
    await pool.close()
    assert.deepStrictEqual(listening.of(CONNECTION_CLOSED).map(one => one.wasConnected),
      [true, true])
  })

  it('of sessions are told of with the time that their callers have waited', async t => {
    const server = await started(t)
    const client = await createClient({ url: server.url, pool: { max: 2 } }).connect()
    t.after(() => client.destroy())
    const listening = heardIn(t)
    const before = performance.now()
    const held = [await client.acquire(), await client.acquire()]
    const waiting = client.acquire()
    const since = performance.now()
    await held[0].release()
    held[0] = await waiting
    for (const session of held) await session.release()
    const told = listening.of(POOL_CONNECTION_WAIT)
    assert.strictEqual(told.length, 3)
    for (const { clientId, waitStartTimestamp } of told) {
      assert.match(clientId, /^127/)
      assert.ok(waitStartTimestamp >= before && waitStartTimestamp <= since)
    }
    await client.close()
  })
})

describe('the node that a command is told with', () => {
  it('is the one that has its slot', async t => {
    const cluster = await startFakeCluster()
    t.after(() => cluster.stop())
    const rootNodes = cluster.nodes.map(({ host, port }) => ({ socket: { host, port } }))
    const client = createCluster({ rootNodes })
    client.on('error', () => {})
    t.after(() => client.destroy())
    const listening = heardIn(t)
    await client.connect()
    const ports = cluster.nodes.map(({ port }) => port)
    const ready = listening.of(CONNECTION_READY)
    assert.deepStrictEqual(ready.map(one => one.serverPort).toSorted(), ports.toSorted())
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      await client.set(key, 'v')
      const { serverAddress, serverPort, clientId } =
        listening.of(TRACE_COMMAND, 'start').at(-1)
      const node = cluster.nodes.find(({ slots }) =>
        slots.some(([first, last]) => first <= slotOf(key) && slotOf(key) <= last))
      assert.deepStrictEqual([serverAddress, serverPort], [node.host, node.port], key)
      assert.ok(clientId.startsWith(ports.map(port => `127.0.0.1:${port}`).join(',')), clientId)
    }
    await client.mGet(['a', 'b', 'c'])
    const parts = listening.of(TRACE_COMMAND, 'start').filter(one => one.command === 'MGET')
    assert.ok(parts.length > 1)
    await client.session('a', session => session.get('a'))
    await client.close()
    assert.strictEqual(listening.of(CONNECTION_CLOSED).length, ready.length)
  })

  it('is the primary that Sentinel names', async t => {
    const set = await startSentinels()
    t.after(() => set.stop())
    const { name, sentinelRootNodes } = set
    const client = createSentinel({ name, sentinelRootNodes })
    client.on('error', () => {})
    t.after(() => client.destroy())
    const listening = heardIn(t)
    await client.connect()
    await client.set('k', 'v')
    await client.multi().get('k').exec()
    const { host, port } = client.getMasterNode()
    const [command] = listening.of(TRACE_COMMAND, 'start')
    const [batch] = listening.of(CHANNELS.TRACE_BATCH, 'start')
    for (const { serverAddress, serverPort } of [command, batch]) {
      assert.deepStrictEqual([serverAddress, serverPort], [host, port])
    }
    await client.close()
  })

  it('is the path of a Unix socket', async t => {
    const server = await startServer({ unixSocket: true })
    t.after(() => server.stop())
    const client = createClient({ socket: { path: server.unixSocket } })
    t.after(() => client.destroy())
    const listening = heardIn(t)
    await client.get('k')
    const [{ serverAddress, serverPort }] = listening.of(TRACE_COMMAND, 'start')
    assert.deepStrictEqual([serverAddress, serverPort], [server.unixSocket, undefined])
    await client.close()
  })
})

async function started (t) {
  const server = await startServer()
  t.after(() => server.stop())
  return server
}

function heardIn (t) {
  const listening = listen()
  t.after(() => listening.stop())
  return listening
}

function of (name) {
  return ({ channel }) => channel === name
}
