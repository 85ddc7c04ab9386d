'use strict'

/*
 * Reply transforms that many commands share: from what the server sent to what the caller gets.
 *
 * They are called after native decoding, which has already applied the type mapping to single
 * values. Each accepts what RESP2 and RESP3 send for the same command and returns one shape, so
 * that a program does not notice which protocol was negotiated. Names that come from the server
 * become own fields, whatever they are: a field called `__proto__` survives. What is no reply to
 * the command throws (shapes.js).
 */

const { put } = require('../fields')
const { RESP_TYPES } = require('../resp-types')
const { list, number, entriesOf, text, tuple, unlike } = require('./shapes')

/** A double or null. RESP2 sends text, RESP3 a double. */
function double (reply, mapping) {
  if (reply === null || typeof reply === 'number') return reply
  return mapping?.[RESP_TYPES.DOUBLE] === String ? text(reply) : number(reply)
}

/** A list of doubles and nulls. */
function doubles (reply, mapping) {
  return list(reply).map(item => double(item, mapping))
}

/** Members with scores. RESP2 sends them flat, RESP3 (where not a cursor's page) in pairs. */
function scored (reply, mapping) {
  return paired(reply, (value, score) => ({ value, score: double(score, mapping) }))
}

/** Fields with values, flat or in pairs. */
function fields (reply) {
  return paired(reply, (field, value) => ({ field, value }))
}

/** Calls `make(first, second)` for each pair of a flat list or of a list of pairs. */
function paired (reply, make) {
  const items = list(reply)
  const made = []
  if (Array.isArray(items[0])) {
    for (const item of items) {
      const [first, second] = tuple(item, 2)
      made.push(make(first, second))
    }
  } else {
    if (items.length % 2 !== 0) throw unlike('a second of each pair', undefined)
    for (let i = 0; i < items.length; i += 2) made.push(make(items[i], items[i + 1]))
  }
  return made
}

/** A member with its score, or null when the set was empty. */
function popped (reply, mapping) {
  if (list(reply).length === 0) return null
  const [value, score] = tuple(reply, 2)
  return { value, score: double(score, mapping) }
}

/** A rank with its score, or null when there is no such member. */
function ranked (reply, mapping) {
  if (reply === null) return null
  const [rank, score] = tuple(reply, 2)
  return { rank, score: double(score, mapping) }
}

/** A key and what was popped from it, or null when all keys were empty. */
function poppedFrom (reply, mapping) {
  if (reply === null) return null
  const [key, members] = tuple(reply, 2)
  return { key, members: scored(members, mapping) }
}

/** A key and one member popped from it, or null when all keys stayed empty. */
function poppedWithKey (reply, mapping) {
  if (reply === null) return null
  const [key, value, score] = tuple(reply, 3)
  return { key, value, score: double(score, mapping) }
}

/**
 * An entry of a stream; what a group's consumer claims has two numbers more. An entry that was
 * deleted while pending comes as null, or without fields: then the message has none.
 */
function message (reply, mapping) {
  if (reply === null) return null
  const [id, fields, millisElapsedFromDelivery, deliveriesCounter] = tuple(reply, 2)
  const made = { id, message: fieldMap(list(fields ?? []), mapping) }
  if (millisElapsedFromDelivery !== undefined) {
    put(made, 'millisElapsedFromDelivery', millisElapsedFromDelivery)
  }
  if (deliveriesCounter !== undefined) put(made, 'deliveriesCounter', deliveriesCounter)
  return made
}

/** A list of entries of a stream. */
function messages (reply, mapping) {
  return list(reply).map(item => message(item, mapping))
}

/** The fields of an entry: both protocols send them flat. */
function fieldMap (flat, mapping) {
  return mapping?.[RESP_TYPES.MAP] === Array ? flat : map(flat, mapping)
}

/**
 * A map. RESP2 sends it flat; RESP3's has already been decoded by the type mapping, which says
 * object (default), Map or Array. `convert(name, value)` changes single values.
 */
function map (reply, mapping, convert = same) {
  const wanted = mapping?.[RESP_TYPES.MAP]
  if (wanted === Array) {
    return entries(reply).flatMap(([name, value]) => [name, convert(name, value)])
  }
  if (wanted === Map) {
    return new Map(entries(reply).map(([name, value]) => [name, convert(name, value)]))
  }
  return object(reply, convert)
}

/** As `map`, but always a plain object. */
function object (reply, convert = same) {
  const made = {}
  for (const [name, value] of entries(reply)) put(made, name, convert(name, value))
  return made
}

/** A list of maps. */
function maps (reply, mapping) {
  return list(reply).map(item => map(item, mapping))
}

/** The entries of a map in any of its forms: flat list, Map, or object. Names become strings. */
function entries (reply) {
  if (Array.isArray(reply)) return paired(reply, (name, value) => [text(name), value])
  return entriesOf(reply).map(([name, value]) => [text(name), value])
}

function same (name, value) {
  return value
}

module.exports = {
  double,
  doubles,
  scored,
  fields,
  popped,
  ranked,
  poppedFrom,
  poppedWithKey,
  message,
  messages,
  paired,
  map,
  maps,
  object,
  entries
}
