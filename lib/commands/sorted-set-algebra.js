'use strict'

/*
 * Rows of the sorted-set commands that combine sets: difference, intersection, union. See index.js
 * for what a row is. Sets to combine are keys, or `{ key, weight }` for those that allow weights.
 */

const { fail, isGiven, isText } = require('../arguments')
const { suffixed } = require('./forms')
const { scored } = require('./replies')

module.exports = [
  { name: 'zDiff', args: counted, ts: '(keys: RedisVariadicArgument): Promise<T[]>' },
  {
    name: 'zDiffWithScores',
    upper: 'ZDIFF_WITHSCORES',
    command: ['ZDIFF'],
    args: suffixed(counted, 'WITHSCORES'),
    shape: 'flat',
    reply: scored,
    about: 'Returns the scores beside the members.',
    ts: '(keys: RedisVariadicArgument): Promise<{ value: T; score: number }[]>'
  },
  {
    name: 'zDiffStore',
    args (w, destination, keys) {
      w.key(destination, 'destination')
      w.keysCounted(keys, 'keys')
    },
    ts: '(destination: RedisArgument, keys: RedisVariadicArgument): Promise<number>'
  },
  {
    name: 'zInter',
    args: aggregated,
    ts: '(keys: ZKeys, options?: ZAggregateOptions): Promise<T[]>'
  },
  {
    name: 'zInterWithScores',
    upper: 'ZINTER_WITHSCORES',
    command: ['ZINTER'],
    args: suffixed(aggregated, 'WITHSCORES'),
    shape: 'flat',
    reply: scored,
    about: 'Returns the scores beside the members.',
    ts: '(keys: ZKeys, options?: ZAggregateOptions): Promise<{ value: T; score: number }[]>'
  },
  {
    name: 'zInterCard',
    args (w, keys, options) {
      w.keysCounted(keys, 'keys')
      const most = typeof options === 'number'
        ? options
        : w.options(options, 'options', CARDINALITY_OPTIONS)?.LIMIT
      if (!isGiven(most)) return
      w.token('LIMIT')
      w.int(most, 'options.LIMIT')
    },
    ts: '(keys: RedisVariadicArgument, options?: ZInterCardOptions | number): Promise<number>'
  },
  {
    name: 'zInterStore',
    args: stored,
    ts: '(destination: RedisArgument, keys: ZKeys, options?: ZAggregateOptions): Promise<number>'
  },
  {
    name: 'zUnion',
    args: aggregated,
    ts: '(keys: ZKeys, options?: ZAggregateOptions): Promise<T[]>'
  },
  {
    name: 'zUnionWithScores',
    upper: 'ZUNION_WITHSCORES',
    command: ['ZUNION'],
    args: suffixed(aggregated, 'WITHSCORES'),
    shape: 'flat',
    reply: scored,
    about: 'Returns the scores beside the members.',
    ts: '(keys: ZKeys, options?: ZAggregateOptions): Promise<{ value: T; score: number }[]>'
  },
  {
    name: 'zUnionStore',
    args: stored,
    ts: '(destination: RedisArgument, keys: ZKeys, options?: ZAggregateOptions): Promise<number>'
  }
]

function counted (w, keys) {
  w.keysCounted(keys, 'keys')
}

/** (destination, keys, { AGGREGATE }) */
function stored (w, destination, keys, options) {
  w.key(destination, 'destination')
  aggregated(w, keys, options)
}

/** (keys, { AGGREGATE }), where the first key tells whether there are weights. */
function aggregated (w, keys, options) {
  const list = Array.isArray(keys) ? keys : [keys]
  if (isWeighted(list[0])) weighted(w, list)
  else w.keysCounted(keys, 'keys')
  const o = w.options(options, 'options', AGGREGATE_OPTIONS)
  if (!isGiven(o?.AGGREGATE)) return
  w.token('AGGREGATE')
  w.oneOf(o.AGGREGATE, 'options.AGGREGATE', ['SUM', 'MIN', 'MAX', 'COUNT'])
}

function weighted (w, list) {
  w.int(list.length, 'keys')
  for (const item of list) {
    if (!isWeighted(item)) fail('keys', 'all plain keys or all { key, weight }', item)
    w.key(item.key, 'keys: key')
  }
  w.token('WEIGHTS')
  for (const item of list) w.float(item.weight, 'keys: weight')
}

function isWeighted (item) {
  return item !== null && !isText(item) && typeof item === 'object'
}

const AGGREGATE_OPTIONS = new Set(['AGGREGATE'])
const CARDINALITY_OPTIONS = new Set(['LIMIT'])
