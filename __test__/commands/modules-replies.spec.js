'use strict'

// Each reply of a module gives one value for what RESP2 and RESP3 send, and it is node-redis's.

const assert = require('node:assert')
const { describe, test } = require('node:test')
const { inspect } = require('node:util')

const theirs = { json: require('@redis/json').default, ...require('@redis/bloom').default }

const { Thrown } = require('../../lib/errors')
const { RESP_TYPES } = require('../../lib/resp-types')
const { MODULES } = require('../../lib/modules')

const BF_INFO = ['Capacity', 100, 'Size', 296, 'Number of filters', 1, 'Number of items inserted',
  2, 'Expansion rate', null]
const CF_INFO = ['Size', 1080, 'Number of buckets', 512, 'Number of filters', 1,
  'Number of items inserted', 2, 'Number of items deleted', 0, 'Bucket size', 2, 'Expansion rate',
  1, 'Max iterations', 20]
const CMS_INFO = ['width', 2000, 'depth', 5, 'count', 12]
const TOPK_INFO = ['k', 5, 'width', 8, 'depth', 7, 'decay', '0.90000000000000002']
const TDIGEST_INFO = ['Compression', 100, 'Capacity', 610, 'Merged nodes', 0, 'Unmerged nodes', 2,
  'Merged weight', 0, 'Unmerged weight', 2, 'Observations', 2, 'Total compressions', 0,
  'Memory usage', 9768]
const YES = [[1, true], [0, false]]
const EACH_YES = [[[1, 0], [true, false]], [[], []]]
const DOUBLES = [[['1.5', 'inf', '-inf', 'nan'], [1.5, Infinity, -Infinity, NaN]]]
const DOUBLE = [['1.5', 1.5], ['nan', NaN]]
const DUMPED = [[[1, 'chunk']], [[0, '']]]

/**
 * namespace -> method -> [[what RESP2 sends, what RESP3 sends]]; one item when they are the same.
 * Methods that are not here hand the reply over as it is, in node-redis as well.
 */
const REPLIES = {
  json: {
    arrPop: [['{"a":1}'], [null], [['"x"', null, '[1,2]']]],
    get: [['{"a":[1,null,"é"]}'], ['[{"a":1}]'], ['null'], [null]],
    mGet: [[['[1]', null, '"x"']]],
    numIncrBy: [['[5,null]', [5, null]], ['[1.5]', [1.5]], ['[]', []]],
    numMultBy: [['[6,null]', [6, null]]],
    type: [['object', ['object']], [null, [null]]]
  },
  bf: {
    add: YES,
    exists: YES,
    info: [[BF_INFO, pairs(BF_INFO)]],
    insert: EACH_YES,
    mAdd: EACH_YES,
    mExists: EACH_YES,
    scanDump: DUMPED
  },
  cf: {
    add: YES,
    addNX: YES,
    del: YES,
    exists: YES,
    info: [[CF_INFO, pairs(CF_INFO)]],
    insert: EACH_YES,
    mExists: EACH_YES,
    scanDump: [...DUMPED, [[0, null]]]
  },
  cms: { info: [[CMS_INFO, pairs(CMS_INFO)]] },
  topK: {
    info: [[TOPK_INFO, { ...pairs(TOPK_INFO), decay: 0.9 }]],
    listWithCount: [[['a', 5, 'b', 3]], [[]]],
    query: EACH_YES
  },
  tDigest: {
    byRank: DOUBLES,
    byRevRank: DOUBLES,
    cdf: DOUBLES,
    info: [[TDIGEST_INFO, pairs(TDIGEST_INFO)]],
    max: DOUBLE,
    min: DOUBLE,
    quantile: DOUBLES,
    trimmedMean: DOUBLE
  }
}

for (const [namespace, methods] of Object.entries(REPLIES)) {
  describe(`replies of ${namespace} as in node-redis`, () => {
    for (const row of MODULES[namespace]) {
      test(row.name, () => {
        const cases = methods[row.name]
        if (cases === undefined) {
          assert.strictEqual(row.reply, undefined)
          assert.strictEqual(theirs[namespace][row.name].transformReply, undefined)
          return
        }
        for (const [resp2, resp3 = resp2] of cases) {
          const ours = row.reply(structuredClone(resp2))
          assert.deepStrictEqual(ours, row.reply(structuredClone(resp3)))
          assert.deepStrictEqual(ours, transform(row, 2, resp2))
          assert.deepStrictEqual(ours, transform(row, 3, resp3))
        }
      })
    }
  })
}

test('what INFO tells is an object, a Map or a list, as the mapping says', () => {
  for (const [namespace, flat] of Object.entries(
    { bf: BF_INFO, cf: CF_INFO, cms: CMS_INFO, topK: TOPK_INFO, tDigest: TDIGEST_INFO })) {
    const row = rowOf(namespace, 'info')
    for (const to of [Object, Map, Array]) {
      const mapping = { [RESP_TYPES.MAP]: to }
      const expected = transform(row, 2, flat, undefined, mapping)
      assert.deepStrictEqual(row.reply(flat.slice(), mapping), expected)
      // What the native side has already decoded that way.
      assert.deepStrictEqual(row.reply(structuredClone(expected), mapping), expected)
    }
  }
})

test('doubles are text where the mapping says so', () => {
  const mapping = { [RESP_TYPES.DOUBLE]: String }
  const { reply } = rowOf('tDigest', 'quantile')
  assert.deepStrictEqual(reply(['1.5', 'nan'], mapping), ['1.5', 'nan'])
  assert.strictEqual(rowOf('topK', 'info').reply(TOPK_INFO.slice(), mapping).decay, TOPK_INFO[7])
})

test('json is read from Buffers', () => {
  const bytes = Buffer.from('{"a":"é"}')
  assert.deepStrictEqual(rowOf('json', 'get').reply(bytes), { a: 'é' })
  assert.deepStrictEqual(rowOf('json', 'arrPop').reply([bytes, null]), [{ a: 'é' }, null])
  assert.deepStrictEqual(rowOf('json', 'mGet').reply([null, bytes]), [null, { a: 'é' }])
  assert.deepStrictEqual(rowOf('json', 'numIncrBy').reply(Buffer.from('[5]')), [5])
  assert.strictEqual(rowOf('json', 'numIncrBy').reply('5'), 5)
})

test('a reviver sees every value, and its errors reach the caller', () => {
  const double = (key, value) => typeof value === 'number' ? value * 2 : value
  for (const [name, sent, read] of [
    ['get', '{"a":1}', { a: 2 }], ['arrPop', ['1', null], [2, null]], ['mGet', ['[1]'], [[2]]]
  ]) {
    const row = rowOf('json', name)
    assert.deepStrictEqual(row.reply(sent, undefined, double), read)
    assert.deepStrictEqual(transform(row, 3, sent, double), read)
  }
  const refuse = () => { throw new SyntaxError('mine') }
  assert.throws(() => rowOf('json', 'get').reply('1', undefined, refuse),
    thrown => thrown instanceof Thrown && thrown.error.message === 'mine')
})

test('a reply that is no JSON is an error that does not show it', () => {
  for (const reviver of [undefined, (key, value) => value]) {
    assert.throws(() => rowOf('json', 'get').reply('hunter2', undefined, reviver),
      error => error.code === 'REPLY_SHAPE' && !inspect(error).includes('hunter'))
  }
})

test('a member named __proto__ is a member', () => {
  const read = rowOf('json', 'get').reply('{"__proto__":{"polluted":true}}')
  assert.deepStrictEqual(Object.keys(read), ['__proto__'])
  assert.strictEqual(read.polluted, undefined)
})

test('the type of what several values may match is a list in both protocols', () => {
  const { reply } = rowOf('json', 'type')
  const many = true
  // RESP2, then RESP3: what is sent for `$..a`, for no match, and for no document.
  assert.deepStrictEqual(reply(['string', 'integer'], undefined, many), ['string', 'integer'])
  assert.deepStrictEqual(reply([['string', 'integer']], undefined, many), ['string', 'integer'])
  assert.deepStrictEqual(reply([], undefined, many), [])
  assert.deepStrictEqual(reply([[]], undefined, many), [])
  assert.strictEqual(reply(null, undefined, many), null)
  assert.strictEqual(reply([null], undefined, many), null)
  // A path of the old kind matches one. Without a path, servers that speak RESP3 assume `$`.
  assert.strictEqual(reply('string', undefined, false), 'string')
  assert.strictEqual(reply(['string'], undefined, false), 'string')
  assert.deepStrictEqual(reply([['object']], undefined, false), ['object'])
})

test('yes and no are booleans, whatever numbers are mapped to', () => {
  assert.strictEqual(rowOf('bf', 'add').reply(1n, { [RESP_TYPES.NUMBER]: BigInt }), true)
  assert.strictEqual(rowOf('cf', 'del').reply('0', { [RESP_TYPES.NUMBER]: String }), false)
  assert.deepStrictEqual(rowOf('topK', 'query').reply(['1', '0']), [true, false])
})

test('an item that failed by itself keeps its error', () => {
  const error = new Error('ERR non scaling filter is full')
  assert.deepStrictEqual(rowOf('bf', 'mAdd').reply([1, error, 0]), [true, error, false])
  // No place in a cuckoo filter: not added.
  assert.deepStrictEqual(rowOf('cf', 'insert').reply([1, -1]), [true, false])
})

function rowOf (namespace, name) {
  return MODULES[namespace].find(row => row.name === name)
}

/** What node-redis makes of a reply. */
function transform ({ namespace, name }, protocol, reply, preserved, mapping) {
  const { transformReply } = theirs[namespace][name]
  const apply = typeof transformReply === 'function' ? transformReply : transformReply?.[protocol]
  return apply === undefined ? reply : apply(structuredClone(reply), preserved, mapping)
}

/** A flat list of names and values as RESP3's map of it. */
function pairs (flat) {
  const made = {}
  for (let i = 0; i < flat.length; i += 2) made[flat[i]] = flat[i + 1]
  return made
}
