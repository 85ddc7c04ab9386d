'use strict'

/*
 * Rows of the sorted-set commands over a range of ranks, scores or names. See index.js for what a
 * row is. The ends of a range are numbers, or text such as `(5`, `-inf`, `[a` and `+`.
 */

const { isGiven } = require('../arguments')
const { keySpan, limit, suffixed } = require('./forms')
const { scored } = require('./replies')

module.exports = [
  {
    name: 'zCount',
    args: ends,
    ts: '(key: RedisArgument, min: RangeEnd, max: RangeEnd): Promise<number>'
  },
  {
    name: 'zLexCount',
    args (w, key, min, max) {
      w.key(key, 'key')
      w.arg(min, 'min')
      w.arg(max, 'max')
    },
    ts: '(key: RedisArgument, min: RedisArgument, max: RedisArgument): Promise<number>'
  },
  {
    name: 'zRange',
    args: range,
    ts: '(key: RedisArgument, min: RangeEnd, max: RangeEnd, options?: ZRangeOptions): Promise<T[]>'
  },
  {
    name: 'zRangeWithScores',
    upper: 'ZRANGE_WITHSCORES',
    command: ['ZRANGE'],
    args: suffixed(range, 'WITHSCORES'),
    shape: 'flat',
    reply: scored,
    about: 'Returns the scores beside the members.',
    ts: '(key: RedisArgument, min: RangeEnd, max: RangeEnd, options?: ZRangeOptions): ' +
      'Promise<{ value: T; score: number }[]>'
  },
  {
    name: 'zRangeByLex',
    args: limited,
    ts: '(key: RedisArgument, min: RangeEnd, max: RangeEnd, options?: RangeLimitOptions): ' +
      'Promise<T[]>'
  },
  {
    name: 'zRangeByScore',
    args: limited,
    ts: '(key: RedisArgument, min: RangeEnd, max: RangeEnd, options?: RangeLimitOptions): ' +
      'Promise<T[]>'
  },
  {
    name: 'zRangeByScoreWithScores',
    upper: 'ZRANGEBYSCORE_WITHSCORES',
    command: ['ZRANGEBYSCORE'],
    args: suffixed(limited, 'WITHSCORES'),
    shape: 'flat',
    reply: scored,
    about: 'Returns the scores beside the members.',
    ts: '(key: RedisArgument, min: RangeEnd, max: RangeEnd, options?: RangeLimitOptions): ' +
      'Promise<{ value: T; score: number }[]>'
  },
  {
    name: 'zRangeStore',
    args (w, destination, source, min, max, options) {
      w.key(destination, 'destination')
      w.key(source, 'source')
      bounds(w, min, max)
      rangeOptions(w, options)
    },
    ts: '(destination: RedisArgument, source: RedisArgument, min: RangeEnd, max: RangeEnd, ' +
      'options?: ZRangeOptions): Promise<number>'
  },
  {
    name: 'zRemRangeByLex',
    args: ends,
    ts: '(key: RedisArgument, min: RangeEnd, max: RangeEnd): Promise<number>'
  },
  {
    name: 'zRemRangeByRank',
    args: keySpan,
    ts: '(key: RedisArgument, start: RedisInteger, stop: RedisInteger): Promise<number>'
  },
  {
    name: 'zRemRangeByScore',
    args: ends,
    ts: '(key: RedisArgument, min: RangeEnd, max: RangeEnd): Promise<number>'
  }
]

/** (key, min, max) */
function ends (w, key, min, max) {
  w.key(key, 'key')
  bounds(w, min, max)
}

function bounds (w, min, max) {
  w.bound(min, 'min')
  w.bound(max, 'max')
}

/** (key, min, max, { LIMIT }) */
function limited (w, key, min, max, options) {
  ends(w, key, min, max)
  limit(w, w.options(options, 'options', LIMIT_OPTIONS)?.LIMIT)
}

/** (key, min, max, { BY, REV, LIMIT }) */
function range (w, key, min, max, options) {
  ends(w, key, min, max)
  rangeOptions(w, options)
}

function rangeOptions (w, options) {
  const o = w.options(options, 'options', RANGE_OPTIONS)
  if (o === undefined) return
  if (isGiven(o.BY)) w.oneOf(typeof o.BY === 'string' ? `BY${o.BY}` : o.BY, 'options.BY', ORDERS)
  if (o.REV) w.token('REV')
  limit(w, o.LIMIT)
}

const ORDERS = ['BYSCORE', 'BYLEX']
const LIMIT_OPTIONS = new Set(['LIMIT'])
const RANGE_OPTIONS = new Set(['BY', 'REV', 'LIMIT'])
