'use strict'

/*
 * One connection of an instance, from the attempt to make it to its end.
 *
 * A bridge whose native side never connects a second time: the instance decides when there is
 * another connection, and makes another link for it. So no command reaches a connection that the
 * instance does not know yet, with another database or without its MULTI.
 *
 * Invariant: the link keeps the process alive until it is closed.
 */

const { Bridge } = require('../boundary/bridge')
const { copyValues, lengthOf } = require('../boundary/batch')
const { PATIENT } = require('../mode')
const { ReplyError } = require('./errors')
const { LIMITS, POOL_OF_ONE } = require('./options')

/**
 * The class of links over a class of bridges: that of one server, or of several nodes.
 * @param {typeof Bridge} Base
 */
const linkOf = Base => class Link extends Base {
  /**
   * @param {object} options the native core's
   * @param {(name: string, ...details: unknown[]) => void} onEvent
   * @param {{ max: number, acquireTimeout: number, leakThreshold: number }} [pool]
   */
  constructor (options, onEvent, pool = POOL_OF_ONE) {
    super(options, LIMITS, pool, onEvent)
    /** The scripts that were sent whole over this connection, by their SHA-1. */
    this.scripts = new Set()
    /** Commands under way that may wait on the server. */
    this.blocked = 0
    /** Why the instance has closed it, for the commands under way; null if it has not. */
    this.ending = null
    this.keepAlive.stay()
  }

  /** Sends a command of the link itself, which makes it connect. */
  ask (text, row) {
    const answer = this.send(text, PATIENT, 0, row, undefined)
    // Alone: the commands of the same turn do not wait for a connection.
    this.flush()
    return answer
  }

  /**
   * Sends `command`, whose own functions are told of the reply.
   * @param {import('./command').Command} command
   * @param {number} mode
   * @param {number} timeout in ms; 0 for none
   */
  post (command, mode, timeout) {
    command.link = this
    const { text, chunks } = command.kept ?? command.encode(this)
    if (command.kept === null && command.isKept) command.kept = keptOf(text, chunks)
    // The list is changed on its way.
    this.put(command, text, chunks && [...chunks], mode, timeout, command.context)
  }

  /** Queues encoded text for `row`, which has `resolve`, `reject`, `failed` and maybe `reply`. */
  put (row, text, chunks, mode, timeout, context) {
    const length = chunks === null ? text.length : lengthOf(chunks, text)
    if (this.promises.pending >= this.limits.maxCommands ||
      this.queued + this.batch.text.length + length > this.watermark) {
      const refusal = this.refusal(length, 1, chunks === null ? text : chunks.join(''))
      if (refusal !== null) return row.fail(refusal)
    }
    if (chunks !== null) this.batch.putBefore(chunks)
    this.batch.add(text, length, mode, timeout)
    const id = this.nextId
    this.nextId = (id + 1) & LAST_ID
    this.promises.put(id, row.resolve, row.reject, row, context)
    if (chunks !== null) this.flush(chunks)
  }

  get isNeeded () {
    return !this.isClosed
  }

  drained () {
    if (this.isClosed && this.isQuiet) this.core.dispose()
  }

  callbacks (onEvent) {
    return Object.assign(super.callbacks(onEvent), { replyError })
  }
}

/** A link to one server. */
const Link = linkOf(Bridge)

/** A copy of an encoded command whose bytes the caller may change. */
function keptOf (text, chunks) {
  if (chunks === null) return { text, chunks }
  const copies = [...chunks]
  copyValues(copies)
  return { text, chunks: copies }
}

/** Makes the error for an error reply. It has no stack: see `fromReply` of the first face. */
function replyError (text) {
  const limit = Error.stackTraceLimit
  try {
    Error.stackTraceLimit = 0
  } catch {}
  try {
    return new ReplyError(text)
  } finally {
    try {
      Error.stackTraceLimit = limit
    } catch {}
  }
}

/** The highest id of a command of a lane, as in bridge.js. */
const LAST_ID = 2 ** 31 - 1

module.exports = { Link, linkOf }
