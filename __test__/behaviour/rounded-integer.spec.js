'use strict'

// No number loses a digit on its way, and no special value becomes another.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, RESP_TYPES } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { startServer } = require('../support/redis-server')

const { NUMBER, DOUBLE, BIG_NUMBER } = RESP_TYPES

describe('integers', () => {
  let server, client
  before(async () => {
    server = await startServer()
    client = createClient(server.url)
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  const exact = [
    '0', '1', '-1', '9007199254740991', '-9007199254740991', '9007199254740992', '9007199254740993',
    '-9007199254740993', '9223372036854775807', '-9223372036854775808', '1152921504606846977'
  ]
  for (const text of exact) {
    const number = Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text)
    it(`${text} arrives as ${typeof number}, BigInt and String`, async () => {
      await client.set('n', text)
      assert.strictEqual(await client.incrBy('n', 0), number)
      const as = type => client.withTypeMapping({ [NUMBER]: type })
      assert.strictEqual(await as(BigInt).incrBy('n', 0), BigInt(text))
      assert.strictEqual(await as(String).incrBy('n', 0), text)
      assert.strictEqual(await client.sendCommand(['INCRBY', 'n', '0']), number)
      // Within an array, as BITFIELD answers.
      await client.set('bits', Buffer.alloc(8))
      assert.deepStrictEqual(
        await client.sendCommand(['BITFIELD', 'bits', 'INCRBY', 'i64', '0', text]), [number])
    })

    it(`${text} leaves as BigInt and as text`, async () => {
      for (const by of [BigInt(text), text]) {
        await client.set('n', '0')
        assert.strictEqual(await client.incrBy('n', by), number)
        assert.strictEqual(await client.get('n'), text)
      }
    })
  }
})

describe('numbers of RESP3', () => {
  const nines = '9'.repeat(300)
  const wire = [
    [':+5', 5], [':-0', 0],
    [',inf', Infinity], [',-inf', -Infinity], [',nan', NaN], [',-nan', NaN], [',-0', -0], [',0', 0],
    [',1e308', 1e308], [',5e-324', 5e-324], [',0.1', 0.1], [',10', 10],
    [',1.7976931348623157e308', Number.MAX_VALUE],
    ['(0', 0n], ['(-1', -1n], ['(9007199254740993', 9007199254740993n],
    [`(${nines}`, BigInt(nines)], [`(-${nines}`, -BigInt(nines)]
  ]
  for (const [text, value] of wire) {
    it(`${text.slice(0, 30)} is ${String(value).slice(0, 30)}`, async t => {
      const fake = await startFakeServer()
      t.after(() => fake.stop())
      const client = createClient(fake.url)
      t.after(() => client.destroy())
      fake.on('command', (args, reply) => reply.send(`${text}\r\n`))
      assert.strictEqual(await client.sendCommand(['X']), value)
      if (text[0] === ',') {
        assert.strictEqual(
          await client.withTypeMapping({ [DOUBLE]: String }).sendCommand(['X']), text.slice(1))
      }
      if (text[0] === '(') {
        assert.strictEqual(
          await client.withTypeMapping({ [BIG_NUMBER]: String }).sendCommand(['X']), text.slice(1))
      }
    })
  }
})

describe('scores', () => {
  it('keep infinities, the smallest and the largest, in both protocols', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    for (const RESP of [2, 3]) {
      const client = createClient({ url: server.url, RESP })
      t.after(() => client.destroy())
      for (const score of [Infinity, -Infinity, 0, 0.1, -1.5, 5e-324, Number.MAX_VALUE, 2 ** 53]) {
        await client.zAdd('zset', { score, value: 'm' })
        assert.strictEqual(await client.zScore('zset', 'm'), score)
      }
      await assert.rejects(client.zAdd('zset', { score: NaN, value: 'm' }), TypeError)
    }
  })
})
