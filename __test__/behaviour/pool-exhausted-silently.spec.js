'use strict'

// A caller that needs a connection of its own waits in turn, for at most `acquireTimeout`. After
// that the error says with numbers why there was none. The lane goes on meanwhile.

const assert = require('node:assert')
const { it } = require('node:test')

const { createClient, createClientPool, TimeoutError } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { freePort } = require('../support/ports')
const { eventually } = require('./eventually')
const { allReturned, blocked, failure, overEveryWire } = require('./session-scene')

const NUMBERS = /within \d+ ms \(total=(\d+) idle=(\d+) inUse=(\d+) waiting=(\d+) max=(\d+)\)$/

/**
 * Opens `count` connections for sessions. A busy machine may take longer for that than a test's
 * `acquireTimeout`, so it is tried again.
 */
async function connected (client, count) {
  const open = async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: count }, () => client.acquire()))
    await Promise.all(outcomes.map(({ value: session }) => session?.release()))
    return outcomes.every(({ status }) => status === 'fulfilled')
  }
  await eventually(open, `${count} connections`)
  await eventually(() => client.stats().pool.idle >= count, 'their return')
}

overEveryWire('a full pool', scene => {
  it('says so with its numbers, and the lane still works', async t => {
    const client = scene.client(t, { pool: { max: 3, acquireTimeout: 150 } })
    await connected(client, 3)
    const popping = Array.from({ length: 3 }, () => client.blPop('q', 0))
    await blocked(client, 3)
    const late = [client.blPop('q', 0), client.acquire(), client.session(() => {})]
    assert.strictEqual(client.stats().pool.waiting, 3)
    let waiting = 3
    for (const promise of late) {
      const error = await failure(promise)
      assert.ok(error instanceof TimeoutError)
      assert.deepStrictEqual([error.code, error.applied, error.retryable],
        ['POOL_TIMEOUT', 'no', true])
      const [, , idle, inUse, others, max] = NUMBERS.exec(error.message).map(Number)
      assert.deepStrictEqual([idle, inUse, max], [0, 3, 3])
      assert.ok(others <= waiting && others > 0, `${others} of ${waiting}`)
      waiting = others
    }
    assert.strictEqual(client.stats().pool.waiting, 0)
    assert.strictEqual(await client.echo('the lane'), 'the lane')
    await client.rPush('q', ['a', 'b', 'c'])
    assert.deepStrictEqual((await Promise.all(popping)).map(({ element }) => element).sort(),
      ['a', 'b', 'c'])
    await allReturned(client)
  })

  it('serves in the order of asking, and those who leave keep no place', async t => {
    const client = scene.client(t, { pool: { max: 1 } })
    const held = await client.acquire()
    const order = []
    const waiting = Array.from({ length: 5 }, (_, i) => client.session(() => { order.push(i) }))
    const controller = new AbortController()
    const view = client.withAbortSignal(controller.signal)
    const gone = [view.blPop('q', 0), view.blPop('q', 0)]
    waiting.push(client.session(() => { order.push(5) }))
    await new Promise(setImmediate)
    assert.strictEqual(client.stats().pool.waiting, 8)
    controller.abort(new RangeError('why'))
    for (const promise of gone) {
      const error = await failure(promise)
      assert.deepStrictEqual([error.code, error.applied, error.cause.message],
        ['ABORT_ERR', 'no', 'why'])
    }
    assert.strictEqual(client.stats().pool.waiting, 6)
    assert.deepStrictEqual(order, [])
    await held.release()
    await Promise.all(waiting)
    assert.deepStrictEqual(order, [0, 1, 2, 3, 4, 5])
    const { total, inUse } = client.stats().pool
    assert.deepStrictEqual({ total, inUse }, { total: 1, inUse: 0 })
  })

  it('opens no more connections than it may, however many ask', async t => {
    const client = scene.client(t, { pool: { max: 4 } })
    const ids = await Promise.all(Array.from({ length: 200 }, () => (
      client.session(session => session.sendCommand(['CLIENT', 'ID']))
    )))
    assert.ok(new Set(ids).size <= 4)
    assert.ok(client.stats().pool.total <= 5)
  })

  it('lets 200 blocking commands wait, if it may be so large', async t => {
    const client = scene.client(t, { pool: { max: 200, acquireTimeout: 20_000 } })
    const popping = Array.from({ length: 200 }, (_, i) => client.blPop(`q${i}`, 0))
    await blocked(client, 200)
    assert.strictEqual(client.stats().pool.inUse, 200)
    await Promise.all(Array.from({ length: 200 }, (_, i) => client.rPush(`q${i}`, String(i))))
    const elements = (await Promise.all(popping)).map(({ element }) => Number(element))
    assert.deepStrictEqual(elements, Array.from({ length: 200 }, (_, i) => i))
    await allReturned(client)
  })

  it('is the same thing for createClientPool, with node-redis\'s names', async t => {
    const pool = createClientPool(scene.options, { maximum: 2, acquireTimeout: 100 })
    t.after(() => pool.destroy())
    const numbers = () => ({
      idle: pool.idleClients, used: pool.clientsInUse, waiting: pool.tasksQueueLength
    })
    await pool.ping()
    await connected(pool, 2)
    const { idleClients: idle } = pool
    let free
    const gate = new Promise(resolve => { free = resolve })
    const running = [1, 2].map(n => pool.execute(async client => {
      await gate
      return client.echo(String(n))
    }))
    await eventually(() => pool.clientsInUse === 2, 'two functions that run')
    const third = pool.execute(() => {})
    assert.strictEqual(pool.tasksQueueLength, 1)
    assert.match((await failure(third)).message, /inUse=2 waiting=1 max=2\)$/)
    free()
    assert.deepStrictEqual(await Promise.all(running), ['1', '2'])
    assert.deepStrictEqual({ ...numbers(), idle: pool.idleClients >= idle },
      { idle: true, used: 0, waiting: 0 })
    assert.strictEqual(pool.totalClients, pool.idleClients)
  })
})

it('a server that cannot be reached is the cause in the error', async t => {
  const client = createClient({
    socket: { host: '127.0.0.1', port: await freePort(), reconnectStrategy: 10 },
    // Long enough for a refusal to be heard of on a busy machine.
    pool: { acquireTimeout: 1000 }
  })
  t.after(() => client.destroy())
  for (const promise of [client.acquire(), client.blPop('q', 0)]) {
    const error = await failure(promise)
    assert.deepStrictEqual([error.code, error.applied], ['POOL_TIMEOUT', 'no'])
    assert.match(error.message, NUMBERS)
    assert.match(`${error.cause.code} ${error.cause.message}`, /refused/i)
  }
})

it('what waiting cannot mend fails at once, for all who wait', async t => {
  const fake = await startFakeServer({ handshake: false })
  t.after(() => fake.stop())
  fake.on('command', (args, reply) => reply.error('WRONGPASS invalid username-password pair'))
  const client = createClient({ url: fake.url, password: 'x', pool: { acquireTimeout: 60_000 } })
  t.after(() => client.destroy())
  for (const promise of [client.acquire(), client.blPop('q', 0), client.session(() => {})]) {
    assert.strictEqual((await failure(promise)).code, 'AUTH')
  }
})
