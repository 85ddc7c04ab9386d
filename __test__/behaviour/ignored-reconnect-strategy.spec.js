'use strict'

// reconnectStrategy decides when there is another attempt, and whether.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { ConnectionError, ReconnectStrategyError, createClient } = require('../..')
const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')
const { heard } = require('./eventually')

const refused = { host: '127.0.0.1', port: 1 }

// Code of the connection error at the end of the chain of causes.
function rootCode (error) {
  while (error.cause instanceof Error) error = error.cause
  return error.code
}

describe('reconnectStrategy', () => {
  it('false: fails all that waits at once, and what comes later', async t => {
    const client = createClient({ socket: { ...refused, reconnectStrategy: false } })
    t.after(() => client.destroy())
    const started = performance.now()
    const ended = heard(client, 'end')
    const settled = await Promise.allSettled(
      [client.connect(), client.get('k'), client.set('k', 'v')])
    for (const { reason } of settled) assert.strictEqual(rootCode(reason), 'ECONNREFUSED')
    await ended
    await assert.rejects(client.get('k'), { code: 'CLOSED' })
    assert.strictEqual(client.isOpen, false)
    assert.ok(performance.now() - started < 4000)
  })

  it('false: is for lost connections as well, and connect() starts anew', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const client = createClient({ url: server.url, socket: { reconnectStrategy: false } })
    t.after(() => client.destroy())
    await client.connect()
    const ended = heard(client, 'end')
    await server.kill()
    await ended
    await server.start()
    await assert.rejects(client.get('k'), { code: 'CLOSED' })
    await client.connect()
    assert.strictEqual(await client.get('k'), null)
  })

  it('false: makes no other connection, though the server is there', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const control = createClient(server.url)
    const client = createClient({ url: server.url, socket: { reconnectStrategy: false } })
    t.after(() => Promise.all([control.close(), client.destroy()]))
    const id = await client.clientId()
    const before = (await control.info('stats')).match(/total_connections_received:(\d+)/)[1]
    const ended = heard(client, 'end')
    await control.clientKill({ filter: 'ID', id })
    await ended
    await assert.rejects(client.get('k'), { code: 'CLOSED' })
    const after = (await control.info('stats')).match(/total_connections_received:(\d+)/)[1]
    assert.strictEqual(after, before)
  })

  it('a number: is the pause between attempts', async t => {
    const client = createClient({ socket: { ...refused, reconnectStrategy: 30 } })
    t.after(() => client.destroy())
    const started = performance.now()
    client.get('k').catch(() => {})
    let attempts = 0
    client.on('reconnecting', () => { attempts++ })
    while (attempts < 5) await heard(client, 'reconnecting')
    // The first event comes before a pause, each other one behind a pause. An event may come late,
    // and several at once then, but never too early.
    const took = performance.now() - started
    assert.ok(took > 4 * 30 * 0.8, `five attempts within ${took} ms`)
  })

  it('a function: gets the retries from 0 on and the cause, and decides', async t => {
    const calls = []
    const client = createClient({
      socket: {
        ...refused,
        reconnectStrategy: (retries, cause) => {
          calls.push([retries, cause.code, rootCode(cause), cause instanceof Error])
          return retries < 3 ? retries : false
        }
      }
    })
    t.after(() => client.destroy())
    client.on('error', () => {})
    await assert.rejects(client.connect(), error => rootCode(error) === 'ECONNREFUSED')
    assert.deepStrictEqual(calls, [0, 1, 2, 3].map(n => [n, 'ECONNREFUSED', 'ECONNREFUSED', true]))
  })

  it('a function: starts from 0 again after a success', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const calls = []
    const client = createClient({
      url: server.url, socket: { reconnectStrategy: retries => { calls.push(retries); return 10 } }
    })
    t.after(() => client.destroy())
    for (let round = 0; round < 2; round++) {
      await client.connect()
      calls.length = 0
      const lost = heard(client, 'reconnecting')
      await server.kill()
      await lost
      while (calls.length < 2) await heard(client, 'reconnecting')
      assert.deepStrictEqual(calls.slice(0, 2), [0, 1])
      const ready = heard(client, 'ready')
      await server.start()
      await ready
    }
  })

  it('a function that returns false: stops, and every command says why', async t => {
    const client = createClient({ socket: { ...refused, reconnectStrategy: () => false } })
    t.after(() => client.destroy())
    const ended = heard(client, 'end')
    const settled = await Promise.allSettled([client.connect(), client.get('k'), client.get('l')])
    for (const { reason } of settled) assert.strictEqual(rootCode(reason), 'ECONNREFUSED')
    await ended
    assert.strictEqual(client.isOpen, false)
    const late = await client.get('k').catch(error => error)
    assert.strictEqual(late.code, 'CLOSED')
    assert.strictEqual(rootCode(late), 'ECONNREFUSED')
  })

  it('a function that returns an Error: stops, and all errors and the event have it', async t => {
    const mine = new RangeError('enough')
    const client = createClient({ socket: { ...refused, reconnectStrategy: () => mine } })
    t.after(() => client.destroy())
    const errors = []
    client.on('error', error => errors.push(error))
    const ended = heard(client, 'end')
    const settled = await Promise.allSettled([client.connect(), client.get('k'), client.get('l')])
    await ended
    assert.strictEqual(client.isOpen, false)
    const [told] = errors.filter(error => error instanceof ReconnectStrategyError)
    for (const error of [...settled.map(({ reason }) => reason), told]) {
      assert.ok(error instanceof ReconnectStrategyError && error instanceof ConnectionError, error)
      assert.strictEqual(error.message, 'enough')
      assert.strictEqual(error.code, 'RECONNECT_STRATEGY')
      assert.strictEqual(error.originalError, mine)
      assert.strictEqual(error.cause, mine)
      assert.strictEqual(rootCode(error.socketError), 'ECONNREFUSED')
    }
    assert.ok(settled.slice(1).every(({ reason }) => reason.applied === 'no'))
    const late = await client.get('k').catch(error => error)
    assert.strictEqual(late.code, 'CLOSED')
    assert.strictEqual(late.cause.originalError, mine)
  })

  for (const [name, result, text] of [
    ['undefined', () => {}, /not undefined/],
    ['null', () => null, /not null/],
    ['true', () => true, /of type boolean/],
    ['NaN', () => NaN, /not NaN/],
    ['Infinity', () => Infinity, /not Infinity/],
    ['a negative number', () => -1, /not -1/],
    ['a string', () => '5', /of type string/],
    ['a promise', async () => 5, /not a promise/],
    ['a promise that is rejected', async () => { throw new Error('x') }, /not a promise/],
    ['nothing, but throws', () => { throw new Error('in the strategy') }, /in the strategy/]
  ]) {
    it(`a function that returns ${name}: is told, and the client goes on`, async t => {
      const server = await startServer()
      t.after(() => server.stop())
      await server.kill()
      const client = createClient({ url: server.url, socket: { reconnectStrategy: result },
        commandOptions: { timeout: 60000 } })
      t.after(() => client.destroy())
      const errors = []
      client.on('error', error => errors.push(error.message))
      const pending = client.set('k', 'v')
      pending.catch(() => {})
      while (!errors.some(message => text.test(message))) await heard(client, 'error')
      assert.strictEqual(client.isOpen, true)
      await server.start()
      assert.strictEqual(await pending, 'OK')
    })
  }

  it('a function: may close or destroy the client itself', async () => {
    for (const end of ['close', 'destroy']) {
      const { code, stdout, stderr } = await runScript(`
        const client = oxidis.createClient({ socket: {
          host: '127.0.0.1', port: 1, reconnectStrategy: () => { client.${end}(); return 1 }
        }, commandOptions: { timeout: ${end === 'close' ? 300 : 30_000} } })
        client.get('k').catch(error => console.log(error.code))`)
      assert.deepStrictEqual([code, stdout, stderr],
        [0, end === 'close' ? 'TIMEOUT\n' : 'CLOSED\n', ''])
    }
  })

  it('is not asked any more once the client is closed', async t => {
    let calls = 0
    const client = createClient({
      socket: { ...refused, reconnectStrategy: () => { calls++; return 1 } }
    })
    t.after(() => client.destroy())
    const pending = assert.rejects(client.get('k'), { code: 'CLOSED' })
    await heard(client, 'reconnecting')
    client.destroy()
    await pending
    const before = calls
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => { setTimeout(resolve, 2) })
    assert.strictEqual(calls, before)
  })
})
