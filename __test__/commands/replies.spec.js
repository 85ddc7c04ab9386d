'use strict'

// Each reply transform gives one value for what RESP2 and RESP3 send, and it is node-redis's.

const assert = require('node:assert')
const { test, describe } = require('node:test')
const { inspect } = require('node:util')

const theirs = require('@redis/client/dist/lib/commands').default

const { commands } = require('../../lib/commands')
const { located } = require('../../lib/commands/geo-forms')
const { map } = require('../../lib/commands/replies')
const { put } = require('../../lib/fields')
const { RESP_TYPES } = require('../../lib/resp-types')

const rows = new Map(commands.map(row => [row.name, row]))
const FLAT = ['a', '1.5', 'b', 'inf', 'c', '-inf']
const PAIRS = [['a', 1.5], ['b', Infinity], ['c', -Infinity]]
const SCAN = ['0', ['a', '1', 'b', '2']]
const KEY_SPECS = [
  ['flags', ['RO'], 'begin_search', ['type', 'index', 'spec', ['index', 1]],
    'find_keys', ['type', 'range', 'spec', ['lastkey', -1, 'keystep', 1, 'limit', 0]]],
  ['flags', ['RO'],
    'begin_search', ['type', 'keyword', 'spec', ['keyword', 'KEYS', 'startfrom', 1]],
    'find_keys', ['type', 'keynum', 'spec', ['keynumidx', 0, 'firstkey', 1, 'keystep', 1]]],
  ['flags', [], 'begin_search', ['type', 'unknown', 'spec', []],
    'find_keys', ['type', 'unknown', 'spec', []]]
]
const COMMANDS = [
  ['get', 2, ['readonly', 'fast'], 1, 1, 1, ['@read'],
    ['request_policy:all_shards', 'response_policy:agg_sum', 'nondeterministic_output'],
    KEY_SPECS, [['get|sub', 2, [], 0, 0, 0, [], [], [], []]]],
  ['old', 2, [], 0, 0, 0, []]
]
const USER = ['flags', ['on'], 'passwords', [], 'commands', '+@all', 'keys', '~*', 'channels', '&*',
  'selectors', [['commands', '+get', 'keys', '~k', 'channels', '']]]
const LINE = 'id=3 addr=127.0.0.1:1 laddr=127.0.0.1:2 fd=8 name= age=0 idle=0 flags=N db=0 sub=0 ' +
  'psub=0 ssub=0 multi=-1 watch=0 qbuf=26 qbuf-free=20448 argv-mem=10 multi-mem=0 rbs=1024 rbp=0 ' +
  'obl=0 oll=0 omem=0 tot-mem=22298 events=r cmd=client|list user=default redir=-1 resp=3 ' +
  'lib-name=node lib-ver=1.0\n'
const OLD_LINE = 'id=3 addr=127.0.0.1:1 fd=8 name=x age=0 idle=0 flags=N db=0 sub=0 psub=0 ' +
  'multi=-1 qbuf=26 qbuf-free=1 obl=0 oll=0 omem=0 events=r cmd=client\n'
const MEMORY = ['peak.allocated', 5, 'peak.percentage', '97.5', 'fragmentation', '1.25',
  'allocator-rss.ratio', '1.5', 'keys.count', 3]
const LATENCY = ['get', ['calls', 2, 'histogram_usec', [1, 1, 2, 2]]]
const ACL_LOG = ['count', 1, 'reason', 'auth', 'context', 'toplevel', 'object', 'AUTH',
  'username', 'u', 'age-seconds', '4.5', 'client-info', 'id=3', 'entry-id', 0,
  'timestamp-created', 1, 'timestamp-last-updated', 2]
const DOCS = ['get', ['summary', 'Gets.', 'arguments', [['name', 'key', 'arguments',
  [['name', 'inner']]]], 'subcommands', ['get|sub', ['summary', 'Subs.']]]]

const MESSAGES = [['1-1', ['f', 'v', 'g', 'w']], ['2-1', ['f', 'v']]]
/** Our native side hands these maps over as lists; node-redis gets a Map for this. */
const READ_AS_LIST = flat => new Map([[flat[0], flat[1]], [flat[2], flat[3]]].filter(([k]) => k))
const CLAIMED = ['3-1', ['f', 'v'], 100, 2]
const INFO_STREAM = ['length', 2, 'last-generated-id', '2-1', 'groups', 1,
  'first-entry', MESSAGES[0], 'last-entry', null]
const INFO_GROUP = ['name', 'g', 'consumers', 1, 'pending', 2, 'last-delivered-id', '2-1',
  'entries-read', 2, 'lag', null]
const INFO_CONSUMER = ['name', 'c', 'pending', 2, 'idle', 5, 'inactive', -1]
const LIBRARY = ['library_name', 'lib', 'engine', 'LUA', 'functions', [
  ['name', 'f', 'description', null, 'flags', ['no-writes']]]]
const LIBRARY3 = { ...pairs(LIBRARY), functions: [pairs(LIBRARY[5][0])] }
const LINK = ['direction', 'to', 'node', 'a', 'create-time', 1, 'events', 'r',
  'send-buffer-allocated', 0, 'send-buffer-used', 0]
const MODULE = ['name', 'm', 'ver', 1, 'path', '/m.so', 'args', []]
const RUNNING = ['name', 'f', 'command', ['FCALL', 'f', '0'], 'duration_ms', 5]
const COUNTS = ['libraries_count', 1, 'functions_count', 2]

/** method -> [[what RESP2 sends, what RESP3 sends]]; one item when they are the same */
const REPLIES = {
  aclGetUser: [[USER, { ...pairs(USER), selectors: [pairs(USER[11][0])] }], [null]],
  aclLog: [[[ACL_LOG], [{ ...pairs(ACL_LOG), 'age-seconds': 4.5 }]]],
  arGrepWithValues: [[[[1, 'a'], [5, 'b']]], [[]]],
  arInfo: [[['len', 5, 'slices', 1], { len: 5, slices: 1 }]],
  arScan: [[[[1, 'a'], [5, 'b']]], [[]]],
  blessScan: [[['0', ['a', 'b']]]],
  blPop: [[['k', 'a']], [null]],
  brPop: [[['k', 'a']], [null]],
  bzmPop: [[['k', [['a', '1.5'], ['b', '2']]], ['k', [['a', 1.5], ['b', 2]]]], [null]],
  bzPopMax: [[['k', 'a', '1.5'], ['k', 'a', 1.5]], [null]],
  bzPopMin: [[['k', 'a', '-inf'], ['k', 'a', -Infinity]], [null]],
  clientInfo: [[LINE], [OLD_LINE]],
  clientList: [[LINE + OLD_LINE]],
  clusterLinks: [[[LINK], [pairs(LINK)]], [[]]],
  clusterSlots: [[[[0, 5, ['127.0.0.1', 1, 'a'], ['127.0.0.1', 2, 'b', []]],
    [6, 9, ['', 3, 'c']]]]],
  command: [[COMMANDS, COMMANDS.map(command => command.map((field, i) => (
    i === 8 ? field.map(deepObject) : field)))]],
  commandDocs: [[DOCS, { get: { ...pairs(DOCS[1]), arguments: [{ name: 'key',
    arguments: [{ name: 'inner' }] }], subcommands: { 'get|sub': { summary: 'Subs.' } } } }]],
  commandGetKeysAndFlags: [[[['k', ['RO']]]]],
  commandInfo: [[[COMMANDS[1], null]]],
  functionList: [[[LIBRARY], [LIBRARY3]], [[]]],
  functionListWithCode: [[[[...LIBRARY, 'library_code', '#!lua']],
    [{ ...LIBRARY3, library_code: '#!lua' }]]],
  functionStats: [[['running_script', RUNNING, 'engines', ['LUA', COUNTS]],
    { running_script: pairs(RUNNING), engines: { LUA: pairs(COUNTS) } }],
  [['running_script', null, 'engines', []], { running_script: null, engines: {} }]],
  geoDist: [['166.2742'], [null]],
  hRandFieldCountWithValues: [[['a', '1', 'b', '2'], [['a', '1'], ['b', '2']]], [[]]],
  hScan: [[SCAN], [['5', []]]],
  hScanNoValues: [[['0', ['a', 'b']]]],
  latencyHistogram: [[LATENCY, { get: { calls: 2, histogram_usec: { 1: 1, 2: 2 } } }], [[], {}]],
  hotkeysGet: [[['tracking-active', 1, 'by-cpu-time-us', ['x', 104]],
    { 'tracking-active': 1, 'by-cpu-time-us': { x: 104 } }], [null]],
  lcsIdx: [[['matches', [[[4, 7], [5, 8]]], 'len', 4], { matches: [[[4, 7], [5, 8]]], len: 4 }]],
  lcsIdxWithMatchLen: [[['matches', [[[4, 7], [5, 8], 4]], 'len', 4],
    { matches: [[[4, 7], [5, 8], 4]], len: 4 }]],
  memoryStats: [[MEMORY, { ...pairs(MEMORY), 'peak.percentage': 97.5, fragmentation: 1.25,
    'allocator-rss.ratio': 1.5 }]],
  moduleList: [[[MODULE], [pairs(MODULE)]], [[]]],
  pubSubNumSub: [[['a', 1, 'b', 0]], [[]]],
  pubSubShardNumSub: [[['a', 1, 'b', 0]]],
  role: [[['master', 10, [['127.0.0.1', '6380', '9']]]],
    [['slave', '127.0.0.1', 6379, 'connected', 10]], [['sentinel', ['mymaster']]]],
  scan: [[['0', ['a', 'b']]]],
  sScan: [[['0', ['a', 'b']]]],
  vAdd: [[1, true], [0, false]],
  vEmb: [[['1.5', '-2'], [1.5, -2]]],
  vEmbRaw: [[['int8', 'raw', '1.5', '2'], ['int8', 'raw', 1.5, 2]]],
  vGetAttr: [['{"year":1980}'], [null]],
  vInfo: [[['quant-type', 'int8', 'size', 2], { 'quant-type': 'int8', size: 2 }]],
  vLinksWithScores: [[[['a', '0.5'], []], [{ a: 0.5 }, {}]]],
  vRem: [[1, true], [0, false]],
  vSetAttr: [[1, true], [0, false]],
  vSimWithScores: [[['a', '1', 'b', '0.5'], { a: 1, b: 0.5 }], [[], {}]],
  xAutoClaim: [[['0-0', [...MESSAGES, null], ['4-1']]]],
  xAutoClaimJustId: [[['5-1', ['1-1', '2-1'], []]]],
  xClaim: [[[...MESSAGES, null]], [[]]],
  xInfoConsumers: [[[INFO_CONSUMER], [pairs(INFO_CONSUMER)]], [[]]],
  xInfoGroups: [[[INFO_GROUP], [pairs(INFO_GROUP)]], [[]]],
  xInfoStream: [[INFO_STREAM, pairs(INFO_STREAM)]],
  xPending: [[[2, '1-1', '2-1', [['c', '2']]]], [[0, null, null, null]]],
  xPendingRange: [[[['1-1', 'c', 5, 1]]], [[]]],
  xRange: [[MESSAGES], [[]]],
  xRead: [[[['s', MESSAGES], ['7', []]], ['s', MESSAGES, '7', []], READ_AS_LIST], [null]],
  xReadGroup: [[[['s', [...MESSAGES, CLAIMED]]], ['s', [...MESSAGES, CLAIMED]], READ_AS_LIST],
    [null]],
  xRevRange: [[MESSAGES]],
  zAdd: [['1', 1], [0]],
  zAddIncr: [['1.5', 1.5], [null]],
  zDiffWithScores: [[FLAT, PAIRS], [[]]],
  zIncrBy: [['1.5', 1.5], ['inf', Infinity]],
  zInterWithScores: [[FLAT, PAIRS]],
  zmPop: [[['k', [['a', '1.5'], ['b', '2']]], ['k', [['a', 1.5], ['b', 2]]]], [null]],
  zmScore: [[['1.5', null, '-inf'], [1.5, null, -Infinity]]],
  zPopMax: [[['a', '1.5'], ['a', 1.5]], [[]]],
  zPopMaxCount: [[FLAT, PAIRS], [[]]],
  zPopMin: [[['a', '1.5'], ['a', 1.5]], [[]]],
  zPopMinCount: [[FLAT, PAIRS]],
  zRandMemberCountWithScores: [[FLAT, PAIRS]],
  zRangeWithScores: [[FLAT, PAIRS], [[]]],
  zRangeByScoreWithScores: [[FLAT, PAIRS]],
  zRankWithScore: [[[3, '1.5'], [3, 1.5]], [null]],
  zRevRankWithScore: [[[3, '1.5'], [3, 1.5]], [null]],
  zScan: [[['0', FLAT]]],
  zScore: [['1.5', 1.5], ['nan', NaN], [null]],
  zUnionWithScores: [[FLAT, PAIRS]]
}

/** Where oxidis means to differ, with a reason. */
const DIFFERENCES = {
  geoPos: 'RESP2 gives numbers as RESP3 does, node-redis text: checked below',
  incrExByFloat: 'RESP2 gives numbers as RESP3 does, node-redis text: checked below'
}

describe('replies as in node-redis', () => {
  for (const row of commands) {
    if (row.reply === undefined || row.reply === located || row.name in DIFFERENCES) continue
    test(row.name, () => {
      assert.ok(REPLIES[row.name] !== undefined, `no reply of ${row.name} in this test`)
      for (const [resp2, resp3 = resp2, forTheirs = same] of REPLIES[row.name]) {
        const ours2 = row.reply(structuredClone(resp2))
        const ours3 = row.reply(structuredClone(resp3))
        assert.deepStrictEqual(ours2, ours3, 'RESP2 and RESP3 differ')
        assert.deepStrictEqual(ours2, transform(row.name, 2, resp2))
        assert.deepStrictEqual(ours3, transform(row.name, 3, forTheirs(resp3)))
      }
    })
  }
})

test('a double is text where the mapping says so', () => {
  const mapping = { [RESP_TYPES.DOUBLE]: String }
  assert.strictEqual(rows.get('zScore').reply('1.5', mapping), '1.5')
  assert.strictEqual(rows.get('zScore').reply(null, mapping), null)
  assert.deepStrictEqual(rows.get('zRangeWithScores').reply(['a', '1.5'], mapping),
    [{ value: 'a', score: '1.5' }])
})

test('Buffers stay Buffers, and names and scores are read from them', () => {
  const mapping = { [RESP_TYPES.BLOB_STRING]: Buffer }
  const bytes = Buffer.from
  assert.deepStrictEqual(rows.get('zScan').reply([bytes('0'), [bytes('a'), bytes('inf')]], mapping),
    { cursor: bytes('0'), members: [{ value: bytes('a'), score: Infinity }] })
  assert.deepStrictEqual(rows.get('role').reply([bytes('sentinel'), [bytes('m')]], mapping),
    { role: bytes('sentinel'), masterNames: [bytes('m')] })
  assert.deepStrictEqual(rows.get('pubSubNumSub').reply([bytes('c'), 1], mapping), { c: 1 })
  assert.strictEqual(rows.get('command').reply(
    [[bytes('get'), 2, [bytes('fast')], 1, 1, 1, []]], mapping)[0].name, 'get')
})

test('a map is an object, a Map or a list, as the mapping says', () => {
  for (const resp of [['a', 1, 'b', 2], new Map([['a', 1], ['b', 2]]), { a: 1, b: 2 }]) {
    assert.deepStrictEqual(map(resp), { a: 1, b: 2 })
    assert.deepStrictEqual(map(resp, { [RESP_TYPES.MAP]: Map }), new Map([['a', 1], ['b', 2]]))
    assert.deepStrictEqual(map(resp, { [RESP_TYPES.MAP]: Array }), ['a', 1, 'b', 2])
  }
})

test('a name that the server chose cannot reach a prototype', () => {
  const made = map(['__proto__', { polluted: true }, 'constructor', 1])
  assert.deepStrictEqual(Object.keys(made), ['__proto__', 'constructor'])
  assert.strictEqual(Object.getPrototypeOf(made), Object.prototype)
  assert.strictEqual(made.polluted, undefined)
  const target = {}
  put(target, '__proto__', 5)
  assert.ok(Object.hasOwn(target, '__proto__'))
  const subscribers = rows.get('pubSubNumSub').reply(['__proto__', 3])
  assert.deepStrictEqual(Object.entries(subscribers), [['__proto__', 3]])
})

test('incrExByFloat gives numbers in both protocols', () => {
  const { reply } = rows.get('incrExByFloat')
  assert.deepStrictEqual(reply(['1.5', '0.5']), [1.5, 0.5])
  assert.deepStrictEqual(reply([1.5, 0.5]), [1.5, 0.5])
})

test('geoPos gives numbers in both protocols', () => {
  const { reply } = rows.get('geoPos')
  const place = { longitude: 13.5, latitude: -38 }
  assert.deepStrictEqual(reply([['13.5', '-38'], null]), [place, null])
  assert.deepStrictEqual(reply([[13.5, -38], null]), [place, null])
})

test('a search tells what was asked for, in whatever order it was asked', () => {
  const { reply } = rows.get('geoSearchWith')
  assert.strictEqual(reply, located)
  const asked = ['WITHCOORD', 'WITHDIST', 'WITHHASH']
  const { transformReply } = theirs.geoSearchWith
  for (const item of [['a', '166.2', 347, ['13.5', '38']], ['a', '166.2', 347, [13.5, 38]]]) {
    assert.deepStrictEqual(reply([item], undefined, asked), transformReply([item], asked))
    assert.deepStrictEqual(reply([item], undefined, asked), [
      { member: 'a', distance: 166.2, hash: 347, coordinates: { longitude: 13.5, latitude: 38 } }
    ])
  }
  assert.deepStrictEqual(reply([['a', 347]], undefined, ['WITHHASH']), [{ member: 'a', hash: 347 }])
  // node-redis takes the first letter for the member here.
  assert.deepStrictEqual(reply(['a'], undefined, []), [{ member: 'a' }])
})

test('an entry of a stream that was deleted while pending has no fields', () => {
  const { reply } = rows.get('xReadGroup')
  const sent = [['s', [['1-1', null], ['2-1', ['f', 'v']]]]]
  const entries = [{ id: '1-1', message: {} }, { id: '2-1', message: { f: 'v' } }]
  assert.deepStrictEqual(reply(sent), [{ name: 's', messages: entries }])
})

test('streams come as a list, whatever form the map has', () => {
  const { reply } = rows.get('xRead')
  const messages = [['1-1', ['f', 'v']]]
  const expected = [{ name: 's', messages: [{ id: '1-1', message: { f: 'v' } }] }]
  for (const sent of [[['s', messages]], ['s', messages], new Map([['s', messages]]),
    { s: messages }]) {
    assert.deepStrictEqual(reply(sent), expected)
  }
  assert.deepStrictEqual(reply([['s', messages]], { [RESP_TYPES.MAP]: Map })[0].messages,
    [{ id: '1-1', message: new Map([['f', 'v']]) }])
  assert.deepStrictEqual(reply([['s', messages]], { [RESP_TYPES.MAP]: Array })[0].messages,
    [{ id: '1-1', message: ['f', 'v'] }])
})

test('what a vector set does not have is null', () => {
  for (const name of ['vEmb', 'vEmbRaw', 'vGetAttr', 'vInfo', 'vLinksWithScores']) {
    assert.strictEqual(rows.get(name).reply(null), null, name)
  }
  assert.deepStrictEqual(rows.get('vEmbRaw').reply(['bin', 'raw', '1.5']),
    { quantization: 'bin', raw: 'raw', l2Norm: 1.5 })
})

test('attributes that are no JSON are an error that does not show them', () => {
  assert.throws(() => rows.get('vGetAttr').reply('hunter2'),
    error => error.code === 'REPLY_SHAPE' && !inspect(error).includes('hunter'))
})

test('a field of a stream cannot reach a prototype', () => {
  const [{ message }] = rows.get('xRange').reply([['1-1', ['__proto__', 'kept', 'f', 'v']]])
  assert.deepStrictEqual(Object.entries(message), [['__proto__', 'kept'], ['f', 'v']])
  assert.strictEqual(Object.getPrototypeOf(message), Object.prototype)
})

function same (reply) {
  return reply
}

function transform (name, protocol, reply) {
  const { transformReply } = theirs[name]
  const apply = typeof transformReply === 'function' ? transformReply : transformReply?.[protocol]
  return apply === undefined ? reply : apply(structuredClone(reply))
}

/** A flat list of names and values as RESP3's map of it. */
function pairs (flat) {
  const made = {}
  for (let i = 0; i < flat.length; i += 2) made[flat[i]] = flat[i + 1]
  return made
}

function deepObject (flat) {
  const made = pairs(flat)
  for (const name of ['begin_search', 'find_keys']) {
    made[name] = pairs(made[name])
    made[name].spec = pairs(made[name].spec)
  }
  return made
}
