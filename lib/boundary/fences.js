'use strict'

/*
 * The callers that wait for the replies to earlier commands before they begin.
 *
 * All who ask while the same command is the next one share a fence. Fences stand in the order of
 * asking, and each counts the commands without a reply between the fence before it and itself. So a
 * reply changes one number, and a fence is passed once it is the first one and its number is 0.
 * Counting for each fence everything before it would cost the number of fences for each reply.
 */

const { CallerQueue } = require('./caller-queue')

class Fences {
  /**
   * @param {() => number} upcoming the id that the next command will get
   * @param {number} limit how long (ms) a caller waits at most
   * @param {(waited: number, unanswered: number | undefined) => Error} late the error of a caller
   *   that has waited for so long, while `unanswered` commands before it had no reply
   */
  constructor (upcoming, limit, late) {
    this.upcoming = upcoming
    this.callers = new CallerQueue(limit,
      ({ fence }, waited) => late(waited, fence === null ? undefined : this.unanswered(fence)),
      caller => this.leave(caller))
    /** In the order of asking; those before `first` are passed. */
    this.list = []
    this.first = 0
    /** Commands without a reply before the last fence. */
    this.counted = 0
    /** Commands before the first fence whose ids were skipped since: they look like later ones. */
    this.skipped = new Set()
  }

  /** Whether there is no fence. */
  get isEmpty () {
    return this.first === this.list.length
  }

  /**
   * Resolves once all commands are answered that have no reply now.
   * @param {number} pending how many these are
   * @param {number} since when the caller has asked (ms of `performance.now()`)
   * @param {AbortSignal} [signal]
   */
  wait (pending, since, signal) {
    const caller = this.callers.add(since, signal)
    caller.fence = this.fenceNow(pending)
    caller.fence.callers.add(caller)
    return caller.promise
  }

  /**
   * Settles as `promise` does, in the time that a caller has.
   * @param {Promise<unknown>} promise
   * @param {number} since as in `wait`
   * @param {AbortSignal} [signal]
   */
  waitFor (promise, since, signal) {
    const caller = this.callers.add(since, signal)
    promise.then(() => this.callers.leave(caller) && caller.resolve(),
      error => this.callers.leave(caller) && caller.reject(error))
    return caller.promise
  }

  fenceNow (pending) {
    if (this.isEmpty) this.clear()
    const at = this.upcoming()
    const last = this.list.at(-1)
    if (last?.at === at) return last
    const fence = { at, left: pending - this.counted, callers: new Set() }
    this.list.push(fence)
    this.counted = pending
    return fence
  }

  /** Command `id` is answered. Returns whether fences are left. */
  settled (id) {
    if (this.isEmpty) return false
    const fence = this.fenceBehind(id)
    if (fence !== undefined) {
      fence.left--
      this.counted--
      while (!this.isEmpty && this.list[this.first].left === 0) this.pass()
    }
    return !this.isEmpty
  }

  /** The first fence that waits for command `id`; undefined if the command came after all. */
  fenceBehind (id) {
    const { list, first } = this
    if (this.skipped.delete(id)) return list[first]
    // Ids wrap around, so they are compared by their distance from the first fence. All that were
    // given since then are nearer than the next one.
    const { at: origin } = list[first]
    const ahead = distance(origin, id)
    if (ahead >= distance(origin, this.upcoming())) return list[first]
    let [low, high] = [first + 1, list.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (distance(origin, list[middle].at) > ahead) high = middle
      else low = middle + 1
    }
    return list[low]
  }

  pass () {
    const { callers } = this.takeFirst()
    for (const caller of callers) {
      if (this.callers.leave(caller)) caller.resolve()
    }
  }

  takeFirst () {
    const fence = this.list[this.first]
    this.list[this.first++] = null
    // Removing one fence at a time would move all others each time.
    if (this.first === this.list.length || this.first === MOST_PASSED) {
      this.list.splice(0, this.first)
      this.first = 0
    }
    return fence
  }

  /**
   * `caller` waits no more. Removes fences that nobody waits for, at both ends of the list; those
   * in between go when they come to an end.
   */
  leave (caller) {
    const { fence } = caller
    if (fence === null) return
    fence.callers.delete(caller)
    while (!this.isEmpty && this.list[this.first].callers.size === 0) {
      const { left } = this.takeFirst()
      if (this.isEmpty) this.counted = 0
      else this.list[this.first].left += left
    }
    while (!this.isEmpty && this.list.at(-1).callers.size === 0) {
      this.counted -= this.list.pop().left
    }
  }

  /** The commands that `fence` waits for. */
  unanswered (fence) {
    let sum = 0
    for (let i = this.first; i < this.list.length; i++) {
      sum += this.list[i].left
      if (this.list[i] === fence) break
    }
    return sum
  }

  /** The id of a command without a reply was skipped, because it would have been given again. */
  skip (id) {
    if (!this.isEmpty) this.skipped.add(id)
  }

  clear () {
    this.list = []
    this.first = 0
    this.counted = 0
    this.skipped.clear()
  }

  /** Rejects all callers with `error`, for good. */
  close (error) {
    this.callers.close()
    this.callers.rejectAll(error)
    this.clear()
  }
}

/** How many ids after `from` the id `to` comes. */
function distance (from, to) {
  return (to - from) & LAST_ID
}

/** Ids of commands of lanes have 31 bits. */
const LAST_ID = 2 ** 31 - 1
/** Passed fences at the front of the list after which it is shortened. */
const MOST_PASSED = 1024

module.exports = { Fences }
