'use strict'

/*
 * Views: objects with the methods of a client or a session, and other command options.
 *
 * A view's prototype is what it is a view of, so it shares everything but `_command`.
 */

const { parseCommandOptions } = require('./options')

/** Adds the methods that return views to `prototype`. */
function addViews (prototype) {
  const methods = {
    /** Other command options. */
    withCommandOptions (options) {
      return view(this._self, parseCommandOptions(options, this._self._command))
    },

    /** Other JavaScript types in replies: `{ [RESP_TYPES.BLOB_STRING]: Buffer }`. */
    withTypeMapping (typeMapping) {
      return view(this._self, parseCommandOptions({ typeMapping }, this._command))
    },

    /** Commands that end when `abortSignal` is aborted. */
    withAbortSignal (abortSignal) {
      return view(this._self, parseCommandOptions({ abortSignal }, this._command))
    }
  }
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true })
  }
}

function view (of, command) {
  const made = Object.create(of)
  made._command = command
  return made
}

module.exports = { addViews }
