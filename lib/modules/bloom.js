'use strict'

/*
 * Rows of the Bloom filter commands. See ../commands/index.js for what a row is.
 */

const { isGiven } = require('../arguments')
const { key } = require('../commands/forms')
const {
  dumped, eachYes, info, intOption, keyChunk, keyItem, keyItems, keyIterator, yes
} = require('./sketch-forms')

const ONE = 'O(K) where K is the number of hash functions.'
const ALL = 'O(K*N) where K is the number of hash functions and N that of items.'

/* The summaries of the documentation, by command. COMMAND DOCS has none for modules. */
const DOCS = {
  'BF.ADD': doc('Adds an item to a Bloom filter; false if it may have been there.', ONE),
  'BF.CARD': doc('Returns how many items were added to a Bloom filter and not found in it.',
    'O(1)', '2.4.4'),
  'BF.EXISTS': doc('Tells whether an item may be in a Bloom filter; false is certain.', ONE),
  'BF.INFO': doc('Tells about a Bloom filter: its capacity, size and number of items.', 'O(1)'),
  'BF.INSERT': doc('Adds items to a Bloom filter, which is made as the options say if it does ' +
    'not exist.', ALL),
  'BF.LOADCHUNK': doc('Restores a part of a Bloom filter that BF.SCANDUMP has read.', 'O(N) ' +
    'where N is the size of the chunk.'),
  'BF.MADD': doc('Adds items to a Bloom filter; false for those that may have been there.',
    ALL),
  'BF.MEXISTS': doc('Tells which items may be in a Bloom filter; false is certain.', ALL),
  'BF.RESERVE': doc('Makes an empty Bloom filter for a rate of false positives and a number of ' +
    'items.', 'O(1)'),
  'BF.SCANDUMP': doc('Reads a part of a Bloom filter, from iterator 0 until it is 0 again. Needs ' +
    'a view that maps BLOB_STRING to Buffer.', 'O(N) where N is the capacity.')
}

const rows = [
  {
    name: 'add',
    command: ['BF.ADD'],
    args: keyItem,
    reply: yes,
    ts: '(key: RedisArgument, item: RedisArgument): Promise<boolean>'
  },
  {
    name: 'card',
    command: ['BF.CARD'],
    args: key,
    ts: '(key: RedisArgument): Promise<number>'
  },
  {
    name: 'exists',
    command: ['BF.EXISTS'],
    args: keyItem,
    reply: yes,
    ts: '(key: RedisArgument, item: RedisArgument): Promise<boolean>'
  },
  {
    name: 'info',
    command: ['BF.INFO'],
    args: key,
    reply: info,
    ts: '(key: RedisArgument): Promise<BfInfoReply>'
  },
  {
    name: 'insert',
    command: ['BF.INSERT'],
    args (w, key, items, options) {
      w.key(key, 'key')
      const o = w.options(options, 'options', INSERT_OPTIONS)
      intOption(w, o, 'CAPACITY')
      if (isGiven(o?.ERROR)) {
        w.token('ERROR')
        w.float(o.ERROR, 'options.ERROR')
      }
      intOption(w, o, 'EXPANSION')
      if (o?.NOCREATE) w.token('NOCREATE')
      if (o?.NONSCALING) w.token('NONSCALING')
      w.token('ITEMS')
      w.args(items, 'items')
    },
    reply: eachYes,
    ts: '(key: RedisArgument, items: RedisVariadicArgument, options?: BfInsertOptions): ' +
      'Promise<boolean[]>'
  },
  {
    name: 'loadChunk',
    command: ['BF.LOADCHUNK'],
    args: keyChunk,
    ts: "(key: RedisArgument, iterator: RedisInteger, chunk: RedisArgument): Promise<'OK'>"
  },
  {
    name: 'mAdd',
    command: ['BF.MADD'],
    args: keyItems,
    reply: eachYes,
    ts: '(key: RedisArgument, items: RedisVariadicArgument): Promise<boolean[]>'
  },
  {
    name: 'mExists',
    command: ['BF.MEXISTS'],
    args: keyItems,
    reply: eachYes,
    ts: '(key: RedisArgument, items: RedisVariadicArgument): Promise<boolean[]>'
  },
  {
    name: 'reserve',
    command: ['BF.RESERVE'],
    args (w, key, errorRate, capacity, options) {
      w.key(key, 'key')
      w.float(errorRate, 'errorRate')
      w.int(capacity, 'capacity')
      const o = w.options(options, 'options', RESERVE_OPTIONS)
      if (isGiven(o?.EXPANSION)) intOption(w, o, 'EXPANSION')
      if (o?.NONSCALING) w.token('NONSCALING')
    },
    ts: '(key: RedisArgument, errorRate: RedisDouble, capacity: RedisInteger, ' +
      "options?: BfReserveOptions): Promise<'OK'>"
  },
  {
    name: 'scanDump',
    command: ['BF.SCANDUMP'],
    args: keyIterator,
    reply: dumped,
    ts: '(key: RedisArgument, iterator: RedisInteger): ' +
      'Promise<{ iterator: number; chunk: T }>'
  }
]

function doc (summary, complexity, since = '1.0.0') {
  return { summary, complexity, since }
}

const INSERT_OPTIONS = new Set(['CAPACITY', 'ERROR', 'EXPANSION', 'NOCREATE', 'NONSCALING'])
const RESERVE_OPTIONS = new Set(['EXPANSION', 'NONSCALING'])

module.exports = rows.map(row => ({ ...row, docs: DOCS[row.command[0]] }))
