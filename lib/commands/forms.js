'use strict'

/*
 * Argument forms that many commands share. Each takes the argument writer first, then what the
 * caller passed, and writes it in the order of the wire. Forms know no command.
 */

const { fail, isGiven } = require('../arguments')

/** No argument. */
function none () {}

/** (key) */
function key (w, key) {
  w.key(key, 'key')
}

/** (keys) */
function keys (w, keys) {
  w.keys(keys, 'keys')
}

/** (key, value), where value is text. */
function keyText (w, key, value) {
  w.key(key, 'key')
  w.arg(value, 'value')
}

/** (key, count) */
function keyCount (w, key, count) {
  w.key(key, 'key')
  w.int(count, 'count')
}

/** (key, start, stop) with two indexes. */
function keySpan (w, key, start, stop) {
  w.key(key, 'key')
  w.int(start, 'start')
  w.int(stop, 'stop')
}

/** (destination, keys) */
function destinationKeys (w, destination, keys) {
  w.key(destination, 'destination')
  w.keys(keys, 'keys')
}

/** A form with a word behind it: `suffixed(range, 'WITHSCORES')`. */
function suffixed (form, word) {
  return function (w, a, b, c, d, e, f) {
    form(w, a, b, c, d, e, f)
    w.token(word)
  }
}

/** A required options object: fails on undefined, unlike `w.options`. */
function required (w, options, known) {
  if (w.options(options, 'options', known) === undefined) fail('options', 'an object', options)
}

/**
 * An option that says when a key or field expires: `{ type: 'EX', value: 10 }`, or
 * `lasting` itself ('KEEPTTL' or 'PERSIST'), as a word or as a type.
 */
function expiration (w, v, lasting) {
  const type = upperCase(typeof v === 'string' ? v : v?.type)
  if (type === lasting) w.token(lasting)
  else if (typeof v === 'string' || !lifetime(w, type, v?.value, 'options.expiration.value')) {
    throw new TypeError('argument "options.expiration" must have a type among ' +
      ['EX', 'PX', 'EXAT', 'PXAT', lasting].join(', '))
  }
}

/** `EX 10`, `PXAT 1700000000000` ...; false when `type` is none of the four. */
function lifetime (w, type, value, name) {
  const word = upperCase(type)
  switch (word) {
    case 'EX':
    case 'PX':
      w.token(word)
      w.int(value, name)
      return true
    case 'EXAT':
      w.token(word)
      w.seconds(value, name)
      return true
    case 'PXAT':
      w.token(word)
      w.milliseconds(value, name)
      return true
    default:
      return false
  }
}

/** A word as servers write it: they take it in any case. */
function upperCase (word) {
  return typeof word === 'string' ? word.toUpperCase() : word
}

/** How long the server may wait, in seconds; fractions are fine, 0 is for ever. */
function waitSeconds (w, v, name) {
  w.float(v, name)
  waitFor(w, Number(v) * 1000, name)
}

/** How long the server may wait, in ms; 0 is for ever. */
function waitMilliseconds (w, v, name) {
  w.int(v, name)
  waitFor(w, Number(v), name)
}

function waitFor (w, ms, name) {
  if (!(ms >= 0 && ms < Infinity)) {
    throw new TypeError(`argument "${name}" must be 0 (for ever) or a finite positive number`)
  }
  // Rounded up: a fraction of a ms must not become 0, which is for ever.
  w.wait(Math.ceil(ms))
}

/** (script, digest or function; { keys, arguments }): `name` is what the first is called. */
function evaluate (name) {
  return function (w, script, options) {
    w.arg(script, name)
    const o = w.options(options, 'options', EVAL_OPTIONS)
    const isWithout = !isGiven(o?.keys) || (Array.isArray(o.keys) && o.keys.length === 0)
    if (!isWithout) w.keysCounted(o.keys, 'options.keys')
    else w.int(0, 'options.keys')
    if (isGiven(o?.arguments)) w.anyArgs(o.arguments, 'options.arguments')
  }
}

const EVAL_OPTIONS = new Set(['keys', 'arguments'])

/** `LIMIT offset count`, when given. */
function limit (w, v) {
  if (!isGiven(v)) return
  w.token('LIMIT')
  w.int(v.offset, 'options.LIMIT.offset')
  w.int(v.count, 'options.LIMIT.count')
}

/** The cursor and the options of the SCAN family. */
function scan (w, cursor, options, known) {
  w.arg(cursor, 'cursor')
  const o = w.options(options, 'options', known)
  if (o === undefined) return
  if (isGiven(o.MATCH)) {
    w.token('MATCH')
    w.arg(o.MATCH, 'options.MATCH')
  }
  if (isGiven(o.COUNT)) {
    w.token('COUNT')
    w.int(o.COUNT, 'options.COUNT')
  }
  if (isGiven(o.TYPE)) {
    w.token('TYPE')
    w.arg(o.TYPE, 'options.TYPE')
  }
}

/** (key, cursor, options) of HSCAN, SSCAN and ZSCAN. */
function keyScan (w, key, cursor, options) {
  w.key(key, 'key')
  scan(w, cursor, options, KEY_SCAN_OPTIONS)
}

const KEY_SCAN_OPTIONS = new Set(['MATCH', 'COUNT'])

module.exports = {
  none,
  key,
  keys,
  keyText,
  keyCount,
  keySpan,
  destinationKeys,
  suffixed,
  required,
  expiration,
  lifetime,
  waitSeconds,
  waitMilliseconds,
  evaluate,
  limit,
  scan,
  keyScan,
  upperCase
}
