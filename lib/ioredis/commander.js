'use strict'

/*
 * The methods that instances and pipelines share: one for each command, `call`, and what defines
 * more of them. Each makes a `Command` and hands it to `this.sendCommand`.
 */

const { expectMany } = require('../methods/define')
const { Command } = require('./command')
const { NAMES } = require('./names')
const { Script, addScript } = require('./scripts')

/** Adds the methods to a prototype. */
function addCommander (prototype) {
  expectMany(prototype)
  for (const name of NAMES) {
    define(prototype, name, methodOf(name, 'utf8'))
    define(prototype, `${name}Buffer`, methodOf(name, null))
  }
  define(prototype, 'call', anyCommand('utf8'))
  define(prototype, 'callBuffer', anyCommand(null))
  define(prototype, 'send_command', prototype.call)
  for (const [name, method] of Object.entries(DEFINING)) define(prototype, name, method)
}

const DEFINING = {
  /** The names of the commands that have methods. */
  getBuiltinCommands () {
    return [...NAMES]
  },

  /** The two methods of a command, for texts and for Buffers, without adding them. */
  createBuiltinCommand (name) {
    return { string: methodOf(name, 'utf8'), buffer: methodOf(name, null) }
  },

  /** Adds the methods of a command that is not among those of this version. */
  addBuiltinCommand (name) {
    this.addedBuiltinSet.add(name)
    this[name] = methodOf(name, 'utf8')
    this[`${name}Buffer`] = methodOf(name, null)
  },

  /** Adds a Lua script as a method: `{ lua, numberOfKeys, readOnly }`. */
  defineCommand (name, { lua, numberOfKeys, readOnly }) {
    const script = new Script(lua, numberOfKeys, this.options.keyPrefix, readOnly)
    this.scriptsSet[name] = script
    addScript(this, name, script)
  }
}

function methodOf (name, replyEncoding) {
  return function (...args) {
    return send(this, name, args, replyEncoding)
  }
}

function anyCommand (replyEncoding) {
  return function (name, ...args) {
    // As in ioredis, name and arguments may come as one array.
    if (Array.isArray(name)) [name, ...args] = [...name, ...args]
    return send(this, name, args, replyEncoding)
  }
}

function send (owner, name, args, replyEncoding) {
  const callback = typeof args.at(-1) === 'function' ? args.pop() : undefined
  const { options } = owner
  return owner.sendCommand(new Command(name, args, {
    replyEncoding,
    keyPrefix: options.keyPrefix,
    errorStack: options.showFriendlyErrorStack ? new Error() : undefined,
    isBare: owner.isPipeline === true
  }, callback))
}

function define (prototype, name, value) {
  Object.defineProperty(prototype, name,
    { __proto__: null, value, writable: true, configurable: true, enumerable: false })
}

module.exports = { addCommander, define }
