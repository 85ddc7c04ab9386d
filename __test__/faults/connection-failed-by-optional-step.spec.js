'use strict'

// Handshakes with servers that are full, strict or old: optional steps may fail, required ones
// may not, and the reason is told.

const assert = require('node:assert')
const { once } = require('node:events')
const net = require('node:net')
const { describe, it } = require('node:test')

const { ConnectionError, ProtocolError } = require('../..')
const { scene, until, CANARY } = require('./scene')

describe('a server without room for another client', () => {
  it('is named as the cause, and used once it has room', async t => {
    const set = scene(t)
    const server = await set.server({ args: ['--maxclients', '3'] })
    const crowd = []
    for (let index = 0; index < 3; index++) {
      const socket = net.connect(server.port, server.host).on('error', () => {})
      set.defer(() => socket.destroy())
      await once(socket, 'connect')
      crowd.push(socket)
    }
    const client = set.client(server)
    const error = await set.failure(client.connect({ timeout: 500 }))
    assert.ok(error.cause instanceof ConnectionError)
    assert.ok(!(error.cause instanceof ProtocolError))
    assert.strictEqual(error.cause.code, 'MAX_CLIENTS')
    assert.strictEqual(error.cause.retryable, true)
    assert.ok(client.stats().connectFailures <= 30, 'no backoff')
    const waiting = client.set('k', 'v')
    for (const socket of crowd) socket.destroy()
    assert.strictEqual(await waiting, 'OK')
  })
})

describe('a user who may do little', { concurrency: true }, () => {
  it('connects although names and library cannot be set', async t => {
    const set = scene(t)
    const server = await set.server()
    const admin = set.client(server)
    const rules = ['on', `>${CANARY}`, '~*', '+get', '+set']
    await admin.sendCommand(['ACL', 'SETUSER', 'joe', ...rules])
    for (const RESP of [3, 2]) {
      const names = { username: 'joe', name: 'joe-1', clientInfoTag: 'tag' }
      const client = set.client(server, { ...names, RESP })
      assert.strictEqual(await client.set('k', 'v'), 'OK')
      assert.strictEqual(await client.get('k'), 'v')
      assert.strictEqual(client.stats().connectFailures, 0)
      await client.connect() // its PING is refused, which is an answer
    }
  })

  it('cannot connect when the database cannot be selected', async t => {
    const set = scene(t)
    const server = await set.server()
    const admin = set.client(server)
    await admin.sendCommand(['ACL', 'SETUSER', 'joe', 'on', `>${CANARY}`, '~*', '+get', '+set'])
    const client = set.client(server, { username: 'joe', database: 1 })
    const error = await set.failure(client.connect())
    assert.ok(error instanceof ConnectionError)
    assert.strictEqual(error.code, 'SELECT')
    assert.strictEqual(error.cause.code, 'NOPERM')
  })

  it('cannot connect to a database that does not exist', async t => {
    const set = scene(t)
    const server = await set.server()
    const client = set.client(server, { database: 99 })
    const error = await set.failure(client.get('k'))
    assert.ok(error instanceof ConnectionError)
    assert.strictEqual(error.code, 'SELECT')
    assert.strictEqual(error.retryable, false)
  })
})

describe('a server without HELLO', { concurrency: true }, () => {
  it('is spoken to in RESP2, with password, name and database', async t => {
    const set = scene(t)
    const server = await set.server({ args: ['--rename-command', 'HELLO', ''] })
    const client = set.client(server, { name: 'me', database: 2 })
    await client.hSet('hash', { a: '1', b: '2' })
    assert.deepStrictEqual({ ...await client.hGetAll('hash') }, { a: '1', b: '2' })
    await client.zAdd('zset', { score: 1.5, value: 'a' })
    assert.strictEqual(await client.zScore('zset', 'a'), 1.5)
    const info = await client.clientInfo()
    assert.deepStrictEqual([info.name, info.db, info.resp], ['me', 2, 2])
    const oracle = set.oracle(client)
    await oracle.healed()
    await oracle.stop()
    await oracle.verify()
  })

  it('still refuses a wrong password', async t => {
    const set = scene(t)
    const server = await set.server({ args: ['--rename-command', 'HELLO', ''] })
    const client = set.client(server, { password: `${CANARY}-wrong` })
    const error = await set.failure(client.connect())
    assert.strictEqual(error.code, 'AUTH')
    assert.strictEqual(error.cause.code, 'WRONGPASS')
  })

  it('is served again after its connection was lost', async t => {
    const set = scene(t)
    const fake = await set.fake({ hello: false })
    fake.on('command', (args, reply) => reply.bulk(args[1]))
    const client = set.client(fake)
    for (let round = 0; round < 3; round++) {
      assert.strictEqual(await client.echo(`round ${round}`), `round ${round}`)
      const [connection] = fake.connections
      connection.reset()
      await until(() => !fake.connections.has(connection), 'the loss')
    }
  })
})

describe('a client that was asked for RESP2', () => {
  it('never says HELLO', async t => {
    const set = scene(t)
    const fake = await set.fake()
    fake.on('command', (args, reply) => reply.bulk(args[1]))
    const client = set.client(fake, { RESP: 2 })
    assert.strictEqual(await client.echo('a'), 'a')
    const said = fake.commands.map(([name]) => name)
    assert.ok(!said.includes('HELLO') && said.includes('AUTH'), `${said}`)
  })
})

describe('a server that is still loading when it is connected to', () => {
  it('serves the first command when it is ready', async t => {
    const set = scene(t)
    const fake = await set.fake({ handshake: false })
    const ready = performance.now() + 700
    fake.on('command', ([name], reply) => {
      if (name === 'HELLO') return reply.map([['server', 'redis'], ['proto', 3]])
      if (name === 'CLIENT') return reply.ok()
      if (performance.now() < ready) return reply.error('LOADING Redis is loading the dataset')
      reply.integer(1)
    })
    const client = set.client(fake)
    assert.strictEqual(await client.incr('n'), 1)
    assert.strictEqual(fake.accepted, 1)
  })
})
