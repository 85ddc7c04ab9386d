'use strict'

/*
 * The errors of oxidis: one class for each way to fail, each with a stable `code`.
 *
 * No message, stack or property holds a password, a key or a value: `ErrorReply` keeps the
 * server's text and the command's name, nothing else of the command.
 */

const { isEnded, isRetryable } = require('./error-replies')

/** What all errors of oxidis have in common. */
class OxidisError extends Error {
  /**
   * @param {string} message
   * @param {{ code?: string, applied?: 'no' | 'unknown', retryable?: boolean, cause?: unknown }}
   *   [details]
   */
  constructor (message, details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    /** Stable; for `ErrorReply` the first word of the server's text. */
    this.code = details.code ?? this.constructor.code
    /** Whether the same call may succeed later. */
    this.retryable = details.retryable ?? false
    /** Where a command was lost: whether the server may have run it. */
    if (details.applied !== undefined) this.applied = details.applied
  }

  get name () {
    return this.constructor.name
  }
}

/** The server answered with an error. */
class ErrorReply extends OxidisError {
  constructor (message, details = {}) {
    super(message, { ...details, code: details.code ?? firstWord(message) })
  }
}

/** A connection could not be made, or was lost with commands under way. */
class ConnectionError extends OxidisError { static code = 'CONNECT' }
/** Connecting took longer than `socket.connectTimeout`. */
class ConnectionTimeoutError extends ConnectionError { static code = 'CONNECT_TIMEOUT' }
/** A command's deadline has passed, or the wait for a connection of the pool. */
class TimeoutError extends OxidisError { static code = 'TIMEOUT' }
/** The client has been closed. */
class ClientClosedError extends OxidisError { static code = 'CLOSED' }
/** There is no connection, and `disableOfflineQueue` is set. */
class ClientOfflineError extends OxidisError { static code = 'OFFLINE' }
/** `commandsQueueMaxLength` or `maxQueuedBytes` is reached. */
class QueueFullError extends OxidisError { static code = 'QUEUE_FULL' }
/** The command's AbortSignal was aborted. */
class AbortError extends OxidisError { static code = 'ABORT_ERR' }
/** A watched key changed before EXEC. */
class WatchError extends OxidisError { static code = 'WATCH' }
/** The server sent something that is not RESP, or that breaks a limit. */
class ProtocolError extends OxidisError { static code = 'PROTOCOL' }
/** None of the root nodes could be reached. */
class RootNodesUnavailableError extends OxidisError { static code = 'ROOT_NODES_UNAVAILABLE' }
/** A command was redirected too often. */
class MaxCommandRedirectionsError extends OxidisError { static code = 'MAX_REDIRECTIONS' }

/** The primary has changed while an iterator went through its keys: a cursor is worth nothing to
 * another server, so it has to begin again. */
class ScanIteratorInterruptedError extends OxidisError {
  static code = 'SCAN_INTERRUPTED'

  constructor (message = 'the primary has changed: begin the iteration again', details = {}) {
    super(message, { retryable: true, ...details })
  }
}

/** Commands of a transaction or a pipeline failed. */
class MultiErrorReply extends ErrorReply {
  /**
   * @param {unknown[]} replies all replies, errors among them
   * @param {number[]} errorIndexes which of them are errors
   * @param {{ message?: string, code?: string, applied?: 'no' | 'unknown', cause?: unknown }}
   *   [details]
   */
  constructor (replies, errorIndexes, { message, ...details } = {}) {
    super(message ?? `${errorIndexes.length} commands failed, see replies and errorIndexes`,
      { code: 'MULTI', ...details })
    this.replies = replies
    this.errorIndexes = errorIndexes
  }

  /** The errors among the replies. */
  * errors () {
    for (const index of this.errorIndexes) yield this.replies[index]
  }
}

/** The classes by the number that the native side gives them (`src/error.rs`, `ErrorClass`). */
const KINDS = [
  ErrorReply,
  ConnectionError,
  ConnectionTimeoutError,
  TimeoutError,
  ClientClosedError,
  ClientOfflineError,
  QueueFullError,
  ProtocolError,
  ConnectionError,
  RootNodesUnavailableError,
  MaxCommandRedirectionsError
]

/**
 * The error for what the native side tells. It has no stack of its own: it is made in a callback
 * of the event loop, whose frames say nothing about the caller, and a hundred thousand of them
 * may come at once.
 */
function fromNative (kind, code, message, applied, retryable, cause) {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return new KINDS[kind](message, {
      code,
      applied: applied ?? undefined,
      retryable: retryable === 1,
      cause: cause ?? undefined
    })
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** The error for an error reply of the server. */
function fromReply (text) {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    const code = firstWord(text)
    const message = text.replace(ECHOED, '')
    const applied = isEnded(code) ? 'no' : undefined
    return new ErrorReply(message, { code, applied, retryable: isRetryable(code) })
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** Servers repeat the arguments of a command that they do not know: keys and values. */
const ECHOED = /, with args beginning with: .*$/s

function firstWord (text) {
  const end = text.search(/[\s]/)
  return end === -1 ? text : text.slice(0, end)
}

module.exports = {
  OxidisError,
  ErrorReply,
  ConnectionError,
  ConnectionTimeoutError,
  TimeoutError,
  ClientClosedError,
  ClientOfflineError,
  QueueFullError,
  AbortError,
  WatchError,
  MultiErrorReply,
  ProtocolError,
  RootNodesUnavailableError,
  MaxCommandRedirectionsError,
  ScanIteratorInterruptedError,
  fromNative,
  fromReply
}
