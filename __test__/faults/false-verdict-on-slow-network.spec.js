'use strict'

// Slow is not dead: networks with delay and jitter, servers that pause or are busy. No connection
// is given up, no command fails, and replies find their callers.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { scene } = require('./scene')

describe('a network with 100 ms of delay, give or take 100', { concurrency: true }, () => {
  it('fails nothing and keeps its connection', async t => {
    const set = scene(t)
    const server = await set.server()
    const proxy = await set.proxy(server)
    const client = set.client(proxy, { pingInterval: 100 })
    await client.connect()
    proxy.latency(100, { jitter: 100 })
    const oracle = set.oracle(client)
    await oracle.healed()
    await oracle.healed()
    await oracle.stop()
    proxy.heal()
    await oracle.verify()
    assert.strictEqual(oracle.failed, 0)
    assert.strictEqual(client.stats().connects, 1)
  })

  it('is filled by pipelining', async t => {
    const set = scene(t)
    const server = await set.server()
    const proxy = await set.proxy(server)
    const client = set.client(proxy)
    await client.connect()
    proxy.latency(100, { jitter: 100 })
    // One after the other these would take ten minutes.
    const incrs = Array.from({ length: 5000 }, () => client.incr('n'))
    const expected = incrs.map((_, index) => index + 1)
    assert.deepStrictEqual(await Promise.all(incrs), expected)
  })

  it('does not keep a client from connecting', async t => {
    const set = scene(t)
    const server = await set.server()
    const proxy = await set.proxy(server)
    proxy.latency(200, { jitter: 100 })
    const client = set.client(proxy)
    await client.connect()
    assert.deepStrictEqual([client.stats().connects, client.stats().connectFailures], [1, 0])
  })
})

describe('a server that takes its time', { concurrency: true }, () => {
  it('by CLIENT PAUSE fails nothing that has time enough', async t => {
    const set = scene(t)
    const server = await set.server()
    const admin = set.client(server)
    const client = set.client(server, { pingInterval: 100 })
    const oracle = set.oracle(client)
    await oracle.healed()
    await admin.sendCommand(['CLIENT', 'PAUSE', '1500', 'ALL'])
    await oracle.healed()
    await oracle.stop()
    await oracle.verify()
    assert.strictEqual(oracle.failed, 0)
    assert.strictEqual(client.stats().connects, 1)
  })

  it('by a slow command fails nothing that has time enough', async t => {
    const set = scene(t)
    const server = await set.server()
    const admin = set.client(server)
    const client = set.client(server, { pingInterval: 100 })
    const oracle = set.oracle(client)
    await oracle.healed()
    await admin.sendCommand(['DEBUG', 'SLEEP', '1'])
    await oracle.healed()
    await oracle.stop()
    await oracle.verify()
    assert.strictEqual(oracle.failed, 0)
    assert.strictEqual(client.stats().connects, 1)
  })
})
