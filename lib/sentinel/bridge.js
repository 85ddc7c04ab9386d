'use strict'

/*
 * The bridge of a client of Sentinel: of several nodes, one of which is the primary at a time.
 *
 * Owns the callers that wait for a session while the primary changes. They go on waiting for a
 * session on the new primary.
 */

const { performance } = require('node:perf_hooks')

const { abortedBefore, onAbort } = require('../abort')
const { ClusterBridge } = require('../cluster/bridge')

class SentinelBridge extends ClusterBridge {
  constructor (options, limits, pool, onEvent) {
    super(options, limits, pool, onEvent)
    /** Callers that wait for a session: the place of the node, and what ends the wait there. */
    this.waiters = new Set()
  }

  /** Whether the connection to the primary stands. */
  get isConnected () {
    return this.shards()[0]?.primary.isUp ?? false
  }

  sentinels () {
    return this.core.sentinels()
  }

  async acquire (signal) {
    const since = performance.now()
    if (signal !== undefined && signal.aborted) throw abortedBefore(signal.reason)
    const fence = this.fence(since, signal)
    if (fence !== null) await fence
    for (;;) {
      const place = await this.primary(undefined, since, signal)
      const session = await this.acquireAt(place, signal, since)
      if (session !== null) return this.unlessLeft(session, signal)
    }
  }

  /** A session on the node at `place`; null if that is not the primary any more. */
  async acquireAt (place, signal, since) {
    const moved = new AbortController()
    const waiter = { place, moved }
    const forget = signal && onAbort(signal, () => moved.abort(signal.reason))
    this.waiters.add(waiter)
    try {
      return await this.sessions.at(place).acquire(moved.signal, since)
    } catch (error) {
      if (moved.signal.reason === MOVED) return null
      throw error
    } finally {
      this.waiters.delete(waiter)
      forget?.()
    }
  }

  changed () {
    super.changed()
    const primary = this.primaryOf()
    for (const { place, moved } of this.waiters) {
      if (place !== primary) moved.abort(MOVED)
    }
  }
}

const MOVED = Symbol('the primary is another node')

module.exports = { SentinelBridge }
