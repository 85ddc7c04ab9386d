'use strict'

/*
 * Methods whose rows are loaded late: when one method of their group is first called.
 *
 * Until then a class has a stand-in under each name, which loads the group and calls the method
 * itself. Whoever took the stand-in before then keeps something that works.
 *
 * Invariant: what is not a stand-in any more (a method that somebody has replaced) stays as it is.
 */

const { rowsOf } = require('../commands')
const { METHOD_NAMES } = require('../commands/method-names')
const { defineMethod, expectMany } = require('./define')

/**
 * Adds the methods of all commands to `prototype`.
 * @param {object} prototype
 * @param {(target: object, rows: object[]) => void} addMethods adds the methods of some rows
 */
function addLate (prototype, addMethods) {
  expectMany(prototype)
  for (const [group, methods] of METHOD_NAMES) addGroup(prototype, group, methods, addMethods)
}

function addGroup (prototype, group, methods, addMethods) {
  let made = null
  const make = () => {
    made = {}
    addMethods(made, rowsOf(group))
    // V8 does not inline a method that was ever replaced in an object that has a layout.
    expectMany(prototype)
    methods.forEach((names, at) => names.forEach(name => {
      if (valueOf(prototype, name) === standIns[at]) defineMethod(prototype, name, made[name])
    }))
    return made
  }
  const standIns = methods.map(names => {
    const [name] = names
    const standIn = function (...args) {
      return (made ?? make())[name].apply(this, args)
    }
    defineMethod(prototype, names, standIn)
    return standIn
  })
}

function valueOf (prototype, name) {
  return Object.getOwnPropertyDescriptor(prototype, name)?.value
}

module.exports = { addLate }
