'use strict'

/*
 * Gives prototypes their methods.
 */

/**
 * Defines a method under each of `names`. As with methods of a class, it does not appear in loops
 * over the object's fields, and a user may replace it.
 * @param {object} target a prototype or an object
 * @param {string | string[]} names
 * @param {Function} value
 */
function defineMethod (target, names, value) {
  for (const name of Array.isArray(names) ? names : [names]) {
    Object.defineProperty(target, name, { value, writable: true, configurable: true })
  }
}

/**
 * Prepares `target` for hundreds of methods. Otherwise V8 makes a new layout of the object for each
 * of them, with a copy of the list of those before: 800 methods take 18 ms, in place of 0.7 (Node
 * 20). An object from which something was deleted is a plain table. As a prototype in use it gets
 * a layout again, once.
 */
function expectMany (target) {
  // Only what is not the latest makes the object a table.
  defineMethod(target, ['_earlier', '_later'], undefined)
  delete target._earlier
  delete target._later
}

/**
 * Defines a property that is computed each time it is read.
 * @param {object} target
 * @param {string} name
 * @param {() => unknown} get
 */
function defineGetter (target, name, get) {
  Object.defineProperty(target, name, { get, configurable: true })
}

/** All names of the method of a row of the command table: `hGetAll`, `HGETALL`, aliases. */
function namesOf (row) {
  return [row.name, row.upper, ...row.aliases]
}

module.exports = { defineGetter, defineMethod, expectMany, namesOf }
