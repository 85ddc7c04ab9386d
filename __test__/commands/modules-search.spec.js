'use strict'

// The methods of `client.ft` send what node-redis sends and make of replies what it makes of them,
// in both protocols. There is no search module here: both sides are run without a server.

const assert = require('node:assert')
const { test, describe } = require('node:test')

const { BasicCommandParser } = require('@redis/client/dist/lib/client/parser')
const redis = require('redis')
const theirs = require('@redis/search').default

const { Arguments } = require('../../lib/arguments')
const { RESP_TYPES } = require('../../lib/resp-types')
const constants = require('../../lib/modules/constants')
const rows = require('../../lib/modules/search')
const { argv } = require('./encode')
const calls = require('./modules-search-calls')

const named = new Map(rows.map(row => [row.name, row]))

describe('encoding as in node-redis', () => {
  for (const row of rows) {
    test(row.name, () => {
      const cases = calls[row.name]
      assert.ok(cases?.length > 0, `no call of ${row.name}`)
      for (const args of cases) {
        for (const prefix of [undefined, 'p:']) {
          // Its sugLen forgets the prefix: what sugAdd wrote would not be found.
          const forTheirs = row.name === 'sugLen' && prefix ? [prefix + args[0]] : args
          const parser = new BasicCommandParser(prefix)
          theirs[row.name].parseCommand(parser, ...forTheirs)
          // No server knows the word that it puts in front of a coordinate system.
          const sent = parser.redisArgs.filter(arg => arg !== 'COORD_SYSTEM')
          assert.deepStrictEqual(argv(row, args, prefix),
            sent.map(arg => Buffer.from(arg).latin1Slice()))
        }
      }
    })
  }
})

test('names, upper-case names and the number of methods are those of node-redis', () => {
  const ours = rows.flatMap(row => [row.name, row.upper ?? row.name.toUpperCase()])
  assert.deepStrictEqual([...new Set(ours)].sort(), Object.keys(theirs).sort())
  for (const row of rows) {
    assert.strictEqual(theirs[row.upper ?? row.name.toUpperCase()], theirs[row.name], row.name)
  }
})

test('every row is documented and typed, and takes at most seven arguments', () => {
  for (const row of rows) {
    assert.ok(row.docs?.summary, row.name)
    assert.ok(row.ts, row.name)
    assert.ok(row.args.length <= 8, row.name)
  }
})

test('constants are those of node-redis', () => {
  for (const [name, value] of Object.entries(constants)) {
    assert.deepStrictEqual(value, redis[name], name)
  }
  const pattern = /^(SCHEMA_|FT_|REDISEARCH_|TIME_SERIES_|TS_)/
  assert.deepStrictEqual(Object.keys(constants).sort(),
    Object.keys(redis).filter(name => pattern.test(name)).sort())
})

test('MAX of a sort stands behind the counted keys, where the server reads it', () => {
  const options = { STEPS: [{ type: 'SORTBY', BY: { BY: '@a', DIRECTION: 'ASC' }, MAX: 5 }] }
  assert.deepStrictEqual(argv(named.get('aggregate'), ['i', '*', options]),
    ['FT.AGGREGATE', 'i', '*', 'SORTBY', '2', '@a', 'ASC', 'MAX', '5', 'DIALECT', '2'])
})

test('a list of no parameters is not sent, as the server refuses it', () => {
  assert.deepStrictEqual(argv(named.get('search'), ['i', '*', { PARAMS: {} }]),
    ['FT.SEARCH', 'i', '*', 'DIALECT', '2'])
})

const DOC = ['title', 'a', 'price', '1']
const JSON_DOC = ['$', '{"title":"a","__proto__x":1}', 'extra', 'e']
const ROW3 = (id, fields, more) => ({ id, extra_attributes: pairs(fields), values: [], ...more })
const MAP3 = (results, more) => (
  { attributes: [], warning: [], total_results: 2, format: 'STRING', results, ...more })
const EXPLANATION = ['Final : 2', [['a : 1', ['b : 1']], 'c']]
const AGGREGATE3 = MAP3([{ extra_attributes: pairs(DOC), values: [] },
  { extra_attributes: { title: 'b' }, values: [] }])
const AGGREGATE2 = [2, DOC, ['title', 'b']]
const SEARCH2 = [2, 'd:1', DOC, 'd:2', JSON_DOC]
const SEARCH3 = MAP3([ROW3('d:1', DOC), ROW3('d:2', JSON_DOC)])
const SCORED = { WITHSCORES: true, WITHPAYLOADS: true, WITHSORTKEYS: true }
const HYBRID_ROWS = [['__key', 'd:1', '__score', '0.5', '$', '{"a":1}'], ['__key', 'd:2']]
const PROFILE = { Shards: [{ 'Total profile time': '0.1', Iterators: { Type: 'TEXT', n: 1 } }] }
const OLD_PROFILE = { 'Total profile time': 0.1, 'Iterators profile': [{ Type: 'TEXT' }], n: [] }
const INFO = ['index_name', 'i', 'index_options', [], 'index_definition',
  ['key_type', 'HASH', 'prefixes', ['a:']],
  'attributes', [['identifier', 'a', 'attribute', 'a', 'type', 'TEXT', 'WEIGHT', '1', 'NOSTEM']],
  'num_docs', 2, 'inverted_sz_mb', '0.5', 'percent_indexed', '1', 'bytes_per_record_avg', 'nan',
  'gc_stats', ['bytes_collected', '0', 'last_run_time_ms', '1.5'],
  'cursor_stats', ['global_idle', 0, 'global_total', 0, 'index_capacity', 128, 'index_total', 0],
  'stopwords_list', ['the'], 'dialect_stats', ['dialect_1', 0, 'dialect_2', 1],
  'Index Errors', ['indexing failures', 0, 'last indexing error', 'N/A']]

/** method -> [[what RESP2 sends, what RESP3 sends, options of the call]]; null: not sent so */
const REPLIES = {
  aggregate: [[AGGREGATE2, AGGREGATE3], [[0], MAP3([], { total_results: 0 })],
    [null, MAP3([], { warning: ['Timeout limit was reached'] })]],
  aggregateWithCursor: [[[AGGREGATE2, 7], [AGGREGATE3, 7]],
    [null, { results: AGGREGATE3, cursor: 7 }]],
  configGet: [[[['TIMEOUT', '500'], ['EXTLOAD', null]], { TIMEOUT: '500', EXTLOAD: null }],
    [[['TIMEOUT', '500']], { TIMEOUT: '500' }]],
  cursorRead: [[[AGGREGATE2, 0], [AGGREGATE3, 0]]],
  hybrid: [[['total_results', 2, 'results', HYBRID_ROWS, 'warnings', ['w'],
    'execution_time', '0.25'],
  { total_results: 2, results: HYBRID_ROWS.map(pairs), warnings: ['w'], execution_time: 0.25 }],
  [null, { total_results: 1, execution_time: 1, warnings: [],
    results: [{ id: 'd', values: pairs(DOC), extra_attributes: { x: 'y' }, other: 1 }] }]],
  info: [[INFO, null], [null, { index_name: 'i', inverted_sz_mb: 0.5,
    gc_stats: { bytes_collected: 0 }, attributes: [{ identifier: 'a', flags: ['NOSTEM'] }] }]],
  profileAggregate: [[[AGGREGATE2, ['a', ['b']]], null],
    [null, { Results: AGGREGATE3, Profile: PROFILE }]],
  profileSearch: [[[SEARCH2, ['a', ['b']]], null],
    [null, { Results: SEARCH3, Profile: PROFILE }], [null, { ...SEARCH3, profile: OLD_PROFILE }],
    [null, { results: SEARCH3, profile: PROFILE }]],
  search: [[SEARCH2, SEARCH3], [[0], MAP3([], { total_results: 0 })],
    [[2, 'd:1', 'd:2'], MAP3([{ id: 'd:1' }, { id: 'd:2' }]), { RETURN: [] }],
    [[1, 'd:1', null], MAP3([{ id: 'd:1', extra_attributes: null }], { total_results: 1 })],
    [[2, 'd:1', '1.5', 'pay', '$a', DOC, 'd:2', 'inf', null, null, DOC],
      MAP3([ROW3('d:1', DOC, { score: 1.5, payload: 'pay', sortkey: '$a' }),
        ROW3('d:2', DOC, { score: Infinity, payload: null, sortkey: null })]), SCORED],
    [[1, 'd:1', ['1.5', EXPLANATION], DOC],
      MAP3([ROW3('d:1', DOC, { score: [1.5, EXPLANATION] })], { total_results: 1 }),
      { EXPLAINSCORE: true }],
    [null, MAP3([ROW3('d:1', DOC)], { warning: ['w'] })]],
  searchNoContent: [[[2, 'd:1', 'd:2'], MAP3([{ id: 'd:1' }, { id: 'd:2' }])],
    [[0], MAP3([], { total_results: 0 })]],
  spellCheck: [[[['TERM', 'hockye', [['0.5', 'hockey'], ['0', 'hacky']]], ['TERM', 'x', []]],
    { results: { hockye: [{ hockey: 0.5 }, { hacky: 0 }], x: [] } }], [[], { results: {} }]],
  sugGetWithPayloads: [[['a', 'p', 'b', null]], [null]],
  sugGetWithScores: [[['a', '1.5', 'b', '2'], ['a', 1.5, 'b', 2]]],
  sugGetWithScoresWithPayloads: [[['a', '1.5', 'p', 'b', '2', null],
    ['a', 1.5, 'p', 'b', 2, null]]],
  synDump: [[['a', ['g'], 'b', ['g', 'h']], { a: ['g'], b: ['g', 'h'] }], [[], {}]]
}

describe('replies as in node-redis', () => {
  for (const row of rows) {
    if (row.reply === undefined) continue
    test(row.name, () => {
      assert.ok(REPLIES[row.name] !== undefined, `no reply of ${row.name}`)
      for (const [resp2, resp3 = resp2, options] of REPLIES[row.name]) {
        const kept = preserved(row, options)
        const ours2 = resp2 && row.reply(structuredClone(resp2), undefined, kept.ours)
        const ours3 = resp3 && row.reply(structuredClone(resp3), undefined, kept.ours)
        if (resp2) assert.deepStrictEqual(ours2, transform(row, 2, resp2, kept.theirs))
        if (resp3) assert.deepStrictEqual(ours3, transform(row, 3, resp3, kept.theirs))
        if (resp2 && resp3) assert.deepStrictEqual(ours2, ours3, 'RESP2 and RESP3 differ')
      }
    })
  }
})

describe('RESP3 maps as the caller wants them', () => {
  const wanted = [[Array, flat], [Map, maps]]
  for (const name of ['aggregate', 'aggregateWithCursor', 'cursorRead', 'hybrid', 'profileSearch',
    'profileAggregate', 'search', 'searchNoContent', 'spellCheck']) {
    test(name, () => {
      const row = named.get(name)
      for (const [, resp3, options] of REPLIES[name]) {
        if (!resp3) continue
        const kept = preserved(row, options).ours
        const expected = row.reply(structuredClone(resp3), undefined, kept)
        for (const [target, convert] of wanted) {
          const mapping = { [RESP_TYPES.MAP]: target }
          const ours = row.reply(convert(resp3), mapping, kept)
          const results = whole => whole?.results?.results ?? whole?.results
          // Rows of an aggregation are of the class that was asked for; the rest is the same.
          if (/ggregate|cursor/.test(name)) {
            assert.deepStrictEqual(results(ours), results(expected).map(
              target === Map ? made => new Map(Object.entries(made)) : made => flat(made)))
          } else {
            assert.deepStrictEqual(ours, expected)
          }
        }
      }
    })
  }
})

test('counts as text do not make a RESP2 reply a map', () => {
  const mapping = { [RESP_TYPES.NUMBER]: String }
  assert.deepStrictEqual(named.get('aggregate').reply(['1', ['a', '1']], mapping),
    { total: 1, results: [{ a: '1' }], warnings: [] })
})

test('ids and values stay Buffers, names are read from them', () => {
  const bytes = value => Array.isArray(value)
    ? value.map(bytes)
    : typeof value === 'string' ? Buffer.from(value) : value
  const { reply } = named.get('search')
  const layout = preserved(named.get('search')).ours
  const expected = { total: 1, warnings: [],
    documents: [{ id: Buffer.from('d'), value: { a: Buffer.from('b') } }] }
  assert.deepStrictEqual(reply(bytes([1, 'd', ['a', 'b']]), undefined, layout), expected)
  assert.deepStrictEqual(reply({ total_results: 1, results: [{ id: Buffer.from('d'),
    extra_attributes: { a: Buffer.from('b') } }] }, undefined, layout), expected)
})

test('RESP2 ids come without their scores, as in RESP3', () => {
  const row = named.get('searchNoContent')
  const { ours } = preserved(row, { WITHSCORES: true })
  assert.deepStrictEqual(row.reply([1, 'd', '0.5'], undefined, ours),
    { total: 1, documents: ['d'], warnings: [] })
})

test('a document of an aggregation is parsed in RESP2 too', () => {
  assert.deepStrictEqual(named.get('aggregate').reply([1, ['$', '{"a":1}']]).results, [{ a: 1 }])
})

test('text that is no JSON document stays under its name', () => {
  for (const text of ['{', '5', 'null']) {
    const { documents } = named.get('search').reply([1, 'd', ['$', text]], undefined,
      preserved(named.get('search')).ours)
    assert.deepStrictEqual(documents[0].value, { $: text })
  }
})

test('a field called __proto__ survives', () => {
  const { results } = named.get('aggregate').reply([1, ['__proto__', 'x']])
  assert.deepStrictEqual(Object.entries(results[0]), [['__proto__', 'x']])
  assert.strictEqual(Object.getPrototypeOf(results[0]), Object.prototype)
  const json = named.get('aggregate').reply([1, ['$', '{"__proto__":{"polluted":1}}']]).results[0]
  assert.deepStrictEqual(Object.keys(json), ['__proto__'])
  assert.strictEqual(json.polluted, undefined)
})

test('facts that node-redis does not know are kept', () => {
  assert.deepStrictEqual(named.get('info').reply(['new_fact', 1]), { new_fact: 1 })
})

const VECTOR = { type: 'VECTOR', ALGORITHM: 'FLAT', TYPE: 'FLOAT32', DIM: 2, DISTANCE_METRIC: 'L2' }
const step = v => [['i', '*', { STEPS: [v] }]]
const group = REDUCE => step({ type: 'GROUPBY', REDUCE })[0]
const hybrid = more => ['i', { SEARCH: { query: 'q' }, VSIM: { field: 'f', vector: 'v' }, ...more }]

/** [method, arguments, what the error names] */
const WRONG = [
  ['search', [5, 'q'], '"index"'],
  ['search', ['i'], '"query"'],
  ['search', ['i', 'q', { LIMITS: 1 }], 'unknown option "LIMITS"'],
  ['search', ['i', 'q', { FILTER: { field: 'a', min: {}, max: 1 } }], '"options.FILTER.min"'],
  ['search', ['i', 'q', { GEOFILTER: [{ field: 'a', lon: 1, lat: 'x' }] }],
    '"options.GEOFILTER[0].lat"'],
  ['search', ['i', 'q', { SUMMARIZE: { LEN: 'x' } }], '"options.SUMMARIZE.LEN"'],
  ['search', ['i', 'q', { HIGHLIGHT: { TAGS: { open: 1 } } }], '"options.HIGHLIGHT.TAGS.open"'],
  ['search', ['i', 'q', { SORTBY: { BY: 'a', DIRECTION: 'UP' } }], '"options.SORTBY.DIRECTION"'],
  ['search', ['i', 'q', { LIMIT: { from: 0 } }], '"options.LIMIT.size"'],
  ['search', ['i', 'q', { PARAMS: { a: {} } }], '"options.PARAMS value"'],
  ['search', ['i', 'q', { PARAMS: 'a' }], '"options.PARAMS"'],
  ['search', ['i', 'q', { DIALECT: 'x' }], '"options.DIALECT"'],
  ['create', ['i', {}], '"schema"'],
  ['create', ['i', null], '"schema"'],
  ['create', ['i', { a: 'TEXTS' }], '"schema field type"'],
  ['create', ['i', { a: { type: 'X' } }], '"schema field.type"'],
  ['create', ['i', { a: { ...VECTOR, DIM: 'x' } }], '"schema field.DIM"'],
  ['create', ['i', { a: { ...VECTOR, ALGORITHM: 'X' } }], '"schema field.ALGORITHM"'],
  ['create', ['i', { a: { type: 'TEXT', SEPARATOR: ',' } }], 'unknown option "SEPARATOR"'],
  ['create', ['i', { a: 'TEXT' }, { ON: 'X' }], '"options.ON"'],
  ['aggregate', ['i', '*', { STEPS: {} }], '"options.STEPS"'],
  ['aggregate', step({ type: 'X' })[0], '"options.STEPS[0].type"'],
  ['aggregate', step({ type: 'LIMIT', from: 0 })[0], '"options.STEPS[0].size"'],
  ['aggregate', step({ type: 'APPLY', expression: 'a' })[0], '"options.STEPS[0].AS"'],
  ['aggregate', step({ type: 'SORTBY' })[0], '"options.STEPS[0].BY"'],
  ['aggregate', group({ type: 'SUM' }), '"options.STEPS[0].REDUCE.property"'],
  ['aggregate', group([{ type: 'X' }]), '"options.STEPS[0].REDUCE[0].type"'],
  ['aggregate', group(undefined), '"options.STEPS[0].REDUCE.type"'],
  ['aggregate', group({ type: 'COLLECT' }), '"options.STEPS[0].REDUCE.FIELDS"'],
  ['aggregate', ['i', '*', { LOAD: [5] }], '"options.LOAD[0]"'],
  ['hybrid', ['i'], '"options"'],
  ['hybrid', ['i', {}], '"options.SEARCH"'],
  ['hybrid', ['i', { SEARCH: { query: 'q' } }], '"options.VSIM"'],
  ['hybrid', hybrid({ VSIM: { field: 'f', vector: 'v', method: { type: 'KNN' } } }),
    '"options.VSIM.method.K"'],
  ['hybrid', hybrid({ COMBINE: { method: { type: 'X' } } }), '"options.COMBINE.method.type"'],
  ['hybrid', hybrid({ SORTBY: {} }), '"options.SORTBY.fields"'],
  ['spellCheck', ['i', 'q', { TERMS: { mode: 'X' } }], '"options.TERMS.mode"'],
  ['cursorRead', ['i', 'x'], '"cursor"'],
  ['sugAdd', ['k', 's', NaN], '"score"'],
  ['sugGet', ['k', 'p', { MAX: 1.5 }], '"options.MAX"'],
  ['dictAdd', ['d', []], '"term"'],
  ['synUpdate', ['i', 'g', 5], '"terms"'],
  ['configSet', ['a', 5], '"value"'],
  ['tagVals', ['i'], '"fieldName"']
]

test('wrong arguments are TypeErrors that name them', () => {
  for (const [name, args, names] of WRONG) {
    assert.throws(() => argv(named.get(name), args), error => (
      error instanceof TypeError && error.message.includes(names)
    ), `${name}: ${names}`)
  }
})

/** What a call keeps for its reply, on both sides. */
function preserved (row, options) {
  const args = ['i', 'q', options]
  const parser = new BasicCommandParser()
  const writer = new Arguments()
  if (row.name.toLowerCase().includes('search')) {
    theirs[row.name].parseCommand(parser, ...args)
    row.args(writer, ...args)
  }
  return { ours: writer.preserved, theirs: parser.preserve }
}

function transform (row, protocol, reply, preserve) {
  const { transformReply } = theirs[row.name]
  const apply = typeof transformReply === 'function' ? transformReply : transformReply[protocol]
  return apply === undefined ? reply : apply(structuredClone(reply), preserve)
}

function pairs (list) {
  const made = {}
  for (let i = 0; i < list.length; i += 2) made[list[i]] = list[i + 1]
  return made
}

/** A reply with its maps as flat lists. */
function flat (value) {
  if (Array.isArray(value)) return value.map(flat)
  if (value === null || typeof value !== 'object') return value
  return Object.entries(value).flatMap(([name, inner]) => [name, flat(inner)])
}

/** A reply with its maps as Maps. */
function maps (value) {
  if (Array.isArray(value)) return value.map(maps)
  if (value === null || typeof value !== 'object') return value
  return new Map(Object.entries(value).map(([name, inner]) => [name, maps(inner)]))
}
