'use strict'

// Large text, which is decoded on the native side's thread and stays in its memory, is what Node
// makes of the same bytes: whatever its characters, wherever a read of the socket cuts it, valid or
// not, in either protocol, and by whatever way it comes.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, createClientPool, createCluster, RESP_TYPES } = require('../..')
const { startCluster } = require('../support/redis-cluster')
const { startServer } = require('../support/redis-server')

// Around the sizes from which on a text is decoded ahead (32 KiB) and is external (128 KiB), around
// the reads of the I/O thread (256 KiB), and beyond.
const sizes = [32_767, 32_768, 65_536, 131_071, 131_072, 131_073, 262_144, 300_001, 2 ** 20]

const contents = {
  ascii: size => Buffer.alloc(size, 'abcdefg\r\n$5'),
  'latin1 text': size => Buffer.from('aé\u0080ÿ'.repeat(size / 7).padEnd(size / 7, 'x')),
  'two-byte text': size => Buffer.from('Жшż '.repeat(size / 7)),
  'three-byte text': size => Buffer.from('漢字€'.repeat(size / 9)),
  'characters beyond the first plane': size => Buffer.from('😀🎉a'.repeat(size / 9)),
  'text that is ASCII up to its end': size => Buffer.from(`${'a'.repeat(size - 4)}😀`),
  'bytes that are no UTF-8': size => Buffer.alloc(size, Buffer.from(
    '41ffc328e28241f09f98eda080c080e9', 'hex')),
  'text that ends amid a character': size => Buffer.alloc(size, 'é').fill(0xf0, size - 1),
  'text with a mark in front': size =>
    Buffer.concat([Buffer.from('\ufeff'), Buffer.alloc(size, 'x')])
}

for (const RESP of [2, 3]) {
  describe(`in RESP${RESP}`, () => {
    let server, client, pool
    before(async () => {
      server = await startServer()
      client = createClient({ url: server.url, RESP })
      pool = createClientPool({ url: server.url, RESP })
      await pool.connect()
    })
    after(async () => {
      client.destroy()
      pool.destroy()
      await server.stop()
    })

    for (const [name, make] of Object.entries(contents)) {
      it(`${name}: from a client, a chain, a session, a pool, and amid other replies`, async () => {
        for (const size of sizes) {
          // Shifted, so that reads of the socket cut the text at each byte of a character.
          for (const shift of ['', 'a', 'ab', 'abc']) {
            const bytes = Buffer.concat([Buffer.from(shift), make(size)])
            const text = bytes.toString()
            const is = (reply, way) => assert.ok(reply === text, `${size} bytes, ${shift}, ${way}`)
            await client.set('text', bytes)
            is(await client.get('text'), 'client')
            if (shift !== 'a') continue
            const [first, , second] = await client.multi().get('text').ping().get('text').exec()
            is(first, 'chain')
            is(second, 'chain')
            is(await client.session(one => one.get('text')), 'session')
            is(await pool.get('text'), 'pool')
            const some = await client.mGet(['text', 'none', 'text'])
            is(some[0], 'list')
            assert.strictEqual(some[1], null)
            is(some[2], 'list')
            const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
            const together = await Promise.all([client.get('text'), buffers.get('text'),
              client.get('text'), client.echo('between'), client.get('text')])
            assert.ok(together[1].equals(bytes))
            assert.strictEqual(together[3], 'between')
            for (const at of [0, 2, 4]) is(together[at], 'beside others')
          }
        }
      })
    }

    it('strings are ordinary ones: they can be cut, joined, searched, compared, used as a field',
      async () => {
        for (const unit of ['ab', 'é', 'Ж', '😀']) {
          const text = unit.repeat(100_000)
          await client.set('text', text)
          const reply = await client.get('text')
          assert.strictEqual(reply.length, text.length)
          assert.ok(reply.slice(10, 90_000) === text.slice(10, 90_000))
          assert.ok(`${reply}!` === `${text}!`)
          assert.strictEqual(reply.indexOf('!'), -1)
          assert.strictEqual(reply.charCodeAt(99_999), text.charCodeAt(99_999))
          assert.ok({ [reply]: 1 }[text] === 1)
          assert.ok(Buffer.from(reply).equals(Buffer.from(text)))
          assert.ok(JSON.parse(JSON.stringify(reply)) === text)
          await client.set('again', reply)
          assert.ok(await client.get('again') === text)
        }
      })
  })
}

describe('of a cluster', () => {
  let cluster, client
  before(async () => {
    cluster = await startCluster({ replicas: 0 })
    client = await createCluster({ rootNodes: cluster.rootNodes }).connect()
  })
  after(async () => {
    client?.destroy()
    await cluster?.stop()
  })

  it('large texts come back, by GET and by an MGET over all nodes', async () => {
    const keys = Array.from({ length: 12 }, (_, n) => `text:${n}`)
    const texts = keys.map((_, n) => ['x', 'é', 'Ж', '😀'][n % 4].repeat(60_000 + n))
    await Promise.all(keys.map((key, n) => client.set(key, texts[n])))
    const replies = await Promise.all(keys.map(key => client.get(key)))
    replies.forEach((reply, n) => assert.ok(reply === texts[n], keys[n]))
  })
})
