'use strict'

// What commands change on the connection of a client with one lane holds: for what comes behind,
// after a reconnect, for sessions and for commands that wait. `reset()` ends it.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const nodeRedis = require('redis')

const { createClient, createClientPool, createCluster } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { startServer } = require('../support/redis-server')
const { heard } = require('./eventually')
const { failure, overEveryWire } = require('./session-scene')

const USER = { username: 'joe', password: 'secret' }

overEveryWire('what commands change', scene => {
  const lose = async client => {
    const ready = heard(client, 'ready')
    await scene.witness.sendCommand(['CLIENT', 'KILL', 'ID', String(await client.clientId())])
    await ready
  }
  const start = async t => {
    const client = scene.client(t)
    scene.witness = scene.client(t)
    await scene.witness.sendCommand(
      ['ACL', 'SETUSER', USER.username, 'on', `>${USER.password}`, '~*', '&*', '+@all'])
    await client.connect()
    return client
  }
  const everywhere = async (client, ask) =>
    [await ask(client), await client.session(ask), await (await lose(client), ask(client)),
      await client.session(ask)]

  it('is the name, by its method and by sendCommand', async t => {
    const client = await start(t)
    await client.session(session => session.ping())
    assert.strictEqual(await client.clientSetName('me'), 'OK')
    assert.deepStrictEqual(await everywhere(client, of => of.clientGetName()),
      ['me', 'me', 'me', 'me'])
    assert.strictEqual(await client.sendCommand(['client', 'setname', 'you']), 'OK')
    assert.deepStrictEqual(await everywhere(client, of => of.clientGetName()),
      ['you', 'you', 'you', 'you'])
  })

  it('is the login, also of one that follows in the same turn', async t => {
    const client = await start(t)
    const [ok, lane, session] = await Promise.all(
      [client.auth(USER), client.aclWhoAmI(), client.session(of => of.aclWhoAmI())])
    assert.deepStrictEqual([ok, lane, session], ['OK', 'joe', 'joe'])
    assert.deepStrictEqual(await everywhere(client, of => of.aclWhoAmI()),
      ['joe', 'joe', 'joe', 'joe'])
    const refused = await failure(client.auth({ ...USER, password: 'wrong' }))
    assert.strictEqual(refused.code, 'WRONGPASS')
    assert.deepStrictEqual(await everywhere(client, of => of.aclWhoAmI()),
      ['joe', 'joe', 'joe', 'joe'])
  })

  it('is the protocol, and replies are the same in both', async t => {
    const client = await start(t)
    await client.hSet('hash', 'field', 'value')
    const protocol = async of => (await of.hello()).proto
    for (const wanted of [2, 3]) {
      const { proto } = await client.hello(wanted, { AUTH: USER, SETNAME: 'both' })
      assert.strictEqual(proto, wanted)
      assert.deepStrictEqual({ ...await client.hGetAll('hash') }, { field: 'value' })
      assert.deepStrictEqual(await everywhere(client, protocol), [wanted, wanted, wanted, wanted])
      assert.deepStrictEqual(await everywhere(client, of => of.aclWhoAmI()),
        ['joe', 'joe', 'joe', 'joe'])
      assert.strictEqual(await client.clientGetName(), 'both')
    }
  })

  it('is what is to be repeated, as it was said last', async t => {
    const client = await start(t)
    const flags = async of =>
      / flags=(\S+) /.exec(String(await of.sendCommand(['CLIENT', 'INFO'])))[1]
    assert.strictEqual(await client.clientNoEvict(true), 'OK')
    for (const shown of await everywhere(client, flags)) assert.match(shown, /e/)
    assert.strictEqual(await client.clientNoEvict(false), 'OK')
    for (const shown of await everywhere(client, flags)) assert.doesNotMatch(shown, /e/)
  })

  it('is what invalidations are asked for', async t => {
    const client = await start(t)
    if (scene.options.RESP === 2) {
      const target = await scene.witness.clientId()
      assert.strictEqual(await client.clientTracking(true, { REDIRECT: target }), 'OK')
    } else {
      assert.strictEqual(await client.clientTracking(true, { BCAST: true, NOLOOP: true }), 'OK')
    }
    const { flags } = await client.clientTrackingInfo()
    assert.ok(flags.includes('on'), String(flags))
    await lose(client)
    assert.deepStrictEqual((await client.clientTrackingInfo()).flags, flags)
    assert.strictEqual(await client.clientTracking(false), 'OK')
    await lose(client)
    assert.deepStrictEqual((await client.clientTrackingInfo()).flags, ['off'])
  })

  it('is forgotten by reset(), for what comes behind it in the same turn as well', async t => {
    const client = await start(t)
    await Promise.all([client.auth(USER), client.clientSetName('me'), client.select(2)])
    const [done, who, name] =
      await Promise.all([client.reset(), client.aclWhoAmI(), client.clientGetName()])
    assert.deepStrictEqual([done, who, name], [undefined, 'default', null])
    assert.strictEqual(await client.sendCommand(['RESET']), 'RESET')
    const { db } = await client.clientInfo()
    assert.strictEqual(db, 0)
    assert.deepStrictEqual(await everywhere(client, of => of.aclWhoAmI()),
      ['default', 'default', 'default', 'default'])
  })

  it('is forgotten by a new connect() after close()', async t => {
    const client = await start(t)
    await client.clientSetName('me')
    await client.close()
    await client.connect()
    assert.strictEqual(await client.clientGetName(), null)
  })
})

describe('QUIT', () => {
  it('closes the client, by its method and by sendCommand, as in node-redis', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    for (const quit of [client => client.quit(), client => client.sendCommand(['QUIT'])]) {
      const client = await createClient(server.url).connect()
      const before = client.incr('n')
      assert.strictEqual(await quit(client), 'OK')
      assert.ok(await before > 0)
      assert.strictEqual(client.isOpen, false)
      assert.strictEqual((await failure(client.ping())).message, 'The client is closed')
    }
    const theirs = await nodeRedis.createClient({ url: server.url }).on('error', () => {}).connect()
    assert.strictEqual(await theirs.quit(), 'OK')
    assert.strictEqual((await failure(theirs.ping())).message, 'The client is closed')
  })
})

describe('SCRIPT DEBUG', () => {
  it('is sent as it is, and repeated', async t => {
    const fake = await startFakeServer()
    t.after(() => fake.stop())
    const client = createClient(fake.url)
    t.after(() => client.destroy())
    const first = fake.next('SCRIPT')
    const pending = client.scriptDebug('SYNC')
    const { reply } = await first
    reply.ok()
    assert.strictEqual(await pending, 'OK')
    const again = fake.next('SCRIPT')
    for (const connection of fake.connections) connection.close()
    assert.deepStrictEqual([...(await again).args], ['SCRIPT', 'DEBUG', 'SYNC'])
  })
})

describe('a connection that others use as well, or one of several', () => {
  it('is not changed: the error names the right call', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const clients = [
      createClient({ url: server.url, lanes: 2 }),
      createClient({ url: server.url, shared: 'not-changed' }),
      createClientPool(server.url),
      createCluster({ rootNodes: [{ url: server.url }] })
    ]
    t.after(() => clients.forEach(client => client.destroy()))
    for (const client of clients) {
      for (const call of [
        () => client.auth(USER), () => client.clientSetName('x'), () => client.clientNoEvict(true),
        () => client.clientNoTouch(true), () => client.clientTracking(true),
        () => client.hello(3), () => client.scriptDebug('NO'), () => client.watch('k'),
        () => client.unwatch(), () => client.sendCommand(['CLIENT', 'SETNAME', 'x'])
      ]) {
        const error = await failure(call())
        assert.ok(error instanceof TypeError, String(call))
        assert.match(error.message, /use (the option|client\.session)/)
      }
    }
  })
})
