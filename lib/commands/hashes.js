'use strict'

/*
 * Rows of the hash commands. See index.js for what a row is.
 */

const { isMap } = require('node:util').types

const { fail, isGiven, isText } = require('../arguments')
const { key, keyCount, keyScan, suffixed, expiration } = require('./forms')
const { fields } = require('./replies')
const { paged } = require('./shapes')

module.exports = [
  {
    name: 'hDel',
    args: keyFields,
    ts: '(key: RedisArgument, fields: RedisVariadicArgument): Promise<number>'
  },
  {
    name: 'hExists',
    args: keyField,
    ts: '(key: RedisArgument, field: RedisArgument): Promise<number>'
  },
  {
    name: 'hExpire',
    args: expiry('int', 'seconds'),
    ts: '(key: RedisArgument, fields: RedisVariadicArgument, seconds: RedisInteger, ' +
      'mode?: ExpireMode): Promise<HashExpiration[] | null>'
  },
  {
    name: 'hExpireAt',
    args: expiry('seconds', 'timestamp'),
    ts: '(key: RedisArgument, fields: RedisVariadicArgument, timestamp: RedisInteger | Date, ' +
      'mode?: ExpireMode): Promise<HashExpiration[] | null>'
  },
  {
    name: 'hExpireTime',
    args: keyCountedFields,
    ts: '(key: RedisArgument, fields: RedisVariadicArgument): Promise<number[] | null>'
  },
  {
    name: 'hGet',
    args: keyField,
    ts: '(key: RedisArgument, field: RedisArgument): Promise<T | null>'
  },
  {
    name: 'hGetAll',
    args: key,
    shape: 'object',
    ts: '(key: RedisArgument): Promise<Record<string, T>>'
  },
  {
    name: 'hGetDel',
    args: keyCountedFields,
    ts: '(key: RedisArgument, fields: RedisVariadicArgument): Promise<(T | null)[]>'
  },
  {
    name: 'hGetEx',
    args (w, key, fields, options) {
      w.key(key, 'key')
      const o = w.options(options, 'options', HGETEX_OPTIONS)
      if (isGiven(o?.expiration)) expiration(w, o.expiration, 'PERSIST')
      countedFields(w, fields)
    },
    ts: '(key: RedisArgument, fields: RedisVariadicArgument, options?: HGetExOptions): ' +
      'Promise<(T | null)[]>'
  },
  {
    name: 'hIncrBy',
    args (w, key, field, increment) {
      keyField(w, key, field)
      w.int(increment, 'increment')
    },
    ts: '(key: RedisArgument, field: RedisArgument, increment: RedisInteger): Promise<number>'
  },
  {
    name: 'hIncrByFloat',
    args (w, key, field, increment) {
      keyField(w, key, field)
      w.float(increment, 'increment')
    },
    ts: '(key: RedisArgument, field: RedisArgument, increment: RedisDouble): Promise<T>'
  },
  { name: 'hKeys', args: key, ts: '(key: RedisArgument): Promise<T[]>' },
  { name: 'hLen', args: key, ts: '(key: RedisArgument): Promise<number>' },
  {
    name: 'hmGet',
    args: keyFields,
    ts: '(key: RedisArgument, fields: RedisVariadicArgument): Promise<(T | null)[]>'
  },
  {
    name: 'hPersist',
    args: keyCountedFields,
    ts: '(key: RedisArgument, fields: RedisVariadicArgument): Promise<number[] | null>'
  },
  {
    name: 'hpExpire',
    args: expiry('int', 'ms'),
    ts: '(key: RedisArgument, fields: RedisVariadicArgument, ms: RedisInteger, ' +
      'mode?: ExpireMode): Promise<HashExpiration[] | null>'
  },
  {
    name: 'hpExpireAt',
    args: expiry('milliseconds', 'timestamp'),
    ts: '(key: RedisArgument, fields: RedisVariadicArgument, timestamp: RedisInteger | Date, ' +
      'mode?: ExpireMode): Promise<HashExpiration[] | null>'
  },
  {
    name: 'hpExpireTime',
    args: keyCountedFields,
    ts: '(key: RedisArgument, fields: RedisVariadicArgument): Promise<number[] | null>'
  },
  {
    name: 'hpTTL',
    args: keyCountedFields,
    ts: '(key: RedisArgument, fields: RedisVariadicArgument): Promise<number[] | null>'
  },
  { name: 'hRandField', args: key, ts: '(key: RedisArgument): Promise<T | null>' },
  {
    name: 'hRandFieldCount',
    upper: 'HRANDFIELD_COUNT',
    command: ['HRANDFIELD'],
    args: keyCount,
    about: 'Returns several fields; a negative count allows repeats.',
    ts: '(key: RedisArgument, count: RedisInteger): Promise<T[]>'
  },
  {
    name: 'hRandFieldCountWithValues',
    upper: 'HRANDFIELD_COUNT_WITHVALUES',
    command: ['HRANDFIELD'],
    args: suffixed(keyCount, 'WITHVALUES'),
    shape: 'flat',
    reply: fields,
    about: 'Returns several fields with their values; a negative count allows repeats.',
    ts: '(key: RedisArgument, count: RedisInteger): Promise<{ field: T; value: T }[]>'
  },
  {
    name: 'hScan',
    args: keyScan,
    reply: reply => {
      const [cursor, entries] = paged(reply)
      return { cursor, entries: fields(entries) }
    },
    ts: '(key: RedisArgument, cursor: RedisArgument, options?: ScanCommonOptions): ' +
      'Promise<{ cursor: T; entries: { field: T; value: T }[] }>'
  },
  {
    name: 'hScanNoValues',
    upper: 'HSCAN_NOVALUES',
    command: ['HSCAN'],
    args: suffixed(keyScan, 'NOVALUES'),
    reply: reply => {
      const [cursor, fields] = paged(reply)
      return { cursor, fields }
    },
    about: 'Returns the fields without their values (since 7.4.0).',
    ts: '(key: RedisArgument, cursor: RedisArgument, options?: ScanCommonOptions): ' +
      'Promise<{ cursor: T; fields: T[] }>'
  },
  {
    name: 'hSet',
    args (w, key, field, value) {
      w.key(key, 'key')
      if (typeof field === 'number' || isText(field)) {
        w.value(field, 'field')
        w.value(value, 'value')
      } else {
        fieldValues(w, field, 'fields')
      }
    },
    ts: [
      '(key: RedisArgument, field: HashTypes, value: HashTypes): Promise<number>',
      '(key: RedisArgument, fields: HashFields): Promise<number>'
    ]
  },
  {
    name: 'hSetEx',
    args (w, key, fields, options) {
      w.key(key, 'key')
      const o = w.options(options, 'options', HSETEX_OPTIONS)
      if (isGiven(o?.mode)) w.oneOf(o.mode, 'options.mode', ['FNX', 'FXX'])
      if (isGiven(o?.expiration)) expiration(w, o.expiration, 'KEEPTTL')
      w.token('FIELDS')
      w.int(countOf(fields, 'fields'), 'fields')
      fieldValues(w, fields, 'fields')
    },
    ts: '(key: RedisArgument, fields: HashFields, options?: HSetExOptions): Promise<number>'
  },
  {
    name: 'hSetNX',
    args (w, key, field, value) {
      keyField(w, key, field)
      w.arg(value, 'value')
    },
    ts: '(key: RedisArgument, field: RedisArgument, value: RedisArgument): Promise<number>'
  },
  {
    name: 'hStrLen',
    args: keyField,
    ts: '(key: RedisArgument, field: RedisArgument): Promise<number>'
  },
  {
    name: 'hTTL',
    args: keyCountedFields,
    ts: '(key: RedisArgument, fields: RedisVariadicArgument): Promise<number[] | null>'
  },
  { name: 'hVals', args: key, ts: '(key: RedisArgument): Promise<T[]>' }
]

function keyField (w, key, field) {
  w.key(key, 'key')
  w.arg(field, 'field')
}

function keyFields (w, key, fields) {
  w.key(key, 'key')
  w.args(fields, 'fields')
}

function keyCountedFields (w, key, fields) {
  w.key(key, 'key')
  countedFields(w, fields)
}

/** `FIELDS numfields field ...` */
function countedFields (w, fields) {
  w.token('FIELDS')
  w.argsCounted(fields, 'fields')
}

/** (key, fields, when, mode); `kind` is the writer's method that `when` goes through. */
function expiry (kind, name) {
  return function (w, key, fields, when, mode) {
    w.key(key, 'key')
    w[kind](when, name)
    if (isGiven(mode)) w.oneOf(mode, 'mode', ['NX', 'XX', 'GT', 'LT'])
    countedFields(w, fields)
  }
}

/** Writes the fields and values of an object, a Map, `[[f, v]]` or `[f, v, f, v]`. */
function fieldValues (w, v, name) {
  countOf(v, name)
  if (isMap(v)) {
    for (const [field, value] of v) fieldValue(w, field, value, name)
  } else if (!Array.isArray(v)) {
    for (const field of Object.keys(v)) fieldValue(w, field, v[field], name)
  } else if (Array.isArray(v[0])) {
    for (let i = 0; i < v.length; i++) {
      if (!Array.isArray(v[i])) fail(`${name}[${i}]`, 'a pair', v[i])
      fieldValue(w, v[i][0], v[i][1], `${name}[${i}]`)
    }
  } else {
    for (let i = 0; i < v.length; i += 2) fieldValue(w, v[i], v[i + 1], `${name}[${i}]`)
  }
}

function fieldValue (w, field, value, name) {
  w.value(field, `${name}: field`)
  w.value(value, `${name}: value`)
}

/** How many fields an object, a Map, `[[f, v]]` or `[f, v, f, v]` holds. None throws. */
function countOf (v, name) {
  let count
  if (isMap(v)) count = v.size
  else if (Array.isArray(v)) count = Array.isArray(v[0]) ? v.length : v.length / 2
  else if (v !== null && typeof v === 'object' && !isText(v)) count = Object.keys(v).length
  else fail(name, 'an object, a Map or an array of pairs', v)
  if (count === 0) throw new TypeError(`argument "${name}" must have at least one field`)
  if (!Number.isInteger(count)) fail(name, 'a list of whole pairs', v)
  return count
}

const HGETEX_OPTIONS = new Set(['expiration'])
const HSETEX_OPTIONS = new Set(['expiration', 'mode'])
