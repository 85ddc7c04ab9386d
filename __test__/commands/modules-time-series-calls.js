'use strict'

// Realistic calls of every method of `client.ts`: each option at least once.

const DATE = new Date(1700000000000)
const LABELS = { city: 'oslo', 'sensor id': '7' }
const IGNORE = { maxTimeDiff: 10, maxValDiff: 0.5 }
const SERIES = { RETENTION: 1000, CHUNK_SIZE: 4096, LABELS, IGNORE }

const SPANS = [{ LATEST: true, FILTER_BY_TS: [0, DATE, '5'], FILTER_BY_VALUE: { min: -1.5, max: 2 },
  COUNT: 10 }, { FILTER_BY_TS: [], COUNT: 0, LATEST: false }]

const RANGES = [undefined, {}, ...SPANS, { ALIGN: 5 },
  { ALIGN: '-', AGGREGATION: { type: 'AVG', timeBucket: 1000 } },
  { ...SPANS[0], ALIGN: DATE,
    AGGREGATION: { type: 'STD.P', timeBucket: '1000', BUCKETTIMESTAMP: '~', EMPTY: true } },
  { AGGREGATION: { type: 'COUNTNAN', timeBucket: 5, BUCKETTIMESTAMP: '+', EMPTY: false } }]

const MULTI = [
  { AGGREGATION: { types: ['AVG'], timeBucket: 1000 } },
  { ...SPANS[0], ALIGN: 0,
    AGGREGATION: { types: ['MIN', 'MAX', 'TWA'], timeBucket: 5, BUCKETTIMESTAMP: '-',
      EMPTY: true } }]

const EXCLUDING = [...RANGES, { EXCLUDEEMPTY: true }]
const MULTI_EXCLUDING = [...MULTI, { ...MULTI[0], EXCLUDEEMPTY: true }]
const GROUP = { label: 'city', REDUCE: 'MAX' }
const FILTER = ['city=oslo', 'sensor!=']

/** Calls with these options last. */
const ending = (args, options) => options.map(last => last === undefined ? args : [...args, last])

const range = [['-', '+'], [0, DATE]]
const ranged = (before, after, options) => range.flatMap(span => (
  ending([...before, ...span, ...after], options)))

const CHANGES = ending(['k', 1.5], [undefined, {},
  { TIMESTAMP: DATE, ...SERIES, UNCOMPRESSED: true }, { TIMESTAMP: '*' },
  { TIMESTAMP: null, UNCOMPRESSED: false }, { TIMESTAMP: 0 }])

const CALLS = {
  add: [['k', '*', 1], ['k', DATE, -0.5, {}], ['k', 5, 1e21, { ...SERIES, ENCODING: 'UNCOMPRESSED',
    ON_DUPLICATE: 'LAST' }], ['k', 5, NaN]],
  alter: [['k'], ['k', { ...SERIES, DUPLICATE_POLICY: 'SUM' }], ['k', { LABELS: {} }]],
  create: [['k'], ['k', { ...SERIES, ENCODING: 'COMPRESSED', DUPLICATE_POLICY: 'BLOCK' }],
    ['k', { RETENTION: 0 }]],
  createRule: [['{k}a', '{k}b', 'AVG', 1000], ['{k}a', '{k}b', 'VAR.S', 1000, 5]],
  decrBy: CHANGES,
  del: [['k', 0, DATE], ['k', '-', '+']],
  deleteRule: [['{k}a', '{k}b']],
  get: [['k'], ['k', { LATEST: true }]],
  incrBy: CHANGES,
  info: [['k']],
  infoDebug: [['k']],
  mAdd: [[[{ key: '{k}a', timestamp: '*', value: 1 }]], [[{ key: '{k}a', timestamp: 5, value: 0.1 },
    { key: '{k}b', timestamp: DATE, value: -1 }]]],
  mGet: [['a=b'], [FILTER, { LATEST: true }]],
  mGetSelectedLabels: [['a=b', 'city'], [FILTER, ['city', 'x'], { LATEST: true }]],
  mGetWithLabels: [['a=b'], [FILTER, { LATEST: true }]],
  mRange: [...ranged([], [FILTER], EXCLUDING), ['-', '+', 'a=b']],
  mRangeGroupBy: ranged([], [FILTER, GROUP], RANGES),
  mRangeMultiAggr: ranged([], [FILTER], MULTI_EXCLUDING),
  mRangeSelectedLabels: ranged([], [['city', 'x'], FILTER], EXCLUDING),
  mRangeSelectedLabelsGroupBy: ranged([], ['city', 'a=b', GROUP], RANGES),
  mRangeSelectedLabelsMultiAggr: ranged([], ['city', FILTER], MULTI_EXCLUDING),
  mRangeWithLabels: ranged([], [FILTER], EXCLUDING),
  mRangeWithLabelsGroupBy: ranged([], [FILTER, GROUP], RANGES),
  mRangeWithLabelsMultiAggr: ranged([], [FILTER], MULTI_EXCLUDING),
  nRange: [
    ...ranged([['{k}a', '{k}b']], [], [undefined, {}, ...SPANS, { ALIGN: '-', AGGREGATION: {
      types: [['AVG', 'MAX'], ['SUM']], timeBucket: 1000, BUCKETTIMESTAMP: '~', EMPTY: true } }])],
  queryIndex: [['a=b'], [FILTER]],
  queryLabels: [[], ['a=b'], [FILTER]],
  queryLabelValues: [['city'], ['city', FILTER]],
  range: ranged(['k'], [], RANGES),
  rangeMultiAggr: ranged(['k'], [], MULTI),
  read: [['k', '$'], ['k', 5, {}], ['k', DATE, { BLOCK: { milliseconds: 100 }, MAX_COUNT: 5 }],
    ['k', '-', { BLOCK: { milliseconds: 0, minCount: 3 } }]]
}

/** What reads backwards takes the same arguments. */
const BACKWARDS = Object.entries(CALLS).filter(([name]) => /range/i.test(name)).map(
  ([name, calls]) => [name.replace(/range/i, found => found === 'range' ? 'revRange' : 'RevRange'),
    calls])

/** method -> argument lists */
module.exports = { ...CALLS, ...Object.fromEntries(BACKWARDS) }
