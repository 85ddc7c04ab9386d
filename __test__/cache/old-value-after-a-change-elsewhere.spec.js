'use strict'

// What others change is not served once the process has read from the socket that it has changed,
// however the bytes came, and also if JavaScript has had no turn since.

const assert = require('node:assert')
const { after, afterEach, before, beforeEach, describe, it } = require('node:test')

const { createClient, BasicClientSideCache } = require('../..')
const { eventually } = require('../behaviour/eventually')
const { startFakeServer } = require('../support/fake-server')
const { hearsOf, quiet, startScene } = require('./scene')

describe('a value that another client has changed', () => {
  let scene, client, other
  before(async () => {
    scene = await startScene()
    client = scene.client
    other = scene.other
  })
  after(() => scene.stop())
  beforeEach(() => scene.reset())

  it('is read anew', async () => {
    await other.set('k', '1')
    assert.strictEqual(await client.get('k'), '1')
    await scene.told('k', () => other.set('k', '2'))
    assert.strictEqual(await client.get('k'), '2')
  })

  it('is read anew by each of the methods that have read it', async () => {
    await other.set('k', '1')
    const reads = () => Promise.all([client.get('k'), client.mGet(['k', 'x']), client.strLen('k'),
      client.getRange('k', 0, -1)])
    assert.deepStrictEqual(await reads(), ['1', ['1', null], 1, '1'])
    await scene.told('k', () => other.set('k', '22'))
    assert.deepStrictEqual(await reads(), ['22', ['22', null], 2, '22'])
  })

  // Eight and more arguments are encoded in one go.
  it('is read anew, whichever of many keys it belongs to', async () => {
    const keys = Array.from({ length: 12 }, (_, n) => `many:${n}`)
    await other.mSet(keys.flatMap(key => [key, '1']))
    const read = () => client.mGet(keys)
    await read()
    const before = scene.cache.stats().hitCount
    await read()
    assert.strictEqual(scene.cache.stats().hitCount, before + 1, 'not cached')
    for (const [n, key] of keys.entries()) {
      await scene.told(key, () => other.set(key, '2'))
      assert.strictEqual((await read()).filter(value => value === '2').length, n + 1)
    }
    // What the client itself writes is forgotten before the server tells.
    await client.del(keys)
    assert.deepStrictEqual(await read(), Array(12).fill(null))
  })

  it('is not older than the reply to a command that was sent after the change', async () => {
    for (let n = 0; n < 300; n++) {
      await other.set('k', String(n))
      await client.get('k')
      await other.set('k', `${n}!`)
      // Its reply comes after the invalidation, on the same connection.
      await client.echo('x')
      assert.strictEqual(await client.get('k'), `${n}!`)
    }
  })

  it('is gone once the server says that it has expired', async () => {
    await scene.told('k', async () => {
      await other.set('k', '1', { PX: 30 })
      assert.strictEqual(await client.get('k'), '1')
    })
    assert.strictEqual(await client.get('k'), null)
  })

  it('is gone after FLUSHALL of another client', async () => {
    await other.set('k', '1')
    await client.get('k')
    await other.flushAll()
    await client.echo('x')
    assert.strictEqual(await client.get('k'), null)
  })

  it('is not served as long as a burst of changes is not read one by one', async () => {
    const many = Object.fromEntries(Array.from({ length: 12_000 }, (_, n) => [`key:${n}`, '1']))
    await other.mSet(many)
    await Promise.all(Object.keys(many).map(key => client.get(key)))
    assert.strictEqual(scene.cache.size(), 12_000)
    await other.mSet(Object.fromEntries(Object.keys(many).map(key => [key, '2'])))
    await client.echo('x')
    const read = await Promise.all(Object.keys(many).map(key => client.get(key)))
    assert.ok(read.every(value => value === '2'))
  })
})

describe('bytes of a server', () => {
  const PUSH = '>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n'
  const PUSH_ALL = '>2\r\n$10\r\ninvalidate\r\n_\r\n'
  let server, client, cache
  beforeEach(async () => {
    server = await startFakeServer()
    cache = new BasicClientSideCache()
    client = quiet(createClient({ url: server.url, clientSideCache: cache }))
    await client.connect()
  })
  afterEach(async () => {
    client.destroy()
    await server.stop()
  })

  /** Calls GET, which the server answers with `bytes`. */
  async function getting (bytes) {
    const asked = server.next('GET')
    const read = client.get('k')
    const { connection } = await asked
    connection.send(bytes)
    return read
  }

  for (const [name, push] of [['an invalidation', PUSH], ['a FLUSHALL', PUSH_ALL]]) {
    it(`that hold a reply and ${name} behind it leave no old value`, async () => {
      assert.strictEqual(await getting(`$1\r\n1\r\n${push}`), '1')
      client._bridge.table.catchUp()
      assert.strictEqual(cache.size(), 0)
      assert.strictEqual(await getting('$1\r\n2\r\n'), '2')
    })

    it(`that hold ${name} and a reply behind it leave no old value`, async () => {
      assert.strictEqual(await getting(`${push}$1\r\n1\r\n`), '1')
      client._bridge.table.catchUp()
      assert.strictEqual(cache.size(), 0)
      assert.strictEqual(await getting('$1\r\n2\r\n'), '2')
    })

    it(`that hold nothing but ${name} are taken notice of`, async () => {
      assert.strictEqual(await getting('$1\r\n1\r\n'), '1')
      assert.strictEqual(await client.get('k'), '1')
      const { cell } = client._bridge.table
      const before = [...cell]
      server.send(push)
      // JavaScript gets no turn from here on, but for this look.
      await eventually(() => cell[0] !== before[0] || cell[1] !== before[1] || cache.size() === 0,
        'the push')
      assert.strictEqual(await getting('$1\r\n2\r\n'), '2')
    })
  }

  it('that come while JavaScript is busy are heard by the next read', async () => {
    assert.strictEqual(await getting('$1\r\n1\r\n'), '1')
    const { connection } = await new Promise(resolve => {
      server.once('command', (args, reply, connection) => resolve({ connection }))
      client.echo('x').catch(() => {})
    })
    connection.send(PUSH)
    await hearsOf(cache, 'k')
    assert.strictEqual(cache.size(), 0)
  })
})
