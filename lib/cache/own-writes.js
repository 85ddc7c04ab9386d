'use strict'

/*
 * Which keys a command of the application may change.
 *
 * The server tells of a change after it has answered the command that has made it, so a client
 * forgets by itself what it changes. Owns what commands do to a cache, and the reading of encoded
 * commands. Where it is not known which arguments are keys, all of them count: to forget too much
 * costs a read, to forget too little gives an old value.
 */

const { BLOCK, WATCHES } = require('../mode')
const { CACHEABLE, ONE_KEY } = require('../commands/cacheable')
const { READONLY, REPEATABLE, WRITE, flagsOf } = require('../commands/flags')

/** It changes no key. */
const NOTHING = 0
/** It may change its first argument, and no other key. */
const FIRST = 1
/** It may change any of its arguments. */
const ANY = 2
/** It may change all keys, or what a key means. */
const ALL = 3
/** A chain of commands, in one text. */
const CHAIN = 4
/** It changes what is watched. */
const WATCH = 5
/** It changes the connection, maybe so that the server would not tell of changes any more. */
const CONNECTION = 6

/** What the command of a row, sent with a mode, does to a cache. */
function effectOf ({ command }, mode) {
  if ((mode & BLOCK) !== 0) return CHAIN
  if ((mode & WATCHES) !== 0) return WATCH
  if (command === undefined) return ANY
  let effect = EFFECTS.get(command)
  if (effect === undefined) {
    effect = effectAnew(command)
    // Commands of modules have any names.
    if (EFFECTS.size < KEPT_EFFECTS) EFFECTS.set(command, effect)
  }
  return effect
}

function effectAnew (command) {
  if (EVERYTHING.has(command)) return ALL
  if (CONNECTION_COMMANDS.has(command)) return CONNECTION
  if (CACHEABLE.has(command) || WATCHING.has(command)) return NOTHING
  if (ONE_KEY.has(command)) return FIRST
  const [name, sub] = command.split(' ')
  const flags = flagsOf(name, sub)
  const asks = (flags & (READONLY | REPEATABLE)) !== 0 && (flags & WRITE) === 0
  return asks ? NOTHING : ANY
}

/**
 * Calls `visit` with each argument of encoded commands, a char for each byte, and its place in its
 * command: 0 is the name. Arguments of 16 KiB and more, which stand apart, are left out: no such
 * key is cached.
 * @param {(string | Uint8Array)[] | null} chunks text and large values in turns
 * @param {string} tail the text behind the last large value
 * @param {(argument: string, place: number) => boolean | void} visit returns false to end it
 */
function visitArguments (chunks, tail, visit) {
  let left = 0
  let place = 0
  for (let i = 0; chunks !== null && i < chunks.length; i += 2) {
    if (!visitText(chunks[i])) return
  }
  visitText(tail)

  function visitText (text) {
    // What follows a large value begins with the end of its line.
    let at = text.startsWith('\r\n') ? 2 : 0
    while (at < text.length) {
      const end = text.indexOf('\r\n', at)
      const number = Number(text.slice(at + 1, end))
      const isHeader = left === 0
      at = end + 2
      if (isHeader) {
        left = number
        place = 0
        continue
      }
      left--
      const isApart = at >= text.length
      if (!isApart && visit(text.slice(at, at + number), place) === false) return false
      place++
      at += number + 2
    }
    return true
  }
}

/** Commands that may change all keys, or what a key means. */
const EVERYTHING = new Set([
  'AUTH', 'CLUSTER RESET', 'DEBUG', 'EXEC', 'FAILOVER', 'FLUSHALL', 'FLUSHDB', 'REPLICAOF',
  'SELECT', 'SLAVEOF', 'SWAPDB'
])

/** Of a session: they name keys and change none. */
const WATCHING = new Set(['WATCH', 'UNWATCH'])

const CONNECTION_COMMANDS = new Set(['CLIENT', 'CLIENT CACHING', 'CLIENT TRACKING', 'HELLO'])

/** Command -> its effect. */
const EFFECTS = new Map()
/** The server has about 400 commands and subcommands, and its modules about 200. */
const KEPT_EFFECTS = 1024

module.exports = {
  ALL, ANY, CHAIN, CONNECTION, EVERYTHING, FIRST, NOTHING, WATCH, effectOf, visitArguments
}
