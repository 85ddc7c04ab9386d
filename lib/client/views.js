'use strict'

/*
 * What clients and sessions do with command options: commands by hand, and views.
 *
 * A view is an object with the methods of a client or a session, and other command options. Its
 * prototype is what it is a view of, so it shares everything but `_command`.
 */

const { callback, sendCommand } = require('../methods/from-rows')
const { parseCommandOptions } = require('../options/client')

/** Adds `sendCommand` and the methods that return views to `prototype`. */
function addViews (prototype) {
  const methods = {
    /**
     * Sends any command, also one that oxidis does not know: `sendCommand(['SET', 'k', 'v'])`.
     * The reply is the decoded one, without a command's own transform.
     */
    sendCommand (args, options, done) {
      if (typeof options === 'function') return this.sendCommand(args, undefined, options)
      let promise
      try {
        promise = sendCommand(this, args, parseCommandOptions(options, this._command))
      } catch (error) {
        promise = Promise.reject(error)
      }
      if (typeof done === 'function') return callback(promise, done)
      return promise
    },

    /** Other command options; what `options` does not name stays. */
    withCommandOptions (options) {
      return view(this._self, parseCommandOptions(options, this._command))
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
