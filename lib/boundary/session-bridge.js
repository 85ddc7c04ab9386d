'use strict'

/*
 * One session's way through the native boundary: what `bridge.js` is for lanes.
 *
 * Owns the session's batch of this turn. It must never refer to the object that the application
 * holds: that object is to be garbage collected when the application forgets it.
 */

const { inspect } = require('node:util')

const { abortedBefore, onAbort } = require('../abort')
const { ClientClosedError, TimeoutError } = require('../errors')
const { Batch, LONGEST_TEXT, lengthOf, notHandedOver } = require('./batch')
const { PING, encodedSilence } = require('./internal-commands')
const { Sender } = require('./sender')

class SessionBridge extends Sender {
  /**
   * @param {import('./bridge').Bridge} bridge the client's
   * @param {number} target what the native side knows it by: the id of a session, or the place of a
   *   node
   */
  constructor (bridge, target) {
    super()
    this.bridge = bridge
    this.target = target
    /** The database that was selected, as far as those who watch have seen; else the client's. */
    this.database = undefined
    /** The `Sessions` that it belongs to; null if it is no session. */
    this.sessions = null
    this.flush = this.flush.bind(this)
    this.batch = new Batch(COLUMNS, FIRST_ROWS, this.flush)
    /** Commands without a reply, and how many of them may wait on the server. */
    this.pending = 0
    this.blocked = 0
    /** Bytes queued natively, as of the last flush. */
    this.queued = 0
    /** Whether it has served a blocking command. */
    this.hasBlocked = false
    /** Called once nothing is pending. */
    this.whenIdle = null
    /** For the leak watch: when its holder got it (ms), and where in the code. */
    this.since = 0
    this.origin = null
    this.isReported = false
    /** Called when the leak watch has reported it; null if nobody wants to know. */
    this.onReport = null
  }

  get identity () {
    return this.bridge.identity
  }

  placeFor () {
    return this.sessions?.node
  }

  get latestId () {
    return this.bridge.sessionIds.latest
  }

  /** Whether it can be used: it was not ended here, and its connection stands. */
  get isUp () {
    return !this.isClosed && this.bridge.core.isSessionUp(this.target)
  }

  send (encoded, mode, timeout, row, context) {
    const refusal = this.refusal(encoded.length)
    if (refusal !== null) return Promise.reject(refusal)
    return this.add(encoded, encoded.length, mode, timeout, row, context)
  }

  sendLarge (chunks, tail, mode, timeout, row, context) {
    const length = lengthOf(chunks, tail)
    const refusal = this.refusal(length)
    if (refusal !== null) return Promise.reject(refusal)
    this.batch.putBefore(chunks)
    const promise = this.add(tail, length, mode, timeout, row, context)
    this.flush(chunks)
    return promise
  }

  /**
   * Sends a command that may wait on the server: see `Bridge.sendBlocking`. Its deadline is the
   * time that the server was told plus a grace; there is none if the server may wait for ever. When
   * the deadline passes or the caller leaves, the connection is closed: the server would otherwise
   * go on waiting and take an element for nobody.
   */
  async sendBlocking ({ chunks, text, mode, waits, row, context, signal }) {
    // The caller may have left since the session was there: an event does not come twice.
    if (signal !== undefined && signal.aborted) throw abortedBefore(signal.reason)
    const timeout = waits === 0 ? 0 : Math.min(waits + GRACE, LONGEST)
    const before = this.latestId
    this.blocked++
    this.hasBlocked = true
    let forget
    try {
      const promise = chunks === null
        ? this.send(text, mode, timeout, row, context)
        : this.sendLarge(chunks, text, mode, timeout, row, context)
      const id = this.latestId
      // A command that found no room has no id.
      if (signal !== undefined && id !== before) {
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
   * Makes WAIT and WAITAOF on this connection wait for all writes before them, whoever made them.
   * By itself a connection waits for its own last write only. Servers up to Redis 7.0 move the
   * connection's offset with any command, later ones only with a command that is propagated to
   * replicas. So a PING is sent, and a message that nobody hears.
   * @param {string} channel in a slot of the server, if it is a node of a cluster
   */
  async takeOffset (channel) {
    const sent = [PING.text, encodedSilence(channel)]
      .map(text => this.send(text, 0, OFFSET_TIMEOUT, OFFSET_ROW, undefined))
    const [pinged, published] = await Promise.allSettled(sent)
    if (pinged.status === 'rejected') throw pinged.reason
    const { status, reason } = published
    if (status === 'rejected' && !/unknown command/i.test(reason.message)) throw reason
  }

  add (text, length, mode, timeout, row, context) {
    const { batch } = this
    const id = this.bridge.sessionIds.take()
    const at = batch.add(text, length, mode, timeout)
    batch.table[at + ID_COLUMN] = id
    this.pending++
    return this.bridge.sessionPromises.promise(id, row, context, this)
  }

  flush (chunks) {
    const { batch, bridge } = this
    const { count } = batch
    if (count === 0) return
    const text = batch.take()
    bridge.keepAlive.stay()
    try {
      this.queued =
        bridge.core.submitTo(this.target, text, text.length, batch.table, count, chunks)
    } catch (cause) {
      const error = notHandedOver(cause)
      for (let i = 0; i < count; i++) {
        bridge.sessionPromises.settle(batch.table[i * COLUMNS + ID_COLUMN], error, true)
      }
      bridge.drained()
    }
  }

  /** Ends command `id`, whose caller has gone. No effect if its reply has come to Rust already. */
  abort (id, reason) {
    this.flush()
    this.bridge.abortIn(this.bridge.sessionPromises, id, reason)
  }

  /** Ends the session: its pending commands fail and its connection is closed. */
  end () {
    if (this.isClosed) return
    this.flush()
    this.isClosed = true
    this.bridge.core.endSession(this.target)
  }

  refusal (length) {
    if (this.isClosed) {
      return this.bridge.isClosed
        ? new ClientClosedError(undefined, { applied: 'no' })
        : new ClientClosedError('the session has ended', { code: 'SESSION_OVER', applied: 'no' })
    }
    if (this.batch.text.length + length > LONGEST_TEXT) this.flush()
    if (this.pending === 0) this.queued = 0
    return this.bridge.fullWith(this.batch.text.length + length, this.queued)
  }

  /** Shows no key and no value. */
  [inspect.custom] () {
    return `SessionBridge { pending: ${this.pending} }`
  }
}

const OFFSET_ROW = { command: 'SPUBLISH', reply: undefined }

/** Length, mode, timeout and id of each command. `src/binding/sessions.rs` reads them. */
const COLUMNS = 4
const ID_COLUMN = 3
/** Commands of a session's usual turn. The table grows for larger ones. */
const FIRST_ROWS = 8
/**
 * How long (ms) a blocking command is waited for after the server should have answered. Enough for
 * a slow network; a server that answers later than that is as good as gone.
 */
const GRACE = 1000
/** The deadline (ms) of what goes before WAIT: that of a command by default. */
const OFFSET_TIMEOUT = 5000
/** The longest deadline (ms) that fits into the table. */
const LONGEST = 2 ** 32 - 1

module.exports = { SessionBridge }
