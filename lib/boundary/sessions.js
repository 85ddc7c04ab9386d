'use strict'

/*
 * Which caller gets which session, and when.
 *
 * Owns the callers that wait, in the order of asking, and the clean sessions that wait for their
 * next caller. A clean session changes hands here, which saves the way through the native pool. The
 * native side opens sessions and knows what was done to them.
 *
 * Invariant: a session is held by one caller or idle, never both. A session that was left dirty
 * (in MULTI, with WATCH, in another database ...) goes back to the native pool, which cleans it.
 */

const { abortedBefore } = require('../abort')
const { waitChannel } = require('../channels')
const { ClientClosedError } = require('../errors')
const { clearTimeout, performance, setTimeout } = require('../timers')
const { CallerQueue } = require('./caller-queue')
const { LeakWatch } = require('./leak-watch')

class Sessions {
  /**
   * @param {import('./bridge').Bridge} bridge
   * @param {{ max: number, acquireTimeout: number, leakThreshold: number }} pool
   * @param {number} [node] the place of the node that the sessions are on, where there are several
   */
  constructor (bridge, { max, acquireTimeout, leakThreshold }, node) {
    this.bridge = bridge
    this.node = node
    this.max = max
    this.acquireTimeout = acquireTimeout
    this.leakThreshold = leakThreshold
    /** Clean sessions. The one used last is taken first, so that the others can be closed. */
    this.idle = []
    /** Sessions that callers hold, in the order in which they got them. */
    this.held = new Set()
    this.callers = new CallerQueue(acquireTimeout,
      (caller, waited, others) => bridge.core.poolTimeout(waited, others, node),
      () => bridge.drained())
    /** Sessions that the native side is opening. */
    this.opening = 0
    /** How often what connections begin with has changed. Sessions opened before differ. */
    this.era = 0
    /** Functions that run in a session, and blocking commands, from their call to their end. */
    this.running = 0
    this.leaks = new LeakWatch(this.held, leakThreshold)
    this.idleTimer = null
    /** The session that has served a blocking command last, and is kept for the next one. */
    this.warm = null
  }

  /** Callers that wait. */
  get waiters () {
    return this.callers.length
  }

  /** The ids of the sessions that are idle or held. */
  * targets () {
    for (const { target } of this.idle) yield target
    for (const { target } of this.held) yield target
  }

  /**
   * Resolves to a session, which has to be given back by `release`, `finish` or `abandon`.
   * @param {AbortSignal} [signal]
   * @param {number} [since] when the caller has asked (ms of `performance.now()`); default now
   */
  acquire (signal, since) {
    if (this.bridge.isClosed) return Promise.reject(closed())
    if (signal !== undefined && signal.aborted) return Promise.reject(abortedBefore(signal.reason))
    const session = this.acquireNow()
    return session === null ? this.wait(signal, since) : Promise.resolve(session)
  }

  /**
   * An idle session; null if there is none, or if callers wait already. `isBlocking`: it is for a
   * blocking command.
   */
  acquireNow (isBlocking) {
    if (this.waiters > 0) return null
    const session = this.takeIdle(isBlocking)
    return session === null ? null : this.grant(session)
  }

  /**
   * A session for a blocking command over the connection of the lane, which makes another one when
   * it needs one; null if that cannot be. So the command goes out at once, and a client that only
   * waits has one connection.
   */
  borrow () {
    const { bridge, max } = this
    if (bridge.lanes !== 1 || bridge.isShared || this.node !== undefined || this.waiters > 0 ||
      this.opening + this.held.size + this.idle.length >= max) return null
    const id = bridge.sessionIds.take()
    if (!bridge.core.borrowLane(id)) return null
    const session = bridge.sessionBridge(id)
    session.sessions = this
    return this.grant(session)
  }

  wait (signal, since) {
    const { promise } = this.callers.add(since, signal)
    this.bridge.keepAlive.stay()
    this.open()
    return promise
  }

  /** The pool checks a connection that was silent for long, except for a blocking command. */
  takeIdle (isBlocking = false) {
    for (;;) {
      const session = this.idle.pop()
      if (session === undefined) return null
      const isTrusted = isBlocking || performance.now() - session.since <= TRUSTED_IDLE
      if (isTrusted && this.bridge.core.isSessionFit(session.target)) return session
      this.giveBack(session)
    }
  }

  grant (session, since) {
    this.held.add(session)
    if (waitChannel.hasSubscribers) this.tellWait(since)
    this.leaks.begin(session)
    return session
  }

  /** Tells that a caller has got a session for which it has waited since `since`; default: now. */
  tellWait (since = performance.now()) {
    waitChannel.publish({
      clientId: this.bridge.identity?.clientId, waitStartTimestamp: since
    })
  }

  /** Asks the native side for a session for each waiting caller, up to the bound of the pool. */
  open () {
    const { bridge } = this
    while (this.opening < this.waiters &&
      this.opening + this.held.size + this.idle.length < this.max) {
      this.opening++
      const id = bridge.sessionIds.take()
      const { era } = this
      bridge.sessionPromises.promise(id, OPENING_ROW, undefined, null)
        .then(() => this.opened(id, era), error => this.failed(error))
      bridge.core.openSession(id, this.node)
    }
  }

  opened (id, era) {
    this.opening--
    const session = this.bridge.sessionBridge(id)
    session.sessions = this
    if (era === this.era) return this.offer(session)
    this.giveBack(session)
    this.open()
  }

  /** Gives a clean session to the caller that waits longest, or keeps it for a later one. */
  offer (session) {
    if (this.bridge.isClosed) return
    const caller = this.callers.next()
    if (caller !== null) {
      caller.resolve(this.grant(session, caller.since))
      return this.bridge.drained()
    }
    session.since = performance.now()
    if (session.hasBlocked) this.warm = session
    this.idle.push(session)
    this.idleTimer ??= setTimeout(() => this.sweep(), IDLE).unref()
  }

  failed (error) {
    this.opening--
    // A wait that was too long is ended by the timer on this side, which knows whose it was.
    if (error.code !== 'POOL_TIMEOUT') this.callers.rejectAll(error)
    if (this.bridge.isClosed) return
    this.open()
    this.bridge.drained()
  }

  /**
   * Takes a session from its caller. Returns false, and does nothing, if commands of it are not
   * answered yet.
   */
  release (session) {
    session.flush()
    const { core, isClosed } = this.bridge
    const isGone = session.isClosed || isClosed
    // A reply may have come to Rust and not to its caller yet: the session must not go on before.
    if (!isGone && session.pending > 0) return false
    const outcome = isGone ? GONE : core.release(session.target)
    if (outcome === BUSY) return false
    this.held.delete(session)
    if (outcome === CLEAN) {
      session.isReported = false
      session.origin = null
      // Callers of other threads may have asked earlier; the native side keeps that order.
      if (this.bridge.isShared && core.isSessionWantedElsewhere(this.opening)) {
        this.giveBack(session)
        this.open()
      } else {
        this.offer(session)
      }
    } else {
      session.isClosed = true
      this.open()
    }
    return true
  }

  /**
   * Takes a session from a caller that may have left in the middle of something. Commands under way
   * are answered first, unless one of them may wait on the server for ever.
   */
  finish (session) {
    if (this.release(session)) return
    // Where no command has a caller any more, closing the connection is cheaper than waiting for
    // replies that nobody wants.
    if (session.blocked > 0 || session.pending === 0) {
      this.abandon(session)
    } else {
      session.whenIdle = () => this.finish(session)
    }
  }

  /** Ends a session and closes its connection, whatever is under way. */
  abandon (session) {
    session.end()
    this.held.delete(session)
    this.open()
  }

  /** Gives a session back to the native pool, which keeps or closes its connection. */
  giveBack (session) {
    session.isClosed = true
    this.bridge.core.giveBack(session.target)
  }

  /**
   * What connections begin with has changed, as the database has by SELECT: idle sessions that have
   * begun before are of no use any more.
   */
  outdate () {
    this.era++
    this.dropIdle()
  }

  /**
   * Gives idle sessions back that were last used at `before` (ms) or earlier, except the one that
   * is kept for the next blocking command.
   */
  dropIdle (before = Infinity) {
    const isKept = session => session.since > before ||
      (session === this.warm && before !== Infinity && this.mayKeep(session))
    const kept = this.idle.filter(isKept)
    const dropped = this.idle.filter(session => !kept.includes(session))
    this.idle = kept
    for (const session of dropped) this.giveBack(session)
  }

  /**
   * Whether `session` may wait here for the next blocking command. Other threads and nodes have
   * their own claims to connections; and it must not be the only one that there may be.
   */
  mayKeep (session) {
    const { bridge, node, max } = this
    const isOld = performance.now() - session.since > LONGEST_WARM
    return node === undefined && !bridge.isShared && max > 1 && !isOld &&
      bridge.core.isSessionFit(session.target)
  }

  sweep () {
    this.dropIdle(performance.now() - IDLE)
    const isWaiting = this.idle.some(session => session !== this.warm)
    const next = isWaiting ? IDLE : WARM_LOOK
    this.idleTimer = this.idle.length > 0 ? setTimeout(() => this.sweep(), next).unref() : null
  }

  /**
   * Takes back a session whose holder was garbage collected. Its commands may still have callers,
   * so they are answered first, however long the server waits.
   */
  reclaim (session) {
    if (!this.held.has(session)) return
    this.leaks.collected(session)
    if (session.pending > 0) session.whenIdle = () => this.finish(session)
    else this.finish(session)
  }

  /** Rejects all waiting callers and closes every session, for good. */
  close () {
    this.callers.close()
    clearTimeout(this.idleTimer)
    this.leaks.close()
    this.callers.rejectAll(closed())
    for (const session of [...this.held, ...this.idle]) {
      session.flush()
      session.isClosed = true
    }
    this.held.clear()
    this.idle = []
  }
}

function closed () {
  return new ClientClosedError(undefined, { applied: 'no' })
}

const OPENING_ROW = { command: undefined, reply: undefined }

/** What `core.release` answers. */
const CLEAN = 0
const GONE = 1
const BUSY = 2

/**
 * How long (ms) a clean session waits here before its connection goes back to the pool. Long enough
 * for the next request of a busy server. Shorter than the 500 ms of idleness after which the pool
 * sends a PING over a connection before it lends it.
 */
const IDLE = 250
/** As the pool's own figure (`src/pool/mod.rs`): it asks for a PING after longer silence. */
const TRUSTED_IDLE = 500
/**
 * How long (ms) the session of the last blocking command is kept at most. A consumer that asks less
 * often does not mind a connection from the pool.
 */
const LONGEST_WARM = 60_000
/** How often (ms) it is looked at. */
const WARM_LOOK = 5000

module.exports = { Sessions }
