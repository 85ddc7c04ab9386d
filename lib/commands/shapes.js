'use strict'

/*
 * Readers of replies: each gives what a transform expects, or throws a `ProtocolError` with the
 * code `REPLY_SHAPE`.
 *
 * A transform reads every part of a reply through one of them. Otherwise a reply that is meant for
 * another command, or that a broken proxy has made up, would become an object full of NaN, a
 * TypeError, or a loop over a map whose field `length` is four thousand million. Parts that a
 * transform hands on as they are need no reader.
 */

const { isText } = require('../arguments')
const { misshapen } = require('../errors')
const { VerbatimString } = require('../mode')

/** A list. A set is one too, also where the type mapping has made it a `Set`. */
function list (reply) {
  if (Array.isArray(reply)) return reply
  if (reply instanceof Set) return [...reply]
  throw unlike('a list', reply)
}

/** A list of `size` elements or more. */
function tuple (reply, size) {
  if (!Array.isArray(reply)) throw unlike(`a list of ${size}`, reply)
  if (reply.length < size) {
    throw misshapen(`: a list of ${size} was expected, and it has ${reply.length}`)
  }
  return reply
}

/** A flat list of `size` elements for each item, as one list for each. */
function groupsOf (reply, size) {
  const flat = list(reply)
  if (flat.length % size !== 0) throw misshapen(`: a list of groups of ${size} was expected`)
  const groups = []
  for (let i = 0; i < flat.length; i += size) groups.push(flat.slice(i, i + size))
  return groups
}

/** The entries of an object that stands for a map, or of a `Map`. */
function entriesOf (reply) {
  if (reply instanceof Map) return [...reply]
  if (isRecord(reply)) return Object.entries(reply)
  throw unlike('a map', reply)
}

/** Whether `reply` is the object that a map becomes by default. */
function isRecord (reply) {
  return reply !== null && typeof reply === 'object' &&
    Object.getPrototypeOf(reply) === Object.prototype
}

/** The text of a string in any of its forms, or of a number. */
function text (reply) {
  if (typeof reply === 'string') return reply
  if (isText(reply) || reply instanceof VerbatimString) return String(reply)
  if (typeof reply === 'number' || typeof reply === 'bigint') return String(reply)
  throw unlike('a text', reply)
}

/** `reply`, if it is a text or a number. */
function scalar (reply) {
  text(reply)
  return reply
}

/** A number. Servers send it as one or, in RESP2 and where the type mapping says so, as text. */
function number (reply) {
  if (typeof reply === 'number') return reply
  const digits = text(reply)
  const read = Number(digits)
  // Number('') is 0, but an empty text is no number.
  if (read !== 0 && !Number.isNaN(read)) return read
  if (read === 0 && digits.trim() !== '') return read
  const named = NAMED_DOUBLES[digits]
  if (named === undefined) throw unlike('a number', reply)
  return named
}

/** Yes or no. RESP2 sends 1 or 0, in whatever type numbers are mapped to, and RESP3 a boolean. */
function yes (reply) {
  return typeof reply === 'boolean' ? reply : number(reply) === 1
}

/** A cursor, which is '0' behind the last page, and the list that is the page. */
function paged (reply) {
  const [cursor, page] = tuple(reply, 2)
  return [scalar(cursor), list(page)]
}

/** The error of a reply that is something else than `expected`. It does not show the reply. */
function unlike (expected, reply) {
  return misshapen(`: ${expected} was expected, and it is ${kindOf(reply)}`)
}

function kindOf (reply) {
  if (reply === null) return 'null'
  if (Array.isArray(reply) || reply instanceof Set) return 'a list'
  if (reply instanceof Error) return 'an error'
  if (reply instanceof Map || isRecord(reply)) return 'a map'
  if (isText(reply) || reply instanceof VerbatimString) return 'a text'
  return reply === undefined ? 'missing' : `a ${typeof reply}`
}

const NAMED_DOUBLES = {
  __proto__: null,
  inf: Infinity,
  '+inf': Infinity,
  '-inf': -Infinity,
  nan: NaN,
  '-nan': NaN
}

module.exports = {
  groupsOf, isRecord, list, number, paged, entriesOf, scalar, text, tuple, unlike, yes
}
