'use strict'

// A server, or a network, that falls silent and wakes up again. Deadlines hold, late replies reach
// nobody, and a peer that stays silent is given up.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { TimeoutError, ConnectionError } = require('../..')
const { assertAbout, PATIENCE, scene, timeOf, until } = require('./scene')

describe('a stopped server', { concurrency: true }, () => {
  it('costs commands their deadline; its late replies reach nobody', async t => {
    const set = scene(t)
    const server = await set.server()
    const client = set.client(server, { commandOptions: { timeout: 400 } })
    await client.connect()
    server.pause()
    const echoes = Array.from({ length: 100 }, (_, index) => client.echo(`early ${index}`))
    assertAbout(await timeOf(Promise.allSettled(echoes)), 400)
    for (const error of await set.failures(echoes)) {
      assert.ok(error instanceof TimeoutError)
      assert.strictEqual(error.applied, 'unknown')
      assert.strictEqual(error.retryable, true)
    }
    server.resume()
    const late = client.withCommandOptions({ timeout: PATIENCE })
    const own = Array.from({ length: 100 }, (_, index) => late.echo(`late ${index}`))
    const expected = own.map((_, index) => `late ${index}`)
    assert.deepStrictEqual(await Promise.all(own), expected)
    const { connects, lateReplies } = client.stats()
    assert.deepStrictEqual({ connects, lateReplies }, { connects: 1, lateReplies: 100 })
  })

  it('under load keeps the oracle content, stop after stop', async t => {
    const set = scene(t)
    const server = await set.server()
    const client = set.client(server, { commandOptions: { timeout: 300 } })
    const oracle = set.oracle(client)
    await oracle.healed()
    for (let round = 0; round < 3; round++) {
      const { failed } = oracle
      server.pause()
      await until(() => oracle.failed >= failed + 64, 'every worker to fail')
      server.resume()
      await oracle.healed()
    }
    await oracle.stop()
    await oracle.verify()
  })

  it('does not make connect() wait longer than its timeout', async t => {
    const set = scene(t)
    const server = await set.server()
    server.pause()
    const client = set.client(server)
    const connect = client.connect({ timeout: 500 })
    assertAbout(await timeOf(connect), 500)
    await set.failure(connect)
    server.resume()
    await client.connect()
  })
})

describe('a network that swallows everything', { concurrency: true }, () => {
  it('is given up within 10 s, with a new connection and own replies afterwards', async t => {
    const set = scene(t)
    const server = await set.server()
    const proxy = await set.proxy(server)
    const client = set.client(proxy, { commandOptions: { timeout: 1000 } })
    await client.set('key', 'value')
    const lost = new Promise(resolve => { client.once('error', resolve) })
    proxy.blackHole()
    const started = performance.now()
    const echoes = Array.from({ length: 100 }, (_, index) => client.echo(`early ${index}`))
    for (const error of await set.failures(echoes)) assert.strictEqual(error.code, 'TIMEOUT')
    const error = await lost
    const took = performance.now() - started
    assert.ok(error instanceof ConnectionError)
    assert.strictEqual(error.code, 'DEAD_PEER')
    assert.ok(took > 9000 && took < 11_500, `given up after ${took} ms`)
    proxy.heal()
    const patient = client.withCommandOptions({ timeout: PATIENCE })
    assert.strictEqual(await patient.get('key'), 'value')
    assert.strictEqual(await patient.echo('late'), 'late')
    assert.strictEqual(client.stats().connects, 2)
  })

  it('is given up after socketTimeout when that is shorter', async t => {
    const set = scene(t)
    const server = await set.server()
    const proxy = await set.proxy(server)
    const client = set.client(proxy, { socket: { socketTimeout: 500 } })
    await client.set('key', 'value')
    proxy.blackHole()
    const incr = client.incr('n')
    assertAbout(await timeOf(incr), 500)
    const error = await set.failure(incr)
    assert.strictEqual(error.kind, 'CONNECTION_LOST')
    assert.strictEqual(error.applied, 'unknown')
    assert.strictEqual(error.cause.code, 'DEAD_PEER')
    proxy.heal()
    assert.strictEqual(await client.get('key'), 'value')
  })

  it('is noticed by the PING of an idle connection', async t => {
    const set = scene(t)
    const server = await set.server()
    const proxy = await set.proxy(server)
    const client = set.client(proxy, { pingInterval: 200 })
    await client.set('key', 'value')
    proxy.blackHole()
    const error = await new Promise(resolve => { client.once('error', resolve) })
    assert.strictEqual(error.code, 'DEAD_PEER')
    proxy.heal()
    assert.strictEqual(await client.get('key'), 'value')
  })
})
