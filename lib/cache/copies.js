'use strict'

/*
 * Copies of replies, and what they weigh.
 *
 * Callers may change what they get, so the cache keeps a copy and gives each of them another one.
 * `structuredClone` would take 60 times as long for an object with ten fields, and would make a
 * Uint8Array of a Buffer.
 *
 * Knows only what the native side makes of replies.
 */

const { put } = require('../fields')
const { VerbatimString } = require('../mode')

/** How a reply is copied. */
const SCALAR = 0
const ARRAY_OF_SCALARS = 1
const OBJECT_OF_SCALARS = 2
const DEEP = 3
/** It cannot be copied, so it is not cached. */
const UNKNOWN = 4

/** How `value` is copied. */
function kindOf (value) {
  if (isScalar(value)) return SCALAR
  if (Array.isArray(value)) return value.every(isScalar) ? ARRAY_OF_SCALARS : deep(value)
  if (isPlain(value) && Object.values(value).every(isScalar)) return OBJECT_OF_SCALARS
  return deep(value)
}

/** A copy of `value`, which is of `kind`. */
function copyOf (value, kind) {
  switch (kind) {
    case SCALAR: return value
    case ARRAY_OF_SCALARS: return value.slice()
    // Own fields are defined, so that one called `__proto__` stays a field.
    case OBJECT_OF_SCALARS: return { ...value }
    default: return copyDeep(value)
  }
}

/** Bytes that `value` takes, as estimated. */
function weightOf (value) {
  if (typeof value === 'string') return 2 * value.length
  if (typeof value !== 'object' || value === null) return 0
  if (Buffer.isBuffer(value)) return value.length
  if (value instanceof VerbatimString) return 2 * value.value.length
  let weight = 0
  if (Array.isArray(value)) {
    for (const element of value) weight += ELEMENT + weightOf(element)
  } else if (value instanceof Map) {
    for (const [key, field] of value) weight += ELEMENT + weightOf(key) + weightOf(field)
  } else if (value instanceof Set) {
    for (const member of value) weight += ELEMENT + weightOf(member)
  } else {
    for (const key of Object.keys(value)) weight += ELEMENT + 2 * key.length + weightOf(value[key])
  }
  return weight
}

/** How many bytes `value` has taken on the wire, without the marks between its parts. */
function sizeOf (value) {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (value === null) return 0
  if (typeof value !== 'object') return String(value).length
  if (Buffer.isBuffer(value)) return value.length
  if (value instanceof VerbatimString) return Buffer.byteLength(value.value)
  const isIterable = Array.isArray(value) || value instanceof Map || value instanceof Set
  const parts = isIterable ? [...value] : Object.entries(value)
  // The pairs of maps and objects are arrays, and count as their parts do.
  return parts.reduce((sum, part) => sum + sizeOf(part), 0)
}

function isScalar (value) {
  return typeof value !== 'object' || value === null
}

function isPlain (value) {
  return Object.getPrototypeOf(value) === Object.prototype
}

function deep (value) {
  return isKnown(value) ? DEEP : UNKNOWN
}

function isKnown (value) {
  if (isScalar(value) || Buffer.isBuffer(value) || value instanceof VerbatimString) return true
  if (Array.isArray(value)) return value.every(isKnown)
  if (value instanceof Map) return [...value].every(pair => pair.every(isKnown))
  if (value instanceof Set) return [...value].every(isKnown)
  return isPlain(value) && Object.values(value).every(isKnown)
}

function copyDeep (value) {
  if (isScalar(value)) return value
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  if (Array.isArray(value)) return value.map(copyDeep)
  if (value instanceof Map) return new Map([...value].map(pair => pair.map(copyDeep)))
  if (value instanceof Set) return new Set([...value].map(copyDeep))
  if (value instanceof VerbatimString) return new VerbatimString(value.format, value.value)
  const object = {}
  for (const key of Object.keys(value)) put(object, key, copyDeep(value[key]))
  return object
}

/** Bytes of an element of an array or of a field of an object, beside its value (Node 20). */
const ELEMENT = 64

module.exports = { UNKNOWN, SCALAR, copyOf, kindOf, sizeOf, weightOf }
