'use strict'

/*
 * A call of `connect()` that is under way, and whoever else waits for the same connection.
 *
 * A PING waits in the lane until there is a connection, as long as the reconnect strategy says. The
 * native side ends it if no attempt can succeed. Each caller may have a bound of its own.
 */

const { PING } = require('../boundary/internal-commands')
const {
  ClientClosedError, ConnectionTimeoutError, ErrorReply, RootNodesUnavailableError, TimeoutError
} = require('../errors')
const { PATIENT } = require('../mode')
const { clearTimeout, performance, setTimeout } = require('../timers')

class Connecting {
  #bridge
  #reject
  /** Of the PING; null if it was refused. */
  #id = null
  #isOver = false
  /** Calls of `connect()` that wait. */
  callers = 0
  /** Whether one of them has a bound, and so hears in any case. */
  isBounded = false

  /**
   * @param {import('../boundary/bridge').Bridge} bridge
   * @param {number} deadline ms until the attempt is given up; 0 for never
   */
  constructor (bridge, deadline) {
    this.#bridge = bridge
    const before = bridge.latestId
    const answered = bridge.send(PING.text, PATIENT, deadline, PING.row, undefined)
    if (bridge.latestId !== before) this.#id = bridge.latestId
    // Alone: the commands of the same turn may not wait for a connection.
    bridge.flush()
    /** Resolves once the connection stands. */
    this.promise = new Promise((resolve, reject) => {
      this.#reject = reject
      // An error reply, such as NOPERM, shows that the connection stands.
      answered.then(() => resolve(), error => {
        if (error instanceof ErrorReply) resolve()
        else reject(error)
      })
    })
    const over = () => { this.#isOver = true }
    this.promise.then(over, over)
  }

  /** Ends the wait: all callers get `error`. */
  fail (error) {
    if (this.#isOver) return
    this.#isOver = true
    this.#reject(error)
    if (this.#id !== null && !this.#bridge.isClosed) this.#bridge.abort(this.#id, error)
  }

  /** Ends the wait of all callers, because the client is being closed. */
  close (Class = ClientClosedError) {
    this.fail(new Class(undefined, { applied: 'no' }))
  }

  /**
   * Resolves as `promise` does, or rejects once `timeout` ms have passed, with the step in which
   * the attempt is stuck and the error before it.
   * @param {number | undefined} timeout
   */
  async within (timeout) {
    if (timeout === undefined) return this.promise
    const since = performance.now()
    let timer
    const late = new Promise((resolve, reject) => {
      timer = setTimeout(() => {
        const waited = Math.max(timeout, Math.round(performance.now() - since))
        reject(this.#bridge.core.connectTimeout(waited))
      }, timeout)
    })
    try {
      await Promise.race([this.promise, late])
    } finally {
      clearTimeout(timer)
    }
  }
}

/**
 * The error of a client of several nodes that has waited for `waited` ms until one of them could
 * say where everything is.
 * @param {Error} error what the PING was ended with
 * @param {string} what the name of what could not be reached
 */
function ofSeveral (error, what, waited) {
  if (!(error instanceof TimeoutError)) return error
  if (error.cause instanceof RootNodesUnavailableError) return error.cause
  return new ConnectionTimeoutError(`could not connect to ${what} within ${waited} ms`,
    { cause: error.cause, retryable: true })
}

/**
 * The option `timeout` of a call of `connect`; undefined if there is none.
 * @param {{ timeout?: number } | undefined} options
 */
function boundOf (options) {
  if (options === undefined || options === null) return undefined
  if (typeof options !== 'object') {
    throw new TypeError('connect: argument "options" must be an object')
  }
  const { timeout } = options
  if (timeout === undefined || timeout === null) return undefined
  if (!(typeof timeout === 'number' && timeout >= 1 && timeout <= MAX_MS)) {
    throw new TypeError('connect: option "timeout" must be a number of milliseconds from 1 to ' +
      MAX_MS)
  }
  return Math.ceil(timeout)
}

/** The longest time (ms) that a timer of Node takes. */
const MAX_MS = 2 ** 31 - 1

module.exports = { Connecting, boundOf, ofSeveral }
