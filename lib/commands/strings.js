'use strict'

/*
 * Rows of the string commands. See index.js for what a row is.
 */

const { fail, isGiven, isText } = require('../arguments')
const {
  key, keys, keyText, suffixed, required, expiration, lifetime, upperCase
} = require('./forms')
const { doubles, map } = require('./replies')

const INCREX_DOCS = {
  summary: 'Increments a number and sets its bounds and expiration in one step.',
  complexity: 'O(1)'
}

module.exports = [
  {
    name: 'append',
    args: keyText,
    ts: '(key: RedisArgument, value: RedisArgument): Promise<number>'
  },
  { name: 'decr', args: key, ts: '(key: RedisArgument): Promise<number>' },
  {
    name: 'decrBy',
    args (w, key, decrement) {
      w.key(key, 'key')
      w.int(decrement, 'decrement')
    },
    ts: '(key: RedisArgument, decrement: RedisInteger): Promise<number>'
  },
  {
    name: 'delEx',
    args (w, key, options) {
      w.key(key, 'key')
      const o = w.options(options, 'options', DELEX_OPTIONS)
      if (o === undefined) return
      w.oneOf(o.condition, 'options.condition', COMPARISONS)
      w.arg(o.matchValue, 'options.matchValue')
    },
    ts: '(key: RedisArgument, options?: DelExOptions): Promise<number>',
    docs: {
      summary: 'Deletes a string key when its value, or the digest of it, matches.',
      since: '8.4.0',
      complexity: 'O(1) for IFEQ and IFNE, O(N) for digests where N is the length of the value.'
    }
  },
  {
    name: 'digest',
    args: key,
    ts: '(key: RedisArgument): Promise<T | null>',
    docs: {
      summary: 'Returns the XXH3 digest of a string value, as 16 hexadecimal digits.',
      since: '8.4.0',
      complexity: 'O(N) where N is the length of the value.'
    }
  },
  { name: 'get', args: key, ts: '(key: RedisArgument): Promise<T | null>' },
  { name: 'getDel', args: key, ts: '(key: RedisArgument): Promise<T | null>' },
  {
    name: 'getEx',
    args (w, key, options) {
      w.key(key, 'key')
      required(w, options, GETEX_OPTIONS)
      if (!getExLifetime(w, options)) {
        throw new TypeError('argument "options" must say when the key expires: ' +
          'a type among EX, PX, EXAT, PXAT, PERSIST')
      }
    },
    ts: '(key: RedisArgument, options: GetExOptions): Promise<T | null>'
  },
  {
    name: 'getRange',
    args (w, key, start, end) {
      w.key(key, 'key')
      w.int(start, 'start')
      w.int(end, 'end')
    },
    ts: '(key: RedisArgument, start: RedisInteger, end: RedisInteger): Promise<T>'
  },
  {
    name: 'getSet',
    args: keyText,
    ts: '(key: RedisArgument, value: RedisArgument): Promise<T | null>'
  },
  { name: 'incr', args: key, ts: '(key: RedisArgument): Promise<number>' },
  {
    name: 'incrBy',
    args (w, key, increment) {
      w.key(key, 'key')
      w.int(increment, 'increment')
    },
    ts: '(key: RedisArgument, increment: RedisInteger): Promise<number>'
  },
  {
    name: 'incrByFloat',
    args (w, key, increment) {
      w.key(key, 'key')
      w.float(increment, 'increment')
    },
    ts: '(key: RedisArgument, increment: RedisDouble): Promise<T>'
  },
  {
    name: 'increx',
    args (w, key, options) {
      w.key(key, 'key')
      const o = w.options(options, 'options', INCREX_OPTIONS)
      if (o === undefined) return
      if (isGiven(o.by)) {
        w.token('BYINT')
        w.bound(o.by, 'options.by')
      }
      incrExBounds(w, o)
    },
    ts: '(key: RedisArgument, options?: IncrExOptions): Promise<[value: number, added: number]>',
    docs: INCREX_DOCS
  },
  {
    name: 'incrExByFloat',
    upper: 'INCREXBYFLOAT',
    command: ['INCREX'],
    args (w, key, value, options) {
      w.key(key, 'key')
      w.token('BYFLOAT')
      w.bound(value, 'value')
      const o = w.options(options, 'options', INCREX_FLOAT_OPTIONS)
      if (o !== undefined) incrExBounds(w, o)
    },
    reply: doubles,
    ts: '(key: RedisArgument, value: RedisArgument | number, options?: IncrExByFloatOptions): ' +
      'Promise<[value: number, added: number]>',
    docs: INCREX_DOCS
  },
  {
    name: 'lcs',
    args: twoKeys,
    ts: '(key1: RedisArgument, key2: RedisArgument): Promise<T>'
  },
  {
    name: 'lcsIdx',
    upper: 'LCS_IDX',
    command: ['LCS'],
    args: lcsIdx,
    reply: (reply, mapping) => map(reply, mapping),
    about: 'Gives the matching ranges instead of the text.',
    ts: '(key1: RedisArgument, key2: RedisArgument, options?: LcsIdxOptions): ' +
      'Promise<LcsIdxReply>'
  },
  {
    name: 'lcsIdxWithMatchLen',
    upper: 'LCS_IDX_WITHMATCHLEN',
    command: ['LCS'],
    args: suffixed(lcsIdx, 'WITHMATCHLEN'),
    reply: (reply, mapping) => map(reply, mapping),
    about: 'Gives the matching ranges with their lengths instead of the text.',
    ts: '(key1: RedisArgument, key2: RedisArgument, options?: LcsIdxOptions): ' +
      'Promise<LcsIdxWithMatchLenReply>'
  },
  {
    name: 'lcsLen',
    upper: 'LCS_LEN',
    command: ['LCS'],
    args: suffixed(twoKeys, 'LEN'),
    about: 'Gives the length instead of the text.',
    ts: '(key1: RedisArgument, key2: RedisArgument): Promise<number>'
  },
  { name: 'mGet', args: keys, ts: '(keys: RedisArgument[]): Promise<(T | null)[]>' },
  { name: 'mSet', args: mSet, ts: "(toSet: MSetArguments): Promise<'OK'>" },
  {
    name: 'mSetEx',
    args (w, keyValuePairs, options) {
      w.int(pairCount(keyValuePairs, 'keyValuePairs'), 'keyValuePairs')
      pairs(w, keyValuePairs, 'keyValuePairs')
      const o = w.options(options, 'options', MSETEX_OPTIONS)
      if (o === undefined) return
      if (isGiven(o.mode)) w.oneOf(o.mode, 'options.mode', ['NX', 'XX'])
      if (isGiven(o.expiration)) expiration(w, o.expiration, 'KEEPTTL')
    },
    ts: '(keyValuePairs: MSetArguments, options?: MSetExOptions): Promise<number>',
    docs: {
      summary: 'Sets several string keys at once, with one expiration and condition for all.',
      since: '8.4.0',
      complexity: 'O(N) where N is the number of keys to set.'
    }
  },
  { name: 'mSetNX', args: mSet, ts: '(toSet: MSetArguments): Promise<number>' },
  {
    name: 'pSetEx',
    args (w, key, ms, value) {
      w.key(key, 'key')
      w.int(ms, 'ms')
      w.arg(value, 'value')
    },
    ts: "(key: RedisArgument, ms: RedisInteger, value: RedisArgument): Promise<'OK'>"
  },
  {
    name: 'set',
    args (w, key, value, options) {
      w.key(key, 'key')
      w.value(value, 'value')
      if (options !== undefined) setOptions(w, w.options(options, 'options', SET_OPTIONS))
    },
    ts: "(key: RedisArgument, value: RedisArgument | number, options?: SetOptions): " +
      "Promise<'OK' | T | null>"
  },
  {
    name: 'setEx',
    args (w, key, seconds, value) {
      w.key(key, 'key')
      w.int(seconds, 'seconds')
      w.arg(value, 'value')
    },
    ts: "(key: RedisArgument, seconds: RedisInteger, value: RedisArgument): Promise<'OK'>"
  },
  {
    name: 'setNX',
    args: keyText,
    ts: '(key: RedisArgument, value: RedisArgument): Promise<number>'
  },
  {
    name: 'setRange',
    args (w, key, offset, value) {
      w.key(key, 'key')
      w.int(offset, 'offset')
      w.arg(value, 'value')
    },
    ts: '(key: RedisArgument, offset: RedisInteger, value: RedisArgument): Promise<number>'
  },
  { name: 'strLen', args: key, ts: '(key: RedisArgument): Promise<number>' }
]

function twoKeys (w, key1, key2) {
  w.key(key1, 'key1')
  w.key(key2, 'key2')
}

function lcsIdx (w, key1, key2, options) {
  twoKeys(w, key1, key2)
  w.token('IDX')
  const o = w.options(options, 'options', LCS_OPTIONS)
  if (isGiven(o?.MINMATCHLEN)) {
    w.token('MINMATCHLEN')
    w.int(o.MINMATCHLEN, 'options.MINMATCHLEN')
  }
}

function setOptions (w, o) {
  if (o === undefined) return
  if (isGiven(o.expiration)) expiration(w, o.expiration, 'KEEPTTL')
  else if (isGiven(o.EX)) lifetime(w, 'EX', o.EX, 'options.EX')
  else if (isGiven(o.PX)) lifetime(w, 'PX', o.PX, 'options.PX')
  else if (isGiven(o.EXAT)) lifetime(w, 'EXAT', o.EXAT, 'options.EXAT')
  else if (isGiven(o.PXAT)) lifetime(w, 'PXAT', o.PXAT, 'options.PXAT')
  else if (o.KEEPTTL) w.token('KEEPTTL')

  if (isGiven(o.condition)) {
    w.oneOf(o.condition, 'options.condition', SET_CONDITIONS)
    if (isGiven(o.matchValue)) w.arg(o.matchValue, 'options.matchValue')
  } else if (o.NX) {
    w.token('NX')
  } else if (o.XX) {
    w.token('XX')
  }
  if (o.GET) w.token('GET')
}

/** Both ways to write GETEX's option: `{ type, value }` and `{ EX: 10 }`. False when neither. */
function getExLifetime (w, o) {
  if (isGiven(o.type)) {
    if (upperCase(o.type) !== 'PERSIST') return lifetime(w, o.type, o.value, 'options.value')
  } else {
    for (const type of ['EX', 'PX', 'EXAT', 'PXAT']) {
      if (isGiven(o[type])) return lifetime(w, type, o[type], `options.${type}`)
    }
    if (!o.PERSIST) return false
  }
  w.token('PERSIST')
  return true
}

function incrExBounds (w, o) {
  if (isGiven(o.lowerBound)) {
    w.token('LBOUND')
    w.bound(o.lowerBound, 'options.lowerBound')
  }
  if (isGiven(o.upperBound)) {
    w.token('UBOUND')
    w.bound(o.upperBound, 'options.upperBound')
  }
  if (o.saturate) w.token('SATURATE')
  if (isGiven(o.expiration)) {
    expiration(w, o.expiration, 'PERSIST')
    if (o.expiration.ENX && upperCase(o.expiration.type) !== 'PERSIST') w.token('ENX')
  }
}

function mSet (w, toSet) {
  pairCount(toSet, 'toSet')
  pairs(w, toSet, 'toSet')
}

/** How many pairs `[[k, v]]`, `[k, v, k, v]` or `{ k: v }` hold. None, or half a pair, throws. */
function pairCount (v, name) {
  if (Array.isArray(v)) {
    const count = Array.isArray(v[0]) ? v.length : v.length / 2
    if (v.length > 0 && Number.isInteger(count)) return count
    fail(name, 'a non-empty list of whole pairs', v)
  }
  if (v === null || typeof v !== 'object' || isText(v)) fail(name, 'an array or an object', v)
  const count = Object.keys(v).length
  if (count === 0) throw new TypeError(`argument "${name}" must have at least one key`)
  return count
}

function pairs (w, v, name) {
  if (!Array.isArray(v)) {
    for (const key of Object.keys(v)) pair(w, key, v[key], name)
  } else if (Array.isArray(v[0])) {
    for (let i = 0; i < v.length; i++) {
      if (!Array.isArray(v[i])) fail(`${name}[${i}]`, 'a pair', v[i])
      pair(w, v[i][0], v[i][1], `${name}[${i}]`)
    }
  } else {
    for (let i = 0; i < v.length; i += 2) pair(w, v[i], v[i + 1], `${name}[${i}]`)
  }
}

function pair (w, key, value, name) {
  w.key(key, `${name}: key`)
  w.arg(value, `${name}: value`)
}

const COMPARISONS = ['IFEQ', 'IFNE', 'IFDEQ', 'IFDNE']
const SET_CONDITIONS = ['NX', 'XX', ...COMPARISONS]

const DELEX_OPTIONS = new Set(['condition', 'matchValue'])
const GETEX_OPTIONS = new Set(['type', 'value', 'EX', 'PX', 'EXAT', 'PXAT', 'PERSIST'])
const INCREX_FLOAT_OPTIONS = new Set(['lowerBound', 'upperBound', 'saturate', 'expiration'])
const INCREX_OPTIONS = new Set(['by', ...INCREX_FLOAT_OPTIONS])
const LCS_OPTIONS = new Set(['MINMATCHLEN'])
const MSETEX_OPTIONS = new Set(['expiration', 'mode'])
const SET_OPTIONS = new Set([
  'expiration', 'EX', 'PX', 'EXAT', 'PXAT', 'KEEPTTL',
  'condition', 'matchValue', 'NX', 'XX', 'GET'
])
