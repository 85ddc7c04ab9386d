'use strict'

/*
 * Rows of the cuckoo filter commands. See ../commands/index.js for what a row is.
 */

const { key } = require('../commands/forms')
const {
  dumped, eachYes, info, intOption, keyChunk, keyItem, keyItems, keyIterator, yes
} = require('./sketch-forms')

const ONE = 'O(K+I) where K is the number of sub-filters and I that of iterations.'
const ALL = 'O(N*(K+I)) where N is the number of items, K of sub-filters, I of iterations.'

/* The summaries of the documentation, by command. COMMAND DOCS has none for modules. */
const DOCS = {
  'CF.ADD': doc('Adds an item to a cuckoo filter; it may be there several times.', ONE),
  'CF.ADDNX': doc('Adds an item to a cuckoo filter; false if it may be there already.', ONE),
  'CF.COUNT': doc('Estimates how many times an item is in a cuckoo filter.', 'O(K) where K is ' +
    'the number of sub-filters.'),
  'CF.DEL': doc('Deletes an item once from a cuckoo filter; false if it is not there.', 'O(K) ' +
    'where K is the number of sub-filters.'),
  'CF.EXISTS': doc('Tells whether an item may be in a cuckoo filter; false is certain.', 'O(K) ' +
    'where K is the number of sub-filters.'),
  'CF.INFO': doc('Tells about a cuckoo filter: its size, buckets and number of items.', 'O(1)'),
  'CF.INSERT': doc('Adds items to a cuckoo filter, which is made as the options say if it does ' +
    'not exist; false for those that found no place.', ALL),
  'CF.INSERTNX': doc('Adds those items to a cuckoo filter that are not there: 1 for added, 0 for ' +
    'there already, -1 for no place.', ALL),
  'CF.LOADCHUNK': doc('Restores a part of a cuckoo filter that CF.SCANDUMP has read.', 'O(N) ' +
    'where N is the size of the chunk.'),
  'CF.MEXISTS': doc('Tells which items may be in a cuckoo filter; false is certain.', 'O(N*K) ' +
    'where N is the number of items and K that of sub-filters.'),
  'CF.RESERVE': doc('Makes an empty cuckoo filter for a number of items.', 'O(1)'),
  'CF.SCANDUMP': doc('Reads a part of a cuckoo filter, from iterator 0 until it is 0 again. ' +
    'Needs a view that maps BLOB_STRING to Buffer.', 'O(N) where N is the capacity.')
}

const rows = [
  {
    name: 'add',
    command: ['CF.ADD'],
    args: keyItem,
    reply: yes,
    ts: '(key: RedisArgument, item: RedisArgument): Promise<boolean>'
  },
  {
    name: 'addNX',
    command: ['CF.ADDNX'],
    args: keyItem,
    reply: yes,
    ts: '(key: RedisArgument, item: RedisArgument): Promise<boolean>'
  },
  {
    name: 'count',
    command: ['CF.COUNT'],
    args: keyItem,
    ts: '(key: RedisArgument, item: RedisArgument): Promise<number>'
  },
  {
    name: 'del',
    command: ['CF.DEL'],
    args: keyItem,
    reply: yes,
    ts: '(key: RedisArgument, item: RedisArgument): Promise<boolean>'
  },
  {
    name: 'exists',
    command: ['CF.EXISTS'],
    args: keyItem,
    reply: yes,
    ts: '(key: RedisArgument, item: RedisArgument): Promise<boolean>'
  },
  {
    name: 'info',
    command: ['CF.INFO'],
    args: key,
    reply: info,
    ts: '(key: RedisArgument): Promise<CfInfoReply>'
  },
  {
    name: 'insert',
    command: ['CF.INSERT'],
    args: insert,
    reply: eachYes,
    ts: '(key: RedisArgument, items: RedisVariadicArgument, options?: CfInsertOptions): ' +
      'Promise<boolean[]>'
  },
  {
    name: 'insertNX',
    command: ['CF.INSERTNX'],
    args: insert,
    ts: '(key: RedisArgument, items: RedisVariadicArgument, options?: CfInsertOptions): ' +
      'Promise<(-1 | 0 | 1)[]>'
  },
  {
    name: 'loadChunk',
    command: ['CF.LOADCHUNK'],
    args: keyChunk,
    ts: "(key: RedisArgument, iterator: RedisInteger, chunk: RedisArgument): Promise<'OK'>"
  },
  {
    name: 'mExists',
    command: ['CF.MEXISTS'],
    args: keyItems,
    reply: eachYes,
    ts: '(key: RedisArgument, items: RedisVariadicArgument): Promise<boolean[]>'
  },
  {
    name: 'reserve',
    command: ['CF.RESERVE'],
    args (w, key, capacity, options) {
      w.key(key, 'key')
      w.int(capacity, 'capacity')
      const o = w.options(options, 'options', RESERVE_OPTIONS)
      intOption(w, o, 'BUCKETSIZE')
      intOption(w, o, 'MAXITERATIONS')
      intOption(w, o, 'EXPANSION')
    },
    ts: '(key: RedisArgument, capacity: RedisInteger, options?: CfReserveOptions): ' +
      "Promise<'OK'>"
  },
  {
    name: 'scanDump',
    command: ['CF.SCANDUMP'],
    args: keyIterator,
    reply: dumped,
    ts: '(key: RedisArgument, iterator: RedisInteger): ' +
      'Promise<{ iterator: number; chunk: T | null }>'
  }
]

function doc (summary, complexity) {
  return { summary, complexity, since: '1.0.0' }
}

/** (key, items, options) */
function insert (w, key, items, options) {
  w.key(key, 'key')
  const o = w.options(options, 'options', INSERT_OPTIONS)
  intOption(w, o, 'CAPACITY')
  if (o?.NOCREATE) w.token('NOCREATE')
  w.token('ITEMS')
  w.args(items, 'items')
}

const INSERT_OPTIONS = new Set(['CAPACITY', 'NOCREATE'])
const RESERVE_OPTIONS = new Set(['BUCKETSIZE', 'MAXITERATIONS', 'EXPANSION'])

module.exports = rows.map(row => ({ ...row, docs: DOCS[row.command[0]] }))
