'use strict'

/*
 * Commands that change the connection, as methods of a client.
 *
 * A client with one lane does them as node-redis does. The native side remembers what has
 * succeeded, and begins every later connection with it, those of sessions included. Where others
 * use the same connection, or where a client has several, they are refused: `_fixed` says why.
 */

const { sessionCommands } = require('../commands')
const { STATE } = require('../commands/flags')
const { laneRefusal } = require('../commands/guards')
const { settleWith, withCallback } = require('../methods/callback')
const { defineGetter, defineMethod, namesOf } = require('../methods/define')
const { addCommands } = require('../methods/from-rows')
const { LASTS, WATCHES } = require('../mode')
const { WatchError } = require('../errors')

/** Adds the methods to `prototype`. */
function addStanding (prototype) {
  const asks = prototype.hello
  const methods = {}
  const rows = sessionCommands.filter(row => BITS.has(row.command.join(' ')))
    .map(row => ({ ...row, bits: bitsOf(row.command.join(' ')) }))
  addCommands(methods, rows)
  for (const row of rows) {
    const name = row.command.join(' ')
    const method = methods[row.name]
    defineMethod(prototype, namesOf(row), function (...args) {
      const isAsking = name === 'HELLO' && args.every(arg => arg === undefined)
      return withCallback(args, args => {
        if (isAsking || args.length === 0 && name === 'HELLO') return asks.call(this)
        if (this._self._fixed !== null) {
          return Promise.reject(new TypeError(`${row.name}: ${laneRefusal(name, STATE)}`))
        }
        return changing(this, name, () => method.apply(this, args))
      })
    })
  }

  /**
   * What the mode of a command of this name has besides, where it may go over the lane although it
   * changes the connection; 0 where it may not.
   */
  defineMethod(prototype, '_bitsOf', function (name) {
    return this._self._fixed === null ? bitsOf(name) : 0
  })

  /** Sends a command that changes the connection by `send`, and notes that it has. */
  defineMethod(prototype, '_changing', function (name, send) {
    return changing(this, name, send)
  })

  /**
   * Ends all subscriptions and MONITORs, and begins a new connection as the options say: what other
   * commands have changed is forgotten, and nothing is watched any more. Where the connection
   * cannot be changed there is nothing else to reset.
   */
  const { reset: endSubscriptions } = prototype
  defineMethod(prototype, ['reset', 'RESET'], function (done) {
    return settleWith(reset(this, endSubscriptions), done)
  })

  /** Whether keys are watched, for the next transaction of this client. */
  defineGetter(prototype, 'isWatching', function () { return this._self._isWatching })

  /** Whether the next transaction is to fail, because `setDirtyWatch` was called. */
  defineGetter(prototype, 'isDirtyWatch', function () {
    return this._self._dirtyWatch !== undefined
  })

  /** Makes the next transaction fail with a `WatchError` that says `message`. */
  defineMethod(prototype, 'setDirtyWatch', function (message) {
    this._self._dirtyWatch = message
  })

  /** Calls `reset` if anything was changed: the database, subscriptions, what is watched. */
  defineMethod(prototype, 'resetIfDirty', async function () {
    const self = this._self
    const isDirty = self._isMoved || self.isPubSubActive || self._isWatching || self.isDirtyWatch
    if (isDirty) await self.reset()
  })

  /** A transaction begins. Throws what `setDirtyWatch` has left for it. */
  defineMethod(prototype, '_useUpWatch', function () {
    const self = this._self
    const message = self._dirtyWatch
    self._dirtyWatch = undefined
    self._isWatching = false
    if (message !== undefined) throw new WatchError(message)
  })
}

async function changing (client, name, send) {
  const { _bridge: bridge, _self: self } = client
  const reply = await send()
  if (name === 'WATCH' || name === 'UNWATCH') self._isWatching = name === 'WATCH'
  // Sessions that were opened before have begun with something else.
  else if (!bridge.isClosed) bridge.sessions.outdate()
  return reply
}

async function reset (client, endSubscriptions) {
  const { _self: self, _bridge: bridge } = client
  const ended = endSubscriptions.call(client)
  if (self._fixed === null && !bridge.isClosed) {
    bridge.flush()
    self._forgetChanges()
    bridge.startOver()
    bridge.sessions.outdate()
  }
  await ended
}

function bitsOf (name) {
  return BITS.get(name) ?? 0
}

/** Command -> what its mode has besides. */
const BITS = new Map([
  ...['AUTH', 'CLIENT NO-EVICT', 'CLIENT NO-TOUCH', 'CLIENT SETNAME', 'CLIENT TRACKING', 'HELLO',
    'SCRIPT DEBUG'].map(name => [name, LASTS]),
  ['WATCH', WATCHES], ['UNWATCH', WATCHES]
])

module.exports = { addStanding }
