'use strict'

// Realistic calls of every method of `client.ft`: each option at least once.

const B = Buffer.from([0, 255, 13, 10, 128])

const SCHEMA = {
  title: 'TEXT',
  body: { type: 'TEXT', AS: 'text', INDEXMISSING: true, NOSTEM: true, WEIGHT: 2.5,
    PHONETIC: 'dm:en', WITHSUFFIXTRIE: true, INDEXEMPTY: true, SORTABLE: 'UNF', NOINDEX: true },
  price: { type: 'NUMERIC', SORTABLE: true },
  year: 'NUMERIC',
  shop: { type: 'GEO', INDEXMISSING: true, NOINDEX: true },
  '$.tags': [
    { type: 'TAG', AS: 'tags', INDEXMISSING: true, SEPARATOR: ';', CASESENSITIVE: true,
      WITHSUFFIXTRIE: true, INDEXEMPTY: true, SORTABLE: true },
    { type: 'TEXT', AS: 'words' }, 'TAG'
  ],
  flat: { type: 'VECTOR', ALGORITHM: 'FLAT', TYPE: 'FLOAT32', DIM: 2, DISTANCE_METRIC: 'L2',
    INITIAL_CAP: 5, BLOCK_SIZE: 10, INDEXMISSING: true },
  graph: { type: 'VECTOR', AS: 'g', ALGORITHM: 'HNSW', TYPE: 'FLOAT64', DIM: 3,
    DISTANCE_METRIC: 'COSINE', M: 16, EF_CONSTRUCTION: 200, EF_RUNTIME: 10, RERANK: false },
  small: { type: 'VECTOR', ALGORITHM: 'HNSW', TYPE: 'FLOAT16', DIM: 3, DISTANCE_METRIC: 'IP',
    RERANK: true },
  vamana: { type: 'VECTOR', ALGORITHM: 'SVS-VAMANA', TYPE: 'FLOAT32', DIM: 2,
    DISTANCE_METRIC: 'IP', COMPRESSION: 'LeanVec4x8', CONSTRUCTION_WINDOW_SIZE: 200,
    GRAPH_MAX_DEGREE: 32, SEARCH_WINDOW_SIZE: 10, EPSILON: 0.01, TRAINING_THRESHOLD: 10240,
    REDUCE: 1 },
  shape: { type: 'GEOSHAPE', COORD_SYSTEM: 'FLAT', INDEXMISSING: true },
  plainShape: 'GEOSHAPE'
}

const SEARCH = [
  ['i', '*'],
  [B, '@v:[1 2]', {}],
  ['i', 'q', { VERBATIM: true, NOSTOPWORDS: true, WITHSCORES: true, WITHPAYLOADS: true,
    WITHSORTKEYS: true, FILTER: { field: 'price', min: 1, max: '(5' }, INKEYS: ['a', B],
    INFIELDS: 'title', RETURN: ['title', 'AS', 't'], SUMMARIZE: true, HIGHLIGHT: true, SLOP: 0,
    TIMEOUT: 100, INORDER: true, LANGUAGE: 'English', EXPANDER: 'e', SCORER: 'BM25',
    PAYLOAD: B, SORTBY: '@price', LIMIT: { from: 0, size: 10 },
    PARAMS: { vector: B, k: 3, text: 'x' }, DIALECT: 4 }],
  ['i', 'q', { EXPLAINSCORE: true,
    FILTER: [{ field: 'a', min: -Infinity, max: Infinity }, { field: B, min: '-inf', max: 1.5 }],
    GEOFILTER: { field: 'shop', lon: 10.5, lat: -59, radius: 5, unit: 'km' },
    RETURN: [], INKEYS: 'a', SORTBY: { BY: '@price', DIRECTION: 'DESC' } }],
  ['i', 'q', { GEOFILTER: [{ field: 'a', lon: 0, lat: 0, radius: 1.5, unit: 'mi' },
    { field: 'b', lon: 1, lat: 1, radius: 1, unit: 'ft' }],
  SUMMARIZE: { FIELDS: ['a', 'b'], FRAGS: 3, LEN: 20, SEPARATOR: '...' },
  HIGHLIGHT: { FIELDS: 'a', TAGS: { open: '<b>', close: '</b>' } }, PAYLOAD: '',
  SORTBY: { BY: 'price' }, LIMIT: { from: '5', size: '5' } }],
  ['i', 'q', { SUMMARIZE: {}, HIGHLIGHT: { FIELDS: ['a', 'b'] }, WITHSCORES: false }]
]

const REDUCERS = [
  { type: 'COUNT' }, { type: 'COUNT', AS: 'n' },
  ...['COUNT_DISTINCT', 'COUNT_DISTINCTISH', 'SUM', 'MIN', 'MAX', 'AVG', 'STDDEV', 'TOLIST'].map(
    type => ({ type, property: '@price', AS: type.toLowerCase() })),
  { type: 'QUANTILE', property: '@price', quantile: 0.5 },
  { type: 'FIRST_VALUE', property: '@title' },
  { type: 'FIRST_VALUE', property: '@title', BY: '@price' },
  { type: 'FIRST_VALUE', property: '@title', BY: { property: '@price' } },
  { type: 'FIRST_VALUE', property: '@title', BY: { property: '@price', direction: 'DESC' } },
  { type: 'RANDOM_SAMPLE', property: '@title', sampleSize: 3, AS: 'some' },
  { type: 'COLLECT', FIELDS: '*' },
  { type: 'COLLECT', FIELDS: '@a', DISTINCT: true, AS: 'all' },
  { type: 'COLLECT', FIELDS: ['@a', '@b'], SORTBY: '@a', LIMIT: { from: 0, size: 5 } },
  { type: 'COLLECT', FIELDS: ['@a'], DISTINCT: true,
    SORTBY: [{ BY: '@a', DIRECTION: 'ASC' }, '@b', { BY: '@c' }], LIMIT: { from: 1, size: 2 } }
]

const AGGREGATE = [
  ['i', '*'],
  ['i', '*', { VERBATIM: true, ADDSCORES: true, LOAD: '*', TIMEOUT: 0, DIALECT: 3,
    PARAMS: { a: 1, b: B } }],
  ['i', '*', { LOAD: '@a' }],
  ['i', '*', { LOAD: { identifier: '$.a', AS: 'a' } }],
  ['i', '*', { LOAD: ['@a', B, { identifier: '@b' }, { identifier: '@c', AS: 'd' }] }],
  ['i', '*', { STEPS: [
    { type: 'GROUPBY', REDUCE: { type: 'COUNT' } },
    { type: 'GROUPBY', properties: '@a', REDUCE: REDUCERS },
    { type: 'GROUPBY', properties: ['@a', '@b'], REDUCE: [] },
    { type: 'SORTBY', BY: '@a' },
    { type: 'SORTBY', BY: [{ BY: '@a', DIRECTION: 'DESC' }, { BY: '@b' }, '@c'] },
    { type: 'APPLY', expression: '@a * 2', AS: 'b' },
    { type: 'LIMIT', from: 0, size: 10 },
    { type: 'FILTER', expression: '@a > 1' }
  ] }]
]

const EXTRA = (calls, extra) => calls.map(([index, query, options]) => (
  [index, query, { ...options, ...extra }]))

const SUGGET = [['k', 'pre'], [B, B, { FUZZY: true, MAX: 3 }], ['k', '', { FUZZY: false, MAX: 0 }]]
const SIMILAR = { field: '@v', vector: '$v' }

/** method -> argument lists */
module.exports = {
  _list: [[]],
  aggregate: AGGREGATE,
  aggregateWithCursor: [...AGGREGATE, ...EXTRA(AGGREGATE, { COUNT: 10, MAXIDLE: 5000 })],
  aliasAdd: [['a', 'i']],
  aliasDel: [['a']],
  aliasList: [['i']],
  aliasUpdate: [['a', 'i']],
  alter: [['i', { a: 'TEXT' }], ['i', SCHEMA]],
  configGet: [['*']],
  configSet: [['TIMEOUT', '500']],
  create: [['i', SCHEMA], ['i', { a: 'TEXT' }, { ON: 'JSON', PREFIX: ['a:', 'b:'],
    FILTER: '@a > 1', LANGUAGE: 'German', LANGUAGE_FIELD: '@lang', SCORE: 0.5,
    SCORE_FIELD: '@score', MAXTEXTFIELDS: true, TEMPORARY: 60, NOOFFSETS: true, NOHL: true,
    NOFIELDS: true, NOFREQS: true, SKIPINITIALSCAN: true, STOPWORDS: ['the', 'a'] }],
  ['i', { a: 'TAG' }, { ON: 'HASH', PREFIX: 'a:', STOPWORDS: [] }]],
  cursorDel: [['i', 5], ['i', '123456789012345678']],
  cursorRead: [['i', 5], ['i', 5, { COUNT: 10 }]],
  dictAdd: [['d', 'a'], ['d', ['a', B]]],
  dictDel: [['d', 'a'], ['d', ['a', B]]],
  dictDump: [['d']],
  dropIndex: [['i'], ['i', { DD: true }]],
  explain: [['i', 'q'], ['i', 'q', { PARAMS: { a: 'b' }, DIALECT: 1 }]],
  explainCli: [['i', 'q'], ['i', 'q', { DIALECT: 1 }]],
  hybrid: [
    ['i', { SEARCH: { query: 'q' }, VSIM: SIMILAR }],
    ['i', { SEARCH: { query: 'q', SCORER: 'BM25', YIELD_SCORE_AS: 's' },
      VSIM: { field: '@v', vector: '$v', method: { type: 'KNN', K: 10, EF_RUNTIME: 50 },
        FILTER: '@a:[1 2]', YIELD_SCORE_AS: 'vs' },
      COMBINE: { method: { type: 'RRF', WINDOW: 20, CONSTANT: 60 }, YIELD_SCORE_AS: 'c' },
      LOAD: ['@a', '@b'], GROUPBY: { fields: ['@a'], REDUCE: REDUCERS },
      APPLY: [{ expression: '@a + 1', AS: 'b' }, { expression: '@a' }],
      SORTBY: { fields: [{ field: '@a', direction: 'ASC' }, { field: '@b' }] },
      FILTER: '@b > 1', LIMIT: { offset: 0, count: 5 }, PARAMS: { v: B, n: 1 }, TIMEOUT: 100 }],
    ['i', { SEARCH: { query: 'q' },
      VSIM: { ...SIMILAR, method: { type: 'RANGE', RADIUS: 0.5, EPSILON: 0.1 } },
      COMBINE: { method: { type: 'LINEAR', ALPHA: 0.7, BETA: 0.3, WINDOW: 5 },
        YIELD_SCORE_AS: 'c' }, LOAD: '*', GROUPBY: { fields: '@a', REDUCE: { type: 'COUNT' } },
      APPLY: { expression: '1', AS: 'one' }, NOSORT: true, LIMIT: { offset: '1', count: '2' },
      PARAMS: {} }],
    ['i', { SEARCH: { query: 'q' }, VSIM: { ...SIMILAR, method: { type: 'KNN', K: 3 } },
      COMBINE: { method: { type: 'RRF' } }, LOAD: '@a', GROUPBY: { fields: '@a' } }],
    ['i', { SEARCH: { query: 'q' }, VSIM: { ...SIMILAR, method: { type: 'RANGE', RADIUS: 1 } },
      COMBINE: { method: { type: 'LINEAR' } } }]
  ],
  info: [['i']],
  profileAggregate: [...AGGREGATE, ...EXTRA(AGGREGATE, { LIMITED: true })],
  profileSearch: [...SEARCH, ...EXTRA(SEARCH, { LIMITED: true })],
  search: SEARCH,
  searchNoContent: SEARCH,
  spellCheck: [['i', 'q'], ['i', 'q', { DISTANCE: 2, DIALECT: 3,
    TERMS: { mode: 'INCLUDE', dictionary: 'd' } }],
  ['i', 'q', { TERMS: [{ mode: 'INCLUDE', dictionary: 'd' },
    { mode: 'EXCLUDE', dictionary: B }] }]],
  sugAdd: [['k', 's', 1], ['k', 's', 0.5, { INCR: true, PAYLOAD: B }]],
  sugDel: [['k', 's']],
  sugGet: SUGGET,
  sugGetWithPayloads: SUGGET,
  sugGetWithScores: SUGGET,
  sugGetWithScoresWithPayloads: SUGGET,
  sugLen: [['k']],
  synDump: [['i']],
  synUpdate: [['i', 'g', 'a'], ['i', 'g', ['a', B], { SKIPINITIALSCAN: true }]],
  tagVals: [['i', 'f']]
}
