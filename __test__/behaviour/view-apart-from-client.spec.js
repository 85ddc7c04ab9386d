'use strict'

// Views (withTypeMapping, withAbortSignal, withCommandOptions) are the same client with other
// command options: one connection, one state, one set of listeners.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, RESP_TYPES, RedisClient } = require('../..')
const { startServer } = require('../support/redis-server')
const { heard } = require('./eventually')

const buffers = { [RESP_TYPES.BLOB_STRING]: Buffer }

describe('a view', () => {
  let server
  before(async () => { server = await startServer() })
  after(() => server.stop())

  it('changes its own commands only', async t => {
    const client = createClient(server.url)
    t.after(() => client.destroy())
    await client.set('k', 'v')
    const view = client.withTypeMapping(buffers)
    const replies = await Promise.all([view.get('k'), client.get('k'), view.GET('k')])
    assert.deepStrictEqual(replies, [Buffer.from('v'), 'v', Buffer.from('v')])
    assert.ok(view instanceof RedisClient)
  })

  it('is light: ten thousand share one connection', async t => {
    const client = createClient({ url: server.url, name: 'shared' })
    t.after(() => client.destroy())
    await Promise.all(Array.from({ length: 10_000 }, (_, n) => {
      const view = n % 2
        ? client.withTypeMapping(buffers)
        : client.withCommandOptions({ timeout: 5000 + n })
      return view.echo(String(n))
    }))
    const list = await client.clientList()
    assert.strictEqual(list.filter(({ name }) => name === 'shared').length, 1)
    assert.strictEqual(client.stats().pool.total, 1)
  })

  it('of a view keeps what it does not change', async t => {
    const client = createClient(server.url)
    t.after(() => client.destroy())
    await client.set('k', 'v')
    const aborted = client.withTypeMapping(buffers).withAbortSignal(AbortSignal.abort('why'))
    await assert.rejects(aborted.get('k'), { code: 'ABORT_ERR', applied: 'no', cause: 'why' })
    const patient = client.withTypeMapping(buffers)
      .withAbortSignal(new AbortController().signal)
    assert.deepStrictEqual(await patient.get('k'), Buffer.from('v'))
    const plain = client.withTypeMapping(buffers).withTypeMapping({})
    assert.strictEqual(await plain.get('k'), 'v')
  })

  it('keeps its options in views and copies of it, as in node-redis', async t => {
    const client = createClient({ url: server.url, commandOptions: { timeout: 4000 } })
    await client.set('k', 'v')
    const view = client.withTypeMapping(buffers)
    const copies = [view.duplicate(), view.createPool(), client.duplicate()]
    t.after(() => { for (const one of [client, ...copies]) one.destroy() })
    assert.deepStrictEqual(await view.withCommandOptions({ timeout: 3000 }).get('k'),
      Buffer.from('v'))
    const replies = await Promise.all(copies.map(one => one.get('k')))
    assert.deepStrictEqual(replies, [Buffer.from('v'), Buffer.from('v'), 'v'])
    const overridden = view.duplicate({ commandOptions: {} })
    t.after(() => overridden.destroy())
    assert.strictEqual(await overridden.get('k'), 'v')
  })

  it('has a timeout of its own', async t => {
    const client = createClient(server.url)
    t.after(() => client.destroy())
    await client.connect()
    const sleep = client.sendCommand(['DEBUG', 'SLEEP', '1'])
    await assert.rejects(client.withCommandOptions({ timeout: 30 }).get('k'), { code: 'TIMEOUT' })
    const own = createClient({ url: server.url, commandOptions: { timeout: 1 } })
    t.after(() => own.destroy())
    // Connected first by a patient view, since 1 ms is no time to connect in.
    assert.strictEqual(await own.withCommandOptions({ timeout: undefined }).get('none'), null)
    await sleep
  })

  it('passes listeners to its client, and hears its events', async t => {
    const client = createClient(server.url)
    t.after(() => client.destroy())
    const view = client.withTypeMapping(buffers)
    const calls = []
    assert.strictEqual(view.on('ready', () => calls.push('view')), view)
    client.on('ready', () => calls.push('client'))
    view.once('custom', value => calls.push(value))
    assert.strictEqual(client.listenerCount('ready'), 2)
    assert.strictEqual(view.listenerCount('ready'), 2)
    const ready = heard(view, 'ready')
    assert.strictEqual(await view.connect(), view)
    await ready
    view.emit('custom', 'value')
    assert.deepStrictEqual(calls, ['view', 'client', 'value'])
    view.removeAllListeners()
    assert.strictEqual(client.listenerCount('ready'), 0)
  })

  it('opens, closes and shows its client\'s state', async t => {
    const client = createClient(server.url)
    t.after(() => client.destroy())
    const view = client.withCommandOptions({ timeout: 1000 })
    assert.deepStrictEqual([view.isOpen, view.isReady], [false, false])
    await view.connect()
    assert.deepStrictEqual([view.isOpen, view.isReady, client.isOpen, client.isReady],
      [true, true, true, true])
    await view.close()
    assert.deepStrictEqual([view.isOpen, client.isOpen, client.isReady], [false, false, false])
    await assert.rejects(client.get('k'), { code: 'CLOSED' })
    await assert.rejects(view.get('k'), { code: 'CLOSED' })
    await client.connect()
    assert.strictEqual(await view.echo('x'), 'x')
    assert.deepStrictEqual(view.stats().pool, client.stats().pool)
    view.destroy()
    await assert.rejects(client.get('k'), { code: 'CLOSED' })
  })

  it('keeps its client\'s key prefix', async t => {
    const client = createClient({ url: server.url, keyPrefix: 'p:' })
    t.after(() => client.destroy())
    await client.withTypeMapping(buffers).set('k', 'prefixed')
    assert.strictEqual(await client.sendCommand(['GET', 'p:k']), 'prefixed')
  })

  it('takes sendCommand\'s own options over its own', async t => {
    const client = createClient(server.url)
    t.after(() => client.destroy())
    const view = client.withTypeMapping(buffers)
    assert.deepStrictEqual(await view.sendCommand(['ECHO', 'x']), Buffer.from('x'))
    assert.strictEqual(await view.sendCommand(['ECHO', 'x'], { typeMapping: {} }), 'x')
    assert.deepStrictEqual(await view.sendCommand(['ECHO', 'x'], { timeout: 1000 }),
      Buffer.from('x'))
    await assert.rejects(view.sendCommand(['ECHO', 'x'], { abortSignal: AbortSignal.abort() }),
      { code: 'ABORT_ERR' })
  })
})
