'use strict'

/*
 * The bridge of a client that Sentinel watches over: that of several nodes, of which one at a time
 * is the primary.
 *
 * Owns the callers that wait for a session while the primary changes: they go on waiting at the new
 * one.
 */

const { abortedBefore, onAbort } = require('../abort')
const { unlessAborted } = require('../boundary/bridge')
const { ClusterBridge } = require('../cluster/bridge')

class SentinelBridge extends ClusterBridge {
  constructor (options, limits, pool, onEvent) {
    super(options, limits, pool, onEvent)
    /** Callers that wait for a session: their place, and what makes them look again. */
    this.waiters = new Set()
  }

  /** Whether the primary's connection stands. */
  get isConnected () {
    return this.core.shards()[0]?.primary.isUp ?? false
  }

  async acquire (signal) {
    const fence = this.fence()
    if (fence !== null) await unlessAborted(fence, signal)
    for (;;) {
      const place = await this.primary()
      const session = await this.acquireAt(place, signal)
      if (session === null) continue
      if (signal === undefined || !signal.aborted) return session
      this.sessions.finish(session)
      throw abortedBefore(signal.reason)
    }
  }

  /** A session on the node at `place`; null if that is no primary any more. */
  async acquireAt (place, signal) {
    const moved = new AbortController()
    const waiter = { place, moved }
    const forget = signal && onAbort(signal, () => moved.abort(signal.reason))
    this.waiters.add(waiter)
    try {
      return await this.sessions.at(place).acquire(moved.signal)
    } catch (error) {
      if (moved.signal.reason === MOVED) return null
      throw error
    } finally {
      this.waiters.delete(waiter)
      forget?.()
    }
  }

  /** The primary may be another one. */
  changed () {
    super.changed?.()
    const primary = this.core.primaryOf()
    for (const { place, moved } of this.waiters) {
      if (place !== primary) moved.abort(MOVED)
    }
  }
}

const MOVED = Symbol('the primary is another node')

module.exports = { SentinelBridge }
