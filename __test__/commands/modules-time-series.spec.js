'use strict'

// The methods of `client.ts` send what node-redis sends and make of replies what it makes of them,
// in both protocols. There is no time-series module here: both sides are run without a server.

const assert = require('node:assert')
const { test, describe } = require('node:test')

const { BasicCommandParser } = require('@redis/client/dist/lib/client/parser')
const theirs = require('@redis/time-series').default

const { Arguments } = require('../../lib/arguments')
const { RESP_TYPES } = require('../../lib/resp-types')
const rows = require('../../lib/modules/time-series')
const { argv } = require('./encode')
const calls = require('./modules-time-series-calls')

const named = new Map(rows.map(row => [row.name, row]))

describe('encoding as in node-redis', () => {
  for (const row of rows) {
    test(row.name, () => {
      const cases = calls[row.name]
      assert.ok(cases?.length > 0, `no call of ${row.name}`)
      for (const args of cases) {
        for (const prefix of [undefined, 'p:']) {
          const parser = new BasicCommandParser(prefix)
          theirs[row.name].parseCommand(parser, ...args)
          assert.deepStrictEqual(argv(row, args, prefix),
            parser.redisArgs.map(arg => Buffer.from(arg).latin1Slice()))
        }
      }
    })
  }
})

test('names, upper-case names and the number of methods are those of node-redis', () => {
  const ours = rows.flatMap(row => [row.name, row.upper ?? row.name.toUpperCase()])
  assert.deepStrictEqual([...new Set(ours)].sort(), Object.keys(theirs).sort())
  for (const row of rows) {
    assert.strictEqual(theirs[row.upper ?? row.name.toUpperCase()], theirs[row.name], row.name)
  }
})

test('every row is documented and typed, and takes at most seven arguments', () => {
  for (const row of rows) {
    assert.ok(row.docs?.summary, row.name)
    assert.ok(row.ts, row.name)
    assert.ok(row.args.length <= 8, row.name)
  }
})

test('a read that waits says for how long', () => {
  const { args, blocks } = named.get('read')
  const writer = new Arguments()
  assert.strictEqual(blocks, true)
  args(writer, 'k', '$')
  assert.strictEqual(writer.waits, undefined)
  args(writer, 'k', '$', { BLOCK: { milliseconds: 1500 } })
  assert.strictEqual(writer.waits, 1500)
})

const SAMPLES = [[1, '1.5'], [2, 'inf'], [3, 'nan']]
const SAMPLES3 = [[1, 1.5], [2, Infinity], [3, NaN]]
const MULTI = [[1, '1.5', '2'], [2, '3', 'nan']]
const MULTI3 = [[1, 1.5, 2], [2, 3, NaN]]
const LABELS = [['city', 'oslo'], ['none', null]]
const LABELS3 = { city: 'oslo', none: null }
const AGGREGATORS = { aggregators: ['avg'] }
const SOURCES = [['city', 'oslo'], ['__reducer__', 'max'], ['__source__', 'a,b,c']]
const GROUP3 = [{ city: 'oslo' }, { reducers: ['max'] }, { sources: ['a', 'b', 'c'] }]

/** The replies for two series and for none, the second being given as what each series has. */
const series = (resp2, resp3) => [
  [[['a', ...resp2], ['b', ...resp2]], { a: resp3, b: resp3 }], [[], {}]]

const PLAIN = series([[], SAMPLES], [{}, AGGREGATORS, SAMPLES3])
const LABELLED = series([LABELS, SAMPLES], [LABELS3, AGGREGATORS, SAMPLES3])
const LABELLED_MULTI = series([LABELS, MULTI], [LABELS3, AGGREGATORS, MULTI3])
const PLAIN_MULTI = series([[], MULTI], [{}, AGGREGATORS, MULTI3])
const GROUPED = series([[], SAMPLES], [{}, ...GROUP3.slice(1), SAMPLES3])
const GROUPED_LABELS = series([LABELS, SAMPLES], [LABELS3, ...GROUP3.slice(1), SAMPLES3])
const GROUPED_SOURCES = series([SOURCES, SAMPLES], [...GROUP3, SAMPLES3])
const RANGE = [[SAMPLES, SAMPLES3], [[]]]
const RANGE_MULTI = [[MULTI, MULTI3], [[]]]
const ROWS = [[[[1, ['1.5', 'nan']], [2, ['2', 'inf']]],
  [[1, [1.5, NaN]], [2, [2, Infinity]]]], [[]]]

const FACTS = ['totalSamples', 3, 'memoryUsage', 4239, 'firstTimestamp', 1, 'lastTimestamp', 3,
  'retentionTime', 0, 'chunkCount', 1, 'chunkSize', 4096, 'chunkType', 'compressed',
  'duplicatePolicy', null]
const INFO = [...FACTS, 'labels', [['city', 'oslo']], 'sourceKey', null,
  'rules', [['b', 1000, 'AVG', 0], ['c', 5, 'STD.P', 0]], 'ignoreMaxTimeDiff', 0,
  'ignoreMaxValDiff', '0.5']
const INFO3 = { ...pairs(FACTS), labels: { city: 'oslo' }, sourceKey: null,
  rules: { b: [1000, 'AVG', 0], c: [5, 'STD.P', 0] }, ignoreMaxTimeDiff: 0, ignoreMaxValDiff: 0.5 }
const CHUNK = ['startTimestamp', 1, 'endTimestamp', 3, 'samples', 3, 'size', 4096,
  'bytesPerSample', '1.5']

/** method -> [[what RESP2 sends, what RESP3 sends]]; one item when they are the same */
const REPLIES = {
  get: [[[1, '1.5'], [1, 1.5]], [[]]],
  info: [[INFO, INFO3], [[...FACTS, 'labels', [], 'rules', []],
    { ...pairs(FACTS), labels: {}, rules: {} }]],
  infoDebug: [[[...INFO, 'keySelfName', 'a', 'Chunks', [CHUNK]],
    { ...INFO3, keySelfName: 'a', Chunks: [{ ...pairs(CHUNK), bytesPerSample: 1.5 }] }]],
  mGet: series([[], SAMPLES[0]], [{}, SAMPLES3[0]]),
  mGetSelectedLabels: series([LABELS, SAMPLES[0]], [LABELS3, SAMPLES3[0]]),
  mGetWithLabels: series([LABELS, SAMPLES[0]], [LABELS3, SAMPLES3[0]]),
  mRange: PLAIN,
  mRangeGroupBy: GROUPED,
  mRangeMultiAggr: PLAIN_MULTI,
  mRangeSelectedLabels: LABELLED,
  mRangeSelectedLabelsGroupBy: GROUPED_LABELS,
  mRangeSelectedLabelsMultiAggr: LABELLED_MULTI,
  mRangeWithLabels: LABELLED,
  mRangeWithLabelsGroupBy: GROUPED_SOURCES,
  mRangeWithLabelsMultiAggr: LABELLED_MULTI,
  nRange: ROWS,
  range: RANGE,
  rangeMultiAggr: RANGE_MULTI,
  read: RANGE
}

/** What node-redis makes of `inf` in RESP2: it knows only JavaScript's own spelling. */
const respelled = text => JSON.parse(JSON.stringify(text).replaceAll('"inf"', '"Infinity"'))

describe('replies as in node-redis', () => {
  for (const row of rows) {
    if (row.reply === undefined) continue
    test(row.name, () => {
      const forward = row.name.replace('revRange', 'range').replace('RevRange', 'Range')
      assert.ok(REPLIES[forward] !== undefined, `no reply of ${row.name}`)
      for (const [resp2, resp3 = resp2] of REPLIES[forward]) {
        const ours2 = row.reply(structuredClone(resp2))
        const ours3 = row.reply(structuredClone(resp3))
        assert.deepStrictEqual(ours2, ours3, 'RESP2 and RESP3 differ')
        assert.deepStrictEqual(ours2, theirs[row.name].transformReply[2](respelled(resp2)))
        assert.deepStrictEqual(ours3, theirs[row.name].transformReply[3](structuredClone(resp3)))
      }
    })
  }
})

describe('replies of series as the caller wants maps', () => {
  for (const name of Object.keys(REPLIES).filter(name => name.startsWith('m'))) {
    test(name, () => {
      const { reply } = named.get(name)
      const [resp2, resp3] = REPLIES[name][0]
      const expected = reply(structuredClone(resp3))
      for (const [target, convert] of [[Array, flat], [Map, maps]]) {
        const mapping = { [RESP_TYPES.MAP]: target }
        const ours = reply(shape(resp3, convert), mapping)
        assert.deepStrictEqual(ours, reply(structuredClone(resp2), mapping), 'RESP2 differs')
        assert.deepStrictEqual(ours, shape(expected, convert))
      }
    })
  }
})

test('facts about a series are the same however the caller wants maps', () => {
  for (const name of ['info', 'infoDebug']) {
    const { reply } = named.get(name)
    const [, resp3] = REPLIES[name][0]
    for (const convert of [flat, maps]) {
      assert.deepStrictEqual(reply(deep(resp3, convert)), reply(structuredClone(resp3)))
    }
  }
})

test('sources are split in Buffers too', () => {
  const label = (name, value) => [Buffer.from(name), Buffer.from(value)]
  const { reply } = named.get('mRangeWithLabelsGroupBy')
  const made = reply([[Buffer.from('g'), [label('city', 'oslo'), label('__reducer__', 'max'),
    label('__source__', 'a,bc')], []]])
  assert.deepStrictEqual(made, { g: { labels: { city: Buffer.from('oslo') },
    sources: [Buffer.from('a'), Buffer.from('bc')], samples: [] } })
})

test('a double is text where the mapping says so', () => {
  const mapping = { [RESP_TYPES.DOUBLE]: String }
  assert.deepStrictEqual(named.get('range').reply([[1, '1.5']], mapping),
    [{ timestamp: 1, value: '1.5' }])
})

test('a wait that ends without samples gives an empty list', () => {
  assert.deepStrictEqual(named.get('read').reply(null), [])
})

test('the last sample of a series without samples is null', () => {
  const mGet = named.get('mGet').reply
  assert.deepStrictEqual(mGet([['k', [], []]]), { k: { sample: null } })
  assert.deepStrictEqual(mGet({ k: [[], []] }), { k: { sample: null } })
  assert.deepStrictEqual(named.get('mGetWithLabels').reply([['k', [['a', 'b']], []]]),
    { k: { labels: { a: 'b' }, sample: null } })
})

test('a series and a label called __proto__ survive', () => {
  const made = named.get('mGetWithLabels').reply([['__proto__', [['__proto__', 'x']], [1, '1']]])
  assert.deepStrictEqual(Object.keys(made), ['__proto__'])
  const { labels } = Object.getOwnPropertyDescriptor(made, '__proto__').value
  assert.deepStrictEqual(Object.entries(labels), [['__proto__', 'x']])
})

const AVG = { type: 'AVG', timeBucket: 5 }

/** [method, arguments, what the error names] */
const WRONG = [
  ['add', [5, '*', 1], '"key"'],
  ['add', ['k', {}, 1], '"timestamp"'],
  ['add', ['k', 1.5, 1], '"timestamp"'],
  ['add', ['k', '*', 'x'], '"value"'],
  ['add', ['k', '*'], '"value"'],
  ['add', ['k', '*', 1, { RETENTIONS: 1 }], 'unknown option "RETENTIONS"'],
  ['add', ['k', '*', 1, { RETENTION: 'x' }], '"options.RETENTION"'],
  ['add', ['k', '*', 1, { ENCODING: 'x' }], '"options.ENCODING"'],
  ['add', ['k', '*', 1, { ON_DUPLICATE: 'x' }], '"options.ON_DUPLICATE"'],
  ['add', ['k', '*', 1, { LABELS: { a: 1 } }], '"options.LABELS value"'],
  ['add', ['k', '*', 1, { LABELS: [] }], '"options.LABELS"'],
  ['add', ['k', '*', 1, { IGNORE: { maxTimeDiff: 1 } }], '"options.IGNORE.maxValDiff"'],
  ['create', ['k', { DUPLICATE_POLICY: 'X' }], '"options.DUPLICATE_POLICY"'],
  ['createRule', ['a', 'b', 'X', 1], '"aggregationType"'],
  ['createRule', ['a', 'b', 'AVG'], '"bucketDuration"'],
  ['incrBy', ['k'], '"value"'],
  ['incrBy', ['k', 1, { TIMESTAMP: true }], '"options.TIMESTAMP"'],
  ['mAdd', [[]], '"toAdd"'],
  ['mAdd', [[null]], '"toAdd[0].key"'],
  ['mAdd', [[{ key: 'k', timestamp: 1, value: 'x' }]], '"toAdd[0].value"'],
  ['mGet', [[]], '"filter"'],
  ['mGet', [], '"filter"'],
  ['mGetSelectedLabels', ['a=b', []], '"selectedLabels"'],
  ['range', ['k', '-', null], '"toTimestamp"'],
  ['range', ['k', '-', '+', { FILTER_BY_TS: 5 }], '"options.FILTER_BY_TS"'],
  ['range', ['k', '-', '+', { FILTER_BY_TS: [null] }], '"options.FILTER_BY_TS[0]"'],
  ['range', ['k', '-', '+', { FILTER_BY_VALUE: { min: 1 } }], '"options.FILTER_BY_VALUE.max"'],
  ['range', ['k', '-', '+', { AGGREGATION: { ...AVG, type: 'X' } }], '"options.AGGREGATION.type"'],
  ['range', ['k', '-', '+', { AGGREGATION: { type: 'AVG' } }], '"options.AGGREGATION.timeBucket"'],
  ['range', ['k', '-', '+', { AGGREGATION: { ...AVG, BUCKETTIMESTAMP: 'x' } }],
    '"options.AGGREGATION.BUCKETTIMESTAMP"'],
  ['rangeMultiAggr', ['k', '-', '+'], '"options"'],
  ['rangeMultiAggr', ['k', '-', '+', {}], '"options.AGGREGATION"'],
  ['rangeMultiAggr', ['k', '-', '+', { AGGREGATION: { types: [], timeBucket: 1 } }],
    '"options.AGGREGATION.types"'],
  ['rangeMultiAggr', ['k', '-', '+', { AGGREGATION: { types: ['X'], timeBucket: 1 } }],
    '"options.AGGREGATION.types"'],
  ['nRange', ['k', '-', '+'], '"keys"'],
  ['nRange', [['a', 'b'], '-', '+', { AGGREGATION: { types: [['AVG']], timeBucket: 1 } }],
    '"options.AGGREGATION.types"'],
  ['mRangeGroupBy', ['-', '+', 'a=b'], '"groupBy"'],
  ['mRangeGroupBy', ['-', '+', 'a=b', { label: 'l', REDUCE: 'X' }], '"groupBy.REDUCE"'],
  ['mRangeGroupBy', ['-', '+', 'a=b', { label: 'l', REDUCE: 'MAX' }, { EXCLUDEEMPTY: true }],
    'unknown option "EXCLUDEEMPTY"'],
  ['read', ['k', '$', { BLOCK: { milliseconds: -1 } }], '"options.BLOCK.milliseconds"'],
  ['read', ['k', '$', { BLOCK: 5 }], '"options.BLOCK"'],
  ['queryLabels', [[]], '"filter"']
]

test('wrong arguments are TypeErrors that name them', () => {
  for (const [name, args, names] of WRONG) {
    assert.throws(() => argv(named.get(name), args), error => (
      error instanceof TypeError && error.message.includes(names)
    ), `${name}: ${names}`)
  }
})

function pairs (list) {
  const made = {}
  for (let i = 0; i < list.length; i += 2) made[list[i]] = list[i + 1]
  return made
}

/** A map as a flat list. */
function flat (value) {
  return Object.entries(value).flat()
}

function maps (value) {
  return new Map(Object.entries(value))
}

/** What holds for maps that the server sends: all but samples, which we make. */
function shape (value, convert) {
  if (Array.isArray(value)) return value.map(item => shape(item, convert))
  if (value === null || typeof value !== 'object') return value
  const inner = Object.fromEntries(Object.entries(value).map(([name, item]) => (
    [name, shape(item, convert)])))
  return OURS.some(name => Object.hasOwn(value, name)) ? inner : convert(inner)
}

const OURS = ['timestamp', 'sample', 'samples']

/** All maps of a reply. */
function deep (value, convert) {
  if (Array.isArray(value)) return value.map(item => deep(item, convert))
  if (value === null || typeof value !== 'object') return value
  return convert(Object.fromEntries(Object.entries(value).map(([name, item]) => (
    [name, deep(item, convert)]))))
}
