'use strict'

/*
 * Rows of the time-series commands that read series by their keys. See lib/commands/index.js for
 * what a row is.
 */

const { fail, isGiven } = require('../arguments')
const { waitMilliseconds } = require('../commands/forms')
const { flag, int, object, optional } = require('./option-forms')
const {
  RANGE_OPTIONS, range, rangeMulti, rangeOfKeys, timestamp
} = require('./time-series-forms')
const replies = require('./time-series-replies')

const RANGE = 'O(N) where N is the number of samples in the range.'

/* The summaries of the documentation. COMMAND DOCS has none for modules. */
const DOCS = {
  'TS.GET': doc('Returns the last sample of a series, or null.', 'O(1)'),
  'TS.NRANGE': doc('Returns the samples of several series, one row for each timestamp.', RANGE,
    '8.10.0'),
  'TS.NREVRANGE': doc('Returns the samples of several series, one row for each timestamp, the ' +
    'latest first.', RANGE, '8.10.0'),
  'TS.RANGE': doc('Returns the samples of a range.', RANGE),
  'TS.READ': doc('Returns the samples since a timestamp, and can wait for them.', RANGE, '8.10.0'),
  'TS.REVRANGE': doc('Returns the samples of a range, the latest first.', RANGE, '1.4.0')
}

const rows = [
  {
    name: 'get',
    command: ['TS.GET'],
    args (w, key, options) {
      w.key(key, 'key')
      flag(w, optional(w, options, 'options', GET), 'LATEST')
    },
    reply: replies.lastSample,
    ts: '(key: RedisArgument, options?: TsGetOptions): Promise<TsSample | null>'
  },
  ...bothWays({
    name: 'nRange',
    command: ['TS.NRANGE'],
    args (w, keys, from, to, options) {
      const o = optional(w, options, 'options', RANGE_KNOWN)
      if (!Array.isArray(keys)) fail('keys', 'a non-empty array', keys)
      w.keysCounted(keys, 'keys')
      rangeOfKeys(w, from, to, o)
      const groups = o.AGGREGATION?.types.length ?? keys.length
      if (groups !== keys.length) {
        throw new TypeError('argument "options.AGGREGATION.types" must have one array for each key')
      }
    },
    reply: replies.rows,
    ts: '(keys: RedisArgument[], fromTimestamp: TsTimestamp, toTimestamp: TsTimestamp, ' +
      'options?: TsNRangeOptions): Promise<TsMultiSample[]>'
  }),
  ...bothWays({
    name: 'range',
    command: ['TS.RANGE'],
    args (w, key, from, to, options) {
      w.key(key, 'key')
      range(w, from, to, optional(w, options, 'options', RANGE_KNOWN))
    },
    reply: replies.samples,
    ts: '(key: RedisArgument, fromTimestamp: TsTimestamp, toTimestamp: TsTimestamp, ' +
      'options?: TsRangeOptions): Promise<TsSample[]>'
  }),
  ...bothWays({
    name: 'rangeMultiAggr',
    upper: 'RANGE_MULTIAGGR',
    command: ['TS.RANGE'],
    args (w, key, from, to, options) {
      w.key(key, 'key')
      rangeMulti(w, from, to, object(w, options, 'options', RANGE_KNOWN))
    },
    reply: replies.multiSamples,
    about: 'Aggregates in several ways at once.',
    ts: '(key: RedisArgument, fromTimestamp: TsTimestamp, toTimestamp: TsTimestamp, ' +
      'options: TsRangeMultiAggrOptions): Promise<TsMultiSample[]>'
  }),
  {
    name: 'read',
    command: ['TS.READ'],
    blocks: true,
    args (w, key, time, options) {
      const o = optional(w, options, 'options', READ)
      w.key(key, 'key')
      timestamp(w, time, 'timestamp')
      if (isGiven(o.BLOCK)) {
        const { milliseconds, minCount } = object(w, o.BLOCK, 'options.BLOCK', BLOCK)
        w.token('BLOCK')
        waitMilliseconds(w, milliseconds, 'options.BLOCK.milliseconds')
        w.int(minCount ?? 1, 'options.BLOCK.minCount')
      }
      int(w, o, 'options', 'MAX_COUNT')
    },
    reply: replies.awaited,
    ts: '(key: RedisArgument, timestamp: TsTimestamp, options?: TsReadOptions): ' +
      'Promise<TsSample[]>'
  }
]

function doc (summary, complexity, since = '1.0.0') {
  return { summary, complexity, since }
}

/** A row and its twin that reads backwards. */
function bothWays (row) {
  const turned = name => name.replace(/range/i, found => (
    found === 'range' ? 'revRange' : found === 'Range' ? 'RevRange' : 'REVRANGE'
  ))
  return [row, {
    ...row,
    name: turned(row.name),
    ...row.upper && { upper: turned(row.upper) },
    command: row.command.map(turned)
  }]
}

const GET = new Set(['LATEST'])
const READ = new Set(['BLOCK', 'MAX_COUNT'])
const BLOCK = new Set(['milliseconds', 'minCount'])
const RANGE_KNOWN = new Set(RANGE_OPTIONS)

module.exports = rows.map(row => ({ ...row, docs: DOCS[row.command[0]] }))
