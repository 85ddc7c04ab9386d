'use strict'

/*
 * Rows of the top-k commands. See ../commands/index.js for what a row is.
 */

const { key, suffixed } = require('../commands/forms')
const { double, map, paired } = require('../commands/replies')
const { eachYes, keyIncrements, keyItems } = require('./sketch-forms')

/* The summaries of the documentation, by command. COMMAND DOCS has none for modules. */
const DOCS = {
  'TOPK.ADD': doc('Adds items to a top-k list; returns for each the item that it has expelled, ' +
    'or null.', 'O(N*K) where N is the number of items and K the depth.'),
  'TOPK.COUNT': doc('Estimates the counts of items. The server calls it deprecated.',
    'O(N) where N is the number of items.'),
  'TOPK.INCRBY': doc('Adds to the counts of items; returns for each the item that it has ' +
    'expelled, or null.', 'O(N*K*I) where N is the number of items, K the depth, I the increment.'),
  'TOPK.INFO': doc('Tells the k, width, depth and decay of a top-k list.', 'O(1)'),
  'TOPK.LIST': doc('Returns the items of a top-k list, the most frequent first.',
    'O(K*log(K)) where K is their number.'),
  'TOPK.QUERY': doc('Tells which items are in a top-k list.',
    'O(N) where N is the number of items.'),
  'TOPK.RESERVE': doc('Makes an empty top-k list.', 'O(1)')
}

const rows = [
  {
    name: 'add',
    command: ['TOPK.ADD'],
    args: keyItems,
    ts: '(key: RedisArgument, items: RedisVariadicArgument): Promise<(T | null)[]>'
  },
  {
    name: 'count',
    command: ['TOPK.COUNT'],
    args: keyItems,
    ts: '(key: RedisArgument, items: RedisVariadicArgument): Promise<number[]>'
  },
  {
    name: 'incrBy',
    command: ['TOPK.INCRBY'],
    args: keyIncrements,
    ts: '(key: RedisArgument, items: BfIncrByItem | BfIncrByItem[]): Promise<(T | null)[]>'
  },
  {
    name: 'info',
    command: ['TOPK.INFO'],
    args: key,
    reply: (reply, mapping) => map(reply, mapping, (name, value) => (
      name === 'decay' ? double(value, mapping) : value)),
    ts: '(key: RedisArgument): Promise<TopKInfoReply>'
  },
  {
    name: 'list',
    command: ['TOPK.LIST'],
    args: key,
    ts: '(key: RedisArgument): Promise<T[]>'
  },
  {
    name: 'listWithCount',
    upper: 'LIST_WITHCOUNT',
    command: ['TOPK.LIST'],
    args: suffixed(key, 'WITHCOUNT'),
    reply: reply => paired(reply, (item, count) => ({ item, count })),
    about: 'Returns their counts as well.',
    ts: '(key: RedisArgument): Promise<{ item: T; count: number }[]>'
  },
  {
    name: 'query',
    command: ['TOPK.QUERY'],
    args: keyItems,
    reply: eachYes,
    ts: '(key: RedisArgument, items: RedisVariadicArgument): Promise<boolean[]>'
  },
  {
    name: 'reserve',
    command: ['TOPK.RESERVE'],
    args (w, key, topK, options) {
      w.key(key, 'key')
      w.int(topK, 'topK')
      const o = w.options(options, 'options', RESERVE_OPTIONS)
      if (o === undefined) return
      w.int(o.width, 'options.width')
      w.int(o.depth, 'options.depth')
      w.float(o.decay, 'options.decay')
    },
    ts: '(key: RedisArgument, topK: RedisInteger, options?: TopKReserveOptions): ' +
      "Promise<'OK'>"
  }
]

function doc (summary, complexity) {
  return { summary, complexity, since: '2.0.0' }
}

const RESERVE_OPTIONS = new Set(['width', 'depth', 'decay'])

module.exports = rows.map(row => ({ ...row, docs: DOCS[row.command[0]] }))
