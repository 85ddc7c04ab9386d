'use strict'

/*
 * Whether a client keeps the process alive.
 *
 * A process must not end while somebody waits for a reply or listens for messages, unless the
 * application has called `unref`. The native side holds the event loop by one reference, which this
 * class takes and lets go.
 */

const { setTimeout } = require('../timers')

class KeepAlive {
  /**
   * @param {(isAlive: boolean) => void} hold takes or lets go of the reference
   * @param {() => boolean} isNeeded whether somebody waits or listens
   * @param {() => void} onRelease called when the reference was let go
   */
  constructor (hold, isNeeded, onRelease) {
    this.hold = hold
    this.isNeeded = isNeeded
    this.onRelease = onRelease
    /** Whether the reference is held now. */
    this.isAlive = false
    /** False after `unref`: the reference must not be held. */
    this.isAllowed = true
    this.timer = null
    this.release = this.release.bind(this)
  }

  /** Somebody waits: the process must not end. */
  stay () {
    if (!this.isAlive && this.isAllowed) this.set(true)
  }

  /**
   * Nobody waits any more. The reference is let go a little later: a program that awaits each
   * command would otherwise cost two native calls for each.
   */
  leave () {
    if (this.isAlive && this.timer === null) {
      this.timer = setTimeout(this.release, RELEASE_DELAY).unref()
    }
  }

  release () {
    this.timer = null
    if (this.isNeeded()) return
    this.set(false)
    this.onRelease()
  }

  /** `ref` and `unref` of the client. */
  allow (isAllowed) {
    this.isAllowed = isAllowed
    this.set(isAllowed && this.isNeeded())
  }

  set (isAlive) {
    if (isAlive === this.isAlive) return
    this.isAlive = isAlive
    this.hold(isAlive)
  }
}

/** How long (ms) an idle client still keeps the process alive: too short to be noticed at exit. */
const RELEASE_DELAY = 10

module.exports = { KeepAlive }
