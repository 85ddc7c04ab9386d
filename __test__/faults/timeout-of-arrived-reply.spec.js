'use strict'

// A reply that has come in time counts as in time, even if user code kept the event loop busy until
// long after the deadline; one that came late is late, although nobody could look.

const assert = require('node:assert')
const { spawn } = require('node:child_process')
const { describe, it } = require('node:test')

const { TimeoutError } = require('../..')
const { PATIENCE, scene } = require('./scene')

describe('an event loop that is blocked for twice the timeout', () => {
  it('loses no reply that arrived in time', async t => {
    const set = scene(t)
    const server = await set.server()
    const client = set.client(server, { commandOptions: { timeout: 1000 } })
    await client.set('key', 'value')
    const gets = Array.from({ length: 1000 }, () => client.get('key'))
    // The first turn hands them over.
    await new Promise(setImmediate)
    block(2000)
    assert.deepStrictEqual(await Promise.all(gets), gets.map(() => 'value'))
    assert.strictEqual(client.stats().timeouts, 0)
  })

  it('does not charge commands for the time before they were handed over', async t => {
    const set = scene(t)
    const server = await set.server()
    const client = set.client(server, { commandOptions: { timeout: 1000 } })
    await client.connect()
    const incr = client.incr('n')
    block(2000)
    assert.strictEqual(await incr, 1)
  })

  it('still ends commands whose reply was late, or never came', async t => {
    const set = scene(t)
    const server = await set.server()
    const client = set.client(server)
    await client.connect()
    server.pause()
    const late = set.failure(client.withCommandOptions({ timeout: 300 }).echo('late'))
    const own = client.withCommandOptions({ timeout: PATIENCE }).echo('own')
    await new Promise(setImmediate)
    // The server goes on while this event loop is blocked, when the deadline has passed.
    spawn('/bin/sh', ['-c', `sleep 1; kill -CONT ${server.pid}`], { stdio: 'ignore' }).unref()
    block(2000)
    const error = await late
    assert.ok(error instanceof TimeoutError)
    assert.strictEqual(error.applied, 'unknown')
    assert.strictEqual(await own, 'own')
    assert.strictEqual(client.stats().lateReplies, 1)
  })

  it('does not hold up deadlines that pass meanwhile, nor count them twice', async t => {
    const set = scene(t)
    const server = await set.server()
    const client = set.client(server, { commandOptions: { timeout: 300 } })
    await client.connect()
    server.pause()
    const echoes = Array.from({ length: 50 }, (_, index) => client.echo(String(index)))
    await new Promise(setImmediate)
    block(600)
    for (const error of await set.failures(echoes)) assert.strictEqual(error.code, 'TIMEOUT')
    server.resume()
    assert.strictEqual(await client.withCommandOptions({ timeout: PATIENCE }).echo('own'), 'own')
    assert.strictEqual(client.stats().timeouts, 50)
  })
})

/** What user code does that it should not. */
function block (ms) {
  const end = performance.now() + ms
  while (performance.now() < end) {}
}
