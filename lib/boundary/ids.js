'use strict'

/*
 * The numbers by which commands, sessions and requests are found again.
 *
 * They are given in order, and begin anew when all of them have been given. By then one of the
 * first may still be in use: a BLPOP that has waited all the time, a session that is still held.
 * Given a second time, it would lead a reply to the wrong caller, so it is skipped.
 *
 * Looking up each number would cost each command. So the numbers in use are looked at once for half
 * of the space, and `take` compares with the nearest of them only.
 */

class Ids {
  /**
   * @param {number} first the lowest number
   * @param {number} count how many there are, an even number
   * @param {() => Iterable<number>} used those that are in use
   * @param {(id: number) => void} [skipped] called for each that was skipped
   */
  constructor (first, count, used, skipped = () => {}) {
    this.first = first
    this.last = first + count - 1
    this.count = count
    this.used = used
    this.skipped = skipped
    /** The number that is given next, unless it is `limit`. */
    this.next = first
    /** Those in use ahead as of the last look, the nearest last; the first is where it ended. */
    this.ahead = []
    /** The number at which `take` must not go on without looking. */
    this.limit = first + count / 2
    this.isUsed = false
  }

  /** A number that nobody has. */
  take () {
    if (this.next === this.limit) this.skip()
    const id = this.next
    this.next = id === this.last ? this.first : id + 1
    this.isUsed = true
    return id
  }

  /** The number that was given last. */
  get latest () {
    return this.next === this.first ? this.last : this.next - 1
  }

  /** How many numbers from `next` on are free for sure. */
  get room () {
    return this.distance(this.limit)
  }

  /** Goes on from `next`, for tests. */
  startAt (next) {
    this.next = next
    this.ahead = []
    this.limit = next
  }

  /** Looks which numbers are in use within half of the space ahead. */
  look () {
    const half = this.count / 2
    const ahead = [...new Set(this.used())].filter(id => this.distance(id) < half)
    ahead.sort((one, other) => this.distance(other) - this.distance(one))
    this.ahead = [this.after(half), ...ahead]
    this.limit = this.ahead.at(-1)
    this.isUsed = true
  }

  /** Moves `next` behind the numbers in use that begin at `limit`. */
  skip () {
    this.next = this.limit
    while (this.next === this.limit) {
      if (this.ahead.length <= 1) {
        this.look()
      } else {
        this.skipped(this.ahead.pop())
        this.next = this.after(1)
        this.limit = this.ahead.at(-1)
      }
    }
  }

  /** How far `id` is ahead of `next`. */
  distance (id) {
    return (id - this.next + this.count) % this.count
  }

  /** The number that is `steps` ahead of `next`. */
  after (steps) {
    return this.first + (this.next - this.first + steps) % this.count
  }
}

module.exports = { Ids }
