'use strict'

// What methods.js compares: calls of methods, each beside the `sendCommand` that puts the same
// bytes on the wire.
//
// Both are made as source text, so that each has a call site of its own, as in a program. What a
// caller of `sendCommand` has to do himself is done there, in the cheapest way: the array is built
// for each call, numbers become text, a list is spread into it, a document becomes JSON. Names,
// options and whatever else is known beforehand are constants.

const { Arguments } = require('../lib/arguments')
const { commands, sessionCommands } = require('../lib/commands')
const { MODULES } = require('../lib/modules')

/**
 * All methods, as `[{ row, name, calls: [arguments], isSessionOnly }]`. `isSessionOnly` marks those
 * that sessions have and clients do not.
 */
function allCalls () {
  const named = require('../__test__/commands/calls')
  const modules = {
    ...require('../__test__/commands/modules-calls'),
    ft: require('../__test__/commands/modules-search-calls'),
    ts: require('../__test__/commands/modules-time-series-calls')
  }
  const rows = [
    ...commands.map(row => ({ row, calls: named[row.name] })),
    ...sessionCommands.map(row => ({
      row, calls: named[row.name] ?? SESSION_ONLY[row.name], isSessionOnly: true
    })),
    ...Object.entries(MODULES).flatMap(([namespace, rows]) =>
      rows.map(row => ({ row, calls: modules[namespace][row.name] })))
  ]
  return rows.map(({ row, calls, isSessionOnly = false }) => ({
    row,
    name: row.namespace === undefined ? row.name : `${row.namespace}.${row.name}`,
    isSessionOnly,
    // With a function at its end a call is one with a callback, which is another form.
    calls: calls.filter(args => typeof args.at(-1) !== 'function')
  }))
}

/**
 * One call as two functions without arguments: `method` and `byHand`.
 * @param {object} owner the client or session whose methods they call
 */
function makeCase (owner, row, args) {
  const constants = []
  const constant = value => `c${constants.push(value) - 1}`
  const passed = args.map(constant)
  const namespace = row.namespace === undefined ? '' : `.${row.namespace}`
  const byHand = [...row.command.map(token => JSON.stringify(token)),
    ...partsOf(leavesOf(row, args), args, passed, constant)]
  const names = constants.map((_, index) => `c${index}`)
  const make = source => new Function('owner', 'text', ...names, `return () => ${source}`)(
    owner, String, ...constants)
  return {
    args,
    method: make(`owner${namespace}.${row.name}(${passed})`),
    byHand: make(`owner.sendCommand([${byHand}])`),
    source: byHand.join(', ')
  }
}

/** What the row writes, one item for each argument on the wire, as its caller passed it. */
function leavesOf (row, args) {
  const recorder = new Recorder()
  recorder.reset(null)
  row.args?.(recorder, ...args)
  return recorder.leaves
}

/** The source of the arguments behind a command's name. */
function partsOf (leaves, args, passed, constant) {
  const parts = []
  for (let at = 0; at < leaves.length;) {
    const spread = args.findIndex(arg => Array.isArray(arg) && startsWith(leaves, at, arg))
    if (spread !== -1) {
      const isText = args[spread].every(item => typeof item !== 'number')
      parts.push(`...${passed[spread]}${isText ? '' : '.map(text)'}`)
      at += args[spread].length
    } else {
      parts.push(partOf(leaves[at++], args, passed, constant))
    }
  }
  return parts
}

function partOf (leaf, args, passed, constant) {
  const same = args.indexOf(leaf)
  if (typeof leaf === 'number' || typeof leaf === 'bigint') {
    return `text(${same === -1 ? constant(leaf) : passed[same]})`
  }
  if (same !== -1) return passed[same]
  const document = args.findIndex(arg => isDocument(arg, leaf))
  if (document !== -1) return `JSON.stringify(${passed[document]})`
  return typeof leaf === 'string' ? JSON.stringify(leaf) : constant(leaf)
}

/** Whether `leaf` is `arg` as JSON. What has no JSON (a bigint in a list) is no document. */
function isDocument (arg, leaf) {
  try {
    return arg !== undefined && !Buffer.isBuffer(arg) && JSON.stringify(arg) === leaf
  } catch {
    return false
  }
}

function startsWith (leaves, at, list) {
  return list.length > 0 && list.every((item, index) => leaves[at + index] === item &&
    ['string', 'number', 'object'].includes(typeof item))
}

/** Takes what is written down instead of encoding it. */
class Recorder extends Arguments {
  leaves = []

  arg (value) {
    this.leaves.push(value)
  }

  value (value) {
    this.leaves.push(value)
  }

  int (value) {
    this.leaves.push(value)
  }

  float (value) {
    this.leaves.push(value === Infinity ? '+inf' : value === -Infinity ? '-inf' : value)
  }

  token (word) {
    this.leaves.push(word)
  }
}

/** The methods that only sessions have. */
const SESSION_ONLY = {
  asking: [[]],
  auth: [[{ password: 'p' }], [{ username: 'u', password: 'p' }]],
  clientCaching: [[true], [false]],
  clientNoEvict: [[true], [false]],
  clientNoTouch: [[true], [false]],
  clientSetName: [['name']],
  clientTracking: [[true], [false], [true, { REDIRECT: 5, NOLOOP: true }],
    [true, { BCAST: true, PREFIX: ['a', 'b'] }], [true, { OPTIN: true }]],
  hello: [[2], [3, { SETNAME: 'n' }], [3, { AUTH: { username: 'u', password: 'p' } }]],
  hImportDiscard: [['set']],
  hImportDiscardAll: [[]],
  hImportPrepare: [['set', 'f'], ['set', ['f', 'g']]],
  hImportSet: [['k', 'set', 'v'], ['k', 'set', ['v', 'w']]],
  readonly: [[]],
  readwrite: [[]],
  scriptDebug: [['YES'], ['SYNC'], ['NO']],
  select: [[5]],
  unwatch: [[]],
  watch: [['k'], [['k', 'l']]]
}

module.exports = { allCalls, makeCase }
