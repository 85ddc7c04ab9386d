'use strict'

// A server that would not tell of changes is refused at once, with the code TRACKING. Nothing that
// the application does makes a connection stop telling.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, createClientPool, createCluster, createSentinel } = require('../..')
const { heard } = require('../behaviour/eventually')
const { startFakeServer } = require('../support/fake-server')
const { quiet, startScene } = require('./scene')

/** A server that answers HELLO and CLIENT TRACKING as told. */
async function startServerWith ({ hello = true, version = '7.4.0', tracking = '+OK' }) {
  const server = await startFakeServer({ handshake: false })
  server.on('command', (args, reply, { server: { accepted } }) => {
    const [name, sub] = args.map(arg => arg.toUpperCase())
    if (name === 'HELLO') {
      if (!hello) return reply.error('ERR unknown command \'HELLO\'')
      reply.connection.protocol = 3
      return reply.map([['server', 'redis'], ['version', version], ['proto', 3], ['id', accepted],
        ['mode', 'standalone'], ['role', 'master'], ['modules', []]])
    }
    if (name === 'CLIENT' && sub === 'TRACKING') return reply.send(`${tracking}\r\n`)
    if (name === 'PING') return reply.send('+PONG\r\n')
    return reply.ok()
  })
  return server
}

describe('a server', () => {
  const servers = {
    'without RESP3': { hello: false },
    'older than Redis 7': { version: '6.2.14' },
    'that refuses CLIENT TRACKING': { tracking: '-NOPERM this user has no permissions' }
  }
  for (const [name, options] of Object.entries(servers)) {
    it(`${name} is refused by connect() and by commands, with the code TRACKING`, async t => {
      const server = await startServerWith(options)
      const client = createClient({ url: server.url, clientSideCache: {} })
      t.after(async () => {
        client.destroy()
        await server.stop()
      })
      const errors = []
      client.on('error', error => errors.push(error.code))
      await assert.rejects(client.connect(), { code: 'TRACKING', name: 'ConnectionError' })
      const error = await client.get('k').catch(error => error)
      assert.deepStrictEqual([error.code, error.applied], ['TRACKING', 'no'])
      await assert.rejects(client.set('k', 'v'), { code: 'TRACKING' })
      assert.ok(errors.includes('TRACKING'), String(errors))
      assert.ok(!server.commands.some(([command]) => command === 'GET' || command === 'SET'))
      if (options.tracking) assert.match(error.cause.message, /NOPERM/)
    })
  }

  it('that tells of changes is asked to before the first batch of each connection', async t => {
    const server = await startServerWith({})
    const client = quiet(createClient({ url: server.url, clientSideCache: {} }))
    t.after(async () => {
      client.destroy()
      await server.stop()
    })
    for (let n = 0; n < 3; n++) {
      await client.set('k', 'v')
      const names = server.commands.map(args => args.join(' '))
      assert.ok(names.indexOf('CLIENT TRACKING ON') < names.indexOf('SET k v'), String(names))
      server.commands.length = 0
      const lost = heard(client, 'reconnecting')
      for (const connection of server.connections) connection.close()
      await lost
    }
  })

  it('is not asked to track by a client without a cache, nor for a session', async t => {
    const server = await startServerWith({})
    const plain = createClient(server.url)
    const client = quiet(createClient({ url: server.url, clientSideCache: {} }))
    t.after(async () => {
      plain.destroy()
      client.destroy()
      await server.stop()
    })
    const tracked = () => server.commands.filter(args => args.join(' ') === 'CLIENT TRACKING ON')
    await plain.set('k', 'v')
    assert.strictEqual(tracked().length, 0)
    await client.set('k', 'v')
    await client.session(session => session.set('k', 'v'))
    assert.strictEqual(tracked().length, 1)
  })
})

describe('RESP: 2', () => {
  it('is a TypeError with a cache', () => {
    const options = { RESP: 2, clientSideCache: {} }
    const sentinel = { name: 'm', sentinelRootNodes: [{ host: '127.0.0.1' }] }
    assert.throws(() => createClient(options), TypeError)
    assert.throws(() => createClientPool(options), /clientSideCache/)
    assert.throws(() => createCluster({ defaults: options }), /clientSideCache/)
    assert.throws(() => createSentinel({ ...sentinel, nodeClientOptions: options }), TypeError)
  })

  it('cannot be had from a client with a cache later', async t => {
    const scene = await startScene()
    t.after(() => scene.stop())
    const { client, other } = scene
    await assert.rejects(client.hello(2), /clientSideCache needs RESP3/)
    await assert.rejects(client.sendCommand(['hello', '2']), TypeError)
    await client.hello(3)
    await client.get('k')
    await scene.told('k', () => other.set('k', '1'))
  })
})

describe('what would end the tracking', () => {
  let scene
  before(async () => { scene = await startScene() })
  after(() => scene.stop())

  it('is refused', async () => {
    const { client, other } = scene
    await assert.rejects(client.clientTracking(false), /clientSideCache/)
    await assert.rejects(client.sendCommand(['CLIENT', 'TRACKING', 'OFF']), TypeError)
    await assert.rejects(client.sendCommand(['client', 'caching', 'yes']), TypeError)
    await client.clientId()
    await client.get('k')
    await scene.told('k', () => other.set('k', '1'))
  })

  it('is nobody else\'s business', async () => {
    await scene.client.session(async session => {
      await session.clientTracking(true)
      await session.clientTracking(false)
    })
  })
})
