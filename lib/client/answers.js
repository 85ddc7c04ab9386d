'use strict'

/*
 * The answers of the application's functions to the native side: its reconnect strategy, its
 * credentials provider, its map of addresses.
 *
 * Invariant: each question gets exactly one answer, whatever the function does.
 */

const { inspect, types: { isNativeError } } = require('node:util')

const { isPort, parseAddress } = require('../addresses')
const { keep } = require('../thrown')
const { nextTick } = require('../timers')
const { CredentialsSource } = require('./credentials')

class Answers {
  #strategy
  #credentials
  #addressMap
  #tell

  /**
   * @param {{ socket: { reconnectStrategy?: Function }, credentialsProvider?: object }} options
   * @param {Function | undefined} addressMap the option `nodeAddressMap`, if it is a function
   * @param {(error: unknown) => void} tell emits an `error` event
   * @param {(credentials: object) => void} renew logs all connections in again
   */
  constructor (options, addressMap, tell, renew) {
    this.#strategy = options.socket.reconnectStrategy
    this.#credentials = new CredentialsSource(options.credentialsProvider, renew, tell)
    this.#addressMap = addressMap
    this.#tell = tell
  }

  /** Asks the reconnect strategy. What is no answer is told, and the default delay is used. */
  delay (core, question, retries, cause) {
    let answer
    try {
      answer = this.#strategy(retries, cause)
      if (answer === false) return core.answerDelay(question, STOP)
      if (isNativeError(answer)) return core.answerDelay(question, STOP, keep(answer))
      if (!(answer >= 0 && answer < Infinity) || typeof answer !== 'number') throw noDelay(answer)
    } catch (error) {
      core.answerDelay(question, NaN)
      // Told later, because a listener may throw.
      return nextTick(this.#tell, error)
    }
    core.answerDelay(question, Math.min(answer, MOST_DELAY))
  }

  /** Asks the credentials provider. */
  async credentials (core, question) {
    try {
      const { username, password } = await this.#credentials.get()
      core.answerCredentials(question, username, password)
    } catch (error) {
      core.answerThrown(question, keep(error))
    }
  }

  /** An attempt to connect has failed for `error`. */
  failed (error) {
    this.#credentials.failed(error)
  }

  /** The client has ended. */
  end () {
    this.#credentials.end()
  }

  /** Asks the map of addresses where the server is reached that servers call `address`. */
  async address (core, question, address) {
    try {
      const { host, port } = parseAddress(address)
      // As node-redis writes it: an IPv6 address has no brackets.
      const reached = await this.#addressMap(`${host}:${port}`)
      if (reached !== undefined && reached !== null && !isAddress(reached)) {
        throw new TypeError('option "nodeAddressMap" must return { host, port } or undefined')
      }
      core.answerAddress(question, reached ? { host: reached.host, port: reached.port } : undefined)
    } catch (error) {
      core.answerThrown(question, keep(error))
    }
  }
}

/** The error for an answer of the reconnect strategy that is none. It shows no value of its own. */
function noDelay (answer) {
  // A rejected promise that nobody handles would end the process.
  if (typeof answer?.then === 'function') answer.then(undefined, () => {})
  const shown = typeof answer === 'number' ? inspect(answer) : kindOf(answer)
  return new TypeError('option "socket.reconnectStrategy" must return false, an Error or a ' +
    `number of milliseconds, not ${shown}; the default delay is used`)
}

function kindOf (value) {
  if (value === null || value === undefined) return String(value)
  return typeof value.then === 'function' ? 'a promise' : `a value of type ${typeof value}`
}

function isAddress ({ host, port }) {
  return typeof host === 'string' && host !== '' && isPort(port)
}

const STOP = -1
/** Longer delays would be cut by the timers of Node in a program that came from node-redis. */
const MOST_DELAY = 2 ** 31 - 1

module.exports = { Answers }
