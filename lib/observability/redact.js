'use strict'

/*
 * What may be told of a command: its name, its keys, and names of channels and consumer groups.
 * Everything else becomes `?`.
 *
 * The command table says which arguments are keys; see lib/commands/key-places.js. What it does not
 * know is hidden. Never by patterns over names: those of node-redis show what CONFIG SET
 * requirepass, ACL SETUSER, PSETEX and GETSET are given.
 *
 * Arguments come as they stand in a batch: RESP text with a char for each byte. Pure.
 */

const { CONTAINER, flagsOfCommand, flagsOfSubcommand } = require('../commands/flags')
const { placesOf } = require('../commands/key-places')

/** Stands in for an argument that is not shown. */
const HIDDEN = '?'

/**
 * The arguments of an encoded command, its name first. A large value is `HIDDEN`.
 * @param {(string | Uint8Array)[] | null} chunks text and large values in turns; null without any
 * @param {string} tail the text, or with `chunks` the text behind the last large value
 * @returns {string[]} texts with a char for each byte
 */
function argumentsOf (chunks, tail) {
  const args = []
  if (chunks !== null) {
    for (let i = 0; i < chunks.length; i += 2) read(chunks[i], i === 0, args)
  }
  read(tail, chunks === null, args)
  return args
}

/** Adds the arguments of one piece of text, the first of a command or one behind a large value. */
function read (text, isFirst, args) {
  // Behind the header `*n`, or behind the line end of the large value.
  let at = isFirst ? text.indexOf('\n') + 1 : 2
  while (at < text.length) {
    let length = 0
    let digit
    // Behind the `$` stand the digits of the length.
    while ((digit = text.charCodeAt(++at) - ZERO) >= 0) length = length * 10 + digit
    const start = at + 2
    const stop = start + length
    if (start >= text.length) args.push(HIDDEN)
    else args.push(text.slice(start, stop))
    at = stop + 2
  }
}

/**
 * What may be told of a command.
 * @param {string[]} args as `argumentsOf` gives them
 * @returns {{ command: string, args: string[], key: string | undefined }} `command` is the name in
 *   upper case; `key` the first key
 */
function redacted (args) {
  const [name] = args
  const { command, places, isContainer } = KNOWN.get(name) ?? lookUp(name)
  const shown = args.map(hidden)
  if (command === HIDDEN) return { command, args: shown, key: undefined }
  shown[0] = name
  // Most commands have one key, which is their first argument.
  if (places === FIRST) {
    if (args.length > 1) shown[1] = textOf(args[1])
    return { command, args: shown, key: shown[1] }
  }
  const whole = isContainer ? withSubcommand(command, args) : command
  if (whole !== command) shown[1] = args[1]
  let key
  for (const index of indexesAt(whole === command ? places : placesOf(whole) ?? '', args)) {
    shown[index] = textOf(args[index])
    key ??= shown[index]
  }
  if (command === 'XREADGROUP') showGroup(args, shown)
  return { command, args: shown, key }
}

function hidden () {
  return HIDDEN
}

/** What is known of a command by its name as it was written. */
function lookUp (name) {
  if (!NAME.test(name)) return { command: HIDDEN, places: '', isContainer: false }
  const command = name.toUpperCase()
  const known = {
    command,
    places: OTHER_NAMES.get(command) ?? placesOf(command) ?? placesInModule(command),
    isContainer: (flagsOfCommand(command) & CONTAINER) !== 0
  }
  if (KNOWN.size < MOST_KNOWN) KNOWN.set(name, known)
  return known
}

/** The name, with the subcommand if the table knows it: `CONFIG|SET`. */
function withSubcommand (command, args) {
  if (args.length < 2 || !NAME.test(args[1])) return command
  const sub = args[1].toUpperCase()
  // A subcommand that is not known may be a secret in the wrong place.
  return (flagsOfSubcommand(command, sub) & CONTAINER) === 0 ? `${command}|${sub}` : command
}

/** The indexes of the keys at these places. */
function indexesAt (places, args) {
  return places === '' ? [] : places.split(' ').flatMap(place => indexesOf(place, args))
}

/** The indexes of the keys at one place. A malformed command has none. */
function indexesOf (place, args) {
  const [begin, find] = place.split(':')
  if (begin === 'migrated') return indexesOfMigrated(args)
  const first = begin === 'stored' ? stored(args) : beginning(begin, args)
  const [kind, ...numbers] = find.split('/')
  const [step, limit] = numbers.map(Number)
  if (first < 1 || first >= args.length) return []
  if (kind === 'count') {
    const count = /^\d+$/.test(args[first]) ? Number(args[first]) : 0
    return (count - 1) * step < args.length - first - 1 ? indexes(first + 1, step, count) : []
  }
  const last = Number(kind)
  // The server divides all arguments from the first one on, and counts from the end of a part.
  const end = limit > 1 ? first + Math.floor((args.length - first) / limit) : args.length
  const stop = last < 0 ? end + last : first + last
  return stop < args.length && stop >= first
    ? indexes(first, step, Math.floor((stop - first) / step) + 1)
    : []
}

function indexes (first, step, count) {
  return Array.from({ length: count }, (_, i) => first + i * step)
}

/** The index where a place begins; 0 if it does not. */
function beginning (begin, args) {
  const [word, from] = begin.split('@')
  if (from === undefined) return Number(word)
  for (let i = Number(from); i < args.length - 1; i++) {
    if (args[i].toUpperCase() === word) return i + 1
  }
  return 0
}

/** The index of the key behind the last option STORE of SORT; 0 without one. */
function stored (args) {
  let found = 0
  for (let i = 2; i < args.length; i++) {
    const word = args[i].toUpperCase()
    if (word === 'STORE') found = i + 1
    i += word === 'STORE' || word === 'BY' || word === 'GET' ? 1 : word === 'LIMIT' ? 2 : 0
  }
  return found
}

/** MIGRATE: its third argument; if that is empty, all arguments behind KEYS. */
function indexesOfMigrated (args) {
  if (args.length < 4) return []
  if (args[3] !== '') return [3]
  for (let i = 6; i < args.length; i++) {
    const word = args[i].toUpperCase()
    if (word === 'KEYS') return indexes(i + 1, 1, args.length - i - 1)
    i += word === 'AUTH2' ? 2 : word === 'AUTH' ? 1 : 0
  }
  return []
}

/**
 * The places of a module's command: its first argument, with exceptions. Commands of modules that
 * are not known, and those of the search, whose first argument names an index, have none.
 */
function placesInModule (name) {
  const [module] = name.split('.', 1)
  const usual = module !== name && MODULES.has(module) ? FIRST : ''
  return MODULE_PLACES.get(name) ?? usual
}

/** Shows the group of XREADGROUP, which may stand behind other options. */
function showGroup (args, shown) {
  const at = args.findIndex(arg => arg.toUpperCase() === 'GROUP')
  if (at < 1 || at + 1 >= args.length) return
  shown[at] = args[at]
  shown[at + 1] = textOf(args[at + 1])
}

/** A name as text. Bytes that are no UTF-8 become U+FFFD. */
function textOf (arg) {
  return ASCII.test(arg) ? arg : Buffer.from(arg, 'latin1').toString()
}

const ZERO = 48
/** The place of a key that is the first argument. */
const FIRST = '1:0/1/0'
/** Names that are no keys, and are shown: those of channels. A shard channel counts as a key. */
const OTHER_NAMES = new Map([['PUBLISH', FIRST]])
/** Name, as it was written -> what is known of it. */
const KNOWN = new Map()
/** Commands have about 450 names; this leaves room for other spellings. */
const MOST_KNOWN = 1024

// eslint-disable-next-line no-control-regex
const ASCII = /^[\x00-\x7f]*$/
/** Anything else in the place of a command's name may be a secret. */
const NAME = /^[A-Za-z0-9._-]{1,64}$/
/** Modules whose commands have a key for their first argument. */
const MODULES = new Set(['JSON', 'BF', 'CF', 'CMS', 'TDIGEST', 'TOPK', 'TS'])
/** Their commands that have none, or others. The form is that of lib/commands/key-places.js. */
const MODULE_PLACES = new Map([
  ['CMS.MERGE', '1:0/1/0 2:count/1'],
  ['FT.SUGADD', '1:0/1/0'],
  ['FT.SUGDEL', '1:0/1/0'],
  ['FT.SUGGET', '1:0/1/0'],
  ['FT.SUGLEN', '1:0/1/0'],
  ['JSON.DEBUG', '2:0/1/0'],
  ['JSON.MGET', '1:-2/1/0'],
  ['JSON.MSET', '1:-3/3/0'],
  ['TDIGEST.MERGE', '1:0/1/0 2:count/1'],
  ['TS.CREATERULE', '1:1/1/0'],
  ['TS.DELETERULE', '1:1/1/0'],
  ['TS.MADD', '1:-3/3/0'],
  ['TS.MGET', ''],
  ['TS.MRANGE', ''],
  ['TS.MREVRANGE', ''],
  ['TS.NRANGE', '1:count/1'],
  ['TS.NREVRANGE', '1:count/1'],
  ['TS.QUERYINDEX', ''],
  ['TS.QUERYLABELS', '']
])

module.exports = { HIDDEN, argumentsOf, redacted }
