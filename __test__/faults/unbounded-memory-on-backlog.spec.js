'use strict'

// A server that takes nothing, or a network that takes little. What waits is bounded, beyond that
// callers are refused at once, the event loop stays free, and everything recovers.

const assert = require('node:assert')
const { describe, it } = require('node:test')
const { monitorEventLoopDelay } = require('node:perf_hooks')

const { QueueFullError } = require('../..')
const { scene, until } = require('./scene')

describe('a narrow network', { concurrency: true }, () => {
  it('refuses callers beyond maxQueuedBytes at once, and serves the others', async t => {
    const set = scene(t)
    const server = await set.server()
    const proxy = await set.proxy(server)
    // The proxy and the kernel take some MiB before the narrow place is felt.
    const limit = 16 * MIB
    const client = set.client(proxy, { maxQueuedBytes: limit, commandOptions: { timeout: 0 } })
    await client.connect()
    proxy.bandwidth(10_000, { direction: 'up' })
    const value = 'x'.repeat(64 * 1024)
    const sets = []
    for (let turn = 0; turn < 20; turn++) {
      for (let caller = 0; caller < 50; caller++) {
        sets.push(judgedLater(client.set(`k${sets.length}`, value)))
      }
      await new Promise(setImmediate)
      const { bytes } = client.stats().lanes[0]
      assert.ok(bytes <= limit, `${bytes} bytes are queued`)
    }
    // Settled already, although nothing moves.
    const refused = await settledNow(sets)
    assert.ok(refused.length > 500, `${refused.length} were refused`)
    for (const error of refused) assertFull(error, set)
    proxy.heal()
    const outcomes = await Promise.allSettled(sets)
    const served = outcomes.filter(({ value }) => value === 'OK').length
    assert.strictEqual(served + refused.length, sets.length)
    assert.strictEqual(await client.set('after', value), 'OK')
    assert.strictEqual(client.stats().lanes[0].bytes, 0)
  })

  it('refuses callers beyond commandsQueueMaxLength at once', async t => {
    const set = scene(t)
    const server = await set.server()
    const proxy = await set.proxy(server)
    const client = set.client(proxy, { commandsQueueMaxLength: 100 })
    await client.connect()
    proxy.blackHole()
    const gets = Array.from({ length: 1000 }, () => judgedLater(client.get('k')))
    const refused = await settledNow(gets)
    assert.strictEqual(refused.length, 900)
    for (const error of refused) assertFull(error, set)
    proxy.heal()
    assert.deepStrictEqual(await Promise.all(gets.slice(0, 100)), Array(100).fill(null))
    assert.strictEqual(await client.get('k'), null)
  })
})

describe('a server that does not read', () => {
  it('stops the writer at the bound, without holding up the event loop', async t => {
    const set = scene(t)
    const server = await set.server()
    const limit = 16 * MIB
    // No command ends before the burst is over: it would make room, and then the bound would be
    // reached by others, or not at all.
    const client = set.client(server, { maxQueuedBytes: limit })
    await client.connect()
    const given = new AbortController()
    const burst = client.withAbortSignal(given.signal)
    server.pause()
    const value = Buffer.alloc(MIB, 'x')
    const before = process.memoryUsage().rss
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    const sets = []
    let highest = 0
    // 256 MiB in all, of which a sixteenth may wait.
    for (let turn = 0; turn < 32; turn++) {
      for (let caller = 0; caller < 8; caller++) {
        sets.push(judgedLater(burst.set('k', value)))
      }
      await new Promise(setImmediate)
      highest = Math.max(highest, client.stats().lanes[0].bytes)
    }
    delay.disable()
    const grown = process.memoryUsage().rss - before
    assert.ok(highest <= limit && highest > limit / 2, `${highest} bytes were queued`)
    assert.ok(grown < 6 * limit, `${grown / MIB} MiB more memory`)
    // Each turn copies 8 MiB at most. A blocking write would last until the server reads, for ever.
    assert.ok(delay.max < 2000e6, `the event loop was held up for ${delay.max / 1e6} ms`)
    const refused = await settledNow(sets)
    assert.ok(refused.length > 200, `${refused.length} were refused`)
    for (const error of refused) assertFull(error, set)
    // The others are given up, and the memory of those that were not written is free.
    given.abort()
    const outcomes = await Promise.allSettled(sets)
    for (const { reason } of outcomes) assert.match(reason.code, /^(QUEUE_FULL|ABORT_ERR)$/)
    await until(() => client.stats().lanes[0].bytes < limit / 2, 'memory to be freed')
    server.resume()
    await until(() => client.set('k', value).then(() => true, () => false), 'a success')
    await until(() => client.stats().lanes[0].bytes === 0, 'the queue to empty')
  })

  it('frees nothing of a command that is half written, and stays in step', async t => {
    const set = scene(t)
    const server = await set.server()
    const client = set.client(server)
    await client.connect()
    server.pause()
    const hurried = client.withCommandOptions({ timeout: 300 })
    const sets = Array.from({ length: 32 }, (_, index) =>
      hurried.set(`k${index}`, Buffer.alloc(MIB, 'x')))
    const errors = await set.failures(sets)
    for (const error of errors) assert.strictEqual(error.code, 'TIMEOUT')
    const written = errors.filter(({ applied }) => applied === 'unknown').length
    assert.ok(written > 0 && written < sets.length, `${written} of ${sets.length} were written`)
    server.resume()
    assert.strictEqual(await client.echo('own'), 'own')
    // What was said not to be applied is not, and what was written is.
    assert.strictEqual(await client.dbSize(), written)
    assert.strictEqual(client.stats().connects, 1)
  })
})

/** A rejection that is looked at only later is no unhandled one. */
function judgedLater (promise) {
  promise.catch(() => {})
  return promise
}

/** The errors of those among `promises` that have failed by now. */
async function settledNow (promises) {
  const pending = Symbol('pending')
  const errors = []
  for (const promise of promises) {
    const outcome = await Promise.race([promise.then(() => null, error => error), after2(pending)])
    if (outcome instanceof Error) errors.push(outcome)
  }
  return errors
}

// Two steps, as many as the other runner of the race takes.
function after2 (value) {
  return Promise.resolve().then(() => value)
}

function assertFull (error, set) {
  set.note(error)
  assert.ok(error instanceof QueueFullError)
  assert.strictEqual(error.code, 'QUEUE_FULL')
  assert.strictEqual(error.applied, 'no')
  assert.strictEqual(error.retryable, true)
}

const MIB = 1024 * 1024
