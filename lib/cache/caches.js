'use strict'

/*
 * The caches that applications make and hold: node-redis's classes.
 *
 * Owns what an application can ask of a cache. One cache may serve several clients of the same
 * server: each has a table of its own, since each of its connections tracks other keys. The bounds
 * and the counts are those of the cache.
 */

const { EventEmitter } = require('node:events')

const { isText } = require('../arguments')
const { IS_CACHE, parseCacheOptions } = require('../options/cache')
const { performance } = require('../timers')
const { CacheStats } = require('./stats')
const { Store } = require('./store')
const { Table } = require('./table')

/** A cache of replies, for the option `clientSideCache`. */
class BasicClientSideCache extends EventEmitter {
  #store
  #tables = new Set()
  /** The endpoint of the clients that use it. */
  #endpoint = null

  /**
   * @param {{ ttl?: number, maxEntries?: number, maxBytes?: number, evictPolicy?: 'LRU' | 'FIFO',
   *   recordStats?: boolean }} [options]
   */
  constructor (options) {
    super()
    const parsed = parseCacheOptions(options ?? {})
    this.#store = new Store(parsed)
    /** The options, by node-redis's names. */
    this.ttl = parsed.ttl
    this.maxEntries = parsed.maxEntries
    this.lru = parsed.evictPolicy === 'LRU'
    this.maxBytes = parsed.maxBytes
    this.evictPolicy = parsed.evictPolicy
    this.recordStats = parsed.recordStats
  }

  /** How many replies are cached. */
  size () {
    return this.#store.count
  }

  /** What was counted since the cache was made, or since `clear()`; zeros without `recordStats`. */
  stats () {
    return this.recordStats ? this.#store.stats.snapshot() : CacheStats.empty()
  }

  /**
   * Drops everything.
   * @param {boolean} [resetStats] whether to count anew; else what was cached counts as evicted
   */
  clear (resetStats = true) {
    const { stats, count } = this.#store
    if (resetStats) stats.reset()
    else stats.evictions += count
    for (const table of this.#tables) table.clear()
  }

  /**
   * Drops the replies that were made of a key, with the client's prefix if it has one; those of all
   * keys for null.
   */
  invalidate (key) {
    if (key === null) {
      for (const table of this.#tables) table.clear()
    } else {
      if (!isText(key)) throw new TypeError('invalidate: argument "key" must be text or null')
      const bytes = Buffer.from(key).latin1Slice()
      for (const table of this.#tables) table.invalidate(bytes)
    }
    this.emit('invalidate', key)
  }

  /**
   * A table for another client, which gives it back by `_leave`.
   * @param {string} endpoint what the client is connected to
   */
  _join (endpoint) {
    if (this.#tables.size > 0 && this.#endpoint !== endpoint) {
      throw new TypeError('option "clientSideCache" is the cache of a client of another server: ' +
        'make one for each server')
    }
    this.#endpoint = endpoint
    const table = new Table(this.#store, () => performance.now(), (name, what) =>
      this.#tell(name, what))
    this.#tables.add(table)
    return table
  }

  /** A client that used the cache is closed. */
  _leave (table) {
    table.detach()
    this.#tables.delete(table)
  }

  #tell (name, what) {
    if (this.listenerCount(name) === 0) return
    if (name === 'invalidate') return this.emit(name, what === null ? null : bytesOf(what))
    this.emit(name, [what.keys].flat().map(key => bytesOf(key).toString()).join(' '))
  }
}

/** As `BasicClientSideCache`: node-redis's name of the cache of a pool. */
class BasicPooledClientSideCache extends BasicClientSideCache {}

BasicClientSideCache.prototype[IS_CACHE] = true

function bytesOf (key) {
  return Buffer.from(key, 'latin1')
}

module.exports = { BasicClientSideCache, BasicPooledClientSideCache, CacheStats }
