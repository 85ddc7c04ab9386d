'use strict'

/*
 * What libraries look for in ioredis's `stream`: whether the connection can be written to, and a
 * way to break it. The bytes themselves are the native side's.
 */

class StreamView {
  #redis
  #isOpen = false

  constructor (redis) {
    this.#redis = redis
  }

  /** The connection stands. */
  open () {
    this.#isOpen = true
  }

  /** The connection is gone. */
  close () {
    this.#isOpen = false
  }

  get writable () {
    return this.#isOpen
  }

  get destroyed () {
    return !this.#isOpen
  }

  get remoteAddress () {
    return this.#isOpen ? this.#redis.options.host : undefined
  }

  get remotePort () {
    return this.#isOpen ? this.#redis.options.port : undefined
  }

  /** Breaks the connection, as a network would: another one follows. */
  destroy () {
    this.#redis.disconnect(true)
    return this
  }

  /** As `destroy`. */
  end () {
    return this.destroy()
  }
}

module.exports = { StreamView }
