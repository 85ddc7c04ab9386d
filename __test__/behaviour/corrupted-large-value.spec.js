'use strict'

// Values of any size and content come back as they were sent, whatever is done to Buffers
// meanwhile.

const assert = require('node:assert')
const { createHash } = require('node:crypto')
const { after, before, describe, it } = require('node:test')

const { createClient, RESP_TYPES } = require('../..')
const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')

const MiB = 2 ** 20
const digest = value => createHash('sha1').update(value).digest('hex')

// Sizes around what the code treats differently: 8 chars, heads up to 1,024, 16 KiB apart,
// 32 KiB decoded ahead, 64 KiB in memory that is used again, 128 KiB external, 256 KiB inline.
const sizes = [0, 1, 7, 8, 9, 1023, 1024, 1025, 16_383, 16_384, 16_385, 32_767, 32_768, 65_535,
  65_536, 65_537, 131_071, 131_072, 262_143, 262_145, MiB]

describe('values', () => {
  let server, client, buffers
  before(async () => {
    server = await startServer()
    client = createClient({ url: server.url, commandOptions: { timeout: 0 } })
    buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  const contents = {
    ascii: size => 'abcdefghij\r\n'.repeat(size / 12 + 1).slice(0, size),
    latin1: size => 'é'.repeat(size),
    mixed: size => 'aé€😀'.repeat(size / 5 + 1).slice(0, size - size % 5),
    'ascii with a late euro': size => size ? `${'a'.repeat(size - 1)}€` : ''
  }
  for (const [name, make] of Object.entries(contents)) {
    it(`of ${name} text come back, at all sizes`, async () => {
      for (const size of sizes) {
        const value = make(size)
        await client.set('text', value)
        assert.strictEqual(await client.strLen('text'), Buffer.byteLength(value))
        assert.ok(await client.get('text') === value, `${size} characters`)
        assert.ok((await buffers.get('text')).equals(Buffer.from(value)), `${size} characters`)
      }
    })
  }

  it('of bytes come back, at all sizes', async () => {
    for (const size of sizes) {
      const value = Buffer.from(Array.from({ length: 256 }, (_, n) => n)).subarray(0, size || 256)
      const bytes = Buffer.alloc(size, value)
      await client.set('bytes', bytes)
      const reply = await buffers.get('bytes')
      assert.ok(Buffer.isBuffer(reply))
      assert.ok(reply.equals(bytes), `${size} bytes`)
    }
  })

  it('of 64 MiB come back: text, other text, bytes', async () => {
    const ascii = 'x'.repeat(64 * MiB)
    await client.set('large', ascii)
    assert.ok(await client.get('large') === ascii)
    const other = '€uro'.repeat(64 * MiB / 6)
    await client.set('large', other)
    assert.ok(await client.get('large') === other)
    const bytes = Buffer.alloc(64 * MiB, Buffer.from([0, 13, 10, 255, 128]))
    await client.set('large', bytes)
    assert.ok((await buffers.get('large')).equals(bytes))
    await client.del('large')
  })

  it('of many sizes at once come back to whom they belong', async () => {
    const values = Array.from({ length: 300 }, (_, n) =>
      Buffer.alloc((n * n * 37) % 90_000, `${n},`))
    await Promise.all(values.map((value, n) => client.set(`many:${n}`, value)))
    const replies = await Promise.all(values.map((_, n) => buffers.get(`many:${n}`)))
    replies.forEach((reply, n) => assert.strictEqual(digest(reply), digest(values[n])))
    const all = await buffers.mGet(values.map((_, n) => `many:${n}`))
    all.forEach((reply, n) => assert.strictEqual(digest(reply), digest(values[n])))
  })

  it('are stored as they were at the call, whatever happens to the Buffer afterwards', async () => {
    for (const size of [1, 100, 16_383, 16_384, 100_000, MiB, 8 * MiB]) {
      const bytes = Buffer.alloc(size, 'a')
      const key = Buffer.from('reused')
      const pending = [client.set(key, bytes), client.rPush('list', [bytes, bytes]),
        client.sendCommand(['SET', 'second', bytes])]
      bytes.fill('b')
      key.fill('x')
      await Promise.all(pending)
      const expected = Buffer.alloc(size, 'a')
      assert.ok((await buffers.get('reused')).equals(expected), `${size} bytes`)
      assert.ok((await buffers.lIndex('list', -1)).equals(expected), `${size} bytes`)
      assert.ok((await buffers.get('second')).equals(expected), `${size} bytes`)
      await client.del('list')
    }
  })

  it('may be views of other memory: slices, Uint8Arrays, shared memory', async () => {
    const backing = new Uint8Array(100_000).map((_, n) => n)
    const shared = new Uint8Array(new SharedArrayBuffer(20_000)).fill(7)
    for (const view of [
      backing.subarray(100, 200), backing.subarray(1, 50_000),
      Buffer.from(backing.buffer, 7, 30_000), shared, shared.subarray(3, 9), new Uint8Array(0)
    ]) {
      await client.set('view', view)
      assert.deepStrictEqual(await buffers.get('view'), Buffer.from(view))
    }
  })

  it('that were read may be written to: no other reply changes', async () => {
    await client.set('large', Buffer.alloc(200_000, 'a'))
    const [first, second] = await Promise.all([buffers.get('large'), buffers.get('large')])
    first.fill('z')
    assert.ok(second.equals(Buffer.alloc(200_000, 'a')))
    assert.ok((await buffers.get('large')).equals(second))
  })

  it('outlive garbage collections', async () => {
    const { code, stdout, stderr } = await runScript(`
      const client = oxidis.createClient(process.argv[1])
      const buffers = client.withTypeMapping({ 36: Buffer })
      const go = async () => {
        const sizes = [10, 40_000, 100_000, 1_000_000]
        const value = n => Buffer.alloc(sizes[n], 'ab' + n)
        await Promise.all(sizes.map((_, n) => client.set('gc' + n, value(n))))
        const kept = []
        for (let round = 0; round < 30; round++) {
          kept.push(await Promise.all(sizes.map((_, n) => buffers.get('gc' + n))))
          gc()
        }
        await client.close()
        gc()
        await new Promise(setImmediate)
        gc()
        const intact = kept.every(all => all.every((buffer, n) => buffer.equals(value(n))))
        kept.length = 0
        // Finalizers run some turns after a collection.
        const held = () => process.memoryUsage().external > 10e6
        for (let turn = 0; turn < 100 && held(); turn++) {
          gc()
          await new Promise(setImmediate)
        }
        console.log(intact, held())
      }
      go()`, { flags: ['--expose-gc'], args: [server.url] })
    assert.deepStrictEqual([code, stdout, stderr], [0, 'true false\n', ''])
  })
})
