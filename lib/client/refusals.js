'use strict'

/*
 * The methods that a client has only to refuse them. Their commands change the connection, which
 * all callers of a client share. They reject with a TypeError that names the right call, and send
 * nothing.
 */

const { sessionCommands } = require('../commands')
const { STATE } = require('../commands/flags')
const { laneRefusal } = require('../commands/guards')
const { withCallback } = require('../methods/callback')
const { defineMethod, namesOf } = require('../methods/define')

/** Adds such a method to `prototype` for each session command that it has no method for. */
function addRefusals (prototype) {
  for (const row of sessionCommands) {
    if (row.name in prototype) continue
    const message = `${row.name}: ${laneRefusal(row.command.join(' '), STATE)}`
    defineMethod(prototype, namesOf(row), function (...args) {
      return withCallback(args, () => Promise.reject(new TypeError(message)))
    })
  }
}

module.exports = { addRefusals }
