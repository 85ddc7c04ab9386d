'use strict'

// Realistic calls of the methods of modules: each option at least once. The encoding test compares
// them with node-redis.

const B = Buffer.from([0, 255, 13, 10, 128])
const PATHS = [['k'], ['k', {}], ['k', { path: '$.a' }], [B, { path: Buffer.from('.a') }]]
const ITEM = [['k', 'i'], [B, B], ['ключ', 'значение 🎈']]
const ITEMS = [['k', 'i'], ['k', ['i', B]], ['k', B]]
const INCREMENTS = [['k', { item: 'i', incrementBy: 5 }],
  ['k', [{ item: B, incrementBy: 1 }, { item: 'j', incrementBy: 2 }]]]
const ITERATOR = [['k', 0], ['k', 1024 ** 5]]
const CHUNK = [['k', 1, B], ['k', 1024 ** 5, 'c']]
const NUMBERS = [['k', [1]], ['k', [0, 0.5, -1e-7, 1e300]]]
const CF_INSERT = [...ITEMS, ['k', ['i'], { CAPACITY: 100, NOCREATE: true }],
  ['k', 'i', { NOCREATE: false }]]

/** namespace -> method -> argument lists */
module.exports = {
  json: {
    arrAppend: [['k', '$.a', 1], ['k', '$', 'a', null, { b: [true] }, 'ё']],
    arrIndex: [['k', '$', 'a'], ['k', '$', null, { range: { start: 1 } }],
      ['k', '$', 1.5, { range: { start: 0, stop: -1 } }], ['k', '$', 1, {}]],
    arrInsert: [['k', '$', 0, 1], ['k', '$', -1, 'a', [], {}]],
    arrLen: PATHS,
    arrPop: [['k'], ['k', {}], ['k', { path: '$' }], ['k', { path: '$', index: -2 }],
      ['k', { path: '$', index: 0, reviver: (key, value) => value }]],
    arrTrim: [['k', '$', 0, -1]],
    clear: PATHS,
    debugMemory: PATHS,
    del: PATHS,
    forget: PATHS,
    get: [...PATHS, ['k', { path: ['$.a', Buffer.from('$.b')] }], ['k', { path: [] }],
      ['k', { path: '$', reviver: (key, value) => value }]],
    merge: [['k', '$', { a: null, b: 1 }]],
    mGet: [[['a', B], '$'], [['a'], '$.b', (key, value) => value]],
    mSet: [[[{ key: 'a', path: '$', value: { b: 1 } }]],
      [[{ key: 'a', path: '$', value: null }, { key: B, path: Buffer.from('$'), value: 'é' }]]],
    numIncrBy: [['k', '$.n', 1], ['k', '$.n', -1.5], ['k', '$.n', 1e21]],
    numMultBy: [['k', '$.n', 2], ['k', '$.n', 0.1]],
    objKeys: PATHS,
    objLen: PATHS,
    set: [['k', '$', { a: [1, 'b', null, true], d: new Date(0), u: undefined }],
      ['k', '$', 'text 🎈'], ['k', '$', 5], ['k', '$', false], ['k', '$', null],
      ['k', '$', [], { condition: 'NX' }], ['k', '$', 1, { condition: 'XX', NX: true }],
      ['k', '$', 1, { NX: true }], ['k', '$', 1, { XX: true }], ['k', '$', 1, { NX: false }],
      ['k', '$', [0.5], { fpha: 'BF16' }], ['k', '$', [0.5], { condition: 'NX', fpha: 'FP64' }]],
    strAppend: [['k', 'more "quoted"'], ['k', 'more', { path: '$.s' }]],
    strLen: PATHS,
    toggle: [['k', '$.b'], [B, Buffer.from('.b')]],
    type: PATHS
  },
  bf: {
    add: ITEM,
    card: [['k']],
    exists: ITEM,
    info: [['k'], [B]],
    insert: [...ITEMS, ['k', ['i'], { CAPACITY: 100, ERROR: 0.01, EXPANSION: 2, NOCREATE: true,
      NONSCALING: true }], ['k', 'i', { NOCREATE: false }]],
    loadChunk: CHUNK,
    mAdd: ITEMS,
    mExists: ITEMS,
    reserve: [['k', 0.01, 100], ['k', 1e-7, 100, { EXPANSION: 2, NONSCALING: true }],
      ['k', 0.01, 100, { EXPANSION: 1 }]],
    scanDump: ITERATOR
  },
  cf: {
    add: ITEM,
    addNX: ITEM,
    count: ITEM,
    del: ITEM,
    exists: ITEM,
    info: [['k']],
    insert: CF_INSERT,
    insertNX: CF_INSERT,
    loadChunk: CHUNK,
    mExists: ITEMS,
    reserve: [['k', 100], ['k', 100, { BUCKETSIZE: 2, MAXITERATIONS: 20, EXPANSION: 0 }]],
    scanDump: ITERATOR
  },
  cms: {
    incrBy: INCREMENTS,
    info: [['k']],
    initByDim: [['k', 2000, 5], ['k', 2000, 5, { CELL_SIZE: 4 }]],
    initByProb: [['k', 0.001, 0.01], ['k', 0.001, 0.01, { CELL_SIZE: 8 }]],
    merge: [['d', ['s']], ['d', ['s', B]],
      ['d', [{ name: 's', weight: 1 }, { name: B, weight: 2 }]]],
    query: ITEMS
  },
  topK: {
    add: ITEMS,
    count: ITEMS,
    incrBy: INCREMENTS,
    info: [['k']],
    list: [['k']],
    listWithCount: [['k']],
    query: ITEMS,
    reserve: [['k', 5], ['k', 5, { width: 8, depth: 7, decay: 0.9 }]]
  },
  tDigest: {
    add: NUMBERS,
    byRank: NUMBERS,
    byRevRank: NUMBERS,
    cdf: NUMBERS,
    create: [['k'], ['k', { COMPRESSION: 100 }]],
    info: [['k']],
    max: [['k']],
    merge: [['d', 's'], ['d', ['s', B]], ['d', ['s'], { COMPRESSION: 100, OVERRIDE: true }]],
    min: [['k']],
    quantile: NUMBERS,
    rank: NUMBERS,
    reset: [['k']],
    revRank: NUMBERS,
    trimmedMean: [['k', 0.1, 0.9]]
  }
}
