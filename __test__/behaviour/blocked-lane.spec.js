'use strict'

// A command that waits on the server waits by itself: the lane goes on, and the waiting ends with
// its own deadline, its signal, its client or its connection, at once.

const assert = require('node:assert')
const { it, test } = require('node:test')

const { createClient, AbortError, ClientClosedError, ErrorReply } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { startServer } = require('../support/redis-server')
const { allReturned, blocked, failure, overEveryWire } = require('./session-scene')

/**
 * Every command that waits, on data that nobody provides, and what it says when time is up: half a
 * second, since the lane may need another connection for what comes next.
 */
const WAITING = [
  ['blPop', ['q', 0.5], null],
  ['brPop', [['q', 'r'], '0.5'], null],
  ['BLPOP', ['q', 0.5], null],
  ['blMove', ['q', 'r', 'LEFT', 'RIGHT', 0.5], null],
  ['brPopLPush', ['q', 'r', 0.5], null],
  ['blmPop', [0.5, 'q', 'LEFT'], null],
  ['bzPopMin', ['z', 0.5], null],
  ['bzPopMax', ['z', 0.5], null],
  ['bzmPop', [0.5, 'z', 'MIN'], null],
  ['xRead', [{ key: 's', id: '$' }, { BLOCK: 500 }], null],
  ['wait', [9, 500], 0],
  ['sendCommand', [['BLPOP', 'q', '0.5']], null],
  ['sendCommand', [['xread', 'BLOCK', '500', 'STREAMS', 's', '$']], null],
  ['sendCommand', [[Buffer.from('bzpopmin'), 'z', '0.5']], null]
]

overEveryWire('a command that waits', scene => {
  it('holds nobody up, whichever it is', async t => {
    const client = scene.client(t, { pool: { max: 50 } })
    await client.connect()
    const order = []
    const waiting = WAITING.map(async ([method, args, expected]) => {
      assert.deepStrictEqual(await client[method](...args), expected, method)
      order.push(method)
    })
    assert.strictEqual(await client.echo('x'), 'x')
    assert.deepStrictEqual(order, [])
    await Promise.all(waiting)
    await allReturned(client)
  })

  it('holds nobody up for ever', async t => {
    const client = scene.client(t)
    const forever = [client.blPop('q', 0), client.xRead({ key: 's', id: '$' }, { BLOCK: 0 }),
      client.sendCommand(['BRPOP', 'q', '0'])].map(failure)
    await blocked(client, 3)
    for (let i = 0; i < 100; i++) assert.strictEqual(await client.echo(String(i)), String(i))
    client.destroy()
    for (const error of await Promise.all(forever)) {
      assert.ok(error instanceof ClientClosedError)
      assert.deepStrictEqual([error.code, error.applied], ['CLOSED', 'unknown'])
    }
  })

  it('has no deadline of ordinary commands', async t => {
    const client = scene.client(t, { commandOptions: { timeout: 50 } })
    assert.strictEqual(await client.blPop('q', 0.2), null)
    assert.strictEqual(await client.session(session => session.blPop('q', 0.2)), null)
  })

  it('gets its element, also from the session of a caller', async t => {
    const client = scene.client(t)
    const popping = [client.blPop('q', 0), client.session(session => session.brPop('q', 5))]
    await blocked(client, 2)
    await client.rPush('q', ['a', 'b'])
    const popped = await Promise.all(popping)
    assert.deepStrictEqual(popped.map(({ element }) => element).sort(), ['a', 'b'])
    const reading = client.xReadGroup('g', 'c', { key: 's', id: '>' }, { BLOCK: 5000 })
    assert.match((await failure(reading)).message, /^NOGROUP/)
    await client.xGroupCreate('s', 'g', '$', { MKSTREAM: true })
    const next = client.xReadGroup('g', 'c', { key: 's', id: '>' }, { BLOCK: 0 })
    await blocked(client, 1)
    await client.xAdd('s', '*', { field: 'value' })
    const [{ name, messages: [{ message }] }] = await next
    assert.deepStrictEqual([name, { ...message }], ['s', { field: 'value' }])
    await client.del(['q', 's'])
  })

  it('ends at once when it is aborted, and with it its connection', async t => {
    const client = scene.client(t)
    const controller = new AbortController()
    const view = client.withAbortSignal(controller.signal)
    const waiting = [view.blPop('q', 0), view.sendCommand(['BLPOP', 'q', '0']),
      client.session(session => session.withAbortSignal(controller.signal).blPop('q', 0))]
    await blocked(client, 3)
    controller.abort(new RangeError('why'))
    for (const promise of waiting) {
      const error = await failure(promise)
      assert.ok(error instanceof AbortError)
      assert.deepStrictEqual([error.applied, error.cause.message], ['unknown', 'why'])
    }
    await blocked(client, 0)
    await allReturned(client)
    assert.deepStrictEqual((await failure(view.blPop('q', 0))).applied, 'no')
  })

  it('ends at once when its connection is killed, and is not sent again', async t => {
    const client = scene.client(t)
    const lost = failure(client.blPop('q', 0))
    await blocked(client, 1)
    const [victim] = (await client.clientList()).filter(({ cmd }) => cmd === 'blpop')
    await client.sendCommand(['CLIENT', 'KILL', 'ID', String(victim.id)])
    const error = await lost
    assert.deepStrictEqual([error.name, error.code, error.applied, error.retryable],
      ['SocketClosedUnexpectedlyError', 'CONNECTION_LOST', 'unknown', true])
    await client.rPush('q', 'x')
    assert.strictEqual(await client.lPop('q'), 'x', 'popped for nobody')
    await allReturned(client)
  })

  it('that is unblocked by an error was not applied, and may be called again', async t => {
    const client = scene.client(t)
    const waiting = failure(client.blPop('q', 0))
    await blocked(client, 1)
    const [victim] = (await client.clientList()).filter(({ cmd }) => cmd === 'blpop')
    await client.sendCommand(['CLIENT', 'UNBLOCK', String(victim.id), 'ERROR'])
    const error = await waiting
    assert.ok(error instanceof ErrorReply)
    assert.deepStrictEqual([error.code, error.command, error.applied, error.retryable],
      ['UNBLOCKED', 'BLPOP', 'no', true])
    const timedOut = client.blPop('q', 0)
    await blocked(client, 1)
    const [other] = (await client.clientList()).filter(({ cmd }) => cmd === 'blpop')
    await client.sendCommand(['CLIENT', 'UNBLOCK', String(other.id)])
    assert.strictEqual(await timedOut, null)
  })

  it('is let finish by close()', async t => {
    const client = scene.client(t)
    const waiting = client.blPop('q', 0.05)
    await client.close()
    assert.strictEqual(await waiting, null)
  })
})

test('a command that waits on a server that becomes a replica was not applied', async t => {
  const server = await startServer()
  t.after(() => server.stop())
  const client = createClient(server.url)
  t.after(() => client.destroy())
  const waiting = failure(client.blPop('q', 0))
  await blocked(client, 1)
  await client.sendCommand(['REPLICAOF', '127.0.0.1', '1'])
  const error = await waiting
  assert.deepStrictEqual([error.code, error.applied, error.retryable], ['UNBLOCKED', 'no', true])
  await client.sendCommand(['REPLICAOF', 'NO', 'ONE'])
  assert.strictEqual(await client.blPop('q', 0.01), null)
})

test('a command that waits has the server\'s own deadline and a second of grace', async t => {
  const fake = await startFakeServer()
  t.after(() => fake.stop())
  const client = createClient(fake.url)
  t.after(() => client.destroy())
  const arrived = fake.next('BLPOP')
  const started = performance.now()
  const waiting = failure(client.blPop('q', 0.1))
  const { connection } = await arrived
  const gone = new Promise(resolve => { fake.on('disconnection', resolve) })
  const error = await waiting
  const took = performance.now() - started
  assert.deepStrictEqual([error.code, error.applied], ['TIMEOUT', 'unknown'])
  assert.ok(took >= 1090, `after ${took} ms`)
  assert.strictEqual(await gone, connection, 'the server goes on waiting')
})
