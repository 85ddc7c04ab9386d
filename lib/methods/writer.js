'use strict'

/*
 * The one argument writer that methods share.
 *
 * It is lent for one command. An options object may have a getter that sends a command of its own:
 * then the writer is lent already and another one is made, so no two commands share a writer.
 */

const { Arguments } = require('../arguments')

/**
 * Lends a writer, reset.
 * @param {string | Buffer | null} [prefix] goes in front of every key
 * @param {boolean} isStrict whether unknown options of the command are errors
 */
function borrow (prefix, isStrict) {
  const w = spare === null ? new Arguments() : spare
  spare = null
  w.reset(prefix, isStrict)
  return w
}

/** Takes the writer back. What is in it can still be read until the next command borrows it. */
function giveBack (w) {
  spare = w
}

let spare = new Arguments()

module.exports = { borrow, giveBack }
