'use strict'

/*
 * One session's way through the native boundary: what `bridge.js` is for lanes.
 *
 * Owns the session's batch of this turn. It offers the same `send`, `sendLarge`, `abort` and
 * `upcoming`, so that a session has the same methods as a client. It must never refer to the
 * object that the application holds: the garbage collector has to be able to find that one.
 */

const { inspect } = require('node:util')

const { onAbort } = require('../abort')
const { ClientClosedError, OxidisError, TimeoutError } = require('../errors')
const { settle } = require('./promise-ring')

class SessionBridge {
  /**
   * @param {import('./bridge').Bridge} bridge the client's
   * @param {number} place what the native side knows the session by
   */
  constructor (bridge, place) {
    this.bridge = bridge
    this.place = place
    /** Whose it is, if it is a session. */
    this.home = null
    this.text = ''
    this.table = new Uint32Array(COLUMNS * 8)
    this.count = 0
    /** Commands without a reply, and how many of them may wait on the server. */
    this.pending = 0
    this.blocked = 0
    /** Bytes queued natively, as of the last flush. */
    this.queued = 0
    /** Called once nothing is pending. */
    this.whenIdle = null
    /** Whether its connection is closed, so that it serves nobody any more. */
    this.isOver = false
    /** When somebody got it (ms), and where in the code; for the leak watch. */
    this.since = 0
    this.origin = null
    this.isReported = false
    /** Called when that is done, if somebody wants to know. */
    this.onReport = null
    this.flush = this.flush.bind(this)
  }

  /** The id that the next command will get. */
  get upcoming () {
    return this.bridge.upcomingSessionId
  }

  send (encoded, mode, timeout, row, context) {
    const refusal = this.refusal(encoded.length)
    if (refusal !== null) return Promise.reject(refusal)
    const promise = this.promise(row, context, encoded.length, mode, timeout)
    this.text += encoded
    return promise
  }

  sendLarge (chunks, tail, mode, timeout, row, context) {
    let length = tail.length
    for (let i = 0; i < chunks.length; i += 2) {
      length += chunks[i].length + Buffer.byteLength(chunks[i + 1])
    }
    const refusal = this.refusal(length)
    if (refusal !== null) return Promise.reject(refusal)
    chunks[0] = this.text + chunks[0]
    const promise = this.promise(row, context, length, mode, timeout)
    this.text = tail
    this.flush(chunks)
    return promise
  }

  /**
   * Sends a command that may wait on the server. It has a deadline of its own: the time that the
   * server was told and a grace, or none. If that passes, or the caller leaves, the connection is
   * closed, because the server would go on waiting, and then take an element for nobody.
   */
  async sendBlocking ({ chunks, text, mode, waits, row, context, signal }) {
    const timeout = waits === 0 ? 0 : Math.min(waits + GRACE, LONGEST)
    const id = this.upcoming
    this.blocked++
    let forget
    try {
      const promise = chunks === null
        ? this.send(text, mode, timeout, row, context)
        : this.sendLarge(chunks, text, mode, timeout, row, context)
      // A command that found no room has no id.
      if (signal !== undefined && this.upcoming !== id) {
        forget = onAbort(signal, () => { this.abort(id, signal.reason); this.end() })
      }
      return await promise
    } catch (error) {
      if (error instanceof TimeoutError) this.end()
      throw error
    } finally {
      this.blocked--
      if (forget !== undefined) forget()
    }
  }

  /**
   * Makes WAIT and WAITAOF on this connection count all writes before them, whoever made them. By
   * itself a connection waits for its own last write only. Up to Redis 7.0 any command moves its
   * offset to the server's, later one that is propagated has to: a message that nobody hears.
   * @param {string} channel of a slot that the server has, if it is a node of a cluster
   */
  async takeOffset (channel) {
    const unheard = `*3\r\n$8\r\nSPUBLISH\r\n$${channel.length}\r\n${channel}\r\n$0\r\n\r\n`
    const sent = [PING, unheard].map(text => this.send(text, 0, GRACE, OFFSET_ROW, undefined))
    const [pinged, published] = await Promise.allSettled(sent)
    if (pinged.status === 'rejected') throw pinged.reason
    const { status, reason } = published
    if (status === 'rejected' && !/unknown command/i.test(reason.message)) throw reason
  }

  promise (row, context, length, mode, timeout) {
    const at = this.count * COLUMNS
    if (at === this.table.length) this.growTable()
    const id = this.bridge.takeSessionId()
    const table = this.table
    table[at] = length
    table[at + 1] = mode
    table[at + 2] = timeout
    table[at + 3] = id
    if (this.count++ === 0) process.nextTick(this.flush)
    this.pending++
    return this.bridge.sessionSlots.promise(id, row, context, this)
  }

  /** Hands the turn's batch over. */
  flush (chunks) {
    const count = this.count
    if (count === 0) return
    const text = this.text
    this.text = ''
    this.count = 0
    const bridge = this.bridge
    bridge.stayAlive()
    try {
      this.queued =
        bridge.core.submitTo(this.place, text, text.length, this.table, count, chunks)
    } catch (cause) {
      const error = new OxidisError('the batch could not be handed over',
        { code: 'INTERNAL', cause })
      for (let i = 0; i < count; i++) {
        bridge.sessionSlots.settle(this.table[i * COLUMNS + 3], error, true)
      }
      bridge.drained()
    }
  }

  /** Ends command `id`, whose caller has gone; no effect if its reply is on its way. */
  abort (id, reason) {
    this.flush()
    this.bridge.abortIn(this.bridge.sessionSlots, id, reason)
  }

  /** Ends the session: its pending commands fail and its connection is closed. */
  end () {
    if (this.isOver) return
    this.flush()
    this.isOver = true
    this.bridge.core.endSession(this.place)
  }

  refusal (length) {
    if (this.isOver) {
      const { isClosed } = this.bridge
      return new ClientClosedError(isClosed ? 'the client is closed' : 'the session has ended',
        { code: isClosed ? 'CLOSED' : 'SESSION_OVER', applied: 'no' })
    }
    if (this.text.length + length > LONGEST_TEXT) this.flush()
    if (this.pending === 0) this.queued = 0
    return this.bridge.fullWith(this.text.length + length, this.queued)
  }

  [inspect.custom] () {
    return `SessionBridge { pending: ${this.pending} }`
  }

  growTable () {
    const table = new Uint32Array(this.table.length * 2)
    table.set(this.table)
    this.table = table
  }
}

/** The promises of all sessions of a client, by the command's id. */
class SessionSlots {
  constructor () {
    this.entries = new Map()
    /** Commands that wait. */
    this.pending = 0
  }

  /** A promise for `id`: a command of `session`, or something else if that is null. */
  promise (id, row, context, session) {
    if (session !== null) this.pending++
    return new Promise((resolve, reject) => {
      this.entries.set(id, { resolve, reject, row, context, session })
    })
  }

  /** Keeps what the server said of a part of a transaction. */
  part (id, index, error) {
    this.entries.get(id)?.context?.refused?.set(index, error)
  }

  /** Settles `id` with what the server sent. An unknown id is one whose caller has gone. */
  settle (id, value, isFailure) {
    const entry = this.entries.get(id)
    if (entry === undefined) return
    this.entries.delete(id)
    const { session } = entry
    if (session !== null) {
      this.pending--
      if (--session.pending === 0 && session.whenIdle !== null) {
        process.nextTick(session.whenIdle)
        session.whenIdle = null
      }
    }
    settle(entry, value, isFailure)
  }
}

const PING = '*1\r\n$4\r\nPING\r\n'
const OFFSET_ROW = { command: 'SPUBLISH', reply: undefined }

/** Length, mode, timeout and id of each command. `src/binding/sessions.rs` reads them. */
const COLUMNS = 4
/** How long (ms) after the server's own deadline a blocking command is waited for (P2). */
const GRACE = 1000
/** The most text that waits for a turn's end: half of what V8 can hold in one string. */
const LONGEST_TEXT = 2 ** 28
/** The longest deadline (ms) that fits into the table. */
const LONGEST = 2 ** 32 - 1

module.exports = { SessionBridge, SessionSlots }
