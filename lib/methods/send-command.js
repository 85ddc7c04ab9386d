'use strict'

/*
 * Sends a command that the caller has put together itself: its name and its arguments.
 */

const { isText, named, wordOf } = require('../arguments')
const { factsOf } = require('../commands/flags')
const { judge, laneRefusal, sessionRefusal, waitOf } = require('../commands/guards')
const { contextOf, dispatch, dispatchBlocking } = require('./dispatch')
const { borrow, giveBack } = require('./writer')

/**
 * Sends any command.
 * @param {object} client a client, a view or a session
 * @param {(string | Buffer)[]} args the name and the arguments
 * @param {object} options compiled command options
 * @param {{ method: string, reply?: Function, preserved?: unknown }} [as] what errors call the
 *   method, and the transform of the reply; default: `sendCommand`, and the reply as it is
 */
function sendCommand (client, args, options, { method, reply, preserved } = BY_HAND) {
  try {
    checkArgs(args)
  } catch (error) {
    return Promise.reject(named(method, error))
  }
  const { name, flags } = judge(args)
  const refusal = client._isSession ? sessionRefusal(name) : laneRefusal(name, flags)
  const bits = refusal === null || client._isSession ? 0 : client._bitsOf(name)
  if (refusal !== null && bits === 0) {
    // A client does by methods what concerns more than the one command.
    if (!client._isSession) {
      if (name === 'SELECT') return client.select(databaseOf(args))
      if (client._self._fixed === null && name === 'QUIT') return client.quit()
      if (client._self._fixed === null && name === 'RESET') return client.reset().then(() => name)
    }
    return Promise.reject(new TypeError(`${method}: ${name} ${refusal}`))
  }
  const w = borrow(null, false)
  for (let i = 0; i < args.length; i++) w.arg(args[i], 'args')
  w.waits = waitOf(name, flags, args)
  giveBack(w)
  const row = { method, command: commandName(args[0]), ...factsOf(flags), reply, mode: bits }
  const context = reply === undefined ? undefined : contextOf(options, preserved)
  const send = w.waits === undefined ? dispatch : dispatchBlocking
  const head = `*${args.length}\r\n`
  if (bits === 0) return send(client._bridge, w, head, row, options, context)
  return client._changing(name, () => send(client._bridge, w, head, row, options, context))
}

/** Throws a TypeError unless `args` is a non-empty array of strings and Buffers. */
function checkArgs (args) {
  if (!Array.isArray(args) || args.length === 0) {
    throw new TypeError('argument "args" must be a non-empty array')
  }
  for (let i = 0; i < args.length; i++) {
    if (!isText(args[i])) {
      throw new TypeError(`argument "args[${i}]" must be a string or a Buffer, ` +
        `not ${typeof args[i]}`)
    }
  }
}

/** The database that a SELECT names; NaN if it names none. */
function databaseOf ([, database, ...others]) {
  const word = database === undefined || others.length > 0 ? '' : wordOf(database)
  return /^\d+$/.test(word) ? Number(word) : NaN
}

/**
 * The name of a command for errors; undefined for anything that does not look like one, because it
 * may be a secret in the wrong place.
 */
function commandName (name) {
  const text = wordOf(name)
  return COMMAND_NAME.test(text) ? text.toUpperCase() : undefined
}

const BY_HAND = { method: 'sendCommand', reply: undefined, preserved: undefined }

const COMMAND_NAME = /^[A-Za-z0-9._-]{1,64}$/

module.exports = { checkArgs, commandName, sendCommand }
