'use strict'

/*
 * What a cache has counted.
 */

/** The numbers of a cache at one moment. */
class CacheStats {
  /**
   * @param {number} hitCount replies served from the cache
   * @param {number} missCount reads that the cache had no reply for
   * @param {number} loadSuccessCount replies that the server has sent for them
   * @param {number} loadFailureCount misses that have ended with an error
   * @param {number} totalLoadTime ms that the misses have taken together
   * @param {number} evictionCount replies that were dropped for the bounds or the ttl
   */
  constructor (hitCount, missCount, loadSuccessCount, loadFailureCount, totalLoadTime,
    evictionCount) {
    const numbers = { hitCount, missCount, loadSuccessCount, loadFailureCount, totalLoadTime,
      evictionCount }
    for (const [name, value] of Object.entries(numbers)) {
      if (!(value >= 0)) throw new TypeError(`argument "${name}" must be a number from 0`)
    }
    Object.assign(this, numbers)
  }

  static of (hitCount = 0, missCount = 0, loadSuccessCount = 0, loadFailureCount = 0,
    totalLoadTime = 0, evictionCount = 0) {
    return new CacheStats(hitCount, missCount, loadSuccessCount, loadFailureCount, totalLoadTime,
      evictionCount)
  }

  /** Statistics of a cache in which nothing has happened. */
  static empty () {
    return CacheStats.of()
  }

  /** Reads of commands that can be cached. */
  requestCount () {
    return this.hitCount + this.missCount
  }

  /** The part of the reads that were hits; 1 before the first read. */
  hitRate () {
    return part(this.hitCount, this.requestCount(), 1)
  }

  /** The part of the reads that were misses; 0 before the first read. */
  missRate () {
    return part(this.missCount, this.requestCount(), 0)
  }

  /** Misses that have ended. */
  loadCount () {
    return this.loadSuccessCount + this.loadFailureCount
  }

  /** The part of these that have failed; 0 before the first. */
  loadFailureRate () {
    return part(this.loadFailureCount, this.loadCount(), 0)
  }

  /** How long (ms) a miss has taken on average; 0 before the first. */
  averageLoadPenalty () {
    return part(this.totalLoadTime, this.loadCount(), 0)
  }

  /** What has happened since `other`; a number is 0 rather than negative. */
  minus (other) {
    return this.#with(other, (own, others) => Math.max(0, own - others))
  }

  /** The numbers of both together. */
  plus (other) {
    return this.#with(other, (own, others) => own + others)
  }

  #with (other, combine) {
    return CacheStats.of(...NAMES.map(name => combine(this[name], other[name])))
  }
}

/** Counts what happens in a cache. */
class StatsCounter {
  constructor () {
    this.reset()
  }

  reset () {
    this.hits = 0
    this.misses = 0
    this.loads = 0
    this.failures = 0
    this.loadTime = 0
    this.evictions = 0
  }

  snapshot () {
    return CacheStats.of(this.hits, this.misses, this.loads, this.failures, this.loadTime,
      this.evictions)
  }
}

function part (some, all, otherwise) {
  return all === 0 ? otherwise : some / all
}

const NAMES = ['hitCount', 'missCount', 'loadSuccessCount', 'loadFailureCount', 'totalLoadTime',
  'evictionCount']

module.exports = { CacheStats, StatsCounter }
