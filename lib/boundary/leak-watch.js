'use strict'

/*
 * The warnings about sessions that callers seem to have forgotten.
 *
 * A session that is held for longer than `pool.leakThreshold` gives one warning, which says where
 * it was acquired. So does a session whose holder was garbage collected.
 */

const { clearTimeout, performance, setTimeout } = require('../timers')

class LeakWatch {
  /**
   * @param {Set<import('./session-bridge').SessionBridge>} held the sessions that callers hold
   * @param {number} threshold in ms; 0 for no warnings
   */
  constructor (held, threshold) {
    this.held = held
    this.threshold = threshold
    this.timer = null
  }

  /** A caller has got `session`. */
  begin (session) {
    if (this.threshold === 0) return
    session.since = performance.now()
    if (this.timer === null) this.arm(this.threshold)
  }

  arm (delay) {
    this.timer = setTimeout(() => {
      this.timer = null
      this.look(performance.now())
    }, Math.max(delay, 1))
    this.timer.unref()
  }

  /** Warns of what has been held for too long, and arms the timer for the others. */
  look (now) {
    let oldest = Infinity
    for (const session of this.held) {
      if (session.isReported) continue
      // A holder that waits on the server for a blocking command has not forgotten the session.
      if (session.blocked > 0) session.since = now
      const age = now - session.since
      if (age < this.threshold) {
        oldest = Math.min(oldest, session.since)
        continue
      }
      session.isReported = true
      warn(`a session has been held for ${Math.round(age)} ms, longer than pool.leakThreshold`,
        session)
      session.onReport?.()
      session.onReport = null
    }
    if (oldest < Infinity) this.arm(oldest + this.threshold - now)
  }

  /** The holder of `session` was garbage collected. */
  collected (session) {
    warn('a session was garbage collected without having been released', session)
  }

  close () {
    clearTimeout(this.timer)
  }
}

function warn (text, { origin }) {
  const type = 'OxidisWarning'
  process.emitWarning(`${text}${heldBy(origin)}`, { type, code: 'OXIDIS_SESSION_LEAK' })
}

/** What holds the session: null for a blocking command, a function, or an object with a stack. */
function heldBy (origin) {
  if (origin === null) return ' by a blocking command'
  if (typeof origin !== 'function') {
    return `; it was acquired here:${origin.stack.replace(/^.*/, '')}`
  }
  // Capturing a stack for each function would add an eighth to the cost of a session (measured).
  return ` by the function ${origin.name || '(anonymous)'} that client.session() was called with`
}

module.exports = { LeakWatch }
