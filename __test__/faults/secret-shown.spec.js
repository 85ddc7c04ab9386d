'use strict'

// No password, key or value in what a program might print: errors of every kind, events, the client
// in every state. (Each scene of the other fault tests looks for the password as well.)

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { createClient, createClientPool } = require('../..')
const { freePort } = require('../support/ports')
const { scene, everySight, CANARY } = require('./scene')

describe('a password', { concurrency: true }, () => {
  it('is not shown by a client in any state, however it was given', async t => {
    const set = scene(t)
    const server = await set.server()
    const { host, port } = server
    const socket = { host, port }
    const credentials = () => ({ username: 'default', password: CANARY })
    const givens = [
      server.url,
      { url: server.url },
      { password: CANARY, socket },
      { username: 'default', password: CANARY, socket },
      { credentialsProvider: credentials, socket },
      { credentialsProvider: { credentials }, socket }
    ]
    for (const given of givens) {
      const client = set.cast(createClient(given))
      assertSilent(client, 'new')
      const connect = client.connect()
      assertSilent(client, 'connecting')
      await connect
      assertSilent(client, 'connected')
      assertSilent(client.withCommandOptions({ timeout: 100 }), 'as a view')
      assertSilent(client.stats(), 'stats')
      assertSilent(client.duplicate(), 'duplicated')
      assertSilent(client._bridge, 'bridge')
      await client.close()
      assertSilent(client, 'closed')
      assertSilent(await set.failure(client.get('key')), 'its error')
    }
    const pool = set.cast(createClientPool({ password: CANARY, socket }))
    await pool.ping()
    assertSilent(pool, 'a pool')
  })

  it('is not shown when it is wrong, or its server away', async t => {
    const set = scene(t)
    const server = await set.server({ requirepass: 'another' })
    const away = { host: '127.0.0.1', port: await freePort() }
    for (const [target, options] of [
      [server, {}], [server, { RESP: 2 }], [server, { username: 'joe' }],
      [server, { socket: { tls: true } }],
      [away, {}],
      [away, { socket: { reconnectStrategy: false } }]
    ]) {
      const client = set.client(target, options)
      assertSilent(await set.failure(client.connect({ timeout: 500 })), 'the error of connect()')
      const hurried = client.withCommandOptions({ timeout: 200 })
      assertSilent(await set.failure(hurried.get('key')), 'the error of a command')
      assertSilent(client, 'the client')
    }
  })

  it('is not shown by options that are refused', () => {
    for (const given of [
      `redis://:${CANARY}@host:port:port`,
      `redis://user:${CANARY}@`,
      `redis://:${CANARY}@host:99999`,
      `redis://:${CANARY}@host/database`,
      `http://:${CANARY}@host`,
      `:${CANARY}@host`,
      CANARY,
      { url: `redis//:${CANARY}@host` },
      { password: [CANARY] },
      { password: { text: CANARY } },
      { username: 1, password: CANARY },
      { pasword: CANARY },
      { password: CANARY, socket: { port: CANARY } },
      { database: CANARY },
      { RESP: CANARY },
      { socket: { tls: { key: CANARY, cert: CANARY } } },
      { socket: { tls: { ca: CANARY } } },
      { commandOptions: { timeout: CANARY } }
    ]) {
      let error
      try {
        createClient(given).destroy()
      } catch (refusal) {
        error = refusal
      }
      // Some of them are accepted until they are used.
      if (error) assertSilent(error, 'the refusal')
    }
  })

  it('is not shown when it is changed by a command', async t => {
    const set = scene(t)
    const server = await set.server()
    const client = set.client(server)
    for (const call of [
      () => client.sendCommand(['AUTH', `${CANARY}-wrong`]),
      () => client.sendCommand(['AUTH', 'joe', CANARY]),
      () => client.sendCommand(['HELLO', '3', 'AUTH', 'joe', CANARY]),
      () => client.sendCommand(['ACL', 'SETUSER', 'joe', `>${CANARY}`, 'nonsense']),
      () => client.sendCommand(['CONFIG', 'SET', 'requirepas', CANARY])
    ]) {
      const error = await call().then(() => null, error => error)
      assert.ok(error instanceof Error)
      assertSilent(error, 'the refusal')
    }
  })
})

describe('a key or a value', { concurrency: true }, () => {
  it('is not shown by errors, whatever the reason', async t => {
    const set = scene(t)
    const server = await set.server()
    const client = set.client(server)
    await client.set(CANARY, CANARY)
    const controller = new AbortController()
    const aborted = client.withAbortSignal(controller.signal).set(CANARY, CANARY)
    controller.abort()
    const small = set.client(server, { maxQueuedBytes: 1024 })
    const offline = set.client({ host: '127.0.0.1', port: await freePort() },
      { disableOfflineQueue: true })
    const closed = set.client(server)
    closed.destroy()
    server.pause()
    const late = client.withCommandOptions({ timeout: 100 }).set(CANARY, CANARY)
    const timedOut = await late.then(() => null, error => error)
    server.resume()
    const errors = [timedOut, await aborted.then(() => null, error => error)]
    for (const call of [
      () => client.lPush(CANARY, CANARY),
      () => client.incr(CANARY),
      () => client.sendCommand(['NOSUCHCOMMAND', CANARY, CANARY]),
      () => client.sendCommand(['GET', CANARY, CANARY]),
      () => client.sendCommand(['SET', CANARY, { [CANARY]: CANARY }]),
      () => client.set(CANARY, { value: CANARY }),
      () => client.set({ key: CANARY }, CANARY),
      () => client.hSet(CANARY, { [CANARY]: Symbol(CANARY) }),
      () => client.expire(CANARY, CANARY),
      () => small.set(CANARY, CANARY.repeat(100)),
      () => offline.set(CANARY, CANARY),
      () => closed.set(CANARY, CANARY)
    ]) errors.push(await call().then(() => null, error => error))
    for (const error of errors) {
      assert.ok(error instanceof Error, `no error after ${errors.indexOf(error)} others`)
      assertSilent(error, `error ${errors.indexOf(error)}`)
    }
  })

  it('is not shown by a client that waits for its reply', async t => {
    const set = scene(t)
    const server = await set.server()
    const client = set.client(server)
    await client.connect()
    server.pause()
    const pending = client.set(CANARY, CANARY)
    await new Promise(setImmediate)
    assertSilent(client, 'the client')
    server.resume()
    assert.strictEqual(await pending, 'OK')
  })
})

function assertSilent (value, what) {
  for (const text of everySight(value)) {
    assert.ok(!text.includes(CANARY), `${what} shows it:\n${text}`)
  }
}
