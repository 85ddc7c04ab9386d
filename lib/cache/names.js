'use strict'

/*
 * A map of which entries come and go all the time.
 *
 * V8 moves the entries of a Map to another table once those that were deleted fill it, and each
 * such table refers to the next one. A table that was long-lived keeps all that come after it, and
 * what was in them, from being freed as young objects, long after all of it is garbage. With a
 * cache that is full, a miss then costs 1 to 2 us of garbage collection (Node 20). So the Map
 * itself is replaced from time to time, which ends that chain.
 */

class Names {
  #map = new Map()
  #deleted = 0

  get size () {
    return this.#map.size
  }

  get (name) {
    return this.#map.get(name)
  }

  set (name, value) {
    this.#map.set(name, value)
  }

  delete (name) {
    if (!this.#map.delete(name)) return
    this.#deleted++
    if (this.#deleted > FEWEST && this.#deleted > PART * this.#map.size) {
      this.#map = new Map(this.#map)
      this.#deleted = 0
    }
  }

  clear () {
    this.#map = new Map()
    this.#deleted = 0
  }

  keys () {
    return this.#map.keys()
  }

  values () {
    return this.#map.values()
  }
}

/** Below so many deletions a Map is small enough to do no harm. */
const FEWEST = 1024
/** A Map is copied once for so many deletions for each of its entries: a quarter of a copy each. */
const PART = 4

module.exports = { Names }
