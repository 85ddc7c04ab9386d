'use strict'

// Libraries read the options of a client that they are given, and what it listens to.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const nodeRedis = require('redis')

const oxidis = require('../..')
const { startServer } = require('../support/redis-server')

const URL = 'redis://joe:secret@127.0.0.1:7000/3'

describe('client.options', () => {
  it('has what was given, and what its URL says, as in node-redis', () => {
    const byFields = { socket: { host: 'h', port: 1 }, database: 2 }
    for (const given of [{ url: URL, name: 'me' }, byFields]) {
      const theirs = nodeRedis.createClient(structuredClone(given)).options
      const client = oxidis.createClient(given)
      const { options } = client
      for (const name of ['url', 'username', 'password', 'database', 'name']) {
        assert.strictEqual(options[name], theirs[name], name)
      }
      for (const name of ['host', 'port', 'tls']) {
        assert.strictEqual(options.socket[name], theirs.socket[name], name)
      }
      assert.strictEqual(client.withTypeMapping({}).options, options)
      client.destroy()
    }
    assert.strictEqual(oxidis.createClient(URL).options.socket.port, 7000)
    assert.deepStrictEqual(oxidis.createClient().options, {})
  })

  it('changes nothing when it is changed', () => {
    const given = Object.freeze({ url: URL, socket: Object.freeze({}) })
    const client = oxidis.createClient(given)
    client.options.socket.port = 1
    client.options.database = 9
    assert.deepStrictEqual(given.socket, {})
    assert.strictEqual(client._database, 3)
  })

  it('is there for pools, clusters and Sentinel as well', () => {
    const rootNodes = [{ url: URL.replace('/3', '') }]
    const sentinel = { name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] }
    const clients = [oxidis.createClientPool(URL), oxidis.createCluster({ rootNodes }),
      oxidis.createSentinel(sentinel)]
    const [pool, cluster, watched] = clients.map(({ options }) => options)
    assert.strictEqual(pool.socket.port, 7000)
    assert.strictEqual(cluster.rootNodes, rootNodes)
    assert.strictEqual(watched.name, 'main')
    for (const client of clients) {
      assert.strictEqual(client.commandOptions.timeout, 5000)
      client.destroy()
    }
  })
})

describe('commandOptions', () => {
  it('are those of the client, the session or the view', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const typeMapping = { [oxidis.RESP_TYPES.BLOB_STRING]: Buffer }
    const client = oxidis.createClient({ url: server.url, commandOptions: { timeout: 700 } })
    t.after(() => client.destroy())
    assert.deepStrictEqual(client.commandOptions, { timeout: 700 })
    const { signal } = new AbortController()
    const view = client.withTypeMapping(typeMapping).withAbortSignal(signal)
    assert.deepStrictEqual(view.commandOptions, { timeout: 700, typeMapping, abortSignal: signal })
    await view.session(session => {
      assert.strictEqual(session.commandOptions.typeMapping, typeMapping)
    })
  })
})

describe('what a client tells of itself', () => {
  it('are its listeners, as in node-redis', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const [one, two] = [() => {}, () => {}]
    const seen = []
    for (const { createClient } of [nodeRedis, oxidis]) {
      const client = createClient({ url: server.url }).on('error', () => {})
      t.after(() => client.destroy())
      await client.connect()
      await client.subscribe(['a', 'b'], one)
      await client.subscribe('a', two, true)
      await client.pSubscribe('p*', one)
      seen.push(['CHANNELS', 'PATTERNS', 'SHARDED'].map(type =>
        [...client.getPubSubListeners(type) ?? []].map(([name, { buffers, strings }]) =>
          [name, [...buffers], [...strings]])))
    }
    assert.deepStrictEqual(seen[1], seen[0])
    assert.throws(() => oxidis.createClient().getPubSubListeners('x'), TypeError)
  })

  it('is the answer to the PING of an idle connection', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    for (const { createClient } of [nodeRedis, oxidis]) {
      const client = createClient({ url: server.url, pingInterval: 50 }).on('error', () => {})
      t.after(() => client.destroy())
      const answered = new Promise(resolve => {
        const timer = setTimeout(() => resolve('nothing'), 60_000)
        client.on('ping-interval', reply => { clearTimeout(timer); resolve(reply) })
      })
      await client.connect()
      assert.strictEqual(await answered, 'PONG')
    }
  })

  it('is whether a pool is closing', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const pool = oxidis.createClientPool(server.url, { cleanupDelay: 1000 })
    await pool.connect()
    assert.strictEqual(pool.isClosing, false)
    const pending = pool.execute(client => client.ping())
    const closing = pool.close()
    assert.strictEqual(pool.isClosing, true)
    await Promise.all([pending, closing])
    assert.strictEqual(pool.isClosing, false)
  })
})

describe('error events', () => {
  it('come once for each loss, however many connections a client has', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const client = oxidis.createClient({
      url: server.url, lanes: 4, socket: { reconnectStrategy: 200 }
    })
    t.after(() => client.destroy())
    const kinds = []
    client.on('error', ({ kind }) => kinds.push(kind))
    await client.connect()
    await client.subscribe('a', () => {})
    await Promise.all(Array.from({ length: 8 }, () => client.ping()))
    const failed = new Promise(resolve => client.on('reconnecting', ({ retries }) => {
      if (retries === 4) resolve([...kinds])
    }))
    await server.kill()
    const seen = await failed
    // The end of a process may still accept a connection, which then breaks in the handshake.
    const isAttempt = kind => kind === 'CONNECT' || kind === 'HANDSHAKE'
    assert.strictEqual(seen.filter(kind => !isAttempt(kind)).length, 1, String(seen))
    assert.ok(seen.filter(isAttempt).length <= 5, String(seen))
  })
})
