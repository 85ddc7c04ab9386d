'use strict'

// A client connects by itself, may be told to as often as one likes, and lives again by connect().

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, RESP_TYPES } = require('../..')
const { startServer } = require('../support/redis-server')
const { eventually } = require('./eventually')

describe('a client', () => {
  let server, watcher
  before(async () => {
    server = await startServer()
    watcher = createClient({ url: server.url, name: 'watcher' })
    await watcher.connect()
  })
  after(async () => {
    watcher.destroy()
    await server.stop()
  })

  const connections = async name =>
    (await watcher.clientList()).filter(client => client.name === name).length
  const onlyConnection = name => eventually(async () => await connections(name) === 1, name)

  it('opens no connection before its first command, and one with it', async t => {
    const client = createClient({ url: server.url, name: 'lazy' })
    t.after(() => client.destroy())
    assert.deepStrictEqual([client.isOpen, client.isReady], [false, false])
    assert.strictEqual(client.stats().lanes.length, 0)
    assert.strictEqual(await connections('lazy'), 0)
    const reply = client.echo('x')
    assert.strictEqual(client.isOpen, true)
    assert.strictEqual(await reply, 'x')
    assert.deepStrictEqual([client.isOpen, client.isReady], [true, true])
    assert.strictEqual(await connections('lazy'), 1)
  })

  it('has one connection however often it is told to connect', async t => {
    const client = createClient({ url: server.url, name: 'told' })
    t.after(() => client.destroy())
    const told = await Promise.all([client.connect(), client.echo('x'), client.connect()])
    assert.deepStrictEqual([told[0] === client, told[1], told[2] === client], [true, 'x', true])
    await client.connect()
    assert.strictEqual(await connections('told'), 1)
  })

  it('works again after close() or destroy(), by connect()', async t => {
    const client = createClient({ url: server.url, name: 'reopened' })
    t.after(() => client.destroy())
    for (const end of ['close', 'destroy', 'quit', 'disconnect']) {
      await client.connect()
      assert.strictEqual(await client.echo(end), end)
      await client[end]()
      await assert.rejects(client.echo('x'), { code: 'CLOSED' })
      await client.connect()
      assert.deepStrictEqual([client.isOpen, client.isReady], [true, true])
      assert.strictEqual(await client.echo('x'), 'x')
    }
    await onlyConnection('reopened')
  })

  it('is reopened by connect() during close() and right after destroy()', async t => {
    const client = createClient({ url: server.url, name: 'hasty' })
    t.after(() => client.destroy())
    const pending = client.echo('before')
    const closing = client.close()
    await client.connect()
    assert.strictEqual(await pending, 'before')
    await closing
    assert.strictEqual(await client.echo('x'), 'x')
    client.destroy()
    await client.connect()
    assert.strictEqual(await client.echo('x'), 'x')
    await onlyConnection('hasty')
  })

  it('is reopened once by two calls of connect() at once', async t => {
    const client = createClient({ url: server.url, name: 'twice' })
    t.after(() => client.destroy())
    await client.connect()
    await client.close()
    await Promise.all([client.connect(), client.connect()])
    assert.strictEqual(await client.echo('x'), 'x')
    await onlyConnection('twice')
  })

  it('is reopened by connect() after a connect() that destroy() has ended', async t => {
    const client = createClient({ url: server.url, name: 'ended' })
    t.after(() => client.destroy())
    const first = assert.rejects(client.connect(), { code: 'CLOSED' })
    client.destroy()
    await client.connect()
    await first
    assert.strictEqual(await client.echo('x'), 'x')
    await onlyConnection('ended')
  })

  it('duplicates with its options and the overrides, and connections of its own', async t => {
    const client = createClient({
      url: server.url, name: 'original', database: 3, keyPrefix: 'p:',
      commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }
    })
    t.after(() => client.destroy())
    await client.set('k', 'v')
    const same = client.duplicate()
    t.after(() => same.destroy())
    assert.deepStrictEqual(await same.get('k'), Buffer.from('v'))
    const other = client.duplicate({ name: 'copy', database: 4, commandOptions: {} })
    t.after(() => other.destroy())
    assert.strictEqual(await other.get('k'), null)
    assert.strictEqual(await other.set('k', 'copy'), 'OK')
    assert.strictEqual(await other.get('k'), 'copy')
    assert.deepStrictEqual(await Promise.all(['original', 'copy'].map(connections)), [2, 1])
    client.destroy()
    assert.strictEqual(await other.get('k'), 'copy')
    assert.deepStrictEqual(await same.get('k'), Buffer.from('v'))
  })

  it('duplicates from a URL, and through a view', async t => {
    const client = createClient(server.url)
    t.after(() => client.destroy())
    for (const source of [client, client.withTypeMapping({})]) {
      const copy = source.duplicate({ name: 'from-url' })
      t.after(() => copy.destroy())
      assert.strictEqual(await copy.clientGetName(), 'from-url')
    }
  })
})
