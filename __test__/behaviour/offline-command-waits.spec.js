'use strict'

// With disableOfflineQueue a command fails at once while there is no connection; connect() and
// whatever comes after it work as ever.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { createClient, ClientOfflineError } = require('../..')
const { startServer } = require('../support/redis-server')
const { eventually, heard } = require('./eventually')

describe('disableOfflineQueue', () => {
  it('refuses commands before connect(), and serves them after it', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const client = createClient({ url: server.url, disableOfflineQueue: true })
    t.after(() => client.destroy())
    await assert.rejects(client.get('k'), error => {
      assert.ok(error instanceof ClientOfflineError)
      assert.deepStrictEqual([error.code, error.applied, error.retryable], ['OFFLINE', 'no', true])
      return true
    })
    assert.strictEqual(await client.connect(), client)
    assert.strictEqual(await client.get('k'), null)
  })

  it('connects although nothing but refused commands asked for it', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const client = createClient({ url: server.url, disableOfflineQueue: true })
    t.after(() => client.destroy())
    const ready = heard(client, 'ready')
    await assert.rejects(client.set('k', 'v'), { code: 'OFFLINE' })
    await ready
    assert.strictEqual(await client.get('k'), null)
  })

  it('refuses commands while the server is down, with the cause, and recovers', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const client = createClient({
      socket: { host: server.host, port: server.port, reconnectStrategy: 20 },
      disableOfflineQueue: true
    })
    t.after(() => client.destroy())
    await client.connect()
    const lost = heard(client, 'reconnecting')
    await server.kill()
    await lost
    await eventually(() => client.get('k').then(() => assert.fail('was served'),
      error => error.code === 'OFFLINE' && error.cause?.kind === 'CONNECT'), 'the cause')
    const ready = heard(client, 'ready')
    await server.start()
    await ready
    assert.strictEqual(await client.set('k', 'v'), 'OK')
  })
})
