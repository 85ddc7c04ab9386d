'use strict'

/*
 * Tells of a client's connections and of its errors.
 *
 * Owns which lanes have a connection, and how many errors there were since the last one was made.
 * The native side tells JavaScript of the connections of lanes; those of sessions come and go
 * within the pool.
 */

const { closedChannel, errorChannel, readyChannel } = require('../channels')

class Connections {
  #identity
  /** The ids of the lanes that have a connection. */
  #up = new Set()
  /** Errors since a connection was made last. */
  #failures = 0
  #hasStopped = false

  /** @param {import('./identity').Identity} identity */
  constructor (identity) {
    this.#identity = identity
  }

  /** How many lanes have a connection. */
  get count () {
    return this.#up.size
  }

  /**
   * A lane has a connection.
   * @param {number} lane its id; with several nodes it is the place of the node
   * @param {number | null} took ms; null if the connection was there before this client
   */
  ready (lane, took) {
    // The lane has changed over to a new connection, and the old one was closed.
    if (this.#up.has(lane)) this.#close('replaced', true)
    this.#up.add(lane)
    this.#failures = 0
    if (took === null || !readyChannel.hasSubscribers) return
    const { clientId } = this.#identity
    readyChannel.publish({ clientId, ...this.#identity.server(lane), createTimeMs: took })
  }

  /** A lane has lost its connection. */
  lost (lane) {
    if (this.#up.delete(lane)) this.#close('error', true)
  }

  /** No further attempt to connect will be made, so that the client ends by itself. */
  stopped () {
    this.#hasStopped = true
  }

  /**
   * The client has ended, and all connections with it.
   * @param {boolean} isUsed whether it was ever used
   */
  ended (isUsed) {
    const [{ size }, hasStopped] = [this.#up, this.#hasStopped]
    this.#up.clear()
    this.#hasStopped = false
    for (let i = 0; i < size; i++) this.#close(hasStopped ? 'error' : BY_APPLICATION, true)
    // As in node-redis, a client that has given up has told its errors, and nothing else.
    if (size === 0 && isUsed && !hasStopped) this.#close(BY_APPLICATION, false)
  }

  failed (error) {
    const retryCount = this.#failures++
    if (!errorChannel.hasSubscribers) return
    const { clientId } = this.#identity
    errorChannel.publish({ error, origin: 'client', internal: false, clientId, retryCount })
  }

  #close (reason, wasConnected) {
    if (!closedChannel.hasSubscribers) return
    closedChannel.publish({ clientId: this.#identity.clientId, reason, wasConnected })
  }
}

const BY_APPLICATION = 'application_close'

module.exports = { Connections }
