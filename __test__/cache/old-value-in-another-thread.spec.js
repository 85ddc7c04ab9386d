'use strict'

// Threads that share a client have a cache each, and all of them hear of each change. The I/O
// thread reads for them, so a change is known before JavaScript has had a turn.

const assert = require('node:assert')
const { spawnSync } = require('node:child_process')
const { describe, it } = require('node:test')

const { createClient, BasicClientSideCache } = require('../..')
const { eventually } = require('../behaviour/eventually')
const { startWorkers } = require('../support/client-worker')
const { startServer } = require('../support/redis-server')
const { quiet } = require('./scene')

let names = 0

/** A server, a client that threads share, and another client. */
async function start (t, clientSideCache = {}) {
  const server = await startServer()
  const options = { url: server.url, shared: `cache ${names++}`, clientSideCache }
  const client = quiet(createClient(options))
  const other = quiet(createClient(server.url))
  t.after(async () => {
    client.destroy()
    other.destroy()
    await server.stop()
  })
  await client.connect()
  return { server, options, client, other }
}

/** Sends `command` to the server in another process, and returns when it is answered. */
function sendMeanwhile ({ port }, command) {
  const script = `
    const socket = require('node:net').connect(${port}, '127.0.0.1')
    socket.write(${JSON.stringify(`${command}\r\n`)})
    socket.once('data', () => process.exit())`
  const { status } = spawnSync(process.execPath, ['-e', script])
  assert.strictEqual(status, 0)
}

/** Waits without a turn of the event loop. */
function spin (isDone, what) {
  const end = performance.now() + 60_000
  while (!isDone()) {
    if (performance.now() > end) throw new Error(`not within a minute: ${what}`)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
  }
}

describe('a change that the I/O thread has read', () => {
  it('is known to a read that JavaScript makes in the same turn', async t => {
    const cache = new BasicClientSideCache()
    const { server, client, other } = await start(t, cache)
    await other.set('k', '1')
    await client.get('k')
    const { cell } = client._bridge.table
    sendMeanwhile(server, 'SET k 2')
    spin(() => cell[1] > 0, 'an undelivered invalidation')
    assert.strictEqual(cache.size(), 1)
    const read = client.get('k')
    assert.deepStrictEqual([cache.size(), cell[1]], [0, 0])
    assert.strictEqual(await read, '2')
  })

  it('is known when it is a FLUSHALL', async t => {
    const { server, client, other } = await start(t)
    await other.set('k', '1')
    await client.get('k')
    const { table } = client._bridge
    sendMeanwhile(server, 'FLUSHALL')
    spin(() => table.cell[0] !== table.generation, 'another generation')
    assert.strictEqual(await client.get('k'), null)
  })

  it('is known when it is the loss of the connection', async t => {
    const { server, client, other } = await start(t)
    await other.set('k', '1')
    await client.get('k')
    const { table } = client._bridge
    sendMeanwhile(server, 'CLIENT KILL TYPE normal SKIPME no')
    spin(() => table.cell[0] !== table.generation, 'another generation')
    assert.strictEqual(await client.get('k'), '1')
    assert.ok(client._bridge.cache.stats().missCount >= 2)
  })
})

describe('threads that share a client', () => {
  it('each hear of each change, whoever makes it', async t => {
    const { options, client, other } = await start(t)
    const [worker] = await startWorkers(t, 1, options)
    const read = () => worker.run(async ({ client }) => client.get('k'))
    const hits = () => worker.run(async ({ client }) => client._bridge.cache.stats().hitCount)
    await other.set('k', '1')
    assert.deepStrictEqual([await client.get('k'), await read()], ['1', '1'])
    await read()
    assert.strictEqual(await hits(), 1)
    await other.set('k', '2')
    await eventually(async () => await client.get('k') === '2' && await read() === '2', 'the value')
    await client.set('k', '3')
    assert.strictEqual(await client.get('k'), '3')
    await eventually(async () => await read() === '3', 'what another thread has written')
    await worker.run(async ({ client }) => client.set('k', '4'))
    assert.strictEqual(await read(), '4')
    await eventually(async () => await client.get('k') === '4', 'what another thread has written')
  })

  it('must give the same options of the cache', async t => {
    const { options } = await start(t)
    const others = [{ ...options, clientSideCache: undefined },
      { ...options, clientSideCache: { ttl: 5 } }]
    for (const one of others) assert.throws(() => createClient(one), /another clientSideCache/)
    createClient({ ...options, clientSideCache: { ttl: 0 } }).destroy()
  })
})
