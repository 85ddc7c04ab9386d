'use strict'

/*
 * The promises of a client's sessions that wait for replies, found by the id of the command.
 *
 * A Map, because replies of different sessions come in any order. It also holds the promises of
 * sessions that are being opened, which belong to no session yet.
 */

const { nextTick } = require('../timers')
const { settle } = require('./promise-ring')

class PromiseMap {
  constructor () {
    this.entries = new Map()
    /** Commands of sessions that wait for a reply. */
    this.pending = 0
  }

  /**
   * A promise for `id`.
   * @param {number} id
   * @param {{ command?: string, reply?: Function }} row
   * @param {object | undefined} context for `row.reply`
   * @param {import('./session-bridge').SessionBridge | null} session whose command it is; null for
   *   what is no command of a session
   */
  promise (id, row, context, session) {
    if (session !== null) this.pending++
    return new Promise((resolve, reject) => {
      this.entries.set(id, { resolve, reject, row, context, session })
    })
  }

  /** Keeps the error for one part of transaction `id` until the transaction is settled. */
  part (id, index, error) {
    this.entries.get(id)?.context?.refused?.set(index, error)
  }

  /** Settles `id`. An id that is not known is one whose caller has gone: nothing happens. */
  settle (id, value, isFailure) {
    const entry = this.entries.get(id)
    if (entry === undefined) return
    this.entries.delete(id)
    const { session } = entry
    if (session !== null) {
      this.pending--
      if (--session.pending === 0 && session.whenIdle !== null) {
        nextTick(session.whenIdle)
        session.whenIdle = null
      }
    }
    settle(entry, value, isFailure)
  }
}

module.exports = { PromiseMap }
