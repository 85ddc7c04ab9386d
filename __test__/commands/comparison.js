'use strict'

// What the tests share that run each method on oxidis and on node-redis: which calls, on which
// data, how two outcomes are compared, and which differences are meant. They count what they do,
// so that their last line tells how much was compared.

const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { isDeepStrictEqual } = require('node:util')

const redis = require('redis')

const oxidis = require('../..')
const { Arguments } = require('../../lib/arguments')
const { commands } = require('../../lib/commands')
const { READONLY, flagsOf } = require('../../lib/commands/flags')
const calls = require('./calls')
const { dataFor, ignoreNoVectorSets } = require('./data')
const { argv, encode, parse } = require('./encode')

const snapshot = JSON.parse(
  fs.readFileSync(path.join(__dirname, '..', '..', 'commands', 'redis.json'), 'utf8')).commands

const TYPES = oxidis.RESP_TYPES
const MAPS = { [TYPES.MAP]: Map, [TYPES.SET]: Set, [TYPES.DOUBLE]: String }

/** Protocols and type mappings in which both packages mean the same. */
const SETTINGS = [
  { RESP: 2, mapping: undefined },
  { RESP: 3, mapping: undefined },
  { RESP: 2, mapping: { [TYPES.BLOB_STRING]: Buffer } },
  { RESP: 3, mapping: { [TYPES.BLOB_STRING]: Buffer } },
  { RESP: 3, mapping: MAPS },
  { RESP: 3, mapping: { [TYPES.BLOB_STRING]: Buffer, [TYPES.MAP]: Map, [TYPES.SET]: Set } },
  { RESP: 3, mapping: { [TYPES.MAP]: Array } }
]

/** Those in which node-redis does not treat RESP2 as it does RESP3, but oxidis does. */
const OUR_SETTINGS = [
  { RESP: 2, mapping: { [TYPES.BLOB_STRING]: Buffer, ...MAPS } },
  { RESP: 2, mapping: { [TYPES.MAP]: Array } }
]

/** What the keys of a call hold. */
const STATES = ['its own', 'none', 'other']

/** Methods that are not run, because ... */
const NOT_RUN = {
  bgRewriteAof: 'two in a row meet each other',
  bgSave: 'two in a row meet each other',
  latencyHistogram: 'it tells what ran before and how long that took: it has a test of its own',
  migrate: 'it needs a second server'
}

/** Single calls that are not run: method -> [which, why]. */
const CALLS_NOT_RUN = {
  clientKill: [([filter]) => (filter.filter ?? filter) === 'SKIPME' || filter.filter === 'ID',
    'it would end the clients that are compared'],
  replicaOf: [([host]) => host !== 'NO', 'it would make the server a replica']
}

/** node-redis does not have these methods, or sends no arguments: what is sent by hand instead. */
const SENT_BY_HAND = new Set(['lolwut', 'restoreAsking', 'save', 'waitAof'])

/** The replies tell the time, chance or the connection: only their shape is compared. */
const BY_SHAPE = new Set([
  'aclGenPass', 'aclLog', 'clientId', 'clientInfo', 'clientList', 'hRandField', 'hRandFieldCount',
  'hRandFieldCountWithValues', 'hello', 'info', 'lastSave', 'latencyDoctor', 'latencyGraph',
  'latencyHistory', 'latencyLatest', 'lolwut', 'memoryDoctor', 'memoryMallocStats',
  'memoryStats', 'memoryUsage', 'objectIdleTime', 'randomKey', 'sPop', 'sPopCount', 'sRandMember',
  'sRandMemberCount', 'time', 'zRandMember', 'zRandMemberCount', 'zRandMemberCountWithScores',
  'objectFreq', 'scan', 'xAdd', 'xAddNoMkStream', 'xInfoConsumers', 'xPendingRange',
  'vInfo', 'vRandMember'
])

/** What is compared of the others, where it is not all. */
const VIEWS = {
  keys: outcome => mapped(outcome, keys => [...keys].sort(byText)),
  // How many layers a graph has is chance; all elements are in the lowest.
  vLinks: outcome => mapped(outcome, layers => shape(layers.at(-1))),
  vLinksWithScores: outcome => mapped(outcome, layers => shape(layers.at(-1)))
}

const isMapArray = ({ mapping }) => mapping?.[TYPES.MAP] === Array
const isMapped = ({ mapping }) => mapping !== undefined
const isMappedOrResp2 = setting => isMapped(setting) || setting.RESP === 2
const isDoubleText = ({ mapping }) => mapping?.[TYPES.DOUBLE] === String
const isResp2 = ({ RESP }) => RESP === 2
const IGNORED = 'node-redis ignores the mapping'
const WORD = 'node-redis compares a Buffer with a word'
const WORDS = 'words of a command are text, whatever the mapping'
const RANK = 'node-redis ignores the mapping, and reads an infinite score of RESP2 as NaN'

/** The groups of commands that are about more than data. */
const OF_THE_SERVER = new Set(['cluster', 'connection', 'pubsub', 'server'])

/** Where oxidis means to differ: method -> [which settings, why]. */
const DIFFERENCES = {
  aclGetUser: [isMapArray, 'oxidis also maps the selectors'],
  command: [isMapped, WORDS],
  commandInfo: [isMapped, WORDS],
  geoDist: [isDoubleText, IGNORED],
  geoPos: [isResp2, 'node-redis gives numbers in RESP3 and text in RESP2'],
  memoryStats: [isResp2, 'oxidis turns db.0 into an object, as RESP3 does'],
  role: [isMapped, WORD],
  vSimWithScores: [({ RESP }) => RESP === 3, 'no element at all is an empty list in node-redis'],
  xInfoConsumers: [isResp2, 'node-redis adds fields that old servers do not send'],
  xInfoStream: [setting => isResp2(setting) && isMapped(setting), WORD],
  zRankWithScore: [isMappedOrResp2, RANK],
  zRevRankWithScore: [isMappedOrResp2, RANK],
  zScan: [isDoubleText, IGNORED]
}

/** Differences of any method: [name, whether two outcomes differ in this way only]. */
const DIFFERENCES_OF_ALL = [
  ['integers beyond 2^53, which node-redis rounds', ({ value }, theirs) => {
    const distance = Math.abs(Number(value) - theirs.value)
    return ['number', 'bigint'].includes(typeof value) && typeof theirs.value === 'number' &&
      Math.abs(theirs.value) > Number.MAX_SAFE_INTEGER && distance <= 1
  }],
  // `aclGetUser`: node-redis knows the fields of Redis by their places.
  ['users of Valkey 9.1', ({ value }) => value?.selectors && value.databases !== undefined],
  ['replies that node-redis fails over', (ours, theirs) => theirs.fails && 'value' in ours]
]

/** The calls that are run of a method. */
function callsOf (row) {
  const isLeftOut = CALLS_NOT_RUN[row.name]?.[0] ?? (() => false)
  return calls[row.name].filter(args => !isLeftOut(args))
}

/** How long the server may wait for a call (ms): 0 for ever, undefined not at all. */
function waitOf (row, args) {
  const writer = new Arguments()
  writer.reset(null)
  row.args?.(writer, ...args)
  return writer.waits
}

/** Whether a call has a key. */
function hasKeys (row, args) {
  return !isDeepStrictEqual(argv(row, args), argv(row, args, 'p:'))
}

/**
 * Whether what the keys hold matters to a call. One that waits is answered at once only where they
 * hold something.
 */
function isFor (row, args, state) {
  if (state === 'its own') return true
  if (!hasKeys(row, args)) return false
  if (!row.blocks || waitOf(row, args) === undefined) return true
  return state === 'other' && !JSON.stringify(args).includes('missing')
}

/** Whether a method leaves the data as it is. */
function onlyReads ({ command }) {
  return (flagsOf(command[0], command[1]) & READONLY) !== 0
}

/** Lays the data of a method anew: that of its own type, none, or `'other'`: of a wrong type. */
async function seed (control, row, state = 'its own') {
  const { clean, lay, other } = dataFor(snapshot[row.command[0]]?.group ?? 'generic', row.name)
  const pipeline = control.multi()
  const data = { 'its own': lay, none: [], other }[state]
  for (const command of [...clean, ...data]) pipeline.addCommand(command)
  await pipeline.execAsPipeline().catch(ignoreNoVectorSets)
}

/**
 * The outcomes of all calls of a method in some states, of several sides, each call on data that is
 * laid anew if the method may change it.
 *
 * A side's calls and the data for them leave in one batch on its own connection, where the server
 * runs them in this order. A round trip for each of them would take most of the time of the tests.
 * Methods whose outcome depends on more than the data are called one by one on each side in turn.
 *
 * @param {object} row the method
 * @param {string[]} states which of `STATES`
 * @param {{ client: object, call: (args: unknown[]) => Promise<unknown> }[]} sides
 * @returns {Promise<{ id: string, outcomes: object[] }[]>} in the order of the calls, then sides
 */
async function outcomesOfSides (row, states, sides) {
  const cases = states.flatMap(state => callsOf(row).filter(args => isFor(row, args, state))
    .map((args, index) => ({ args, state, id: `${index} ${state}` })))
  const isKept = onlyReads(row)
  const isFirstOfState = at => cases[at].state !== cases[at - 1]?.state
  const perSide = sides.map(() => [])
  if (isCalledOneByOne(row)) {
    for (const [at, { args, state }] of cases.entries()) {
      for (const [nth, { client, call }] of sides.entries()) {
        if (!isKept || isFirstOfState(at)) await seed(client, row, state)
        perSide[nth].push(await outcomeOf(() => call(args)))
      }
    }
  } else {
    for (const [nth, { client, call }] of sides.entries()) {
      const sent = cases.map(({ args, state }, at) => {
        const laid = !isKept || isFirstOfState(at) ? seed(client, row, state) : undefined
        return Promise.all([outcomeOf(() => call(args)), laid])
      })
      perSide[nth] = (await Promise.all(sent)).map(([outcome]) => outcome)
    }
  }
  return cases.map(({ id }, at) => ({ id, outcomes: perSide.map(outcomes => outcomes[at]) }))
}

/**
 * Whether the outcome of a method depends on more than what was sent before on its connection: it
 * may wait, or it is about connections or the whole server.
 */
function isCalledOneByOne ({ blocks, command }) {
  return blocks === true || OF_THE_SERVER.has(snapshot[command[0]]?.group)
}

/** Calls a method of a client, a view or a chain of node-redis. */
function callTheirs (target, row, args) {
  if (!SENT_BY_HAND.has(row.name)) return target[row.name](...args)
  const sent = parse(encode(row, args))
  return target.addCommand === undefined ? target.sendCommand(sent) : target.addCommand(sent)
}

/** What came: a value, or the text of the server's error; `fails` if it is not the server's. */
async function outcomeOf (run) {
  try {
    return { value: await run() }
  } catch (error) {
    const inner = [...error.errors?.() ?? [error]][0]
    const isReply = inner instanceof oxidis.ErrorReply || inner instanceof redis.ErrorReply
    // Servers repeat the arguments of a command that they do not know; ours leaves them out.
    const text = inner.message.replace(/, with args beginning with: .*$/s, '')
    return isReply ? { error: text } : { error: text, fails: true }
  }
}

/** Counts what is compared, and fails where two outcomes differ without a reason. */
class Comparison {
  #methods = new Set()
  #calls = new Set()
  #settings = new Set()
  #replies = 0
  #explained = new Map()

  /** Compares the outcomes of one call. `ours` may have no value that `theirs` has not. */
  compare (row, id, setting, ours, theirs) {
    this.#methods.add(row.name)
    this.#calls.add(`${row.name} ${id}`)
    this.#settings.add(setting)
    this.#replies++
    const view = BY_SHAPE.has(row.name) ? shape : this.viewOf(row)
    const [actual, expected] = [view(ours), view(theirs)]
    if (isDeepStrictEqual(actual, expected)) return
    const name = explanation(row, setting, ours, theirs)
    if (name === undefined) assert.deepStrictEqual(actual, expected)
    this.#explained.set(name, (this.#explained.get(name) ?? 0) + 1)
  }

  /** What to compare of an outcome of this method: all of it, unless chance or time is in it. */
  viewOf (row) {
    return VIEWS[row.name] ?? all
  }

  /** Fails unless each method was compared, or is not run for a reason. */
  checkComplete (except = {}) {
    const missing = commands.map(({ name }) => name)
      .filter(name => !this.#methods.has(name) && !(name in NOT_RUN) && !(name in except))
    assert.deepStrictEqual(missing, [], 'methods that no call has run')
  }

  toString () {
    const number = n => n.toLocaleString('en')
    const explained = [...this.#explained].map(([name, count]) => `${name}: ${count}`)
    return `${this.#methods.size} of ${commands.length} methods covered, ` +
      `${number(this.#calls.size)} calls x ${this.#settings.size} settings = ` +
      `${number(this.#replies)} replies compared, 0 unexplained differences ` +
      `(${explained.length} explained, by name: ${explained.join('; ')})`
  }
}

/** The name of a difference that is meant; undefined if there is none. */
function explanation (row, setting, ours, theirs) {
  if (DIFFERENCES[row.name]?.[0](setting)) return row.name
  return DIFFERENCES_OF_ALL.find(([, isThis]) => isThis(ours, theirs))?.[0]
}

/** Fails unless everything that is left out or differs names a method that exists. */
function checkNames () {
  const names = new Set(commands.map(row => row.name))
  const lists = [NOT_RUN, CALLS_NOT_RUN, DIFFERENCES, VIEWS].flatMap(Object.keys)
  for (const name of [...lists, ...SENT_BY_HAND, ...BY_SHAPE]) assert.ok(names.has(name), name)
}

function mapped ({ value, ...rest }, convert) {
  return { value: Array.isArray(value) ? convert(value) : value, ...rest }
}

/** The types of everything within a reply, without lengths and values. */
function shape (reply) {
  if (reply === null || typeof reply !== 'object') return typeof reply
  if (Buffer.isBuffer(reply)) return 'Buffer'
  if (Array.isArray(reply)) return [...new Set(reply.map(item => JSON.stringify(shape(item))))]
  if (reply instanceof Map) return ['Map', ...shape([...reply.values()])]
  if (reply instanceof Set) return ['Set', ...shape([...reply])]
  return Object.fromEntries(Object.keys(reply).sort().map(name => [name, shape(reply[name])]))
}

/** `RESP3, MAP as Map` */
function nameOf ({ RESP, mapping }) {
  if (mapping === undefined) return `RESP${RESP}, default types`
  const names = Object.entries(TYPES)
  return Object.entries(mapping).reduce((text, [type, target]) => (
    `${text}, ${names.find(([, number]) => number === Number(type))[0]} as ${target.name}`
  ), `RESP${RESP}`)
}

function all (outcome) {
  return outcome
}

function byText (one, other) {
  return String(one) < String(other) ? -1 : 1
}

module.exports = {
  Comparison,
  NOT_RUN,
  OUR_SETTINGS,
  SETTINGS,
  STATES,
  callTheirs,
  callsOf,
  checkNames,
  hasKeys,
  isFor,
  nameOf,
  onlyReads,
  outcomeOf,
  outcomesOfSides,
  seed,
  waitOf
}
