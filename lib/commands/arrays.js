'use strict'

/*
 * Rows of the commands of sparse arrays, a type that servers after 8.4 have. See index.js for what
 * a row is. Indexes go up to 2^64: as bigints or decimal strings they are exact, and a reply beyond
 * 2^53 is a BigInt.
 */

const { isMap } = require('node:util').types

const { fail, isGiven, isText } = require('../arguments')
const { key } = require('./forms')
const { map } = require('./replies')
const { list, tuple } = require('./shapes')

const LINEAR = 'O(N) where N is the number of indexes.'
const INDEXED = 'Promise<{ index: number; value: T }[]>'
const GREP = '(key: RedisArgument, start: RedisInteger | RedisArgument, ' +
  'end: RedisInteger | RedisArgument, predicates: [ArPredicate, RedisArgument][], ' +
  'options?: ArGrepOptions)'

module.exports = [
  row('arCount', key, '(key: RedisArgument)', 'Promise<number>',
    'Returns how many elements of an array are set.', 'O(1)'),
  row('arDel', keyIndexes, '(key: RedisArgument, indices: RedisInteger | RedisInteger[])',
    'Promise<number>', 'Deletes elements.', LINEAR),
  row('arDelRange', (w, key, ranges) => {
    w.key(key, 'key')
    if (!Array.isArray(ranges) || ranges.length === 0) {
      fail('ranges', 'a non-empty array of [start, end]', ranges)
    }
    for (const range of ranges) {
      w.int(range?.[0], 'ranges: start')
      w.int(range?.[1], 'ranges: end')
    }
  }, '(key: RedisArgument, ranges: [start: RedisInteger, end: RedisInteger][])', 'Promise<number>',
  'Deletes the elements of ranges, both ends included.', LINEAR),
  row('arGet', keyIndex, '(key: RedisArgument, index: RedisInteger)', 'Promise<T | null>',
    'Returns an element.', 'O(1)'),
  row('arGetRange', keyRange, '(key: RedisArgument, start: RedisInteger, end: RedisInteger)',
    'Promise<(T | null)[]>', 'Returns the elements of a range, both ends included.', LINEAR),
  row('arGrep', grep, GREP, 'Promise<number[]>',
    'Returns the indexes of the elements that fulfil predicates.', LINEAR),
  {
    ...row('arGrepWithValues', (w, key, start, end, predicates, options) => {
      grep(w, key, start, end, predicates, options)
      w.token('WITHVALUES')
    }, GREP, INDEXED, 'Returns the elements that fulfil predicates, with their indexes.', LINEAR),
    upper: 'ARGREP_WITHVALUES',
    command: ['ARGREP'],
    reply: indexed
  },
  {
    ...row('arInfo', (w, key, options) => {
      w.key(key, 'key')
      if (w.options(options, 'options', INFO_OPTIONS)?.FULL) w.token('FULL')
    }, '(key: RedisArgument, options?: { FULL?: boolean })', 'Promise<Record<string, number>>',
    'Tells how an array is stored.', 'O(1), with FULL O(N) where N is the number of slices.'),
    reply: map
  },
  row('arInsert', (w, key, values) => {
    w.key(key, 'key')
    w.args(values, 'values')
  }, '(key: RedisArgument, values: RedisVariadicArgument)', 'Promise<number>',
  "Sets elements at the array's cursor, and moves it on. Returns the last one's index.", LINEAR),
  row('arLastItems', (w, key, count, options) => {
    w.key(key, 'key')
    w.int(count, 'count')
    if (w.options(options, 'options', LAST_OPTIONS)?.REV) w.token('REV')
  }, '(key: RedisArgument, count: RedisInteger, options?: { REV?: boolean })',
  'Promise<(T | null)[]>', 'Returns the elements that were inserted last.', LINEAR),
  row('arLen', key, '(key: RedisArgument)', 'Promise<number>',
    'Returns the length of an array: the greatest index that is set, plus 1.', 'O(1)'),
  row('arMGet', keyIndexes, '(key: RedisArgument, indices: RedisInteger | RedisInteger[])',
    'Promise<(T | null)[]>', 'Returns several elements.', LINEAR),
  row('arMSet', (w, key, entries) => {
    w.key(key, 'key')
    for (const [index, value] of listOf(entries)) {
      w.int(index, 'entries: index')
      w.arg(value, 'entries: value')
    }
  }, '(key: RedisArgument, entries: ArEntries)', 'Promise<number>', 'Sets several elements.',
  LINEAR),
  row('arNext', key, '(key: RedisArgument)', 'Promise<number | null>',
    'Returns the index that ARINSERT will set next.', 'O(1)'),
  row('arOp', (w, key, start, end, operation, value) => {
    keyRange(w, key, start, end)
    w.oneOf(operation, 'operation', ['SUM', 'MIN', 'MAX', 'AND', 'OR', 'XOR', 'MATCH', 'USED'])
    if (value !== undefined) w.value(value, 'value')
  }, '(key: RedisArgument, start: RedisInteger, end: RedisInteger, operation: ArOperation, ' +
    'value?: RedisArgument | number)', 'Promise<T | number | null>',
  'Computes over the elements of a range; MATCH counts those that equal the value.', LINEAR),
  row('arRing', (w, key, size, values) => {
    w.key(key, 'key')
    w.int(size, 'size')
    w.args(values, 'values')
  }, '(key: RedisArgument, size: RedisInteger, values: RedisVariadicArgument)', 'Promise<number>',
  'Inserts into an array that is used as a ring. Returns the last index.', LINEAR),
  {
    ...row('arScan', (w, key, start, end, options) => {
      keyRange(w, key, start, end)
      limit(w, w.options(options, 'options', SCAN_OPTIONS))
    }, '(key: RedisArgument, start: RedisInteger, end: RedisInteger, ' +
      'options?: { LIMIT?: RedisInteger })', INDEXED,
    'Returns the elements of a range that are set, with their indexes.', LINEAR),
    reply: indexed
  },
  row('arSeek', keyIndex, '(key: RedisArgument, index: RedisInteger)', 'Promise<number>',
    "Sets the array's cursor.", 'O(1)'),
  row('arSet', (w, key, index, value) => {
    keyIndex(w, key, index)
    w.args(value, 'value')
  }, '(key: RedisArgument, index: RedisInteger, value: RedisVariadicArgument)', 'Promise<number>',
  'Sets an element, and with several values those that follow.', LINEAR)
]

function row (name, args, parameters, reply, summary, complexity) {
  return { name, args, ts: `${parameters}: ${reply}`, docs: { summary, complexity } }
}

function keyIndex (w, key, index) {
  w.key(key, 'key')
  w.int(index, 'index')
}

function keyIndexes (w, key, indices) {
  w.key(key, 'key')
  if (!Array.isArray(indices)) return w.int(indices, 'indices')
  if (indices.length === 0) fail('indices', 'a non-empty array', indices)
  for (let i = 0; i < indices.length; i++) w.int(indices[i], `indices[${i}]`)
}

function keyRange (w, key, start, end) {
  w.key(key, 'key')
  w.int(start, 'start')
  w.int(end, 'end')
}

/** An index, or as text `-` or `+`. */
function rangeEnd (w, v, name) {
  if (isText(v)) w.arg(v, name)
  else w.int(v, name)
}

/** (key, start, end, predicates, options) */
function grep (w, key, start, end, predicates, options) {
  w.key(key, 'key')
  rangeEnd(w, start, 'start')
  rangeEnd(w, end, 'end')
  if (!Array.isArray(predicates) || predicates.length === 0) {
    fail('predicates', 'a non-empty array of [type, value]', predicates)
  }
  for (const predicate of predicates) {
    w.oneOf(predicate?.[0], 'predicates: type', ['EXACT', 'MATCH', 'GLOB', 'RE'])
    w.arg(predicate[1], 'predicates: value')
  }
  const o = w.options(options, 'options', GREP_OPTIONS)
  if (isGiven(o?.COMBINATOR)) w.oneOf(o.COMBINATOR, 'options.COMBINATOR', ['AND', 'OR'])
  limit(w, o)
  if (o?.NOCASE) w.token('NOCASE')
}

function limit (w, o) {
  if (!isGiven(o?.LIMIT)) return
  w.token('LIMIT')
  w.int(o.LIMIT, 'options.LIMIT')
}

/** Pairs of index and value, of an object, a Map or an array of pairs. */
function listOf (entries) {
  if (entries === null || typeof entries !== 'object') {
    fail('entries', 'an object, a Map or an array of pairs', entries)
  }
  if (Array.isArray(entries) && !entries.every(Array.isArray)) {
    fail('entries', 'an array of [index, value]', entries)
  }
  const list = isMap(entries) || Array.isArray(entries)
    ? [...entries]
    : Object.entries(entries)
  if (list.length === 0) throw new TypeError('argument "entries" must have at least one element')
  return list
}

function indexed (reply) {
  return list(reply).map(item => {
    const [index, value] = tuple(item, 2)
    return { index, value }
  })
}

const GREP_OPTIONS = new Set(['COMBINATOR', 'LIMIT', 'NOCASE'])
const INFO_OPTIONS = new Set(['FULL'])
const LAST_OPTIONS = new Set(['REV'])
const SCAN_OPTIONS = new Set(['LIMIT'])
