'use strict'

/*
 * Options of module commands: each form takes the argument writer, an options object, the path
 * that errors call it by, and the option's name, which is also its word on the wire. What is not
 * given is not written. Forms know no command.
 */

const { fail, isGiven } = require('../arguments')

/** `LATEST`, when it is true. */
function flag (w, o, name) {
  if (o[name]) w.token(name)
}

/** `LEN 5` */
function int (w, o, path, name) {
  const v = o[name]
  if (!isGiven(v)) return
  w.token(name)
  w.int(v, `${path}.${name}`)
}

/** `WEIGHT 0.5` */
function float (w, o, path, name) {
  const v = o[name]
  if (!isGiven(v)) return
  w.token(name)
  w.float(v, `${path}.${name}`)
}

/** `FILTER text` */
function text (w, o, path, name) {
  const v = o[name]
  if (!isGiven(v)) return
  w.token(name)
  w.arg(v, `${path}.${name}`)
}

/** `ENCODING COMPRESSED`, of a few words. */
function word (w, o, path, name, words) {
  const v = o[name]
  if (!isGiven(v)) return
  w.token(name)
  w.oneOf(v, `${path}.${name}`, words)
}

/** `INKEYS 2 a b`; an empty list is sent as 0, which some commands give a meaning. */
function counted (w, o, path, name) {
  const v = o[name]
  if (!isGiven(v)) return
  w.token(name)
  count(w, v, `${path}.${name}`)
}

/** `2 a b` of text or a list of it. */
function count (w, v, name) {
  w.int(Array.isArray(v) ? v.length : 1, name)
  w.anyArgs(v, name)
}

/** Calls `write(item, name)` for a single item, or for each of a list. */
function each (v, name, write) {
  if (!Array.isArray(v)) write(v, name)
  else for (let i = 0; i < v.length; i++) write(v[i], `${name}[${i}]`)
}

/** An object that must be there. Unknown fields throw. */
function object (w, v, name, known) {
  const o = w.options(v, name, known)
  if (o === undefined) fail(name, 'an object', v)
  return o
}

/** As `object`, but undefined counts as an empty object. */
function optional (w, v, name, known) {
  return w.options(v, name, known) ?? NOTHING
}

/** What `forms` has under the type that `v` names; undefined if it names none of them. */
function formOf (forms, v) {
  return typeof v?.type === 'string' ? forms[v.type] : undefined
}

/** The options of a call without any: forms may look for it, so as not to ask for each. */
const NOTHING = Object.freeze({})

module.exports = {
  NOTHING, flag, int, float, text, word, counted, count, each, object, optional, formOf
}
