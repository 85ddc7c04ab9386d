'use strict'

// `connect()` goes on as long as the reconnect strategy says, as node-redis's does: a service that
// starts before its server must not exit. What cannot pass by itself rejects it at once.

const assert = require('node:assert')
const { once } = require('node:events')
const net = require('node:net')
const { describe, it } = require('node:test')

const nodeRedis = require('redis')

const oxidis = require('../..')
const { freePort } = require('../support/ports')
const { startServer } = require('../support/redis-server')
const { eventually, heard } = require('./eventually')
const { failure } = require('./session-scene')

describe('connect()', () => {
  it('waits for a server that starts later', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    await server.kill()
    for (const { createClient } of [nodeRedis, oxidis]) {
      const client = createClient({ url: server.url, socket: { connectTimeout: 200 } })
      t.after(() => client.destroy())
      let failures = 0
      client.on('error', () => failures++)
      const connected = client.connect()
      await eventually(() => failures > 4, 'five failures')
      await server.start()
      await connected
      assert.strictEqual(client.isReady, true)
      await server.kill()
    }
  })

  it('rejects with the first failure where nobody listens to error', async t => {
    const port = await freePort()
    for (const { createClient } of [nodeRedis, oxidis]) {
      const client = createClient({ socket: { host: '127.0.0.1', port } })
      t.after(() => client.destroy())
      const { code, message } = await failure(client.connect())
      assert.deepStrictEqual([code, message],
        ['ECONNREFUSED', `connect ECONNREFUSED 127.0.0.1:${port}`])
    }
  })

  it('rejects with what a listener of error throws, and the process goes on', async t => {
    const port = await freePort()
    for (const { createClient } of [nodeRedis, oxidis]) {
      const client = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: 1 } })
      t.after(() => client.destroy())
      let failures = 0
      client.on('error', () => {
        if (++failures === 3) throw new Error('from a listener')
      })
      assert.strictEqual((await failure(client.connect())).message, 'from a listener')
      assert.strictEqual(failures, 3)
    }
  })

  it('can be called again after that', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    await server.kill()
    const client = oxidis.createClient(server.url)
    t.after(() => client.destroy())
    client.once('error', () => { throw new Error('from a listener') })
    assert.strictEqual((await failure(client.connect())).message, 'from a listener')
    assert.strictEqual(client.isOpen, false)
    await server.start()
    await client.connect()
    assert.strictEqual(await client.ping(), 'PONG')
  })

  it('rejects with the reason when the strategy gives up', async t => {
    const port = await freePort()
    for (const { createClient } of [nodeRedis, oxidis]) {
      for (const reconnectStrategy of [false, retries => retries < 2 ? 1 : false]) {
        const client = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy } })
        t.after(() => client.destroy())
        client.on('error', () => {})
        assert.strictEqual((await failure(client.connect())).code, 'ECONNREFUSED')
        assert.strictEqual(client.isOpen, false)
        assert.strictEqual((await failure(client.ping())).message, 'The client is closed')
      }
    }
  })

  it('rejects at once for a wrong password, also with a listener', async t => {
    const server = await startServer({ args: ['--requirepass', 'right'] })
    t.after(() => server.stop())
    const client = oxidis.createClient({ url: server.url, password: 'wrong' })
    t.after(() => client.destroy())
    client.on('error', () => {})
    assert.strictEqual((await failure(client.connect())).code, 'AUTH')
  })

  it('is ended by close() and by destroy()', async () => {
    const port = await freePort()
    for (const [end, message] of [['close', 'The client is closed'],
      ['destroy', 'Disconnects client']]) {
      const client = oxidis.createClient({ socket: { host: '127.0.0.1', port } })
      client.on('error', () => {})
      const connecting = failure(client.connect())
      await heard(client, 'reconnecting')
      await client[end]()
      assert.strictEqual((await connecting).message, message)
    }
  })
})

describe('connect({ timeout })', () => {
  it('rejects in time, with the step and the cause, and attempts go on', async t => {
    const silent = net.createServer(socket => socket.on('error', () => {})).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    t.after(() => silent.close())
    const server = await startServer()
    t.after(() => server.stop())
    await server.kill()
    for (const [port, step, cause] of [
      [silent.address().port, /stuck at handshake/, undefined],
      [server.port, /waiting for the next attempt|stuck at tcp/, 'ECONNREFUSED']
    ]) {
      const client = oxidis.createClient({ socket: { host: '127.0.0.1', port } })
      t.after(() => client.destroy())
      client.on('error', () => {})
      const [first, second] = await Promise.all(
        [failure(client.connect({ timeout: 300 })), failure(client.connect({ timeout: 350 }))])
      for (const error of [first, second]) {
        assert.ok(error instanceof oxidis.ConnectionTimeoutError)
        assert.match(error.message, /^Connection timeout: could not connect to .* within \d+ ms/)
        assert.match(error.message, step)
        assert.deepStrictEqual([error.code, error.cause?.code], ['CONNECT_TIMEOUT', cause])
      }
      if (cause === undefined) continue
      const ready = heard(client, 'ready')
      await server.start()
      await ready
    }
    for (const timeout of [0, -1, NaN, '5', Infinity]) {
      await assert.rejects(oxidis.createClient().connect({ timeout }), /option "timeout"/)
    }
  })
})

describe('disableOfflineQueue', () => {
  it('refuses commands while the first connection is being made', async t => {
    const port = await freePort()
    for (const { createClient } of [nodeRedis, oxidis]) {
      const socket = { host: '127.0.0.1', port }
      const client = createClient({ disableOfflineQueue: true, socket })
      t.after(() => client.destroy())
      client.on('error', () => {})
      client.connect().catch(() => {})
      const error = await failure(client.ping())
      assert.deepStrictEqual([error.constructor.name, error.message],
        ['ClientOfflineError', 'The client is offline'])
    }
  })
})
