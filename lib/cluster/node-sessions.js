'use strict'

/*
 * The sessions of a client of several nodes: the interface of `Sessions`, with one of them for each
 * node.
 */

const { Sessions } = require('../boundary/sessions')

class NodeSessions {
  constructor (bridge, pool) {
    this.bridge = bridge
    this.pool = pool
    this.leakThreshold = pool.leakThreshold
    this.acquireTimeout = pool.acquireTimeout
    /** Place of a node -> its sessions. */
    this.byPlace = new Map()
    /** Functions that run in a session, and blocking commands, on whichever node. */
    this.running = 0
  }

  /** The sessions of the node at `place`. */
  at (place) {
    let sessions = this.byPlace.get(place)
    if (sessions === undefined) {
      sessions = new Sessions(this.bridge, this.pool, place)
      this.byPlace.set(place, sessions)
    }
    return sessions
  }

  get waiters () {
    return this.sum(({ waiters }) => waiters)
  }

  get opening () {
    return this.sum(({ opening }) => opening)
  }

  get idle () {
    return [...this.byPlace.values()].flatMap(({ idle }) => idle)
  }

  * targets () {
    for (const sessions of this.byPlace.values()) yield * sessions.targets()
  }

  sum (number) {
    let sum = 0
    for (const sessions of this.byPlace.values()) sum += number(sessions)
    return sum
  }

  finish (session) {
    session.sessions.finish(session)
  }

  reclaim (session) {
    session.sessions.reclaim(session)
  }

  close () {
    for (const sessions of this.byPlace.values()) sessions.close()
  }
}

module.exports = { NodeSessions }
