'use strict'

/*
 * Large replies, which are built over several turns of the event loop.
 *
 * The native side opens an array or object, fills it turn by turn, and shuts it. No handle of its
 * own outlives a turn, so what is not complete yet stands here, the innermost last. Each kind of
 * value has the shape that `values.js` gives to small ones.
 */

const { setImmediate } = require('../timers')

const { prototype, setPrototypeOf } = Object

class ListLevel {
  constructor () {
    this.made = []
  }

  add (value) {
    this.made.push(value)
  }

  finish () {
    return this.made
  }
}

class ObjectLevel {
  constructor () {
    // Without a prototype an assignment is a definition, whatever the name of the field.
    this.made = { __proto__: null }
    this.hasKey = false
    this.key = undefined
  }

  add (value) {
    if (this.hasKey) this.made[this.key] = value
    else this.key = typeof value === 'string' ? value : String(value)
    this.hasKey = !this.hasKey
  }

  finish () {
    return setPrototypeOf(this.made, prototype)
  }
}

class MapLevel {
  constructor () {
    this.made = new Map()
    this.hasKey = false
    this.key = undefined
  }

  add (value) {
    if (this.hasKey) this.made.set(this.key, value)
    else this.key = value
    this.hasKey = !this.hasKey
  }

  finish () {
    return this.made
  }
}

class SetLevel {
  constructor () {
    this.made = new Set()
  }

  add (value) {
    this.made.add(value)
  }

  finish () {
    return this.made
  }
}

/** By the numbers of `Container` in `src/binding/values/slices.rs`. */
const LEVELS = [ListLevel, ObjectLevel, MapLevel, SetLevel]

/**
 * The functions that the native side builds a large reply with.
 * @param {() => void} resume called in another turn of the event loop, each time when the native
 *   side has asked for one
 */
function sliceMakers (resume) {
  let levels = []
  let whole
  return {
    open: container => { levels.push(new LEVELS[container]()) },
    fill: (...values) => {
      const level = levels[levels.length - 1]
      for (let i = 0; i < values.length; i++) level.add(values[i])
    },
    shut: () => {
      const value = levels.pop().finish()
      if (levels.length === 0) whole = value
      else levels[levels.length - 1].add(value)
    },
    complete: () => {
      const value = whole
      whole = undefined
      return value
    },
    abandon: () => {
      levels = []
      whole = undefined
    },
    later: () => { setImmediate(resume) }
  }
}

module.exports = { sliceMakers }
