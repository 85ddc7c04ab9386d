'use strict'

// stats() counts what happened, and has one shape for every state of a client.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { startServer } = require('../support/redis-server')
const { eventually, heard } = require('./eventually')

// The names and types of everything in it; of lanes only the first.
function shape (value) {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0])]
  if (typeof value !== 'object') return typeof value
  return Object.fromEntries(Object.entries(value).sort().map(([name, v]) => [name, shape(v)]))
}

const lane = { bytes: 'number', connected: 'boolean', inFlight: 'number', queued: 'number' }

describe('stats()', () => {
  let server
  before(async () => { server = await startServer() })
  after(() => server.stop())

  it('has the same shape before, during and after', async t => {
    const client = createClient(server.url)
    t.after(() => client.destroy())
    const before = shape(client.stats())
    await client.get('k')
    const during = shape(client.stats())
    await client.close()
    assert.deepStrictEqual(during.lanes, [lane])
    assert.deepStrictEqual({ ...during, lanes: [] }, before)
    assert.deepStrictEqual(shape(client.stats()), before)
    for (const name of ['pool', 'lanes', 'commands', 'errors', 'reconnects', 'bytesIn', 'bytesOut',
      'latency']) assert.ok(name in before, name)
    for (const name of ['total', 'idle', 'inUse', 'waiting', 'max', 'acquire']) {
      assert.ok(name in before.pool, name)
    }
  })

  it('counts commands, errors, bytes and latency', async t => {
    const client = createClient(server.url)
    t.after(() => client.destroy())
    await client.connect()
    const before = client.stats()
    await client.set('k', 'v'.repeat(1000))
    await Promise.all(Array.from({ length: 100 }, () => client.get('k')))
    await Promise.allSettled(Array.from({ length: 7 }, () => client.incr('k')))
    await client.get({}).catch(() => {})
    const now = client.stats()
    assert.strictEqual(now.commands - before.commands, 108)
    assert.strictEqual(now.errors - before.errors, 7)
    const received = now.bytesIn - before.bytesIn
    const sent = now.bytesOut - before.bytesOut
    assert.ok(received >= 100 * 1009 && received < 103_000, String(received))
    assert.ok(sent >= 1000 + 107 * 20 && sent < 5000, String(sent))
    const { p50, p99, p999 } = now.latency
    assert.ok(p50 > 0 && p50 <= p99 && p99 <= p999 && p999 < 60_000, JSON.stringify(now.latency))
    assert.deepStrictEqual([now.connects, now.connectFailures, now.reconnects, now.timeouts,
      now.retries, now.lateReplies, now.pushesIgnored], [1, 0, 0, 0, 0, 0, 0])
    assert.deepStrictEqual(now.lanes, [{ connected: true, inFlight: 0, queued: 0, bytes: 0 }])
    assert.deepStrictEqual([now.pool.total, now.pool.inUse, now.pool.waiting], [1, 0, 0])
  })

  it('shows what is in flight and what is queued', async t => {
    const fake = await startFakeServer()
    t.after(() => fake.stop())
    const client = createClient(fake.url)
    t.after(() => client.destroy())
    await client.connect()
    const pending = [client.get('k'), client.get('k')]
    await fake.next('GET')
    const [{ inFlight, queued, bytes, connected }] = client.stats().lanes
    assert.deepStrictEqual([inFlight, queued, connected], [2, 0, true])
    assert.strictEqual(bytes, 2 * '*2\r\n$3\r\nGET\r\n$1\r\nk\r\n'.length)
    client.destroy()
    await Promise.allSettled(pending)

    const offline = createClient({ socket: { host: '127.0.0.1', port: 1, reconnectStrategy: 50 } })
    const waiting = Promise.allSettled([offline.get('k'), offline.get('k'), offline.get('k')])
    await heard(offline, 'reconnecting')
    const stats = offline.stats()
    assert.deepStrictEqual([stats.lanes[0].inFlight, stats.lanes[0].queued], [0, 3])
    assert.strictEqual(stats.lanes[0].connected, false)
    assert.ok(stats.connectFailures >= 1)
    offline.destroy()
    await waiting
  })

  it('counts timeouts and the replies that came too late', async t => {
    const client = createClient(server.url)
    t.after(() => client.destroy())
    await client.connect()
    const hasty = client.withCommandOptions({ timeout: 30 })
    const sleep = client.sendCommand(['DEBUG', 'SLEEP', '0.2'])
    await Promise.allSettled([hasty.get('k'), hasty.get('k'), hasty.get('k')])
    assert.strictEqual(client.stats().timeouts, 3)
    await sleep
    await client.ping()
    assert.strictEqual(client.stats().lateReplies, 3)
  })

  it('counts reconnects', async t => {
    const client = createClient({ url: server.url, socket: { reconnectStrategy: 10 } })
    t.after(() => client.destroy())
    const admin = createClient(server.url)
    t.after(() => admin.destroy())
    await client.connect()
    for (let n = 1; n <= 3; n++) {
      const ready = heard(client, 'ready')
      await admin.clientKill({ filter: 'ID', id: await client.clientId() })
      await ready
      assert.deepStrictEqual([client.stats().reconnects, client.stats().connects], [n, n + 1])
    }
  })

  it('counts pushes that nobody asked for', async t => {
    const client = createClient(server.url)
    t.after(() => client.destroy())
    await client.sendCommand(['DEBUG', 'PROTOCOL', 'push'])
    await eventually(() => client.stats().pushesIgnored === 1, 'the push')
  })

  it('is a value of its own: changing it changes nothing', async t => {
    const client = createClient(server.url)
    t.after(() => client.destroy())
    assert.throws(() => { client.stats().commands = 5 }, TypeError)
    await client.get('k')
    client.stats().commands = 5
    assert.strictEqual(client.stats().commands, 1)
  })
})
