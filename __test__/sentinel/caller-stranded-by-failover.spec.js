'use strict'

// Callers of sessions, blocking commands and iterators while the primary changes: nobody is left
// behind with the old one.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { ScanIteratorInterruptedError } = require('../..')
const { skipBefore7 } = require('../support/redis-server')
const { until } = require('../support/until')
const { scene } = require('./scene')

describe('after a failover', { skip: skipBefore7() }, () => {
  it('callers who wait for a session get one of the new primary', async t => {
    const { client, set } = await begin(t, { masterPoolSize: 1, pool: PATIENT })
    const held = await client.acquire()
    const waiting = client.session(session => session.incr('n'))
    const { port } = await replace(set)
    assert.strictEqual(await waiting, 1)
    assert.strictEqual(client.getMasterNode().port, port)
    await assert.rejects(held.incr('n'))
    held[Symbol.asyncDispose]()
    assert.strictEqual(await client.use(session => session.incr('n')), 2)
  })

  it('a watched transaction does not run on the new primary', async t => {
    const { client, set } = await begin(t)
    const lease = await client.acquire()
    await lease.watch('k')
    await replace(set)
    await assert.rejects(lease.multi().incr('k').exec())
    await lease.release().catch(() => {})
    assert.strictEqual(await client.get('k'), null)
  })

  it('blocking commands end with an error that says what became of them, and work again',
    async t => {
      const { client, set } = await begin(t)
      const blocked = client.blPop('list', 0)
      const ended = assert.rejects(blocked, error => (
        error.code === 'UNBLOCKED' ? error.applied === 'no' : error.applied === 'unknown'))
      await until('it is blocked', async () => (
        /blocked_clients:1/.test(await set.command(set.primary, 'INFO', 'clients'))))
      await failOver(set)
      await ended
      const again = client.blPop('list', 10)
      await client.rPush('list', 'element')
      assert.deepStrictEqual(await again, { key: 'list', element: 'element' })
    })

  it('the database is the same, and so are scripts and chains', async t => {
    const { client, set } = await begin(t, { nodeClientOptions: { database: 3 }, keyPrefix: 'p:' })
    await client.set('k', 'v')
    assert.strictEqual(await set.command(set.primary, 'EXISTS', 'p:k'), 0, 'not in database 0')
    await client.wait(2, 2_000)
    await replace(set)
    assert.strictEqual(await client.get('k'), 'v')
    assert.deepStrictEqual(await client.multi().get('k').set('l', '1').exec(), ['v', 'OK'])
    assert.strictEqual(await client.eval('return redis.call("GET", KEYS[1])', { keys: ['k'] }), 'v')
    assert.strictEqual(await client.session(async session => session.get('k')), 'v')
  })

  it('an iterator ends with an error: its cursor is another server\'s', async t => {
    const { client, set } = await begin(t)
    await client.mSet(Array.from({ length: 500 }, (_, i) => [`key:${i}`, 'v']))
    // A new primary has what was replicated to it.
    await client.wait(2, 2_000)
    const iterator = client.scanIterator({ COUNT: 10 })
    assert.ok((await iterator.next()).value.length > 0)
    await replace(set)
    await assert.rejects(async () => {
      for await (const page of iterator) assert.ok(page)
    }, error => error instanceof ScanIteratorInterruptedError && error.retryable)
    const keys = new Set()
    for await (const page of client.scanIterator()) for (const key of page) keys.add(key)
    assert.strictEqual(keys.size, 500)
  })

  async function begin (t, options) {
    const made = await scene(t)
    const client = await made.connected({ commandOptions: { timeout: 15_000 }, ...options })
    return { client, set: made.set }
  }
})

/** Sentinels need ten seconds more if their first vote has no majority. */
const PATIENT = { acquireTimeout: 30_000 }

/** The primary dies; ends when it has a successor. */
async function replace (set) {
  const switched = set.waitForSwitch()
  await set.kill(set.primary)
  return (await switched).server
}

/** A failover that somebody has asked for; ends when all sentinels and servers agree. */
async function failOver (set) {
  const switched = set.waitForSwitch()
  await set.failover()
  const { server } = await switched
  await set.waitUntilHealthy()
  return server
}
