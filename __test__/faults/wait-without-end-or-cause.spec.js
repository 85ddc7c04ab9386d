'use strict'

// Servers that cannot be reached: callers wait no longer than they agreed to, and learn why.

const assert = require('node:assert')
const { once } = require('node:events')
const http = require('node:http')
const net = require('node:net')
const { describe, it } = require('node:test')

const {
  ConnectionError, ConnectionTimeoutError, ProtocolError, TimeoutError
} = require('../..')
const { freePort } = require('../support/ports')
const { startServer } = require('../support/redis-server')
const { assertAbout, CANARY, PATIENCE, scene, timeOf, until } = require('./scene')

describe('nobody listening', { concurrency: true }, () => {
  it('ends a command at its deadline, with the refusal as cause', async t => {
    const set = scene(t)
    const client = set.client({ host: '127.0.0.1', port: await freePort() })
    const get = client.withCommandOptions({ timeout: 400 }).get('key')
    assertAbout(await timeOf(get), 400)
    const error = await set.failure(get)
    assert.ok(error instanceof TimeoutError)
    assert.strictEqual(error.code, 'TIMEOUT')
    assert.strictEqual(error.applied, 'no')
    assert.strictEqual(error.retryable, true)
    assert.strictEqual(error.command, 'GET')
    assert.ok(error.cause instanceof ConnectionError)
    assert.match(rootOf(error).code, /^ECONNREFUSED$/)
  })

  it('ends connect() after connectTimeout, with the refusal as cause', async t => {
    const set = scene(t)
    const client = set.client(
      { host: '127.0.0.1', port: await freePort() }, { socket: { connectTimeout: 400 } })
    const connect = client.connect()
    assertAbout(await timeOf(connect), 400)
    const error = await set.failure(connect)
    assert.ok(error instanceof ConnectionTimeoutError)
    assert.strictEqual(error.code, 'CONNECT_TIMEOUT')
    assert.match(rootOf(error).code, /^ECONNREFUSED$/)
  })

  it('ends both at once when the strategy is not to reconnect', async t => {
    const set = scene(t)
    const client = set.client(
      { host: '127.0.0.1', port: await freePort() }, { socket: { reconnectStrategy: false } })
    const error = await set.failure(client.get('key'))
    assert.ok(error instanceof ConnectionError)
    assert.match(rootOf(error).code, /^ECONNREFUSED$/)
  })

  it('tries again with backoff, not in a storm', async t => {
    const set = scene(t)
    const client = set.client({ host: '127.0.0.1', port: await freePort() })
    // Many callers are one connection's worth of attempts.
    const gets = Array.from({ length: 200 }, () =>
      client.withCommandOptions({ timeout: 1000 }).get('key'))
    await Promise.allSettled(gets)
    const { connectFailures } = client.stats()
    // Delays of up to 50, 100, 200 ... ms: about 7 attempts in a second, 40 with all the luck.
    assert.ok(connectFailures >= 2 && connectFailures <= 40, `${connectFailures} attempts`)
  })

  it('serves what waited as soon as somebody listens', async t => {
    const set = scene(t)
    const port = await freePort()
    const client = set.client({ host: '127.0.0.1', port })
    const patient = client.withCommandOptions({ timeout: PATIENCE })
    const replies = [patient.incr('n'), patient.incr('n'), patient.incr('n')]
    await until(() => client.stats().connectFailures > 0, 'a refused attempt')
    const server = await startServer({ port, requirepass: CANARY })
    set.defer(() => server.stop())
    assert.deepStrictEqual(await Promise.all(replies), [1, 2, 3])
  })

  it('gives the memory of commands back whose callers have gone', async t => {
    const set = scene(t)
    const client = set.client({ host: '127.0.0.1', port: await freePort() })
    const hurried = client.withCommandOptions({ timeout: 200 })
    await Promise.allSettled(Array.from({ length: 1000 }, () => hurried.set('key', 'value')))
    const [lane] = client.stats().lanes
    assert.deepStrictEqual({ queued: lane.queued, bytes: lane.bytes }, { queued: 0, bytes: 0 })
  })
})

describe('a server that accepts and says nothing', { concurrency: true }, () => {
  it('costs a command its deadline and a connection its budget', async t => {
    const set = scene(t)
    const fake = await set.fake({ handshake: false })
    const client = set.client(fake, { socket: { connectTimeout: 300 } })
    const get = client.withCommandOptions({ timeout: 800 }).get('key')
    assertAbout(await timeOf(get), 800)
    const error = await set.failure(get)
    assert.ok(error instanceof TimeoutError)
    assert.ok(error.cause instanceof ConnectionTimeoutError)
    assert.match(error.cause.message, /handshake/)
    await until(() => fake.accepted > 1, 'another attempt')
    assert.ok(fake.connections.size <= 1, `${fake.connections.size} sockets are still open`)
  })

  it('ends connect() with the step that hung', async t => {
    const set = scene(t)
    const fake = await set.fake({ handshake: false })
    const client = set.client(fake, { socket: { connectTimeout: 300 } })
    const connect = client.connect()
    assertAbout(await timeOf(connect), 300)
    const error = await set.failure(connect)
    assert.ok(error instanceof ConnectionTimeoutError)
    client.destroy()
    await until(() => fake.connections.size === 0, 'the socket to close')
  })
})

describe('a network that swallows the first packet', () => {
  it('ends the attempt at its budget and says that TCP hung', async t => {
    const set = scene(t)
    // A stopped process accepts nothing, and a full backlog makes the kernel drop new SYNs.
    const server = await set.server({ args: ['--tcp-backlog', '1'] })
    server.pause()
    set.defer(() => server.resume())
    if (!await fillBacklog(set, server)) return t.skip('this kernel accepts beyond the backlog')
    const client = set.client(server, { socket: { connectTimeout: 500 } })
    const get = client.withCommandOptions({ timeout: 1200 }).get('key')
    assertAbout(await timeOf(get), 1200)
    const error = await set.failure(get)
    assert.ok(error instanceof TimeoutError)
    assert.ok(error.cause instanceof ConnectionTimeoutError)
    assert.match(error.cause.message, /tcp/)
    assert.strictEqual(error.applied, 'no')
  })
})

describe('another service on the port', { concurrency: true }, () => {
  it('is named by its first bytes when it speaks HTTP', async t => {
    const set = scene(t)
    const server = http.createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    set.defer(() => { server.closeAllConnections(); server.close() })
    const { port } = server.address()
    const client = set.client({ host: '127.0.0.1', port }, { socket: { connectTimeout: 600 } })
    const error = await set.failure(client.connect())
    assert.ok(error.cause instanceof ProtocolError)
    assert.strictEqual(error.cause.code, 'PROTOCOL')
    assert.match(error.cause.message, /HTTP\/1\.1 400/)
    assert.ok(client.stats().connectFailures <= 30, 'no backoff')
  })

  it('is a protocol error when it greets before it is asked', async t => {
    const set = scene(t)
    const server = net.createServer(socket => {
      socket.on('error', () => {})
      socket.write('SSH-2.0-OpenSSH_9.2\r\n')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    set.defer(() => server.close())
    const { port } = server.address()
    const client = set.client({ host: '127.0.0.1', port }, { socket: { connectTimeout: 600 } })
    const error = await set.failure(client.connect())
    assert.ok(error.cause instanceof ProtocolError)
    assert.match(error.cause.message, /SSH-2\.0/)
  })
})

function rootOf (error) {
  while (error.cause) error = error.cause
  return error
}

/** Connects until a connection does not come about; false if they all do. */
async function fillBacklog (set, { host, port }) {
  for (let count = 0; count < 16; count++) {
    const socket = net.connect(port, host)
    socket.on('error', () => {})
    set.defer(() => socket.destroy())
    const late = new Promise(resolve => { setTimeout(resolve, 300) })
    await Promise.race([once(socket, 'connect'), late])
    // A process that was held up itself has yet to hear of the connection.
    await new Promise(setImmediate)
    if (socket.connecting) return true
  }
  return false
}
