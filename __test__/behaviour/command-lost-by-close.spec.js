'use strict'

// close() lets commands finish, destroy() ends them at once; both may come at any time and twice,
// and what comes after them is refused.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, ClientClosedError } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { startServer } = require('../support/redis-server')
const { eventually, heard } = require('./eventually')

const closed = { name: 'ClientClosedError', code: 'CLOSED' }
const disconnected = { ...closed, name: 'DisconnectsClientError' }

describe('close()', () => {
  let server
  before(async () => { server = await startServer() })
  after(() => server.stop())

  it('lets all pending commands finish', async () => {
    const client = createClient(server.url)
    const pending = Array.from({ length: 10_000 }, (_, n) => client.rPush('drained', String(n)))
    pending.push(client.set('large', Buffer.alloc(5_000_000)))
    await client.close()
    await Promise.all(pending)
    const other = createClient(server.url)
    assert.strictEqual(await other.lLen('drained'), 10_000)
    assert.strictEqual(await other.strLen('large'), 5_000_000)
    await other.close()
  })

  it('lets commands finish that wait for their first connection', async () => {
    const client = createClient(server.url)
    const pending = client.echo('x')
    const [, reply] = await Promise.all([client.close(), pending])
    assert.strictEqual(reply, 'x')
  })

  it('refuses what comes after it, while it drains and later', async () => {
    const client = createClient(server.url)
    const sleep = client.sendCommand(['DEBUG', 'SLEEP', '0.1'])
    const closing = client.close()
    const refused = [client.get('k'), client.sendCommand(['PING']),
      client.set('k', 'x'.repeat(1e5))]
    for (const promise of refused) await assert.rejects(promise, { ...closed, applied: 'no' })
    assert.strictEqual(await sleep, 'OK')
    await closing
    await assert.rejects(client.get('k'), error => {
      assert.ok(error instanceof ClientClosedError)
      assert.strictEqual(error.applied, 'no')
      return true
    })
    assert.deepStrictEqual([client.isOpen, client.isReady], [false, false])
    assert.strictEqual(client.stats().pool.total, 0)
  })

  it('may be called twice, also at once, and after destroy()', async () => {
    const client = createClient(server.url)
    let ends = 0
    client.on('end', () => ends++)
    const end = heard(client, 'end')
    await client.get('k')
    const both = [client.close(), client.close()]
    await Promise.all(both)
    await client.close()
    client.destroy()
    client.destroy()
    await client.close()
    await end
    await new Promise(resolve => { setImmediate(resolve) })
    assert.strictEqual(ends, 1)
  })

  it('works on a client that never was used', async () => {
    const client = createClient({ socket: { port: 1 } })
    assert.strictEqual(client.isOpen, false)
    await client.close()
    const other = createClient({ socket: { port: 1 } })
    other.destroy()
    await other.close()
  })

  it('ends the connection on the server', async t => {
    const watcher = createClient(server.url)
    t.after(() => watcher.destroy())
    const client = createClient({ url: server.url, name: 'to-be-closed' })
    await client.connect()
    const listed = async () => (await watcher.clientList()).some(c => c.name === 'to-be-closed')
    assert.ok(await listed())
    await client.close()
    await eventually(async () => !await listed(), 'the end of the connection')
  })

  it('waits no longer than its grace for a server that does not answer', async t => {
    const fake = await startFakeServer()
    t.after(() => fake.stop())
    const client = createClient({ url: fake.url, commandOptions: { timeout: 0 } })
    const pending = client.get('k')
    await fake.next('GET')
    const started = performance.now()
    const rejected = assert.rejects(pending, { ...disconnected, applied: 'unknown' })
    await client.close()
    assert.ok(performance.now() - started > 4900)
    await rejected
  })

  it('ends as soon as the last pending command is aborted', async t => {
    const fake = await startFakeServer()
    t.after(() => fake.stop())
    const client = createClient({ url: fake.url, commandOptions: { timeout: 0 } })
    await client.connect()
    const controller = new AbortController()
    const pending = assert.rejects(client.withAbortSignal(controller.signal).get('k'),
      { code: 'ABORT_ERR' })
    await fake.next('GET')
    const started = performance.now()
    const closing = client.close()
    controller.abort()
    await closing
    assert.ok(performance.now() - started < 4000, 'waited for a command that nobody waits for')
    await pending
  })

  it('is cut short by destroy()', async t => {
    const fake = await startFakeServer()
    t.after(() => fake.stop())
    const client = createClient(fake.url)
    const pending = client.get('k')
    await fake.next('GET')
    const closing = client.close()
    client.destroy()
    await assert.rejects(pending, disconnected)
    await closing
  })

  it('is what quit() and Symbol.asyncDispose do', async () => {
    const client = createClient(server.url)
    const pending = client.echo('x')
    assert.strictEqual(await client.quit(), 'OK')
    assert.strictEqual(await pending, 'x')
    const other = createClient(server.url)
    const second = other.echo('y')
    await other[Symbol.asyncDispose]()
    assert.strictEqual(await second, 'y')
    await assert.rejects(other.get('k'), closed)
  })
})

describe('destroy()', () => {
  it('rejects all pending commands at once, and says which may have been applied', async t => {
    const fake = await startFakeServer()
    t.after(() => fake.stop())
    const client = createClient(fake.url)
    await client.connect()
    const written = client.set('k', 'v')
    await fake.next('SET')
    for (const connection of fake.connections) connection.pause()
    const unwritten = [client.set('filler', 'x'.repeat(50e6)), client.set('k', 'v')]
    const started = performance.now()
    client.destroy()
    await assert.rejects(written, { ...disconnected, applied: 'unknown' })
    await assert.rejects(unwritten[1], { ...disconnected, applied: 'no' })
    await assert.rejects(unwritten[0], disconnected)
    // Promised are 100 ms; a busy machine may need more.
    assert.ok(performance.now() - started < 2000)
    for (const connection of fake.connections) connection.resume()
  })

  it('rejects commands that wait for a connection, as not applied', async () => {
    const client = createClient({ socket: { host: '127.0.0.1', port: 1, reconnectStrategy: 5 } })
    client.on('error', () => {})
    const pending = Array.from({ length: 100 }, () => client.set('k', 'v'))
    const connecting = client.connect()
    connecting.catch(() => {})
    const refused = heard(client, 'reconnecting')
    await refused
    client.destroy()
    for (const promise of pending) await assert.rejects(promise, { ...disconnected, applied: 'no' })
    await assert.rejects(connecting, disconnected)
  })

  it('rejects the commands of the same turn', async () => {
    const client = createClient()
    const pending = client.get('k')
    client.destroy()
    await assert.rejects(pending, disconnected)
  })

  it('is what disconnect() does', async t => {
    const fake = await startFakeServer()
    t.after(() => fake.stop())
    const client = createClient(fake.url)
    const pending = client.get('k')
    await fake.next('GET')
    await Promise.all([client.disconnect(), assert.rejects(pending, disconnected)])
    assert.strictEqual(client.isOpen, false)
  })
})
