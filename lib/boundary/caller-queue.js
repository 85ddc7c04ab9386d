'use strict'

/*
 * The callers that wait for something, in the order of asking, and each for so long at most.
 *
 * A caller may leave before its turn. Its entry is marked then, and removed once it is at the
 * front: removing it from the middle would move all entries behind it.
 */

const { abortedBefore, onAbort } = require('../abort')
const { clearTimeout, performance, setTimeout } = require('../timers')

class CallerQueue {
  /**
   * @param {number} limit how long (ms) a caller waits at most
   * @param {(caller: object, waited: number, others: number) => Error} late the error of a caller
   *   that has waited for so long, while `others` still wait
   * @param {(caller: object) => void} onLeft called when a caller has left without being served
   */
  constructor (limit, late, onLeft) {
    this.limit = limit
    this.late = late
    this.onLeft = onLeft
    this.entries = []
    /** Index of the first entry. Those before it are over, and wait to be removed. */
    this.first = 0
    /** Callers in the queue that are over. */
    this.over = 0
    this.timer = null
    /** Since when (ms) the caller has waited whose lateness the timer tells. */
    this.watched = 0
  }

  /** Callers that wait. */
  get length () {
    return this.entries.length - this.first - this.over
  }

  /**
   * Adds a caller.
   * @param {number} [since] when it began to wait (ms of `performance.now()`); default now. One
   *   that has waited elsewhere before gets its place by that.
   * @param {AbortSignal} [signal] rejects the caller when it is aborted
   * @returns {{ promise: Promise<unknown>, resolve: Function, reject: Function, since: number,
   *   isOver: boolean, fence: object | null }}
   */
  add (since = performance.now(), signal) {
    const caller = { promise: null, resolve: null, reject: null, since, isOver: false, fence: null }
    caller.promise = new Promise((resolve, reject) => {
      caller.resolve = resolve
      caller.reject = reject
    })
    const { entries } = this
    let at = entries.push(caller) - 1
    for (; at > this.first && entries[at - 1].since > since; at--) entries[at] = entries[at - 1]
    entries[at] = caller
    if (this.timer === null || since < this.watched) this.watch()
    if (signal !== undefined) this.endOnAbort(caller, signal)
    return caller
  }

  endOnAbort (caller, signal) {
    const forget = onAbort(signal, () => {
      if (!this.leave(caller)) return
      caller.reject(abortedBefore(signal.reason))
      this.onLeft(caller)
    })
    caller.promise.then(forget, forget)
  }

  /** Takes the caller that has waited longest out of the queue; null if nobody waits. */
  next () {
    const caller = this.peek()
    if (caller !== null) this.leave(caller)
    return caller
  }

  /** The caller that has waited longest; null if nobody waits. */
  peek () {
    while (this.first < this.entries.length && this.entries[this.first].isOver) {
      this.over--
      this.entries[this.first++] = null
      // Removing one entry at a time would move all others each time.
      if (this.first === this.entries.length || this.first === MOST_OVER) {
        this.entries.splice(0, this.first)
        this.first = 0
      }
    }
    return this.entries[this.first] ?? null
  }

  /** `caller` waits no more. False if it was over before. */
  leave (caller) {
    if (caller.isOver) return false
    caller.isOver = true
    this.over++
    this.peek()
    return true
  }

  /** Rejects all callers. */
  rejectAll (error) {
    for (let caller = this.next(); caller !== null; caller = this.next()) caller.reject(error)
  }

  /** Ends the watch over the time, for good. Whoever still waits waits for ever. */
  close () {
    clearTimeout(this.timer)
  }

  /**
   * Arms one timer for all callers, since the first one is the first to be late. It goes on when
   * that one is served: the next one is looked at when it fires. The timer does not keep the
   * process alive, because it may outlast the callers; the bridge does, while somebody waits.
   */
  watch () {
    clearTimeout(this.timer)
    const oldest = this.peek()
    if (oldest === null) {
      this.timer = null
      return
    }
    this.watched = oldest.since
    const due = oldest.since + this.limit - performance.now()
    this.timer = setTimeout(() => {
      this.expire()
      this.watch()
    }, Math.max(due, 0)).unref()
  }

  expire () {
    const now = performance.now()
    for (;;) {
      const caller = this.peek()
      if (caller === null || caller.since + this.limit > now) break
      const { length } = this
      this.leave(caller)
      caller.reject(this.late(caller, now - caller.since, length))
      this.onLeft(caller)
    }
  }
}

/** Entries at the front of the array that are over, after which it is shortened. */
const MOST_OVER = 1024

module.exports = { CallerQueue }
