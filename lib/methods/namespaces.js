'use strict'

/*
 * Namespaces: objects such as `client.json`, which hold the commands of one module.
 *
 * Owns how they are reached. A namespace belongs to the client, view, session or chain that it was
 * read from, and acts with that one's connection, options and key prefix; it has no state itself.
 */

const { addCommands } = require('./from-rows')
const { NAMESPACES, rowsOf } = require('../modules')

/** The commands of a module on a client, a view or a session. */
class Namespace {
  constructor (owner) {
    this._owner = owner
  }

  get _bridge () {
    return this._owner._bridge
  }

  get _command () {
    return this._owner._command
  }

  get _keyPrefix () {
    return this._owner._keyPrefix
  }

  get _isSession () {
    return this._owner._isSession
  }
}

/**
 * Adds the namespaces of all modules to the prototype of a client or a session.
 * @param {object} prototype
 * @param {(prototype: object, rows: object[]) => void} [addMethods]
 */
function addModules (prototype, addMethods = addCommands) {
  addNamespaces(prototype, Namespace, addMethods)
}

/**
 * Adds the namespaces of all modules to `prototype`.
 * @param {object} prototype
 * @param {Function} Base the class that namespaces extend; gets the owner, and keeps it as `_owner`
 * @param {(prototype: object, rows: object[]) => void} addMethods
 */
function addNamespaces (prototype, Base, addMethods) {
  for (const name of NAMESPACES) {
    addNamespace(prototype, name, () => {
      const Commands = class extends Base {}
      Object.defineProperty(Commands, 'name', { value: interfaceOf(name) })
      addMethods(Commands.prototype, rowsOf(name))
      return Commands
    })
  }
}

function addNamespace (prototype, name, load) {
  const field = `_${name}`
  let Commands
  Object.defineProperty(prototype, name, {
    get () {
      const found = this[field]
      // A view has its client for a prototype, and so finds the client's namespace at first.
      if (found !== undefined && found._owner === this) return found
      Commands ??= load()
      return (this[field] = new Commands(this))
    },
    configurable: true
  })
}

/** What a namespace's class is called: `RedisTopKCommands`. */
function interfaceOf (name) {
  return `Redis${name[0].toUpperCase()}${name.slice(1)}Commands`
}

module.exports = { addModules, addNamespaces, interfaceOf }
