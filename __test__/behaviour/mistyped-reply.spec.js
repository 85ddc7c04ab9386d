'use strict'

// Every type of RESP, with every mapping, in both versions of the protocol.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, ErrorReply, RESP_TYPES, VerbatimString } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { startServer } = require('../support/redis-server')

const T = RESP_TYPES

// What DEBUG PROTOCOL answers, by its argument: [no mapping, [mapping, value] ...].
const big = 1234567999999999999999999999999999999n
const double = Number('3.141')
const resp3 = {
  string: ['Hello World', [{ [T.BLOB_STRING]: Buffer }, Buffer.from('Hello World')]],
  integer: [12345, [{ [T.NUMBER]: String }, '12345'], [{ [T.NUMBER]: BigInt }, 12345n]],
  double: [double, [{ [T.DOUBLE]: String }, '3.141']],
  null: [null],
  array: [[0, 1, 2], [{ [T.NUMBER]: String }, ['0', '1', '2']],
    [{ [T.NUMBER]: BigInt }, [0n, 1n, 2n]]],
  set: [[0, 1, 2], [{ [T.SET]: Set }, new Set([0, 1, 2])],
    [{ [T.SET]: Set, [T.NUMBER]: BigInt }, new Set([0n, 1n, 2n])]],
  map: [{ 0: false, 1: true, 2: false },
    [{ [T.MAP]: Map }, new Map([[0, false], [1, true], [2, false]])],
    [{ [T.MAP]: Array }, [0, false, 1, true, 2, false]],
    [{ [T.MAP]: Map, [T.NUMBER]: String }, new Map([['0', false], ['1', true], ['2', false]])]],
  attrib: ['Some real reply following the attribute'],
  push: ['Some real reply following the push reply'],
  verbatim: ['This is a verbatim\nstring',
    [{ [T.VERBATIM_STRING]: Buffer }, Buffer.from('This is a verbatim\nstring')],
    [{ [T.VERBATIM_STRING]: VerbatimString },
      new VerbatimString('txt', 'This is a verbatim\nstring')]],
  bignum: [big, [{ [T.BIG_NUMBER]: String }, String(big)]],
  true: [true],
  false: [false]
}

const resp2 = {
  ...resp3,
  double: ['3.141', [{ [T.BLOB_STRING]: Buffer }, Buffer.from('3.141')],
    [{ [T.DOUBLE]: String }, '3.141']],
  set: [[0, 1, 2], [{ [T.SET]: Set }, [0, 1, 2]]],
  map: [[0, 0, 1, 1, 2, 0], [{ [T.MAP]: Map }, [0, 0, 1, 1, 2, 0]]],
  push: [/RESP2/],
  verbatim: ['This is a verbatim\nstring',
    [{ [T.BLOB_STRING]: Buffer }, Buffer.from('This is a verbatim\nstring')]],
  bignum: [String(big)],
  true: [1, [{ [T.NUMBER]: BigInt }, 1n]],
  false: [0]
}

for (const [version, types] of [[3, resp3], [2, resp2]]) {
  describe(`RESP${version}`, () => {
    let server, client
    before(async () => {
      server = await startServer()
      client = createClient({ url: server.url, RESP: version })
    })
    after(async () => {
      client.destroy()
      await server.stop()
    })

    for (const [type, [plain, ...mapped]] of Object.entries(types)) {
      it(`${type} has its type`, async () => {
        if (plain instanceof RegExp) {
          await assert.rejects(client.sendCommand(['DEBUG', 'PROTOCOL', type]), plain)
          return
        }
        for (const [mapping, value] of [[{}, plain], [undefined, plain], ...mapped]) {
          const view = client.withTypeMapping(mapping)
          const reply = await view.sendCommand(['DEBUG', 'PROTOCOL', type])
          assert.deepStrictEqual(reply, value)
          assert.deepStrictEqual(
            await client.sendCommand(['DEBUG', 'PROTOCOL', type], { typeMapping: mapping }), value)
        }
      })
    }

    it('mappings of other types change nothing', async () => {
      const others = client.withTypeMapping({ [T.SIMPLE_STRING]: Buffer })
      assert.strictEqual(await others.sendCommand(['DEBUG', 'PROTOCOL', 'string']), 'Hello World')
      assert.deepStrictEqual(await others.sendCommand(['SET', 'k', 'v']), Buffer.from('OK'))
      assert.strictEqual(await others.get('k'), 'v')
    })

    it('commands have the same shapes: a hash, scores, settings', async () => {
      await client.hSet('hash', { a: '1', b: '2' })
      await client.zAdd('zset', [{ score: 1.5, value: 'a' }, { score: Infinity, value: 'b' }])
      assert.deepStrictEqual(await client.hGetAll('hash'), { a: '1', b: '2' })
      assert.deepStrictEqual(await client.zRangeWithScores('zset', 0, -1),
        [{ value: 'a', score: 1.5 }, { value: 'b', score: Infinity }])
      assert.strictEqual(await client.zScore('zset', 'a'), 1.5)
      assert.deepStrictEqual(await client.configGet('maxclients'), { maxclients: '10000' })
      assert.deepStrictEqual(
        await client.withTypeMapping({ [T.MAP]: Map }).hGetAll('hash'),
        new Map([['a', '1'], ['b', '2']]))
      assert.deepStrictEqual(
        await client.withTypeMapping({ [T.BLOB_STRING]: Buffer }).hGetAll('hash'),
        { a: Buffer.from('1'), b: Buffer.from('2') })
    })
  })
}

describe('a type mapping', () => {
  let server
  before(async () => { server = await startServer() })
  after(() => server.stop())

  for (const [name, RESP] of [['RESP3', 3], ['RESP2', 2]]) {
    it(`of the options is that of all commands: ${name}`, async t => {
      const mapping = {
        [T.BLOB_STRING]: Buffer, [T.SIMPLE_STRING]: Buffer, [T.NUMBER]: BigInt, [T.MAP]: Map,
        [T.SET]: Set, [T.DOUBLE]: String
      }
      const plain = createClient({ url: server.url, RESP })
      const commandOptions = { typeMapping: mapping }
      const client = createClient({ url: server.url, RESP, commandOptions })
      t.after(() => { for (const one of [plain, client]) one.destroy() })
      await plain.hSet('h', 'f', 'v')
      await plain.sAdd('s', 'm')
      await plain.zAdd('z', { value: 'm', score: 1.5 })
      const run = one => Promise.all([one.hGetAll('h'), one.sMembers('s'), one.zScore('z', 'm'),
        one.hLen('h'), one.hGet('h', 'f'), one.rename('h', 'h'),
        one.multi().hGet('h', 'f').hLen('h').hGetAll('h').exec(),
        one.multi().hLen('h').execAsPipeline(), one.session(session => session.hLen('h'))])
      assert.deepStrictEqual(await run(client), await run(plain.withTypeMapping(mapping)))
      assert.strictEqual(await client.hLen('h'), 1n)
      assert.deepStrictEqual((await client.multi().hGet('h', 'f').exec())[0], Buffer.from('v'))
      assert.strictEqual(await client.withTypeMapping({}).hGet('h', 'f'), 'v')
    })
  }

  it('takes every type that can be named, with its default', () => {
    const defaults = {
      NULL: null, BOOLEAN: Boolean, NUMBER: Number, BIG_NUMBER: BigInt, DOUBLE: Number,
      SIMPLE_STRING: String, BLOB_STRING: String, VERBATIM_STRING: String,
      SIMPLE_ERROR: ErrorReply, BLOB_ERROR: ErrorReply, ARRAY: Array, SET: Array, MAP: Object,
      PUSH: Array
    }
    assert.deepStrictEqual(Object.keys(defaults).sort(), Object.keys(T).sort())
    for (const [name, target] of Object.entries(defaults)) {
      createClient({ commandOptions: { typeMapping: { [T[name]]: target } } }).destroy()
    }
  })

  it('is refused where a reply cannot become that, with the classes that are known', () => {
    const refused = [[T.BIG_NUMBER, Number, 'BigInt, String'], [T.BLOB_STRING, BigInt, 'String'],
      [T.SIMPLE_ERROR, Buffer, 'ErrorReply'], [T.ARRAY, Set, 'Array'], [T.NUMBER, Map, 'Number']]
    for (const [type, target, known] of refused) {
      assert.throws(() => createClient({ commandOptions: { typeMapping: { [type]: target } } }),
        error => error instanceof TypeError && error.message.includes(`known are ${known}`))
    }
  })
})

describe('the version', () => {
  it('falls back to RESP2 where the server has no HELLO', async t => {
    const fake = await startFakeServer({ hello: false })
    t.after(() => fake.stop())
    const client = createClient({ url: fake.url, password: 'secret' })
    t.after(() => client.destroy())
    fake.on('command', (args, reply) => reply.map([['f', 'v']]))
    assert.deepStrictEqual(await client.hGetAll('k'), { f: 'v' })
    assert.ok(fake.commands.some(args => args[0] === 'AUTH'))
  })

  it('is 2 where RESP: 2 asks for it, without HELLO', async t => {
    const fake = await startFakeServer()
    t.after(() => fake.stop())
    const client = createClient({ url: fake.url, RESP: 2 })
    t.after(() => client.destroy())
    await client.connect()
    assert.ok(fake.commands.every(args => args[0].toUpperCase() !== 'HELLO'))
  })
})
