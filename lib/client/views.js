'use strict'

/*
 * The methods of clients and sessions that concern command options: `sendCommand`, and views.
 *
 * A view is an object with the methods of a client or a session and other command options. Its
 * prototype is that client or session, so it shares everything but `_command`.
 */

const { settleWith } = require('../methods/callback')
const { defineGetter, defineMethod } = require('../methods/define')
const { sendCommand } = require('../methods/send-command')
const { parseCommandOptions } = require('../options/client')

/** Adds `sendCommand` and the methods that return views to `prototype`. */
function addViews (prototype) {
  const methods = {
    /**
     * Sends any command, also one that oxidis does not know: `sendCommand(['SET', 'k', 'v'])`.
     * Resolves to the decoded reply, without the changes that a command's own method makes.
     */
    sendCommand (args, options, done) {
      if (typeof options === 'function') return this.sendCommand(args, undefined, options)
      let promise
      try {
        promise = sendCommand(this, args, parseCommandOptions(options, this._command))
      } catch (error) {
        promise = Promise.reject(error)
      }
      return settleWith(promise, done)
    },

    /** A view with other command options. Those that `options` does not name stay. */
    withCommandOptions (options) {
      return view(this._self, parseCommandOptions(options, this._command))
    },

    /** A view with other JavaScript types in replies: `{ [RESP_TYPES.BLOB_STRING]: Buffer }`. */
    withTypeMapping (typeMapping) {
      return view(this._self, parseCommandOptions({ typeMapping }, this._command))
    },

    /** A view whose commands end when `abortSignal` is aborted. */
    withAbortSignal (abortSignal) {
      return view(this._self, parseCommandOptions({ abortSignal }, this._command))
    }
  }
  for (const [name, method] of Object.entries(methods)) defineMethod(prototype, name, method)

  /** The command options of this client, session or view: `timeout`, `typeMapping` ... */
  defineGetter(prototype, 'commandOptions', function () {
    const { timeout, typeMapping, signal, cache } = this._command
    return {
      timeout,
      ...(typeMapping !== undefined && { typeMapping }),
      ...(signal !== undefined && { abortSignal: signal }),
      ...(!cache && { cache })
    }
  })
}

function view (of, command) {
  const made = Object.create(of)
  made._command = command
  return made
}

module.exports = { addViews }
