'use strict'

/*
 * Who gets which session, and when.
 *
 * Owns the callers that wait, in the order of asking, and the clean sessions that wait for the
 * next caller: those change hands here, without a call into the native side, which opens them and
 * knows what was done to them. Invariant: a session is held by one caller, or idle, never both,
 * and one that was left dirty comes back through the native pool only.
 */

const { abortedBefore, onAbort } = require('../abort')
const { ClientClosedError } = require('../errors')
const { SessionBridge } = require('./session-bridge')

class Sessions {
  /**
   * @param {import('./bridge').Bridge} bridge
   * @param {{ max: number, acquireTimeout: number, leakThreshold: number }} pool
   * @param {number} [node] the place of their node, where there are several
   */
  constructor (bridge, { max, acquireTimeout, leakThreshold }, node) {
    this.bridge = bridge
    this.node = node
    this.max = max
    this.acquireTimeout = acquireTimeout
    this.leakThreshold = leakThreshold
    /** Clean sessions; the one used last is taken first, so that the others can go. */
    this.idle = []
    /** In the order of getting them. */
    this.held = new Set()
    /** Callers, in the order of asking: { resolve, reject, since, isOver }. */
    this.waiting = []
    this.first = 0
    /** Callers among them who wait no more. */
    this.left = 0
    /** Sessions that the native side was asked for. */
    this.opening = 0
    /** Counts the changes of the database: a session of an earlier one is of no use. */
    this.era = 0
    /** Callers whose function runs in a session, or whose command needs one. */
    this.running = 0
    this.deadlineTimer = null
    this.idleTimer = null
    this.leakTimer = null
  }

  /** Callers that wait. */
  get waiters () {
    return this.waiting.length - this.first - this.left
  }

  /** Resolves to a session of the caller's own, which has to be given back. */
  acquire (signal) {
    if (this.bridge.isClosed) return Promise.reject(closed())
    if (signal !== undefined && signal.aborted) return Promise.reject(abortedBefore(signal.reason))
    const session = this.acquireNow()
    return session === null ? this.wait(signal) : Promise.resolve(session)
  }

  /** A session that waits for its next caller; null if there is none, or others come first. */
  acquireNow () {
    if (this.waiters > 0) return null
    const session = this.takeIdle()
    return session === null ? null : this.grant(session)
  }

  wait (signal) {
    const waiter = { resolve: null, reject: null, since: performance.now(), isOver: false }
    const promise = new Promise((resolve, reject) => {
      waiter.resolve = resolve
      waiter.reject = reject
    })
    this.waiting.push(waiter)
    if (signal !== undefined) {
      const forget = onAbort(signal, () => {
        if (waiter.isOver) return
        waiter.isOver = true
        this.left++
        waiter.reject(abortedBefore(signal.reason))
        this.tidy()
        this.bridge.drained()
      })
      promise.then(forget, forget)
    }
    this.bridge.stayAlive()
    this.open()
    this.watchDeadline()
    return promise
  }

  takeIdle () {
    for (;;) {
      const session = this.idle.pop()
      if (session === undefined) return null
      if (this.bridge.core.isSessionFit(session.place)) return session
      this.bury(session)
    }
  }

  grant (session) {
    this.held.add(session)
    if (this.leakThreshold > 0) {
      session.since = performance.now()
      if (this.leakTimer === null) this.watchLeaks(this.leakThreshold)
    }
    return session
  }

  /** The caller that has waited longest, taken out of the queue; null if nobody waits. */
  next () {
    if (this.waiters === 0) return null
    this.tidy()
    const waiter = this.shift()
    waiter.isOver = true
    return waiter
  }

  /** Callers that have left keep no place at the front of the queue. */
  tidy () {
    while (this.first < this.waiting.length && this.waiting[this.first].isOver) {
      this.shift()
      this.left--
    }
  }

  shift () {
    const waiter = this.waiting[this.first]
    this.waiting[this.first++] = null
    // Cutting off each by itself would move all the others each time.
    if (this.first === this.waiting.length || this.first === CUT) {
      this.waiting.splice(0, this.first)
      this.first = 0
    }
    return waiter
  }

  /** Asks the native side for as many sessions as may serve those who wait. */
  open () {
    const { bridge } = this
    while (this.opening < this.waiters &&
      this.opening + this.held.size + this.idle.length < this.max) {
      this.opening++
      const place = bridge.takeSessionId()
      const { era } = this
      bridge.sessionSlots.promise(place, TICKET, undefined, null)
        .then(() => this.opened(place, era), error => this.failed(error))
      bridge.core.openSession(place, this.node)
    }
  }

  opened (place, era) {
    this.opening--
    const session = new SessionBridge(this.bridge, place)
    session.home = this
    if (era === this.era) return this.offer(session)
    this.bury(session)
    this.open()
  }

  /** Gives a clean session to whoever waits, or keeps it for whoever comes. */
  offer (session) {
    if (this.bridge.isClosed) return
    const waiter = this.next()
    if (waiter !== null) {
      waiter.resolve(this.grant(session))
      return this.bridge.drained()
    }
    session.since = performance.now()
    this.idle.push(session)
    this.idleTimer ??= setTimeout(() => this.sweep(), IDLE).unref()
  }

  failed (error) {
    this.opening--
    // A wait that is over is told by the timer, which knows whose turn it was.
    if (error.code !== 'POOL_TIMEOUT') this.rejectAll(error)
    if (this.bridge.isClosed) return
    this.open()
    this.bridge.drained()
  }

  rejectAll (error) {
    for (let waiter = this.next(); waiter !== null; waiter = this.next()) waiter.reject(error)
  }

  /**
   * Takes a session from its caller. False if commands are not answered yet: nothing was done.
   */
  release (session) {
    session.flush()
    const { core, isClosed } = this.bridge
    const isGone = session.isOver || isClosed
    // Replies that have come, but not to their callers yet, must not meet the next caller.
    if (!isGone && session.pending > 0) return false
    const outcome = isGone ? GONE : core.release(session.place)
    if (outcome === BUSY) return false
    this.held.delete(session)
    if (outcome === CLEAN) {
      session.isReported = false
      session.origin = null
      // The native side serves the callers of all threads in the order of asking.
      if (this.bridge.isShared && core.isSessionWantedElsewhere(this.opening)) {
        this.bury(session)
        this.open()
      } else {
        this.offer(session)
      }
    } else {
      session.isOver = true
      this.open()
    }
    return true
  }

  /**
   * The same for a caller who may have left in the middle of something: what is under way is
   * answered first, unless it may wait for ever.
   */
  finish (session) {
    if (this.release(session)) return
    // Without callers there are only replies that nobody wants: the connection is not worth more.
    if (session.blocked > 0 || session.pending === 0) {
      this.abandon(session)
    } else {
      session.whenIdle = () => this.finish(session)
    }
  }

  /** Ends a session whatever is under way. */
  abandon (session) {
    session.end()
    this.held.delete(session)
    this.open()
  }

  bury (session) {
    session.isOver = true
    this.bridge.core.giveBack(session.place)
  }

  /** The client's database is another one now: sessions in the old one serve nobody any more. */
  changeDatabase () {
    this.era++
    this.dropIdle()
  }

  /** Lets go of idle sessions: the pool keeps their connections for as long as it is told to. */
  dropIdle (before = Infinity) {
    const kept = this.idle.filter(session => session.since > before)
    const dropped = this.idle.filter(session => session.since <= before)
    this.idle = kept
    for (const session of dropped) this.bury(session)
  }

  sweep () {
    this.dropIdle(performance.now() - IDLE)
    this.idleTimer = this.idle.length > 0 ? setTimeout(() => this.sweep(), IDLE).unref() : null
  }

  /**
   * One timer for all who wait: their deadlines come in the order of asking. It does not keep the
   * process alive, since it may outlast them; the bridge does, for as long as somebody waits.
   */
  watchDeadline () {
    this.tidy()
    if (this.deadlineTimer !== null || this.waiters === 0) return
    const due = this.waiting[this.first].since + this.acquireTimeout - performance.now()
    this.deadlineTimer = setTimeout(() => {
      this.deadlineTimer = null
      this.expire()
      this.watchDeadline()
    }, Math.max(due, 0)).unref()
  }

  expire () {
    const now = performance.now()
    this.tidy()
    while (this.waiters > 0 && this.waiting[this.first].since + this.acquireTimeout <= now) {
      const waiting = this.waiters
      const waiter = this.next()
      waiter.reject(this.bridge.core.poolTimeout(now - waiter.since, waiting, this.node))
      this.tidy()
    }
    this.bridge.drained()
  }

  watchLeaks (delay) {
    this.leakTimer = setTimeout(() => {
      this.leakTimer = null
      const now = performance.now()
      let oldest = Infinity
      for (const session of this.held) {
        if (session.isReported) continue
        // Who waits on the server has not forgotten the session.
        if (session.blocked > 0) session.since = now
        const age = now - session.since
        if (age < this.leakThreshold) {
          oldest = Math.min(oldest, session.since)
          continue
        }
        session.isReported = true
        warn(`a session has been held for ${Math.round(age)} ms, longer than pool.leakThreshold`,
          session)
        session.onReport?.()
        session.onReport = null
      }
      if (oldest < Infinity) this.watchLeaks(oldest + this.leakThreshold - now)
    }, Math.max(delay, 1))
    this.leakTimer.unref()
  }

  /**
   * A session whose owner was garbage collected. Its commands may still have callers, also those
   * that wait on the server.
   */
  reclaim (session) {
    if (!this.held.has(session)) return
    warn('a session was garbage collected without having been released', session)
    if (session.pending > 0) session.whenIdle = () => this.finish(session)
    else this.finish(session)
  }

  /** Ends the waiting of everybody, and every session. */
  close () {
    clearTimeout(this.deadlineTimer)
    clearTimeout(this.idleTimer)
    clearTimeout(this.leakTimer)
    this.rejectAll(closed())
    for (const session of [...this.held, ...this.idle]) {
      session.flush()
      session.isOver = true
    }
    this.held.clear()
    this.idle = []
  }
}

function warn (text, { origin }) {
  const type = 'OxidisWarning'
  process.emitWarning(`${text}${told(origin)}`, { type, code: 'OXIDIS_SESSION_LEAK' })
}

/** Who has the session. */
function told (origin) {
  if (origin === null) return ' by a blocking command'
  if (typeof origin !== 'function') {
    return `; it was acquired here:${origin.stack.replace(/^.*/, '')}`
  }
  // A stack for each session of a function would cost an eighth of what the session does.
  return ` by the function ${origin.name || '(anonymous)'} that client.session() was called with`
}

function closed () {
  return new ClientClosedError('the client is closed', { applied: 'no' })
}

const TICKET = { command: undefined, reply: undefined }

/** What `core.release` says. */
const CLEAN = 0
const GONE = 1
const BUSY = 2

/** How long (ms) a clean session waits here before its connection goes back to the pool. Long
 * enough for the next request of a busy server, and shorter than the half second after which the
 * pool asks a connection whether it is alive. */
const IDLE = 250
/** Served waiters in front of the queue that are worth cutting off. */
const CUT = 1024

module.exports = { Sessions }
