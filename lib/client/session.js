'use strict'

/*
 * A session, as the application holds it: a connection of its own with all commands on it.
 *
 * Owns its use: one caller, until it is released. Who gets the connection next, and in which
 * state, is the business of `sessions.js` and of the native side.
 */

const { inspect } = require('node:util')

const { addCommands } = require('../methods/from-rows')
const { commands, sessionCommands } = require('../commands')
const { ClientClosedError } = require('../errors')
const { addIterators } = require('./iterators')
const { addModules } = require('../methods/namespaces')
const { addMulti } = require('./multi')
const { addViews } = require('./views')

/** A connection of one's own. Made by `client.acquire()` and `client.session(...)`. */
class RedisSession {
  constructor (client, sessions, bridge) {
    this._self = this
    this._command = client._command
    this._keyPrefix = client._keyPrefix
    this._Multi = client._Multi
    this._sessions = sessions
    this._bridge = bridge
  }

  /** Whether the session can be used: it is not released, and its connection stands. */
  get isOpen () {
    const bridge = this._bridge
    return bridge !== RELEASED && !bridge.isOver && bridge.bridge.core.isSessionUp(bridge.place)
  }

  /**
   * Gives the connection back. It is cleaned of what was done to it (WATCH, MULTI, SELECT), or
   * closed. Fails, and leaves the session as it is, while commands are pending.
   */
  async release () {
    const self = this._self
    const bridge = self._bridge
    if (bridge === RELEASED) throw new TypeError('release: the session was released before')
    if (bridge.pending > 0) {
      throw new TypeError(`release: ${bridge.pending} commands of the session are pending: await ` +
        'them first')
    }
    self._leave()
  }

  /** The end of the caller's use, whatever is under way. */
  _leave () {
    const bridge = this._bridge
    if (bridge === RELEASED) return
    this._bridge = RELEASED
    bridge.onReport = null
    OWNERS.unregister(this)
    this._sessions.finish(bridge)
  }

  async [Symbol.asyncDispose] () {
    this._self._leave()
  }

  [inspect.custom] (depth, options) {
    return `${this.constructor.name} ${inspect({ isOpen: this.isOpen }, options)}`
  }
}

RedisSession.prototype._isSession = true

addCommands(RedisSession.prototype, [...commands, ...sessionCommands])
addModules(RedisSession.prototype)
addIterators(RedisSession.prototype)
addViews(RedisSession.prototype)
addMulti(RedisSession.prototype)

/** Makes the object for a caller; a garbage collected one gives its connection back. */
function makeSession (client, sessions, bridge, Session) {
  const session = new Session(client, sessions, bridge)
  watchOver(session)
  return session
}

/**
 * Makes the object for a function, which leaves it when it ends. Only one that has not ended after
 * the leak threshold is watched over: for each it would cost a tenth of what the session does.
 */
function makeSessionOf (run, client, sessions, bridge, Session) {
  const session = new Session(client, sessions, bridge)
  bridge.origin = run
  if (sessions.leakThreshold > 0) bridge.onReport = () => watchOver(session)
  else watchOver(session)
  return session
}

function watchOver (session) {
  const { _sessions: sessions, _bridge: bridge } = session
  if (bridge !== RELEASED) OWNERS.register(session, { sessions, bridge }, session)
}

/** Must hold nothing that leads to the session. */
const OWNERS = new FinalizationRegistry(({ sessions, bridge }) => sessions.reclaim(bridge))

/** Stands in for the bridge of a session that was released. */
const RELEASED = {
  upcoming: 0,
  send: () => refuse(),
  sendLarge: () => refuse(),
  sendBlocking: () => refuse()
}

function refuse () {
  return Promise.reject(new ClientClosedError('the session was released: acquire another one',
    { code: 'SESSION_RELEASED', applied: 'no' }))
}

module.exports = { RedisSession, makeSession, makeSessionOf }
