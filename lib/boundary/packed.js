'use strict'

/*
 * Unpacks the values of a reply that the native side has packed into one text.
 *
 * Owns the form of that text, which `src/binding/values/packed.rs` writes: the number of values
 * in two chars of seven bits, then for each value its length as one char and its characters, or
 * `APART` for a value that is passed beside the text. To cut a string of up to twelve characters
 * out of a text costs about 15 ns and makes a copy, so that the text is garbage at once. To make it
 * natively costs 35.
 */

const { put } = require('../fields')
const { MOST_FAST_FIELDS } = require('./values')

const { prototype, setPrototypeOf, keys } = Object

/* As they were when this module was loaded; `lib/arguments.js` says why. */
const charCodeAt = Function.prototype.call.bind(String.prototype.charCodeAt)
const slice = Function.prototype.call.bind(String.prototype.slice)

/**
 * Makes an array of packed values.
 * @param {unknown[] | null} list null, or the array of the values before these
 * @param {string} text
 * @param {unknown[]} apart the values beside the text
 */
function unpack (list, text, ...apart) {
  const values = valuesOf(text, apart)
  if (list === null) return values
  for (const value of values) list.push(value)
  return list
}

function valuesOf (text, apart) {
  const count = (charCodeAt(text, 0) << 7) + charCodeAt(text, 1)
  const values = new Array(count)
  let at = 2
  let next = 0
  for (let i = 0; i < count; i++) {
    const length = charCodeAt(text, at++)
    if (length === APART) {
      values[i] = apart[next++]
    } else {
      values[i] = slice(text, at, at + length)
      at += length
    }
  }
  return values
}

/**
 * Makes a plain object of field names and packed values. As in `values.js`, each field is defined,
 * whatever its name, and objects with many fields begin without a prototype.
 * @param {string[]} names those of `learn`
 * @param {string} text
 * @param {unknown[]} apart the values beside the text
 */
function shaped (names, text, ...apart) {
  const values = valuesOf(text, apart)
  if (names.length > MOST_FAST_FIELDS) {
    const object = { __proto__: null }
    for (let i = 0; i < names.length; i++) object[names[i]] = values[i]
    return setPrototypeOf(object, prototype)
  }
  const object = {}
  for (let i = 0; i < names.length; i++) put(object, names[i], values[i])
  return object
}

/**
 * The names of fields, as V8 keeps the names of properties: it need not look for the name each time
 * that such a string is used as one.
 * @param {string[]} names
 */
function learn (...names) {
  return names.map(name => keys({ __proto__: null, [name]: true })[0])
}

/** The char that stands for a value beside the text. The longest packed string has twelve. */
const APART = 13

const PACKED_MAKERS = { unpack, shaped, learn }

module.exports = { PACKED_MAKERS }
