'use strict'

// What the argument writer takes, what it refuses with which words, and that it encodes every
// string as Buffer.from would.

const assert = require('node:assert')
const { test, describe } = require('node:test')

const { Arguments, LARGE } = require('../../lib/arguments')
const { commands } = require('../../lib/commands')
const { argv, encode, parse } = require('./encode')

const rows = new Map(commands.map(row => [row.name, row]))
const SECRET = 'hunter2'

/** [method, arguments, what the message must say] */
const REFUSED = [
  ['get', [], 'argument "key" must be a string or a Buffer, not undefined'],
  ['get', [null], 'argument "key" must be a string or a Buffer, not null'],
  ['get', [5], 'argument "key" must be a string or a Buffer, not a number'],
  ['get', [['a']], 'argument "key" must be a string or a Buffer, not an array'],
  ['get', [{}], 'argument "key" must be a string or a Buffer, not an object'],
  ['get', [Symbol('s')], 'argument "key" must be a string or a Buffer, not a symbol'],
  ['set', ['k', undefined], 'argument "value" must be a string, a Buffer or a number'],
  ['set', ['k', true], 'argument "value" must be a string, a Buffer or a number, not a boolean'],
  ['set', ['k', 'v', { HURRY: SECRET }], 'argument "options" has an unknown option "HURRY"'],
  ['set', ['k', 'v', 'NX'], 'argument "options" must be an object, not a string'],
  ['set', ['k', 'v', ['NX']], 'argument "options" must be an object, not an array'],
  ['set', ['k', 'v', { condition: SECRET }], 'argument "options.condition" must be one of NX, XX'],
  ['set', ['k', 'v', { EX: 1.5 }], 'argument "options.EX" must be an integer'],
  ['set', ['k', 'v', { expiration: { type: SECRET, value: 1 } }],
    'argument "options.expiration" must have a type among EX, PX, EXAT, PXAT, KEEPTTL'],
  ['set', ['k', 'v', { expiration: { type: 'EX' } }],
    'argument "options.expiration.value" must be an integer, not undefined'],
  ['getEx', ['k'], 'argument "options" must be an object, not undefined'],
  ['getEx', ['k', {}], 'argument "options" must say when the key expires'],
  ['expireAt', ['k', new Date(NaN)], 'argument "timestamp" must be an integer'],
  ['expire', ['k', 10, SECRET], 'argument "mode" must be one of NX, XX, GT, LT'],
  ['incrBy', ['k', 1.5], 'argument "increment" must be an integer within 2^53'],
  ['incrBy', ['k', 2 ** 60], 'argument "increment" must be an integer within 2^53'],
  ['incrBy', ['k', NaN], 'not a NaN'],
  ['incrBy', ['k', SECRET], 'argument "increment" must be an integer, not a string'],
  ['incrByFloat', ['k', NaN], 'argument "increment" must be a number, not a NaN'],
  ['incrByFloat', ['k', SECRET], 'argument "increment" must be a number, not a string'],
  ['incrByFloat', ['k', ''], 'argument "increment" must be a number, not a string'],
  ['del', [[]], 'argument "keys" must be a non-empty array, not an empty array'],
  ['del', [], 'argument "keys" must be a string, a Buffer or an array of them, not undefined'],
  ['del', [['a', 1]], 'argument "keys[1]" must be a string or a Buffer, not a number'],
  ['lPush', ['k', 1], 'argument "elements" must be a string, a Buffer or an array of them'],
  ['lPush', ['k', ['a', 1]], 'argument "elements[1]" must be a string or a Buffer'],
  ['lPush', ['k', []], 'argument "elements" must be a non-empty array'],
  ['lInsert', ['k', 'BESIDE', 'p', 'e'], 'argument "position" must be one of BEFORE, AFTER'],
  ['mSet', [[]], 'argument "toSet" must be a non-empty list of whole pairs'],
  ['mSet', [['a']], 'argument "toSet" must be a non-empty list of whole pairs'],
  ['mSet', [{}], 'argument "toSet" must have at least one key'],
  ['mSet', [{ a: 1 }], 'argument "toSet: value" must be a string or a Buffer, not a number'],
  ['mSet', [[['a']]], 'argument "toSet[0]: value" must be a string or a Buffer, not undefined'],
  ['mSet', ['a'], 'argument "toSet" must be an array or an object, not a string'],
  ['hSet', ['k', 'f'], 'argument "value" must be a string, a Buffer or a number, not undefined'],
  ['hSet', ['k'], 'argument "fields" must be an object, a Map or an array of pairs'],
  ['hSet', ['k', {}], 'argument "fields" must have at least one field'],
  ['hSet', ['k', ['f']], 'argument "fields" must be a list of whole pairs'],
  ['hSet', ['k', { [SECRET]: {} }], 'argument "fields: value" must be a string, a Buffer or a num'],
  ['hExpire', ['k', [], 10], 'argument "fields" must be a non-empty array'],
  ['zAdd', ['k', []], 'argument "members" must be a non-empty array'],
  ['zAdd', ['k', 'm'], 'argument "members" must be a { score, value } or an array of them'],
  ['zAdd', ['k', { score: NaN, value: 'm' }], 'argument "members: score" must be a number'],
  ['zAdd', ['k', { score: 1, value: 5 }], 'argument "members: value" must be a string or a Buffer'],
  ['zUnion', [['a', { key: 'b', weight: 1 }]], 'argument "keys[1]" must be a string or a Buffer'],
  ['zUnion', [[{ key: 'a', weight: 1 }, 'b']], 'argument "keys" must be all plain keys or all'],
  ['zRange', ['k', NaN, 1], 'argument "min" must be a number, not a NaN'],
  ['zRange', ['k', 0, 1, { BY: 'AGE' }], 'argument "options.BY" must be one of BYSCORE, BYLEX'],
  ['bitField', ['k', [{ operation: 'ADD' }]], 'argument "operations: operation" must be one of'],
  ['bitField', ['k', { operation: 'GET' }], 'argument "operations" must be an array'],
  ['scan', [0], 'argument "cursor" must be a string or a Buffer, not a number'],
  ['eval', ['return 1', { keys: [1] }], 'argument "options.keys[0]" must be a string or a Buffer'],
  ['eval', ['return 1', { args: ['a'] }], 'argument "options" has an unknown option "args"'],
  ['clientKill', [{ filter: 'HOST' }], 'argument "filters: filter" must be one of ADDR, LADDR'],
  ['configSet', [undefined], 'argument "parameters" must be a name or an object'],
  ['blPop', ['k'], 'argument "timeout" must be a number, not undefined'],
  ['blPop', ['k', -1], 'argument "timeout" must be 0 (for ever) or a finite positive number'],
  ['blPop', ['k', Infinity], 'argument "timeout" must be 0 (for ever) or a finite positive'],
  ['bzPopMin', ['k', 'inf'], 'argument "timeout" must be 0 (for ever) or a finite positive'],
  ['wait', [1, -5], 'argument "timeout" must be 0 (for ever) or a finite positive number'],
  ['xRead', [{ key: 'k', id: '0' }, { BLOCK: 1.5 }], 'argument "options.BLOCK" must be an int'],
  ['xRead', [{ key: 'k' }], 'argument "streams: id" must be a string or a Buffer, not undefined'],
  ['xRead', ['k'], 'argument "streams" must be a { key, id } or an array of them, not a string'],
  ['xRead', [[]], 'argument "streams" must be a non-empty array, not an empty array'],
  ['xAdd', ['k', '*', {}], 'argument "message" must have at least one field'],
  ['xAdd', ['k', '*', ['f', SECRET]], 'argument "message" must be an object of fields, not an a'],
  ['xAdd', ['k', '*', { [SECRET]: 5 }], 'argument "message: value" must be a string or a Buffer'],
  ['xAdd', ['k', '*', { f: 'v' }, { TRIM: { threshold: 5 } }],
    'argument "options.TRIM.strategy" must be one of MAXLEN, MINID'],
  ['xTrim', ['k', 'MAXLEN', 1.5], 'argument "threshold" must be an integer'],
  ['geoAdd', ['k', { longitude: NaN, latitude: 1, member: 'm' }],
    'argument "toAdd.longitude" must be a number, not a NaN'],
  ['geoAdd', ['k', []], 'argument "toAdd" must be a non-empty array'],
  ['geoSearch', ['k', 'm', { radius: 5 }], 'argument "by.unit" must be one of m, km, mi, ft'],
  ['geoSearch', ['k', 'm'], 'argument "by" must be a { radius, unit } or a { width'],
  ['geoSearchWith', ['k', 'm', { radius: 5, unit: 'm' }, [SECRET]],
    'argument "replyWith" must be one of WITHDIST, WITHHASH, WITHCOORD'],
  ['fCall', ['f', { keys: [5] }], 'argument "options.keys[0]" must be a string or a Buffer'],
  ['arDel', ['k', []], 'argument "indices" must be a non-empty array'],
  ['arMSet', ['k', {}], 'argument "entries" must have at least one element'],
  ['arGrep', ['k', 0, 1, [[SECRET, 'v']]], 'argument "predicates: type" must be one of EXACT'],
  ['clusterAddSlots', [[]], 'argument "slots" must be a non-empty array'],
  ['clusterAddSlotsRange', [5], 'argument "ranges" must be a { start, end } or an array of them'],
  ['clusterSetSlot', [1, SECRET], 'argument "state" must be one of IMPORTING, MIGRATING, STABLE'],
  ['vAdd', ['k', '1 2', 'e'], 'argument "vector" must be an array of numbers, not a string'],
  ['vAdd', ['k', [1, NaN], 'e'], 'argument "vector[1]" must be a number, not a NaN'],
  ['vSetAttr', ['k', 'e', 5], 'argument "attributes" must be an object, not a number'],
  ['commandInfo', ['get'], 'argument "commands" must be an array, not a string']
]

describe('wrong arguments are TypeErrors that name them', () => {
  for (const [method, args, message] of REFUSED) {
    test(`${method}: ${message}`, () => {
      assert.throws(() => argv(rows.get(method), args), error => {
        assert.ok(error instanceof TypeError, error.stack)
        assert.ok(error.message.includes(message), error.message)
        assert.ok(!error.message.includes(SECRET), 'a value in the message')
        return true
      })
    })
  }
})

test('words of a command may be written in any case', () => {
  for (const [method, args, sent] of [
    ['set', ['k', 'v', { expiration: { type: 'ex', value: 5 } }], 'SET k v EX 5'],
    ['set', ['k', 'v', { expiration: 'keepttl', condition: 'nx' }], 'SET k v KEEPTTL nx'],
    ['getEx', ['k', { type: 'persist' }], 'GETEX k PERSIST'],
    ['getEx', ['k', { type: 'px', value: 5 }], 'GETEX k PX 5'],
    ['geoDist', ['k', 'a', 'b', 'KM'], 'GEODIST k a b KM'],
    ['geoSearch', ['k', 'm', { radius: 5, unit: 'Km' }], 'GEOSEARCH k FROMMEMBER m BYRADIUS 5 Km']
  ]) assert.strictEqual(argv(rows.get(method), args).join(' '), sent)
})

test('every method that needs an argument refuses a call without one', () => {
  for (const row of commands) {
    const needs = [row.ts].flat().every(ts => /^\(\w+:/.test(ts))
    if (needs) assert.throws(() => encode(row, []), TypeError, row.name)
  }
})

test('a refused call leaves nothing behind for the next', () => {
  const before = argv(rows.get('set'), ['k', 'v'])
  assert.throws(() => argv(rows.get('set'), ['k', 'x'.repeat(LARGE), { HURRY: 1 }]))
  assert.deepStrictEqual(argv(rows.get('set'), ['k', 'v']), before)
})

test('options that are undefined or null are no options', () => {
  for (const options of [undefined, null, {}, { EX: undefined }, Object.create(null)]) {
    assert.deepStrictEqual(argv(rows.get('set'), ['k', 'v', options]), ['SET', 'k', 'v'])
  }
})

test('option words may be in lower case', () => {
  assert.deepStrictEqual(argv(rows.get('expire'), ['k', 1, 'nx']), ['EXPIRE', 'k', '1', 'nx'])
})

test('integers are taken as numbers, bigints and decimal strings', () => {
  const incrBy = value => argv(rows.get('incrBy'), ['k', value])[2]
  assert.strictEqual(incrBy(-0), '0')
  assert.strictEqual(incrBy(1023), '1023')
  assert.strictEqual(incrBy(1024), '1024')
  assert.strictEqual(incrBy(-1), '-1')
  assert.strictEqual(incrBy(2n ** 62n), '4611686018427387904')
  assert.strictEqual(incrBy('9223372036854775807'), '9223372036854775807')
})

test('doubles are taken as numbers and numeric strings', () => {
  const incrByFloat = value => argv(rows.get('incrByFloat'), ['k', value])[2]
  assert.strictEqual(incrByFloat(Infinity), '+inf')
  assert.strictEqual(incrByFloat(-Infinity), '-inf')
  assert.strictEqual(incrByFloat(1e21), '1e+21')
  assert.strictEqual(incrByFloat('-1.5e3'), '-1.5e3')
})

test('every string is encoded as Buffer.from encodes it', () => {
  const alphabet = [
    'a', '\0', '\x7f', '\x80', 'é', 'ÿ', 'ł', '漢', '🎈', '\ud800', '\udc00', '\r\n'
  ]
  for (const length of [0, 1, 7, 8, 9, 40, 200, 1023, 1024, LARGE / 4, LARGE]) {
    for (const char of alphabet) {
      const padding = 'x'.repeat(length)
      for (const text of [char.repeat(length), padding + char, char + padding]) {
        for (const value of [text, Buffer.from(text)]) {
          const [, key, sent] = parse(encode(rows.get('set'), [text, value]))
          assert.deepStrictEqual(key, Buffer.from(text))
          assert.deepStrictEqual(sent, Buffer.from(text))
        }
      }
    }
  }
})

test('a plain Uint8Array is bytes, also as a part of a larger one', () => {
  const whole = new Uint8Array(LARGE + 10).fill(0xff)
  for (const part of [whole.subarray(3, 9), whole.subarray(3)]) {
    assert.deepStrictEqual(parse(encode(rows.get('set'), ['k', part]))[2], Buffer.from(part))
  }
})

test('large values are handed over by themselves, in turns with text', () => {
  const writer = new Arguments()
  const large = Buffer.alloc(LARGE)
  writer.reset(null)
  writer.arg('a', 'x')
  writer.arg(large, 'x')
  writer.arg('b'.repeat(LARGE), 'x')
  writer.arg('c', 'x')
  assert.strictEqual(writer.argc, 4)
  assert.deepStrictEqual(writer.chunks, [
    `$1\r\na\r\n$${LARGE}\r\n`, large, `\r\n$${LARGE}\r\n`, 'b'.repeat(LARGE)
  ])
  assert.strictEqual(writer.body, '\r\n$1\r\nc\r\n')
  writer.reset(null)
  writer.arg(Buffer.alloc(LARGE - 1), 'x')
  assert.strictEqual(writer.chunks, null)
})

test('the prefix goes in front of keys, and of nothing else', () => {
  const prefixed = (name, ...args) => argv(rows.get(name), args, 'p:')
  assert.deepStrictEqual(prefixed('mSet', { a: 'b' }), ['MSET', 'p:a', 'b'])
  assert.deepStrictEqual(prefixed('publish', 'c', 'm'), ['PUBLISH', 'c', 'm'])
  assert.deepStrictEqual(prefixed('keys', 'a*'), ['KEYS', 'a*'])
  assert.deepStrictEqual(prefixed('sort', 'k', { BY: 'w_*', GET: 'o_*' }),
    ['SORT', 'p:k', 'BY', 'w_*', 'GET', 'o_*'])
  assert.deepStrictEqual(prefixed('eval', 'return 1', { keys: ['k'], arguments: ['a'] }),
    ['EVAL', 'return 1', '1', 'p:k', 'a'])
  assert.deepStrictEqual(argv(rows.get('get'), ['k'], ''), ['GET', 'k'])
  const bytes = parse(encode(rows.get('get'), [Buffer.from([1])], Buffer.from([255])))[1]
  assert.deepStrictEqual(bytes, Buffer.from([255, 1]))
})
