'use strict'

// Lists of short strings go over packed into one text, and objects whose fields have the same names
// share these. Each value is its own all the same, whatever its length, kind and neighbours.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, RESP_TYPES } = require('../..')
const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')

const BUFFERS = { [RESP_TYPES.BLOB_STRING]: Buffer }

/** Texts of all lengths around the longest that is packed, by turns. */
const textOf = n => `${n}`.padEnd(n % 16, 'abcdefghijklmno').slice(0, n % 16)
/** Strings of the same lengths, some of which are no ASCII. */
const mixedOf = n => n % 7 === 3 ? ['é', '漢字', '😀😀😀', 'ÿ'.repeat(n % 14)][n % 4] : textOf(n)
const range = (count, make) => Array.from({ length: count }, (_, n) => make(n))

for (const RESP of [2, 3]) {
  describe(`in RESP${RESP}`, () => {
    let server, client
    before(async () => {
      server = await startServer()
      client = createClient({ url: server.url, RESP })
    })
    after(async () => {
      client.destroy()
      await server.stop()
    })

    it('lists keep their values, in order, at all lengths', async () => {
      const full = () => 'x'.repeat(12)
      const long = n => `long ${n}`.repeat(9)
      for (const make of [textOf, mixedOf, full, () => '', long]) {
        // Around the fewest that are packed, 7 bits of their number, and the most of one call.
        for (const count of [1, 7, 8, 9, 127, 128, 129, 1023, 1024, 1025, 2048, 3000]) {
          const values = range(count, make)
          await client.del('list')
          await client.rPush('list', values)
          assert.deepStrictEqual(await client.lRange('list', 0, -1), values)
          assert.deepStrictEqual(await client.withTypeMapping(BUFFERS).lRange('list', 0, -1),
            values.map(value => Buffer.from(value)))
        }
      }
    })

    it('lists are ordinary arrays', async () => {
      await client.del('list')
      await client.rPush('list', range(20, textOf))
      const list = await client.lRange('list', 0, -1)
      assert.ok(Array.isArray(list))
      assert.deepStrictEqual(Object.keys(list), range(20, String))
      assert.strictEqual(list.push('more'), 21)
    })

    it('lists keep what is no text: null, numbers, lists, errors, other bytes', async () => {
      const script = `
        local list = {}
        for n = 1, 40 do
          list[n] = 't' .. n
        end
        list[3] = false
        list[9] = 42
        list[11] = { 'inner', { 1, 'deep' }, false, 'é', 'a', 'b', 'c', 'd', 'e', 'f' }
        list[12] = '\\255\\254'
        list[13] = ''
        list[14] = redis.error_reply('ERR refused')
        list[40] = string.rep('x', 13)
        return list`
      const reply = await client.eval(script)
      const expected = range(40, n => `t${n + 1}`)
      expected[2] = null
      expected[8] = 42
      expected[10] = ['inner', [1, 'deep'], null, 'é', 'a', 'b', 'c', 'd', 'e', 'f']
      expected[11] = '\ufffd\ufffd'
      expected[12] = ''
      expected[39] = 'x'.repeat(13)
      assert.strictEqual(reply[13].message, 'ERR refused')
      reply.splice(13, 1)
      expected.splice(13, 1)
      assert.deepStrictEqual(reply, expected)
    })

    it('mGet, sMembers, keys and lists in chains agree with what was written', async () => {
      const keys = range(300, n => `key:${n}`)
      await client.mSet(keys.map((key, n) => [key, mixedOf(n)]))
      assert.deepStrictEqual(await client.mGet([...keys, 'none']),
        [...keys.map((_, n) => mixedOf(n)), null])
      assert.deepStrictEqual((await client.keys('key:*')).sort(), [...keys].sort())
      await client.sAdd('set', keys)
      assert.deepStrictEqual((await client.sMembers('set')).sort(), [...keys].sort())
      const [values, members] = await client.multi().mGet(keys).sMembers('set').exec()
      assert.deepStrictEqual(values, keys.map((_, n) => mixedOf(n)))
      assert.strictEqual(members.length, 300)
    })

    it('many keys are sent as they are: text of any kind, Buffers', async () => {
      const bytes = Buffer.from([255])
      for (const odd of ['é', '漢'.repeat(400), 'x'.repeat(20_000), '', '\r\n$5\r\n', bytes]) {
        const keys = [...range(20, n => `k:${n}`), odd]
        await client.mSet(keys.map((key, n) => [key, `v:${n}`]))
        const expected = keys.map((_, n) => `v:${n}`)
        assert.deepStrictEqual(await client.mGet(keys), expected)
        assert.strictEqual(await client.del(keys), keys.length)
      }
      await assert.rejects(async () => client.mGet([...range(20, String), 1]),
        { name: 'TypeError', message: /mGet: argument "keys\[20\]" must be a string or a Buffer/ })
    })

    it('objects keep their fields when the same names come again and again', async () => {
      const names = ['__proto__', 'constructor', 'toString', '10', '2', '', 'é', 'then', 'name',
        'a name that is longer than twelve', '漢字']
      for (const count of [3, 4, names.length, 18, 19, 100, 512, 513]) {
        const fields = [...names, ...range(520, n => `field:${n}`)].slice(0, count)
        for (let round = 0; round < 5; round++) {
          const make = round % 2 === 0 ? n => mixedOf(n + round) : n => `${n}`.repeat(9)
          const values = range(fields.length, make)
          await client.del('hash')
          await client.hSet('hash', fields.flatMap((name, n) => [name, values[n]]))
          const object = await client.hGetAll('hash')
          assert.strictEqual(Object.getPrototypeOf(object), Object.prototype)
          assert.deepStrictEqual(Object.keys(object).sort(), [...fields].sort())
          fields.forEach((name, n) => assert.deepStrictEqual(
            Object.getOwnPropertyDescriptor(object, name),
            { value: values[n], writable: true, enumerable: true, configurable: true }))
          const buffers = await client.withTypeMapping(BUFFERS).hGetAll('hash')
          assert.ok(buffers[fields[0]].equals(Buffer.from(values[0])))
        }
      }
      assert.strictEqual({}.polluted, undefined)
    })

    it('objects are never given the names of others: more kinds than are remembered', async () => {
      const nameOf = (kind, n) => `${kind % 2 ? 'a' : 'bb'}${kind}:${n}`
      const kinds = range(80, kind => range(4 + kind % 5, n => nameOf(kind, n)))
      for (let round = 0; round < 3; round++) {
        await Promise.all(kinds.map((names, kind) =>
          client.hSet(`kind:${kind}`, names.flatMap((name, n) => [name, `${round}:${kind}:${n}`]))))
        // In turns and several times, so that kinds are remembered, found, and replaced.
        for (const kind of [...range(80, n => n), 0, 0, 1, 79, 79, 5, 5, 5]) {
          const expected = Object.fromEntries(
            kinds[kind].map((name, n) => [name, `${round}:${kind}:${n}`]))
          assert.deepStrictEqual(await client.hGetAll(`kind:${kind}`), expected)
        }
      }
    })

    it('names that are no text are kept apart from names that look like them', async () => {
      const set = (key, last) => client.hSet(key,
        [...range(5, n => [`f${n}`, 'v']).flat(), Buffer.from(last), 'last'])
      await set('odd', [0xff])
      await set('even', [0xfe])
      await set('text', '\ufffd')
      for (let round = 0; round < 4; round++) {
        for (const key of ['odd', 'even', 'text']) {
          const object = await client.hGetAll(key)
          assert.deepStrictEqual(Object.keys(object), ['f0', 'f1', 'f2', 'f3', 'f4', '\ufffd'])
        }
      }
    })
  })
}

describe('a value that is kept', () => {
  let server
  before(async () => { server = await startServer() })
  after(() => server.stop())

  it('keeps nothing else of its reply alive', async () => {
    const { code, stdout, stderr } = await runScript(`
      const client = oxidis.createClient(process.argv[1])
      const go = async () => {
        // Replies of 1,000 values of 12 and more characters: 16 KB each, were all of them kept.
        const textOf = n => String(n).padStart(n % 2 === 0 ? 12 : 13 + n % 9, 'x')
        await client.rPush('list', Array.from({ length: 1000 }, (_, n) => textOf(n)))
        const used = () => { gc(); return process.memoryUsage().heapUsed }
        await client.lRange('list', 0, -1)
        const before = used()
        const kept = []
        for (let round = 0; round < 1000; round++) {
          const list = await client.lRange('list', 0, -1)
          kept.push(list[round])
        }
        const grown = used() - before
        console.log(kept.length, grown < 2e6 || grown)
        await client.close()
      }
      go()`, { flags: ['--expose-gc'], args: [server.url] })
    assert.deepStrictEqual([code, stdout, stderr], [0, '1000 true\n', ''])
  })
})
