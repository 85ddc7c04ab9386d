'use strict'

/*
 * The methods that a client has only to say where they belong: commands that change a connection,
 * which is shared here. They reject with a TypeError, and send nothing.
 */

const { callback } = require('../methods/from-rows')
const { sessionCommands } = require('../commands')
const { STATE } = require('../commands/flags')
const { laneRefusal } = require('../commands/guards')

/** Adds a method, in both spellings, for each such command that `prototype` has no own way for. */
function addRefusals (prototype) {
  for (const row of sessionCommands) {
    if (row.name in prototype) continue
    const message = `${row.name}: ${laneRefusal(row.command.join(' '), STATE)}`
    const value = function (...args) {
      const refused = Promise.reject(new TypeError(message))
      if (typeof args.at(-1) !== 'function') return refused
      callback(refused, args.at(-1))
    }
    for (const name of [row.name, row.upper]) {
      Object.defineProperty(prototype, name, { value, writable: true, configurable: true })
    }
  }
}

module.exports = { addRefusals }
