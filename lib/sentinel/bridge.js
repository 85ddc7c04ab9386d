'use strict'

/*
 * The bridge of a client of Sentinel: of several nodes, one of which is the primary at a time.
 *
 * Owns the callers that wait for a session while the primary changes. They go on waiting for a
 * session on the new primary.
 */

const { abortedBefore, onAbort } = require('../abort')
const { ClusterBridge } = require('../cluster/bridge')
const { performance } = require('../timers')

class SentinelBridge extends ClusterBridge {
  constructor (options, limits, pool, onEvent, identity) {
    super(options, limits, pool, onEvent, identity)
    /**
     * Callers that wait for a session: the place of the node, what ends the wait there, and whether
     * it was ended because the primary is another node. The signal cannot tell that: those of jsdom
     * have no reason.
     */
    this.waiters = new Set()
  }

  /** Whether the connection to the primary stands. */
  get isConnected () {
    return this.shards()[0]?.primary.isUp ?? false
  }

  sentinels () {
    return this.core.sentinels()
  }

  async acquire (signal, slot, place, since = performance.now()) {
    if (signal !== undefined && signal.aborted) throw abortedBefore(signal.reason)
    const fence = this.fence(since, signal)
    if (fence !== null) await fence
    for (;;) {
      const primary = await this.primary(undefined, since, signal)
      const session = await this.acquireAt(primary, signal, since)
      if (session !== null) return this.unlessLeft(session, signal)
    }
  }

  /** A session on the node at `place`; null if that is not the primary any more. */
  async acquireAt (place, signal, since) {
    const moved = new AbortController()
    const waiter = { place, moved, isMoved: false }
    const forget = signal && onAbort(signal, () => moved.abort(signal.reason))
    this.waiters.add(waiter)
    try {
      return await this.sessions.at(place).acquire(moved.signal, since)
    } catch (error) {
      if (waiter.isMoved) return null
      throw error
    } finally {
      this.waiters.delete(waiter)
      forget?.()
    }
  }

  changed () {
    super.changed()
    const primary = this.primaryOf()
    for (const waiter of this.waiters) {
      if (waiter.place === primary) continue
      waiter.isMoved = true
      waiter.moved.abort()
    }
  }
}

module.exports = { SentinelBridge }
