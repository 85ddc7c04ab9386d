'use strict'

/*
 * The makers of JavaScript values.
 *
 * The native side decodes replies and calls these functions with the decoded parts. It makes
 * strings, numbers and Buffers by itself; whatever a JavaScript function makes faster than Node-API
 * calls do is made here. An array of n elements costs one call with n arguments, about 2 ns an
 * element, where setting one element through Node-API costs about 50 ns (measured on Node 20).
 */

const { fromNative, fromReply } = require('../errors')
const { VerbatimString } = require('../mode')

/** The makers, by the names that `src/binding/values.rs` calls them by. */
const MAKERS = {
  error: fromNative,
  replyError: fromReply,
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
 * A plain object of alternating keys and values.
 *
 * `__proto__` is an ordinary field: it is defined, not assigned, because an assignment would lose
 * the field or change the prototype.
 * @param {unknown[]} pairs
 */
function toObject (pairs) {
  const object = {}
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i]
    if (key === '__proto__' || typeof key === 'object') defineField(object, key, pairs[i + 1])
    else object[key] = pairs[i + 1]
  }
  return object
}

function defineField (object, key, value) {
  Object.defineProperty(object, String(key),
    { value, writable: true, enumerable: true, configurable: true })
}

/**
 * A Map of alternating keys and values.
 * @param {unknown[]} pairs
 */
function toMap (pairs) {
  const map = new Map()
  for (let i = 0; i < pairs.length; i += 2) map.set(pairs[i], pairs[i + 1])
  return map
}

module.exports = { MAKERS, toMap, toObject }
