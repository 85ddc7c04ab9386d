'use strict'

// Programs compare the classes, the codes and the messages of errors. They are those of node-redis
// where it has them: the system's code where an error stems from the system, and what has failed
// stands in `kind`.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const nodeRedis = require('redis')

const oxidis = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { freePort } = require('../support/ports')
const { startServer } = require('../support/redis-server')
const { heard } = require('./eventually')
const { failure } = require('./session-scene')

const LIBRARIES = [nodeRedis, oxidis]

/** What programs compare of an error. */
const compared = ({ constructor: { name }, message, code }) => ({ name, message, code })

describe('errors', () => {
  it('have classes of the same names, which extend what they stand for', () => {
    for (const name of Object.keys(nodeRedis).filter(name => name.endsWith('Error'))) {
      if (oxidis[name] === undefined) continue
      assert.ok(oxidis[name].prototype instanceof Error, name)
    }
    const { ClientClosedError, ConnectionError, DisconnectsClientError, ErrorReply } = oxidis
    assert.ok(DisconnectsClientError.prototype instanceof ClientClosedError)
    assert.ok(oxidis.SocketClosedUnexpectedlyError.prototype instanceof ConnectionError)
    assert.ok(oxidis.SocketTimeoutError.prototype instanceof ConnectionError)
    assert.strictEqual(oxidis.SimpleError, ErrorReply)
  })

  it('have messages that begin with the same text', () => {
    for (const [name, ...args] of [
      ['AbortError'], ['WatchError'], ['ConnectionTimeoutError'], ['ClientClosedError'],
      ['ClientOfflineError'], ['DisconnectsClientError'], ['SocketClosedUnexpectedlyError'],
      ['RootNodesUnavailableError'], ['ScanIteratorInterruptedError'],
      ['MaxCommandRedirectionsError'], ['MultiErrorReply', [], [1, 2]]
    ]) {
      assert.strictEqual(new oxidis[name](...args).message, new nodeRedis[name](...args).message)
    }
    assert.strictEqual(new oxidis.QueueFullError('why').message, 'The queue is full: why')
  })

  it('are the same after close(), under destroy() and without a connection', async t => {
    const fake = await startFakeServer()
    t.after(() => fake.stop())
    const seen = []
    for (const { createClient } of LIBRARIES) {
      const client = createClient({ url: fake.url }).on('error', () => {})
      await client.connect()
      const asked = fake.next('GET')
      const pending = failure(client.get('k'))
      await asked
      client.destroy()
      seen.push([await pending, await failure(client.get('k'))].map(error => {
        const { name, message } = compared(error)
        return { name, message }
      }))
    }
    assert.deepStrictEqual(seen[1], seen[0])
    assert.strictEqual(seen[0][0].message, 'Disconnects client')
  })

  it('are the same when the server closes or resets the connection', async t => {
    const fake = await startFakeServer()
    t.after(() => fake.stop())
    for (const end of ['close', 'reset']) {
      const seen = []
      for (const { createClient } of LIBRARIES) {
        const client = createClient({ url: fake.url })
        t.after(() => client.destroy())
        const told = heard(client, 'error')
        await client.connect()
        const asked = fake.next('INCR')
        const pending = failure(client.incr('k'))
        await asked
        for (const connection of fake.connections) connection[end]()
        const error = await pending
        seen.push([error, await told].map(({ message, code }) =>
          end === 'close' ? { message } : { message, code }))
        if (createClient !== oxidis.createClient) client.destroy()
        else assert.deepStrictEqual([error.kind, error.applied], ['CONNECTION_LOST', 'unknown'])
      }
      assert.deepStrictEqual(seen[1], seen[0], end)
    }
  })

  it('have the code of the system where the server cannot be reached', async t => {
    const port = await freePort()
    for (const socket of [{ host: '127.0.0.1', port }, { path: '/nonexistent/redis.sock' }]) {
      const seen = []
      for (const { createClient } of LIBRARIES) {
        const client = createClient({ socket: { ...socket, reconnectStrategy: false } })
        const told = heard(client, 'error')
        const error = await failure(client.connect())
        seen.push([error, await told].map(({ code, message }) => ({ code, message })))
        if (createClient === oxidis.createClient) assert.strictEqual(error.kind, 'CONNECT')
      }
      assert.deepStrictEqual(seen[1], seen[0])
    }
    const client = oxidis.createClient({ socket: { host: 'no..such..host' } })
    t.after(() => client.destroy())
    const { code, kind, message } = await failure(client.connect())
    assert.match(code, /^(ENOTFOUND|EAI_AGAIN)$/)
    assert.deepStrictEqual([kind, message], ['CONNECT', `getaddrinfo ${code} no..such..host`])
  })

  it('have the kind as code where the system has none', async t => {
    const server = await startServer({ args: ['--requirepass', 'right'] })
    t.after(() => server.stop())
    const client = oxidis.createClient({ url: server.url, password: 'wrong' })
    t.after(() => client.destroy())
    const error = await failure(client.connect())
    assert.deepStrictEqual([error.code, error.kind], ['AUTH', 'AUTH'])
    const reply = new oxidis.ErrorReply('WRONGTYPE Operation')
    assert.deepStrictEqual([reply.code, reply.kind], ['WRONGTYPE', 'WRONGTYPE'])
  })
})
