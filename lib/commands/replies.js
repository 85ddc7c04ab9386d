'use strict'

/*
 * Reply transforms that many commands share: from what the server sent to what the caller gets.
 *
 * They are called after native decoding, which has already applied the type mapping to single
 * values. Each accepts what RESP2 and RESP3 send for the same command and returns one shape, so
 * that a program does not notice which protocol was negotiated. Names that come from the server
 * become own fields by definition, never by assignment: a field called `__proto__` survives.
 */

const { RESP_TYPES } = require('../resp-types')

/** A double or null. RESP2 sends text, RESP3 a double. */
function double (reply, mapping) {
  if (reply === null || typeof reply === 'number') return reply
  if (mapping?.[RESP_TYPES.DOUBLE] === String) return String(reply)
  const text = String(reply)
  const named = NAMED_DOUBLES[text]
  return named === undefined ? Number(text) : named
}

/** A list of doubles and nulls. */
function doubles (reply, mapping) {
  return reply.map(item => double(item, mapping))
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
  const made = []
  if (Array.isArray(reply[0])) {
    for (const [first, second] of reply) made.push(make(first, second))
  } else {
    for (let i = 0; i < reply.length; i += 2) made.push(make(reply[i], reply[i + 1]))
  }
  return made
}

/** A member with its score, or null when the set was empty. */
function popped (reply, mapping) {
  if (reply.length === 0) return null
  return { value: reply[0], score: double(reply[1], mapping) }
}

/** A rank with its score, or null when there is no such member. */
function ranked (reply, mapping) {
  if (reply === null) return null
  return { rank: reply[0], score: double(reply[1], mapping) }
}

/** A key and what was popped from it, or null when all keys were empty. */
function poppedFrom (reply, mapping) {
  if (reply === null) return null
  return { key: reply[0], members: scored(reply[1], mapping) }
}

/** A key and one member popped from it, or null when all keys stayed empty. */
function poppedWithKey (reply, mapping) {
  if (reply === null) return null
  return { key: reply[0], value: reply[1], score: double(reply[2], mapping) }
}

/**
 * An entry of a stream; what a group's consumer claims has two numbers more. An entry that was
 * deleted while pending comes as null, or without fields: then the message has none.
 */
function message (reply, mapping) {
  if (reply === null) return null
  const [id, fields, millisElapsedFromDelivery, deliveriesCounter] = reply
  const made = { id, message: fieldMap(fields ?? [], mapping) }
  if (millisElapsedFromDelivery !== undefined) {
    made.millisElapsedFromDelivery = millisElapsedFromDelivery
  }
  if (deliveriesCounter !== undefined) made.deliveriesCounter = deliveriesCounter
  return made
}

/** A list of entries of a stream. */
function messages (reply, mapping) {
  return reply.map(item => message(item, mapping))
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

/** The entries of a map in any of its forms: flat list, Map, or object. Names become strings. */
function entries (reply) {
  if (Array.isArray(reply)) return paired(reply, (name, value) => [String(name), value])
  if (reply instanceof Map) return Array.from(reply, ([name, value]) => [String(name), value])
  return Object.entries(reply)
}

/** Gives `target` an own field, whatever its name. */
function put (target, name, value) {
  if (name === '__proto__') {
    Object.defineProperty(target, name, {
      value, writable: true, enumerable: true, configurable: true
    })
  } else {
    target[name] = value
  }
}

function same (name, value) {
  return value
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
  object,
  entries,
  put
}
