'use strict'

/*
 * The option `clientSideCache`: an object of options, or a cache that the application has made.
 *
 * Owns the names, defaults and checks of the cache's options.
 */

const { check, isNoObject, numeric } = require('./check')
const { Unknown } = require('../unknown-options')

/* Checks: each returns what is expected if the value is wrong, else false. */
const flag = v => typeof v !== 'boolean' && 'a boolean'
const count = numeric(v => !(Number.isSafeInteger(v) && v >= 0) && 'an integer from 0')
const size = numeric(v => !(Number.isSafeInteger(v) && v >= 1) && 'an integer from 1')
const policy = v => v !== 'LRU' && v !== 'FIFO' && "'LRU' or 'FIFO'"

/** name -> [check, default, meaning]. */
const CACHE = {
  ttl: [count, 0, 'ms after which a cached reply is not served any more; 0: no such bound'],
  maxEntries: [count, 0, 'cached replies at most; 0: no such bound'],
  maxBytes: [size, 64 * 2 ** 20, 'bytes that cached replies take at most, as estimated'],
  evictPolicy: [policy, 'LRU', 'what goes when the cache is full: least recently used, or oldest'],
  recordStats: [flag, true, 'whether the cache counts hits, misses and the like']
}

const DEFAULTS = Object.freeze(
  Object.fromEntries(Object.entries(CACHE).map(([name, [, value]]) => [name, value])))

/** What a cache that oxidis has made is known by. */
const IS_CACHE = Symbol('oxidis client-side cache')

/**
 * Returns what is expected if `v` is no value of the option, else false. A cache of node-redis, or
 * one that the application has written against its interface, has a method `handleCache`.
 */
function cacheOption (v) {
  if (!isNoObject(v) && typeof v.handleCache !== 'function') return false
  return 'an object of options, a BasicClientSideCache or a BasicPooledClientSideCache of oxidis'
}

/**
 * Checks the options of a cache and fills in defaults.
 * @param {object} [given]
 * @param {string} [path] what stands in front of the names in errors
 * @param {boolean} [isStrict] whether unknown options are errors
 */
function parseCacheOptions (given = {}, path = '', isStrict = false) {
  if (isNoObject(given)) throw new TypeError('options of a client-side cache must be an object')
  const unknown = new Unknown(isStrict)
  const checked = check(given, CACHE, path, unknown)
  unknown.tell()
  const set = Object.entries(checked).filter(([, value]) => value !== undefined && value !== null)
  return { ...DEFAULTS, ...Object.fromEntries(set) }
}

module.exports = { CACHE, IS_CACHE, cacheOption, parseCacheOptions }
