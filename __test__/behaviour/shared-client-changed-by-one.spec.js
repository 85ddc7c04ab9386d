'use strict'

// What one thread may not decide for all that share a client is refused with a TypeError that says
// why, and nothing is sent.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, createClientPool } = require('../..')
const { startServer } = require('../support/redis-server')

describe('a shared client', () => {
  let server
  before(async () => { server = await startServer() })
  after(() => server.stop())

  let last = 0
  const sharing = more => ({ url: server.url, shared: `changed-${++last}`, ...more })
  const own = (t, options) => {
    const client = createClient(options)
    t.after(() => client.destroy())
    return client
  }

  it('has a name that is not empty', () => {
    for (const shared of ['', 1, true, {}]) {
      assert.throws(() => createClient({ shared }), new TypeError(
        'option "shared" must be a string that is not empty'))
    }
  })

  it('has one set of options for its connections, and names the one that differs', t => {
    const options = sharing({ password: 'canary-1' })
    own(t, options)
    const others = {
      url: 'redis://127.0.0.1:1',
      username: 'canary-2',
      password: 'canary-2',
      name: 'canary-2',
      database: 1,
      RESP: 2,
      lanes: 2,
      readonly: true,
      disableOfflineQueue: true,
      disableClientInfo: true,
      pingInterval: 1,
      pool: { max: 2 },
      socket: { noDelay: false }
    }
    for (const [option, value] of Object.entries(others)) {
      assert.throws(() => createClient({ ...options, [option]: value }), error => {
        assert.ok(error instanceof TypeError)
        assert.match(error.message, /^shared is the name of a client with another /)
        assert.ok(error.message.includes(option), error.message)
        assert.doesNotMatch(error.stack, /canary/)
        return true
      })
    }
    assert.throws(() => createClient({ ...options, socket: { reconnectStrategy: 10 } }),
      /another socket\.reconnectStrategy/)
  })

  it('has options for commands in each thread', async t => {
    const options = sharing()
    const one = own(t, { ...options, keyPrefix: 'one:', commandsQueueMaxLength: 10 })
    const two = own(t, { ...options, commandOptions: { timeout: 1000 } })
    await one.set('key', 'value')
    assert.strictEqual(await two.get('one:key'), 'value')
    assert.strictEqual(two.stats().lanes.length, 1)
    assert.strictEqual(two.stats().connects, 1)
  })

  it('asks no function of one thread', () => {
    const options = sharing()
    const credentials = () => ({ password: 'x' })
    for (const provider of [credentials, { credentials }]) {
      assert.throws(() => createClient({ ...options, credentialsProvider: provider }), {
        name: 'TypeError', message: /^credentialsProvider cannot be a function with shared: it live/
      })
    }
    assert.throws(() => createClient({ ...options, socket: { reconnectStrategy: () => 10 } }), {
      name: 'TypeError', message: /^socket.reconnectStrategy cannot be a function with shared: it l/
    })
    for (const reconnectStrategy of [false, 10]) {
      createClient({ ...sharing(), socket: { reconnectStrategy } }).destroy()
    }
  })

  it('keeps its database', async t => {
    const client = own(t, sharing())
    const refusal = { name: 'TypeError', message: /^select: .* shared with other threads: / }
    await assert.rejects(client.select(1), refusal)
    await assert.rejects(client.sendCommand(['SELECT', '1']), refusal)
    assert.strictEqual((await client.clientInfo()).db, 0)
    const [ok, before] = await client.multi().select(1).sendCommand(['CLIENT', 'INFO']).exec()
    assert.strictEqual(ok, 'OK')
    assert.match(String(before), / db=1 /)
    assert.strictEqual((await client.clientInfo()).db, 0)
    const inSession = await client.session(async session => {
      await session.select(2)
      return (await session.clientInfo()).db
    })
    assert.strictEqual(inSession, 2)
    assert.strictEqual(await client.session(async session => (await session.clientInfo()).db), 0)
  })

  it('is not what its duplicates and pools are', async t => {
    const options = sharing()
    const client = own(t, options)
    await client.echo('x')
    const duplicate = client.duplicate()
    t.after(() => duplicate.destroy())
    await duplicate.select(1)
    assert.strictEqual(client.stats().connects, 1)
    assert.strictEqual(duplicate.stats().connects, 1)
    const pool = client.createPool({ maximum: 3 })
    t.after(() => pool.destroy())
    assert.strictEqual(await pool.echo('x'), 'x')
    const again = client.duplicate({ shared: options.shared })
    t.after(() => again.destroy())
    await again.echo('x')
    assert.strictEqual(again.stats().connects, 1)
    assert.strictEqual(again.stats().commands, client.stats().commands)
  })

  it('may be one of createClientPool', async t => {
    const { url, shared } = sharing()
    const pools = [1, 2].map(() => createClientPool({ url, shared }, { maximum: 4 }))
    for (const pool of pools) t.after(() => pool.destroy())
    for (const pool of pools) {
      assert.strictEqual(await pool.execute(session => session.echo('x')), 'x')
    }
    assert.ok(pools[1].stats().lanes.length === 2)
    assert.throws(() => createClient({ url, shared }), /another /)
  })

  it('is free to have other options when nobody uses it any more', async t => {
    const options = sharing()
    const first = own(t, options)
    await first.echo('x')
    await first.close()
    const second = own(t, { ...options, database: 3 })
    assert.strictEqual((await second.clientInfo()).db, 3)
    await assert.rejects(first.connect(), { name: 'TypeError', message: /another database/ })
    await second.close()
    await first.connect()
    assert.strictEqual(await first.echo('again'), 'again')
  })

  it('bounds what each thread may queue, by itself', async t => {
    const options = sharing({ maxQueuedBytes: 100_000 })
    const [one, two, watcher] = [own(t, options), own(t, options), own(t, server.url)]
    await Promise.all([one.connect(), two.connect()])
    await one.clientPause(60_000, 'WRITE')
    const waiting = [one.set('a', 'x'.repeat(60_000))]
    await new Promise(resolve => setImmediate(resolve))
    await assert.rejects(one.set('b', 'x'.repeat(60_000)), { name: 'QueueFullError' })
    waiting.push(two.set('c', 'x'.repeat(60_000)))
    await watcher.clientUnpause()
    assert.deepStrictEqual(await Promise.all(waiting), ['OK', 'OK'])
  })
})
