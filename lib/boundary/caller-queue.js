'use strict'

/*
 * The callers that wait for a session, in the order of asking.
 *
 * A caller may leave before its turn. Its entry is marked then, and removed once it is at the
 * front: removing it from the middle would move all entries behind it.
 */

const { performance } = require('../timers')

class CallerQueue {
  constructor () {
    this.entries = []
    /** Index of the first entry. Those before it were served, and wait to be removed. */
    this.first = 0
    /** Callers in the queue that have left. */
    this.left = 0
  }

  /** Callers that wait. */
  get length () {
    return this.entries.length - this.first - this.left
  }

  /**
   * Adds a caller.
   * @returns {{ promise: Promise<object>, resolve: Function, reject: Function, since: number,
   *   isOver: boolean }} `since` is when it began to wait (ms of `performance.now()`)
   */
  add () {
    const caller = { promise: null, resolve: null, reject: null, since: performance.now() }
    caller.isOver = false
    caller.promise = new Promise((resolve, reject) => {
      caller.resolve = resolve
      caller.reject = reject
    })
    this.entries.push(caller)
    return caller
  }

  /** Takes the caller that has waited longest out of the queue; null if nobody waits. */
  next () {
    const caller = this.peek()
    if (caller === null) return null
    this.shift()
    caller.isOver = true
    return caller
  }

  /** The caller that has waited longest; null if nobody waits. */
  peek () {
    while (this.first < this.entries.length && this.entries[this.first].isOver) {
      this.shift()
      this.left--
    }
    return this.entries[this.first] ?? null
  }

  /** `caller` waits no more. False if it has been served. */
  leave (caller) {
    if (caller.isOver) return false
    caller.isOver = true
    this.left++
    return true
  }

  shift () {
    this.entries[this.first++] = null
    // Removing one entry at a time would move all others each time.
    if (this.first === this.entries.length || this.first === MOST_SERVED) {
      this.entries.splice(0, this.first)
      this.first = 0
    }
  }
}

/** Served entries at the front of the array after which it is shortened. */
const MOST_SERVED = 1024

module.exports = { CallerQueue }
