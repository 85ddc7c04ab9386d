'use strict'

/*
 * Rows of the t-digest commands. See ../commands/index.js for what a row is.
 */

const { fail } = require('../arguments')
const { key } = require('../commands/forms')
const { double, doubles } = require('../commands/replies')
const { info, intOption } = require('./sketch-forms')

/* The summaries of the documentation, by command. COMMAND DOCS has none for modules. */
const DOCS = {
  'TDIGEST.ADD': doc('Adds numbers to a t-digest.', 'O(N) where N is how many.'),
  'TDIGEST.BYRANK': doc('Estimates the numbers of ranks, 0 being the smallest: Infinity beyond ' +
    'the largest, NaN in an empty t-digest.', 'O(1)'),
  'TDIGEST.BYREVRANK': doc('Estimates the numbers of ranks, 0 being the largest: -Infinity ' +
    'beyond the smallest, NaN in an empty t-digest.', 'O(1)'),
  'TDIGEST.CDF': doc('Estimates for each value which fraction of the numbers is not above it.',
    'O(1)'),
  'TDIGEST.CREATE': doc('Makes an empty t-digest.', 'O(1)'),
  'TDIGEST.INFO': doc('Tells about a t-digest: its compression, nodes, weights and memory.',
    'O(1)'),
  'TDIGEST.MAX': doc('Returns the largest number; NaN in an empty t-digest.', 'O(1)'),
  'TDIGEST.MERGE': doc('Merges t-digests into another.',
    'O(N*K) where N is the number of centroids and K that of t-digests.'),
  'TDIGEST.MIN': doc('Returns the smallest number; NaN in an empty t-digest.', 'O(1)'),
  'TDIGEST.QUANTILE': doc('Estimates for each fraction the number below which it lies.', 'O(1)'),
  'TDIGEST.RANK': doc('Estimates the rank of each value, 0 being the smallest: -1 below all ' +
    'numbers, their count above, -2 in an empty t-digest.', 'O(1)'),
  'TDIGEST.RESET': doc('Empties a t-digest.', 'O(1)'),
  'TDIGEST.REVRANK': doc('Estimates the rank of each value, 0 being the largest: -1 above all ' +
    'numbers, their count below, -2 in an empty t-digest.', 'O(1)'),
  'TDIGEST.TRIMMED_MEAN': doc('Estimates the mean without what lies outside of two fractions.',
    'O(N) where N is the number of centroids.')
}

const rows = [
  {
    name: 'add',
    command: ['TDIGEST.ADD'],
    args: keyNumbers('values'),
    ts: "(key: RedisArgument, values: RedisDouble[]): Promise<'OK'>"
  },
  {
    name: 'byRank',
    command: ['TDIGEST.BYRANK'],
    args: keyNumbers('ranks'),
    reply: doubles,
    ts: '(key: RedisArgument, ranks: RedisDouble[]): Promise<number[]>'
  },
  {
    name: 'byRevRank',
    command: ['TDIGEST.BYREVRANK'],
    args: keyNumbers('ranks'),
    reply: doubles,
    ts: '(key: RedisArgument, ranks: RedisDouble[]): Promise<number[]>'
  },
  {
    name: 'cdf',
    command: ['TDIGEST.CDF'],
    args: keyNumbers('values'),
    reply: doubles,
    ts: '(key: RedisArgument, values: RedisDouble[]): Promise<number[]>'
  },
  {
    name: 'create',
    command: ['TDIGEST.CREATE'],
    args (w, key, options) {
      w.key(key, 'key')
      intOption(w, w.options(options, 'options', CREATE_OPTIONS), 'COMPRESSION')
    },
    ts: "(key: RedisArgument, options?: TDigestCreateOptions): Promise<'OK'>"
  },
  {
    name: 'info',
    command: ['TDIGEST.INFO'],
    args: key,
    reply: info,
    ts: '(key: RedisArgument): Promise<TDigestInfoReply>'
  },
  {
    name: 'max',
    command: ['TDIGEST.MAX'],
    args: key,
    reply: double,
    ts: '(key: RedisArgument): Promise<number>'
  },
  {
    name: 'merge',
    command: ['TDIGEST.MERGE'],
    args (w, destination, source, options) {
      w.key(destination, 'destination')
      w.keysCounted(source, 'source')
      const o = w.options(options, 'options', MERGE_OPTIONS)
      intOption(w, o, 'COMPRESSION')
      if (o?.OVERRIDE) w.token('OVERRIDE')
    },
    ts: '(destination: RedisArgument, source: RedisVariadicArgument, ' +
      "options?: TDigestMergeOptions): Promise<'OK'>"
  },
  {
    name: 'min',
    command: ['TDIGEST.MIN'],
    args: key,
    reply: double,
    ts: '(key: RedisArgument): Promise<number>'
  },
  {
    name: 'quantile',
    command: ['TDIGEST.QUANTILE'],
    args: keyNumbers('quantiles'),
    reply: doubles,
    ts: '(key: RedisArgument, quantiles: RedisDouble[]): Promise<number[]>'
  },
  {
    name: 'rank',
    command: ['TDIGEST.RANK'],
    args: keyNumbers('values'),
    ts: '(key: RedisArgument, values: RedisDouble[]): Promise<number[]>'
  },
  {
    name: 'reset',
    command: ['TDIGEST.RESET'],
    args: key,
    ts: "(key: RedisArgument): Promise<'OK'>"
  },
  {
    name: 'revRank',
    command: ['TDIGEST.REVRANK'],
    args: keyNumbers('values'),
    ts: '(key: RedisArgument, values: RedisDouble[]): Promise<number[]>'
  },
  {
    name: 'trimmedMean',
    upper: 'TRIMMED_MEAN',
    command: ['TDIGEST.TRIMMED_MEAN'],
    args (w, key, lowCutPercentile, highCutPercentile) {
      w.key(key, 'key')
      w.float(lowCutPercentile, 'lowCutPercentile')
      w.float(highCutPercentile, 'highCutPercentile')
    },
    reply: double,
    ts: '(key: RedisArgument, lowCutPercentile: RedisDouble, highCutPercentile: RedisDouble): ' +
      'Promise<number>'
  }
]

function doc (summary, complexity) {
  return { summary, complexity, since: '2.4.0' }
}

/** (key, numbers): `name` is what the second is called. */
function keyNumbers (name) {
  return function (w, key, numbers) {
    w.key(key, 'key')
    if (!Array.isArray(numbers) || numbers.length === 0) fail(name, 'a non-empty array', numbers)
    for (let i = 0; i < numbers.length; i++) w.float(numbers[i], `${name}[${i}]`)
  }
}

const CREATE_OPTIONS = new Set(['COMPRESSION'])
const MERGE_OPTIONS = new Set(['COMPRESSION', 'OVERRIDE'])

module.exports = rows.map(row => ({ ...row, docs: DOCS[row.command[0]] }))
