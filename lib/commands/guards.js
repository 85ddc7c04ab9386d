'use strict'

/*
 * Which commands must not be sent by `sendCommand`, and what to call instead.
 *
 * All callers of a client share its lanes, so a command that changes the connection is refused
 * there. A session may be changed in any way, but every command must have exactly one reply.
 */

const { isText, wordOf } = require('../arguments')
const {
  BLOCKING, CONTAINER, STATE, SUBSCRIBE, flagsOfCommand, flagsOfSubcommand
} = require('./flags')

const OWN_CONNECTION = 'needs a connection of its own: use client.session(async session => ...)'
const TRANSACTION = 'opens or ends a transaction, and the connection is shared: use client.multi()'
const MESSAGES = 'turns the connection into a stream of messages:'
const SILENT = 'would leave commands without a reply, and so their promises pending'
const UNKNOWN = 'with a subcommand that oxidis does not know may change the connection that all ' +
  `commands of this client share: ${OWN_CONNECTION}`
const FIXED = 'changes the connection that all commands share: use the option'

/** Commands -> why they are refused on a lane, and the right call. */
const ON_LANE = {
  'MULTI EXEC DISCARD': TRANSACTION,
  'WATCH UNWATCH': OWN_CONNECTION,
  AUTH: `${FIXED} username, password or credentialsProvider of createClient`,
  HELLO: `${FIXED} RESP of createClient`,
  'CLIENT SETNAME': `${FIXED} name of createClient`,
  'CLIENT SETINFO': `${FIXED} clientInfoTag or disableClientInfo of createClient`,
  'READONLY READWRITE': `${FIXED} readonly of createClient`,
  'RESET QUIT': 'ends or resets the connection that all commands share: use client.close()'
}

/** Commands -> why they are refused everywhere. */
const ANYWHERE = {
  'SUBSCRIBE UNSUBSCRIBE': `${MESSAGES} use client.subscribe(), client.unsubscribe()`,
  'PSUBSCRIBE PUNSUBSCRIBE': `${MESSAGES} use client.pSubscribe(), client.pUnsubscribe()`,
  'SSUBSCRIBE SUNSUBSCRIBE': `${MESSAGES} use client.sSubscribe(), client.sUnsubscribe()`,
  MONITOR: `${MESSAGES} use client.monitor()`,
  'SYNC PSYNC': `${MESSAGES} replication is not supported`,
  'CLIENT REPLY': SILENT
}

/** Commands -> why a session refuses them. */
const IN_SESSION = {
  QUIT: 'closes the connection: release the session'
}

const byName = groups => new Map(Object.entries(groups).flatMap(([names, why]) =>
  // Names of one word each, or one of two.
  (names.startsWith('CLIENT ') ? [names] : names.split(' ')).map(name => [name, why])))

const LANE_REFUSALS = byName({ ...ON_LANE, ...ANYWHERE })
const SESSION_REFUSALS = byName({ ...IN_SESSION, ...ANYWHERE })

/**
 * The name and the flags of a command that the caller has put together, as strings or as bytes. The
 * name has its subcommand, if that is known: `CLIENT REPLY`.
 * @param {(string | Uint8Array)[]} args
 */
function judge (args) {
  if (!isText(args[0])) return { name: undefined, flags: 0 }
  const name = wordOf(args[0]).toUpperCase()
  const flags = flagsOfCommand(name)
  if ((flags & CONTAINER) === 0 || !isText(args[1])) return { name, flags }
  const sub = wordOf(args[1]).toUpperCase()
  const flagsWithSub = flagsOfSubcommand(name, sub)
  // A subcommand that is not known is not named: it may be a secret in the wrong place.
  const isKnown = (flagsWithSub & CONTAINER) === 0
  return { name: isKnown ? `${name} ${sub}` : name, flags: flagsWithSub }
}

/** Why `name` cannot go over a lane; null if it can. */
function laneRefusal (name, flags) {
  if ((flags & (STATE | SUBSCRIBE)) === 0) return null
  if ((flags & CONTAINER) !== 0) return UNKNOWN
  return LANE_REFUSALS.get(name) ??
    `changes the connection that all commands of this client share: ${OWN_CONNECTION}`
}

/** Why `name` cannot go over a session; null if it can. */
function sessionRefusal (name) {
  return SESSION_REFUSALS.get(name) ?? null
}

/**
 * How long (ms) the server may wait before it answers: 0 for ever, undefined if the command does
 * not wait. A number that the server will refuse counts as 0: the refusal comes at once.
 */
function waitOf (name, flags, args) {
  if ((flags & BLOCKING) === 0) return undefined
  const { at, unit } = WAITS.get(name) ?? LAST_IN_SECONDS
  let index = at < 0 ? args.length + at : at
  if (at === AFTER_BLOCK) {
    index = indexOfBlock(args) + 1
    if (index === 0) return undefined
  }
  const waits = Math.ceil(Number(index in args ? wordOf(args[index]) : NaN) * unit)
  return waits >= 0 && waits < Infinity ? waits : 0
}

/** The index of BLOCK in XREAD and XREADGROUP, -1 without it. A group may be called BLOCK too. */
function indexOfBlock (args) {
  for (let i = 1; i < args.length; i++) {
    const word = wordOf(args[i]).toUpperCase()
    if (word === 'BLOCK') return i
    // Only keys and ids follow, which may be called BLOCK as well.
    if (word === 'STREAMS') return -1
    i += word === 'GROUP' ? 2 : word === 'COUNT' ? 1 : 0
  }
  return -1
}

const AFTER_BLOCK = Infinity
const LAST_IN_SECONDS = { at: -1, unit: 1000 }

/** Index and unit of the time of a command, where it is not the last argument in seconds. */
const WAITS = new Map([
  ['BLMOVEM', { at: 5, unit: 1000 }],
  ['BLMPOP', { at: 1, unit: 1000 }],
  ['BZMPOP', { at: 1, unit: 1000 }],
  ['WAIT', { at: 2, unit: 1 }],
  ['WAITAOF', { at: 3, unit: 1 }],
  ['XREAD', { at: AFTER_BLOCK, unit: 1 }],
  ['XREADGROUP', { at: AFTER_BLOCK, unit: 1 }]
])

module.exports = { judge, laneRefusal, sessionRefusal, waitOf }
