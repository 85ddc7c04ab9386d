'use strict'

/*
 * The makers of JavaScript values.
 *
 * The native side decodes replies and calls these functions with the decoded parts. It makes
 * strings, numbers and Buffers by itself; whatever a JavaScript function makes faster than Node-API
 * calls do is made here. An array of n elements costs one call with n arguments, about 2 ns an
 * element, where setting one element through Node-API costs about 50 ns (measured on Node 20).
 */

const { isUtf8 } = require('node:buffer')

const { fromNative, fromReply, unbuildable } = require('../errors')
const { put } = require('../fields')
const { VerbatimString } = require('../mode')

const { prototype, setPrototypeOf } = Object

/**
 * The makers, by the names that `src/binding/values.rs` calls them by. What one of them throws
 * becomes the error of the one reply that it was called for, by `unbuildable`.
 */
const MAKERS = {
  error: fromNative,
  replyError: fromReply,
  unbuildable,
  list: (...values) => values,
  extend: (list, ...values) => { for (const value of values) list.push(value) },
  object: (...pairs) => toObject(pairs),
  objectOf: toObject,
  map: toMap,
  set: list => new Set(list),
  bigint: digits => BigInt(digits),
  verbatim: (format, text) => new VerbatimString(format, text)
}

/**
 * A plain object of alternating keys and values. Throws if a key cannot become text: a map within a
 * map's key has a field `toString`.
 * @param {unknown[]} pairs
 */
function toObject (pairs) {
  if (pairs.length > 2 * MOST_FAST_FIELDS) return toLargeObject(pairs)
  const object = {}
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i]
    put(object, typeof key === 'string' ? key : String(key), pairs[i + 1])
  }
  return object
}

/** As `toObject`. While an object has no prototype, an assignment is a definition. */
function toLargeObject (pairs) {
  const object = { __proto__: null }
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i]
    object[typeof key === 'string' ? key : String(key)] = pairs[i + 1]
  }
  return setPrototypeOf(object, prototype)
}

/**
 * A Map of alternating keys and values. Nobody finds a key that is a Buffer, so it becomes a string
 * if it can.
 * @param {unknown[]} pairs
 */
function toMap (pairs) {
  const map = new Map()
  for (let i = 0; i < pairs.length; i += 2) map.set(readable(pairs[i]), pairs[i + 1])
  return map
}

/** Text as a string. Bytes that are no UTF-8 stay a Buffer, since a string would not hold them. */
function readable (text) {
  return Buffer.isBuffer(text) && isUtf8(text) ? text.toString() : text
}

/**
 * V8 keeps more fields than this in a hash table, as it does those of an object without prototype.
 * So for 100 fields that way is quicker (7.3 us, and 9.4 by definition), while for 5 it is slower
 * and leaves a slower object (measured on Node 20).
 */
const MOST_FAST_FIELDS = 18

module.exports = { MAKERS, MOST_FAST_FIELDS, readable, toMap, toObject }
