'use strict'

// Keys and values are what the caller gave, byte for byte; text is UTF-8.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, RESP_TYPES } = require('../..')
const { startServer } = require('../support/redis-server')

const mapping = { [RESP_TYPES.BLOB_STRING]: Buffer }

describe('keys', () => {
  let server, client, buffers
  before(async () => {
    server = await startServer()
    client = createClient(server.url)
    buffers = client.withTypeMapping(mapping)
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  const texts = ['', ' ', 'a b', '\r\n', '$5\r\nhello\r\n', '*1\r\n$4\r\nPING\r\n', '\0',
    'ü', '€', '😀', 'a😀'.repeat(2000), 'x'.repeat(20_000), '\u00ff', '\ufeffbom', '"quoted"', '\\']
  for (const text of texts) {
    it(`${JSON.stringify(text.slice(0, 20))} (${text.length}) is itself, as string and Buffer`,
      async () => {
        await client.set(text, text)
        assert.strictEqual(await client.get(text), text)
        assert.strictEqual(await client.get(Buffer.from(text)), text)
        assert.deepStrictEqual(await buffers.get(text), Buffer.from(text))
        assert.deepStrictEqual(await buffers.keys('*'), [Buffer.from(text)])
        assert.strictEqual(await client.del(text), 1)
      })
  }

  it('of any bytes are themselves', async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, n) => n))
    await client.set(all, all)
    assert.deepStrictEqual(await buffers.get(all), all)
    assert.deepStrictEqual(await buffers.keys('*'), [all])
    await client.del(all)
  })

  it('of every single byte are 256 different ones', async () => {
    const bytes = Array.from({ length: 256 }, (_, n) => Buffer.from([n]))
    await Promise.all(bytes.map(byte => client.set(byte, byte)))
    assert.strictEqual(await client.dbSize(), 256)
    assert.deepStrictEqual(await buffers.mGet(bytes), bytes)
    await client.flushAll()
  })

  it('with half a surrogate pair become U+FFFD, as in Node', async () => {
    const long = `${'a'.repeat(20_000)}\ud83d`
    for (const text of ['\ud83d', 'a\ud83d', '\ude00b', long, '\ud83d\ud83d']) {
      await client.set('lone', text)
      const expected = Buffer.from(text).toString()
      assert.strictEqual(await client.get('lone'), expected)
      assert.strictEqual(await client.strLen('lone'), Buffer.byteLength(expected))
      await client.set(text, 'v')
      assert.strictEqual(await client.get(expected), 'v')
    }
    await client.flushAll()
  })

  it('that are no UTF-8 read as U+FFFD, and exactly as Buffer', async () => {
    const bytes = Buffer.from([0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82])
    await client.set('invalid', bytes)
    assert.strictEqual(await client.get('invalid'), bytes.toString('utf8'))
    assert.deepStrictEqual(await buffers.get('invalid'), bytes)
  })

  it('get the prefix of the client, of either kind, and only once', async t => {
    for (const keyPrefix of ['p:', Buffer.from([0xff, 0x3a]), 'ü:', Buffer.from('p:')]) {
      await client.flushAll()
      const prefixed = createClient({ url: server.url, keyPrefix })
      t.after(() => prefixed.destroy())
      await prefixed.set('k', '1')
      await prefixed.set(Buffer.from('b'), '2')
      await prefixed.mSet({ m1: '3', m2: '4' })
      await prefixed.rename('m2', 'm3')
      const put = name => Buffer.concat([Buffer.from(keyPrefix), Buffer.from(name)])
      const names = (await buffers.keys('*')).map(key => key.toString('hex')).sort()
      assert.deepStrictEqual(names, ['k', 'b', 'm1', 'm3'].map(n => put(n).toString('hex')).sort())
      assert.deepStrictEqual(await prefixed.mGet(['k', 'b', 'm1', 'm3']), ['1', '2', '3', '4'])
      assert.strictEqual(await prefixed.eval('return redis.call("GET", KEYS[1]) .. ARGV[1]',
        { keys: ['k'], arguments: ['k'] }), '1k')
      assert.strictEqual(await prefixed.sendCommand(['GET', 'k']), null)
      assert.strictEqual(await prefixed.echo('k'), 'k')
    }
  })

  it('with an empty prefix are as without one', async t => {
    await client.flushAll()
    const prefixed = createClient({ url: server.url, keyPrefix: '' })
    t.after(() => prefixed.destroy())
    await prefixed.set('k', 'v')
    assert.strictEqual(await client.get('k'), 'v')
  })
})
