'use strict'

/*
 * The errors of oxidis: a class for each way to fail, each with a stable `code`.
 *
 * No message, stack or property holds a password, a key or a value. An `ErrorReply` keeps the text
 * of the server and the name of the command.
 */

const { isEnded, isRefusal, isRetryable, isServerText } = require('./error-replies')
const { put } = require('./fields')
const { find } = require('./thrown')

/** The base class of all errors of oxidis. */
class OxidisError extends Error {
  /** Stable. Of an `ErrorReply`: the first word of the server's text. */
  code = undefined
  /** Whether the same call may succeed later. */
  retryable = false

  /**
   * @param {string} message
   * @param {{ code?: string, applied?: 'no' | 'unknown', retryable?: boolean, cause?: unknown }}
   *   [details]
   */
  constructor (message, details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = details.code ?? this.constructor.code
    this.retryable = details.retryable ?? false
    /** Whether the server may have run the command. Absent where the server has answered it. */
    if (details.applied !== undefined) put(this, 'applied', details.applied)
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
/** The function `socket.reconnectStrategy` has returned an Error, so there is no other attempt. */
class ReconnectStrategyError extends ConnectionError {
  static code = 'RECONNECT_STRATEGY'

  /**
   * @param {Error} originalError what the strategy has returned
   * @param {unknown} socketError why there was no connection
   * @param {{ code?: string, applied?: 'no' | 'unknown', retryable?: boolean }} [details]
   */
  constructor (originalError, socketError, details = {}) {
    super(originalError.message, { ...details, cause: originalError })
    this.originalError = originalError
    this.socketError = socketError
  }
}
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
/**
 * The server sent something that is not RESP, that breaks a limit, or that is no reply to the
 * command.
 */
class ProtocolError extends OxidisError { static code = 'PROTOCOL' }
/** None of the root nodes could be reached. */
class RootNodesUnavailableError extends OxidisError { static code = 'ROOT_NODES_UNAVAILABLE' }
/** A command was redirected too often. */
class MaxCommandRedirectionsError extends OxidisError { static code = 'MAX_REDIRECTIONS' }

/**
 * The primary has changed while an iterator went through its keys. Another server does not know its
 * cursor, so the iteration has to begin again.
 */
class ScanIteratorInterruptedError extends OxidisError {
  static code = 'SCAN_INTERRUPTED'

  constructor (message = 'the primary has changed: begin the iteration again', details = {}) {
    super(message, { retryable: true, ...details })
  }
}

/** Commands of a transaction or a pipeline have failed. */
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

/** The classes by the numbers that the native side uses (`src/error.rs`, `ErrorClass`). */
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

/** The numbers of those that are made of an error of the application. Their `code` is a token. */
const STRATEGY = 11
const CALLBACK = 12

/**
 * Makes an error that the native side tells of. It has no stack: it is made in a callback of the
 * event loop, whose frames say nothing about the caller, and a hundred thousand may come at once.
 */
function fromNative (kind, code, message, applied, retryable, cause) {
  if (kind === CALLBACK) return find(code, message)
  const limit = Error.stackTraceLimit
  limitStacks(0)
  try {
    if (kind === STRATEGY) {
      const details = { applied: applied ?? undefined }
      return new ReconnectStrategyError(find(code, message), cause, details)
    }
    return new KINDS[kind](message, {
      code,
      applied: applied ?? undefined,
      retryable: retryable === 1,
      cause: cause ?? undefined
    })
  } finally {
    limitStacks(limit)
  }
}

/** Makes the error for an error reply of the server. */
function fromReply (text) {
  const limit = Error.stackTraceLimit
  limitStacks(0)
  try {
    const code = WRAPPED.exec(text)?.[1] ?? firstWord(text)
    return new ErrorReply(readable(text), { code, retryable: isRetryable(code) })
  } finally {
    limitStacks(limit)
  }
}

/** Where `Error` is frozen, errors have the stacks that they would rather be without. */
function limitStacks (limit) {
  try {
    Error.stackTraceLimit = limit
  } catch {}
}

/** The error in place of a reply that JavaScript cannot hold: making its value threw `cause`. */
function unbuildable (cause) {
  return new ProtocolError('JavaScript cannot make a value of the reply: its cause says why, and ' +
    'another type mapping may help', { code: 'REPLY_UNBUILDABLE', cause })
}

/** The error of a reply that is none to its command: `where` says what was expected in it. */
function misshapen (where, cause) {
  return new ProtocolError(`the server sent what is no reply to this command${where}`,
    { code: 'REPLY_SHAPE', cause })
}

/**
 * The error of a command whose transform has thrown `error` for its reply. A function of the caller
 * may throw what it likes. Our own has met a reply that it was not made for, whatever it throws: a
 * TypeError would say that the arguments were wrong and that nothing was sent.
 */
function fromTransform (error) {
  if (error instanceof Thrown) return error.error
  if (error instanceof OxidisError) return error
  return misshapen('', error)
}

/** What a function of the caller has thrown, on its way through our own functions. */
class Thrown {
  error

  constructor (error) {
    this.error = error
  }
}

/**
 * Notes which command `error` answers, and what follows from that. Where the command runs a
 * program, or is not in the command table, the first word of an error may be the program's, which
 * may have written by then. Otherwise a blocking command whose wait was ended has taken nothing.
 * @param {unknown} error
 * @param {{ command?: string, isOpaque?: boolean }} row
 */
function answering (error, { command, isOpaque }) {
  if (!(error instanceof OxidisError)) return error
  if (command !== undefined) put(error, 'command', command)
  if (!(error instanceof ErrorReply) || error.applied !== undefined) return error
  const { code, message } = error
  if (!isOpaque) {
    if (isEnded(code)) put(error, 'applied', 'no')
  } else if (isRefusal(code) && !isServerText(message)) {
    put(error, 'applied', 'unknown')
  }
  return error
}

/** The text of an error reply without what the server repeats of the caller's arguments. */
function readable (text) {
  return text.replace(ECHOED, '').replace(RULE, '$1***$2')
}

/** Servers repeat the arguments of a command that they do not know, which may be secret. */
const ECHOED = /, with args beginning with: .*$/s
/** Servers repeat the rule of ACL SETUSER that they refuse, which may be a password: `>secret`. */
const RULE = /^(.*?(?:ACL SETUSER modifier|acl selector starting at) ').*('(?:: |\.?$).*)$/is
/** What servers before 7.0 put around an error that a script has met; captures that one's code. */
const WRAPPED = /^ERR Error running script \(call to \S+\): (?:@\w+: ?\d+: )+-?([A-Z]+) /

function firstWord (text) {
  const end = text.search(/[\s]/)
  return end === -1 ? text : text.slice(0, end)
}

module.exports = {
  OxidisError,
  ErrorReply,
  ConnectionError,
  ConnectionTimeoutError,
  ReconnectStrategyError,
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
  Thrown,
  answering,
  fromNative,
  fromReply,
  fromTransform,
  misshapen,
  unbuildable
}
