'use strict'

/*
 * A session as the application holds it: a connection that nobody else uses, with all commands.
 *
 * It serves one caller until it is released. `boundary/sessions.js` and the native side decide who
 * gets the connection next, and clean it first.
 */

const { inspect } = require('node:util')

const { ClosedSender } = require('../boundary/sender')
const { sessionCommands } = require('../commands')
const { addCommands } = require('../methods/from-rows')
const { addMulti } = require('./chains')
const { addIterators } = require('./iterators')
const { addLate } = require('../methods/late')
const { addModules } = require('../methods/namespaces')
const { addViews } = require('./views')

/** A connection that nobody else uses. Made by `client.acquire()` and `client.session(run)`. */
class RedisSession {
  constructor (client, sessions, bridge) {
    completeSession()
    this._self = this
    this._command = client._command
    this._keyPrefix = client._keyPrefix
    this._Multi = client._Multi
    this._sessions = sessions
    this._bridge = bridge
  }

  /** Whether the session can be used: it is not released, and its connection stands. */
  get isOpen () {
    return this._bridge.isUp
  }

  /**
   * Gives the connection back. What was done to it (WATCH, MULTI, SELECT) is undone, or it is
   * closed. Rejects while commands are pending; the session stays as it is then.
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

  /** Ends the caller's use, whatever is under way. */
  _leave () {
    const bridge = this._bridge
    if (bridge === RELEASED) return
    this._bridge = RELEASED
    bridge.onReport = null
    OWNERS.unregister(this)
    this._sessions.finish(bridge)
  }

  /** The sender for the second try of a command: a session has only one connection. */
  _senderAfter () {
    return this._bridge
  }

  async [Symbol.asyncDispose] () {
    this._self._leave()
  }

  [inspect.custom] (depth, options) {
    return `${this.constructor.name} ${inspect({ isOpen: this.isOpen }, options)}`
  }
}

RedisSession.prototype._isSession = true

let isComplete = false

/**
 * Gives sessions the methods of all commands, once. The first session does it, and whoever looks at
 * the class itself: it takes a tenth of the time of `require`, and many programs have no session.
 */
function completeSession () {
  if (isComplete) return
  isComplete = true
  addLate(RedisSession.prototype, addCommands)
  addCommands(RedisSession.prototype, sessionCommands)
  addModules(RedisSession.prototype)
  addIterators(RedisSession.prototype)
  addViews(RedisSession.prototype)
  addMulti(RedisSession.prototype)
}

/** Makes the session for a caller. If it is garbage collected, its connection is given back. */
function makeSession (client, sessions, bridge) {
  const session = new (classOf(client))(client, sessions, bridge)
  watchOver(session)
  return session
}

/**
 * Makes the session for a function, which leaves it when it ends. It is watched for garbage
 * collection only once the leak threshold has passed: watching each would add a tenth to the cost
 * of a session (measured).
 */
function makeSessionOf (run, client, sessions, bridge) {
  const session = new (classOf(client))(client, sessions, bridge)
  bridge.origin = run
  if (sessions.leakThreshold > 0) bridge.onReport = () => watchOver(session)
  else watchOver(session)
  return session
}

function classOf ({ _self: { _Session } }) {
  return _Session ?? RedisSession
}

function watchOver (session) {
  const { _sessions: sessions, _bridge: bridge } = session
  if (bridge !== RELEASED) OWNERS.register(session, { sessions, bridge }, session)
}

/** What it holds for a session must not refer to the session, or that would never be collected. */
const OWNERS = new FinalizationRegistry(({ sessions, bridge }) => sessions.reclaim(bridge))

/** Stands in for the bridge of a session that was released. */
const RELEASED = new ClosedSender('the session was released: acquire another one',
  'SESSION_RELEASED')

module.exports = { RedisSession, completeSession, makeSession, makeSessionOf }
