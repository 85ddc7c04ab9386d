'use strict'

/*
 * What the tables of one cache have in common: the bounds, the order of eviction, the counts.
 *
 * Owns a ring of all kept entries, the newest first, and the sum of their weights. It does not know
 * by which names entries are found.
 *
 * Invariant: an entry is in the ring as long as its state is `KEPT`.
 */

const { StatsCounter } = require('./stats')

/** The states of an entry: its reply is due; its reply is kept; it is of no use any more. */
const FLYING = 0
const KEPT = 1
const GONE = 2

class Store {
  /**
   * @param {{ ttl: number, maxEntries: number, maxBytes: number, evictPolicy: 'LRU' | 'FIFO' }}
   *   options
   */
  constructor ({ ttl, maxEntries, maxBytes, evictPolicy }) {
    this.ttl = ttl
    this.maxEntries = maxEntries
    this.maxBytes = maxBytes
    this.isLru = evictPolicy === 'LRU'
    this.stats = new StatsCounter()
    /** Kept entries, and what they weigh. */
    this.count = 0
    this.bytes = 0
    /** Between the oldest entry and the newest one. */
    this.end = { newer: null, older: null }
    this.end.newer = this.end.older = this.end
  }

  /** Counts a miss whose reply has come, after so many ms. */
  loaded (time) {
    this.stats.loads++
    this.stats.loadTime += time
  }

  /** Counts a miss that has failed, after so many ms. */
  failed (time) {
    this.stats.failures++
    this.stats.loadTime += time
  }

  /** Notes that `entry` was used. */
  touch (entry) {
    if (!this.isLru || this.end.older === entry) return
    unlink(entry)
    this.#append(entry)
  }

  /** Adds an entry whose weight is set. */
  add (entry) {
    this.count++
    this.bytes += entry.weight
    this.#append(entry)
  }

  /** Takes an entry out. */
  remove (entry) {
    this.count--
    this.bytes -= entry.weight
    unlink(entry)
  }

  /** The entry that has to go because the cache is too full; null if it is not. */
  get excess () {
    const isFull = this.bytes > this.maxBytes ||
      (this.maxEntries !== 0 && this.count > this.maxEntries)
    return isFull ? this.end.newer : null
  }

  /** The newest entry stands before the end of the ring, the oldest one behind it. */
  #append (entry) {
    const { end } = this
    const newest = end.older
    entry.older = newest
    entry.newer = end
    newest.newer = entry
    end.older = entry
  }
}

function unlink (entry) {
  entry.older.newer = entry.newer
  entry.newer.older = entry.older
  entry.older = entry.newer = null
}

module.exports = { FLYING, GONE, KEPT, Store }
