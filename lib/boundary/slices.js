'use strict'

/*
 * Large replies, which are built over several turns of the event loop.
 *
 * Each array or map that is not complete yet is an object of its own here, to which the native side
 * refers: no handle of it outlives a turn. Each kind of value gets the shape that `values.js` gives
 * to small ones.
 */

const { prototype, setPrototypeOf } = Object

class ListInParts {
  constructor () {
    this.made = []
  }

  fill (values) {
    for (let i = 0; i < values.length; i++) this.made.push(values[i])
  }

  finish () {
    return this.made
  }
}

class SetInParts {
  constructor () {
    this.made = new Set()
  }

  fill (values) {
    for (let i = 0; i < values.length; i++) this.made.add(values[i])
  }

  finish () {
    return this.made
  }
}

/** Keys and values alternate. A part may end between a key and its value. */
class PairsInParts {
  constructor () {
    this.hasKey = false
    this.key = undefined
  }

  fill (values) {
    for (let i = 0; i < values.length; i++) {
      if (this.hasKey) this.put(this.key, values[i])
      else this.key = values[i]
      this.hasKey = !this.hasKey
    }
  }
}

class MapInParts extends PairsInParts {
  constructor () {
    super()
    this.made = new Map()
  }

  put (key, value) {
    this.made.set(key, value)
  }

  finish () {
    return this.made
  }
}

class ObjectInParts extends PairsInParts {
  constructor () {
    super()
    // Without a prototype an assignment is a definition, whatever the name of the field.
    this.made = { __proto__: null }
  }

  put (key, value) {
    this.made[typeof key === 'string' ? key : String(key)] = value
  }

  finish () {
    return setPrototypeOf(this.made, prototype)
  }
}

/** By the numbers of `Container` in `src/binding/values/slices.rs`. */
const KINDS = [ListInParts, ObjectInParts, MapInParts, SetInParts]

/** The functions that the native side builds a large reply with. */
const SLICE_MAKERS = {
  begin: kind => new KINDS[kind](),
  fill: (inParts, ...values) => inParts.fill(values),
  finish: inParts => inParts.finish()
}

module.exports = { SLICE_MAKERS }
