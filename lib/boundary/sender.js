'use strict'

/*
 * What clients, views, chains and sessions send their commands through.
 *
 * `Sender` is the interface, so that nobody has to guess by missing members what it holds. The
 * kinds of senders:
 *
 *   Bridge          the lanes of a client of one server
 *   ClusterBridge   the lanes of a client of several nodes; SentinelBridge extends it
 *   NodeBridge      the lane of one node of a cluster
 *   SessionBridge   the connection of one session
 *   ClosedSender    nothing: a session was released; ClosedBridge: a client was closed
 *
 * The first two and `ClosedBridge` are a client's own, and know its sessions, subscriptions and
 * nodes as well: see the second half of the class.
 */

const { ClientClosedError } = require('../errors')

/** The interface. Each kind of sender overrides what it does in another way. */
class Sender {
  constructor () {
    /** Whether nothing can be sent any more: every command is refused. */
    this.isClosed = false
    /** Whether commands that only read may go to replicas. */
    this.readsReplicas = false
  }

  /** The id that the last command has got. A command that is refused gets none. */
  get latestId () {
    return 0
  }

  /** Who its client is, for those who watch: an `Identity`; undefined if nobody knows. */
  get identity () {
    return undefined
  }

  /**
   * The place of the node that takes a command with this key, or without one; undefined where there
   * is one server.
   */
  placeFor () {
    return undefined
  }

  /** Of a session: whether it was not ended, and its connection stands. */
  get isUp () {
    return false
  }

  /**
   * Queues one command for the end of the turn.
   * @param {string} encoded RESP, a char for each byte
   * @param {number} mode what the reply becomes (mode.js)
   * @param {number} timeout deadline in ms; 0 for none
   * @param {{ command?: string, reply?: Function }} row `command` is what errors call it, `reply`
   *   the transform of the reply
   * @param {{ typeMapping?: object, preserved?: unknown } | undefined} context for `row.reply`
   * @returns {Promise<unknown>}
   */

  /**
   * `sendLarge (chunks, tail, mode, timeout, row, context)` sends one command that holds large
   * values, with everything queued before it, at once: the caller may change its Buffers
   * afterwards. `chunks` holds text and large values in turns; `tail` is the text behind them.
   */

  /**
   * Queues several commands that go out together, over one connection.
   * @param {{ chunks: Array | null, text: string, mode: number, row: object, context: object }[]}
   *   commands `text` is the command, or with `chunks` the tail of `sendLarge`
   * @param {number} timeout
   * @param {(promise: Promise<unknown>, id: number) => void} [taken] called for each command that
   *   was not refused
   * @returns {Promise<unknown>[]}
   */
  sendTogether (commands, timeout, taken) {
    return commands.map(({ chunks, text, mode, row, context }) => {
      const before = this.latestId
      const promise = chunks === null
        ? this.send(text, mode, timeout, row, context)
        : this.sendLarge(chunks, text, mode, timeout, row, context)
      const { latestId } = this
      if (taken !== undefined && latestId !== before) taken(promise, latestId)
      return promise
    })
  }

  /** Hands over what is queued, without waiting for the end of the turn. */
  flush () {}

  /* What only the sender of a client has. */

  /** Whether a connection stands, so that commands are written at once. */
  get isConnected () {
    return false
  }

  /** The shards and their nodes, as the native side tells them; empty for one server. */
  shards () {
    return []
  }

  /** The sentinels: all that are known, and the one that is listened to. */
  sentinels () {
    return { all: [], watched: null }
  }

  /** The place of the node that takes writes to `slot` (default: any slot); null if unknown. */
  primaryOf () {
    return null
  }

  /** A sender to the node at `place` and to no other. */
  way () {
    return this
  }

  /** Tells those who watch that something about the nodes has changed. */
  changed () {}

  /** Asks where everything is; resolves when something has changed, or after a while. */
  async refresh () {}
}

/** Refuses every command. */
class ClosedSender extends Sender {
  #text
  #code
  #cause

  /**
   * @param {string} text why, for the error's message
   * @param {string} [code] the error's code; default `CLOSED`
   * @param {Error} [cause] what has led to it
   */
  constructor (text, code, cause) {
    super()
    this.#text = text
    this.#code = code
    this.#cause = cause
    this.isClosed = true
  }

  refusal () {
    const details = { code: this.#code, applied: 'no', cause: this.#cause }
    return new ClientClosedError(this.#text, details)
  }

  async send () {
    throw this.refusal()
  }

  async sendLarge () {
    throw this.refusal()
  }

  async sendBlocking () {
    throw this.refusal()
  }
}

/** Stands in for the bridge of a client that is closed. */
class ClosedBridge extends ClosedSender {
  #identity

  /**
   * @param {object} [identity] that of the client
   * @param {Error} [reason] why the client has ended, if nobody has closed it
   */
  constructor (identity, reason) {
    super(undefined, undefined, reason)
    this.#identity = identity
    /** Nobody runs in a session; callers that come now are counted for the symmetry only. */
    this.sessions = { running: 0 }
  }

  get identity () {
    return this.#identity
  }

  acquireNow () {
    return null
  }

  async acquire () {
    throw this.refusal()
  }

  async known () {
    throw this.refusal()
  }

  stats () {
    return null
  }

  drained () {}

  reference () {}

  async idle () {}

  close () {}
}

module.exports = { ClosedBridge, ClosedSender, Sender }
