'use strict'

/*
 * Random numbers from a seed, so that a run can be repeated. The generator is mulberry32: its 32
 * bits of state are enough to choose faults.
 */

class Random {
  constructor (seed) {
    this.state = seed >>> 0
  }

  /** From 0 to 1, without 1. */
  next () {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = this.state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A number from `least` to `most`. */
  between (least, most) {
    return least + this.next() * (most - least)
  }

  /** An integer from `least` to `most`, both included. */
  integer (least, most) {
    return Math.floor(this.between(least, most + 1))
  }

  /** One of a list. */
  oneOf (list) {
    return list[this.integer(0, list.length - 1)]
  }

  /** Another source, whose numbers do not depend on how often this one is asked later. */
  fork () {
    return new Random(Math.floor(this.next() * 2 ** 32))
  }
}

module.exports = { Random }
