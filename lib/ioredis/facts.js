'use strict'

/*
 * What must be known of a command by its name, looked up once for each name.
 *
 * `kind` says what the face does besides sending the command.
 */

const { BLOCKING, CONTAINER, OPAQUE, READONLY, REPEATABLE, flagsOf } = require('../commands/flags')
const { NAMES } = require('./names')

/** Nothing besides. */
const PLAIN = 0
const SELECT = 1
const SUBSCRIBE = 2
const UNSUBSCRIBE = 3
const QUIT = 4
const MULTI = 5
const EXEC = 6
const DISCARD = 7
const WATCH = 8
const UNWATCH = 9
const MONITOR = 10
const CLIENT = 11
/** It would turn the connection into a stream that is no list of replies. */
const SYNC = 12

const KINDS = new Map([
  ['SELECT', SELECT], ['QUIT', QUIT], ['MULTI', MULTI], ['EXEC', EXEC], ['DISCARD', DISCARD],
  ['WATCH', WATCH], ['UNWATCH', UNWATCH], ['MONITOR', MONITOR], ['CLIENT', CLIENT],
  ['SYNC', SYNC], ['PSYNC', SYNC],
  ['SUBSCRIBE', SUBSCRIBE], ['PSUBSCRIBE', SUBSCRIBE], ['SSUBSCRIBE', SUBSCRIBE],
  ['UNSUBSCRIBE', UNSUBSCRIBE], ['PUNSUBSCRIBE', UNSUBSCRIBE], ['SUNSUBSCRIBE', UNSUBSCRIBE]
])

/** Name as it was written -> its facts. */
const KNOWN = new Map()

/**
 * The facts of a command.
 * @param {string} name in either case
 */
function factsOf (name) {
  const known = KNOWN.get(name)
  if (known !== undefined) return known
  const facts = makeFacts(String(name))
  if (KNOWN.size < MOST_KEPT || USUAL.has(name)) KNOWN.set(name, facts)
  return facts
}

function makeFacts (name) {
  const upper = name.toUpperCase()
  const flags = flagsOf(upper, undefined)
  return {
    name,
    upper,
    lower: name.toLowerCase(),
    flags,
    /** Whether the flags are those of the subcommand. */
    isContainer: (flags & CONTAINER) !== 0,
    mayBlock: (flags & BLOCKING) !== 0,
    isOpaque: (flags & OPAQUE) !== 0,
    kind: KINDS.get(upper) ?? PLAIN,
    /** The name on the wire. */
    head: `$${Buffer.byteLength(name)}\r\n${Buffer.from(name).latin1Slice()}\r\n`
  }
}

/** Whether a command may be sent again although the server may have run it. */
function isRepeatable ({ facts, args }) {
  const flags = facts.isContainer ? flagsOf(facts.upper, args[0]) : facts.flags
  return (flags & REPEATABLE) !== 0
}

/** Whether a command only reads. */
function isRead ({ facts, args }) {
  const flags = facts.isContainer ? flagsOf(facts.upper, args[0]) : facts.flags
  return (flags & READONLY) !== 0
}

/** The usual names are kept in any case, others up to so many names together. */
const MOST_KEPT = 1024
const USUAL = new Set(NAMES)

module.exports = {
  CLIENT,
  DISCARD,
  EXEC,
  MONITOR,
  MULTI,
  PLAIN,
  QUIT,
  SELECT,
  SUBSCRIBE,
  SYNC,
  UNSUBSCRIBE,
  UNWATCH,
  WATCH,
  factsOf,
  isRead,
  isRepeatable
}
