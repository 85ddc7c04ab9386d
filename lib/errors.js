'use strict'

/*
 * The errors of oxidis: a class for each way to fail. `kind` says stably what has failed. `code` is
 * what programs compare: the code of the operating system where an error stems from there, as
 * Node's own errors have it, else the kind.
 *
 * Where node-redis has a class for a failure, the class has its name and its message begins with
 * its text, since programs compare both.
 *
 * No message, stack or property holds a password, a key or a value. An `ErrorReply` keeps the text
 * of the server and the name of the command.
 */

const { isEnded, isRefusal, isRetryable, isServerText } = require('./error-replies')
const { put } = require('./fields')
const { find } = require('./thrown')

/** The base class of all errors of oxidis. */
class OxidisError extends Error {
  /** The system's code where the error stems from the system, else the kind. */
  code = undefined
  /** Stable: what has failed. Of an `ErrorReply` the first word of the server's text. */
  kind = undefined
  /** Whether the same call may succeed later. */
  retryable = false

  /**
   * @param {string} message
   * @param {{ code?: string, applied?: 'no' | 'unknown', retryable?: boolean, cause?: unknown }}
   *   [details]
   */
  constructor (message, details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.kind = details.code ?? this.constructor.code
    this.code = this.kind
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
class ConnectionError extends OxidisError {
  static code = 'CONNECT'

  constructor (message, details = {}) {
    super(message, details)
    const { cause } = details
    if (cause instanceof ConnectionError && SYSTEM_CODE.test(cause.code)) this.code = cause.code
  }
}

/** The server, or something in between, has closed the connection. */
class SocketClosedUnexpectedlyError extends ConnectionError {
  static code = 'UNEXPECTED_EOF'

  constructor (message = 'Socket closed unexpectedly', details = {}) {
    super(message, details)
  }
}

/** The server has not answered for too long, so that its connection was given up. */
class SocketTimeoutError extends ConnectionError { static code = 'DEAD_PEER' }

/** Connecting took longer than `socket.connectTimeout`, or than `connect({ timeout })`. */
class ConnectionTimeoutError extends ConnectionError {
  static code = 'CONNECT_TIMEOUT'

  /** @param {string} [reason] what it was waiting for */
  constructor (reason, details = {}) {
    super(withText('Connection timeout', reason), details)
    // What was met before is the cause. The error itself is that time has passed.
    this.code = this.kind
  }
}

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
class ClientClosedError extends OxidisError {
  static code = 'CLOSED'

  constructor (message = 'The client is closed', details = {}) {
    super(message, details)
  }
}

/** The client was closed while the command was under way. */
class DisconnectsClientError extends ClientClosedError {
  constructor (message = 'Disconnects client', details = {}) {
    super(message, details)
  }
}

/** There is no connection, and `disableOfflineQueue` is set. */
class ClientOfflineError extends OxidisError {
  static code = 'OFFLINE'

  constructor (message = 'The client is offline', details = {}) {
    super(message, details)
  }
}

/** `commandsQueueMaxLength` or `maxQueuedBytes` is reached. */
class QueueFullError extends OxidisError {
  static code = 'QUEUE_FULL'

  /** @param {string} [reason] which bound, and how much waits */
  constructor (reason, details = {}) {
    super(withText('The queue is full', reason), details)
  }
}

/** The command's AbortSignal was aborted. */
class AbortError extends OxidisError {
  static code = 'ABORT_ERR'

  constructor (message = 'The command was aborted', details = {}) {
    super(message, details)
  }
}

/** A watched key has changed before EXEC, or may have: nothing of the transaction was run. */
class WatchError extends OxidisError {
  static code = 'WATCH'

  constructor (message = 'One (or more) of the watched keys has been changed', details = {}) {
    super(message, { applied: 'no', retryable: true, ...details })
  }
}

/**
 * The server sent something that is not RESP, that breaks a limit, or that is no reply to the
 * command.
 */
class ProtocolError extends OxidisError { static code = 'PROTOCOL' }
/** None of the root nodes could be reached. */
class RootNodesUnavailableError extends OxidisError {
  static code = 'ROOT_NODES_UNAVAILABLE'

  /** @param {string} [reason] what each of them said */
  constructor (reason, details = {}) {
    super(withText('All the root nodes are unavailable', reason), details)
  }
}

/** A command was redirected too often. */
class MaxCommandRedirectionsError extends OxidisError {
  static code = 'MAX_REDIRECTIONS'

  /** @param {string} [reason] how often, and where to */
  constructor (reason, details = {}) {
    super(withText('Too many Cluster redirections', reason), details)
  }
}

/**
 * The primary has changed while an iterator went through its keys. Another server does not know its
 * cursor, so the iteration has to begin again.
 */
class ScanIteratorInterruptedError extends OxidisError {
  static code = 'SCAN_INTERRUPTED'

  constructor (message = 'Scan iteration was interrupted by a Sentinel master change',
    details = {}) {
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
    super(message ?? `${errorIndexes.length} commands failed, see .replies and .errorIndexes for ` +
      'more information', { code: 'MULTI', ...details })
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
  MaxCommandRedirectionsError,
  DisconnectsClientError,
  WatchError
]
const CONNECTION = KINDS.indexOf(ConnectionError)

/** What the operating system calls its errors, as Node spells it: `ECONNREFUSED`, `EAI_AGAIN`. */
const SYSTEM_CODE = /^E(?:AI_)?[A-Z]+$/

/** Kinds of errors of a connection that the peer has closed. */
const CLOSED_BY_PEER = new Set(['CONNECTION_LOST', 'HANDSHAKE'])

/** The numbers of those that are made of an error of the application. Their `code` is a token. */
const STRATEGY = 13
const CALLBACK = 14

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
    const details = {
      code,
      applied: applied ?? undefined,
      retryable: retryable === 1,
      cause: cause ?? undefined
    }
    if (kind === CONNECTION) return ofConnection(message, details)
    return new KINDS[kind](message, details)
  } finally {
    limitStacks(limit)
  }
}

/** The error of a connection, of the class that node-redis has for it. */
function ofConnection (message, details) {
  const { code, cause } = details
  if (CLOSED_BY_PEER.has(code) && cause?.kind === 'UNEXPECTED_EOF') {
    return new SocketClosedUnexpectedlyError(undefined, details)
  }
  if (code === 'UNEXPECTED_EOF') {
    // node-redis's words say less than ours, which tell whether it was in the middle of a reply.
    details.cause ??= new ConnectionError(message, details)
    return new SocketClosedUnexpectedlyError(undefined, details)
  }
  const Class = code === 'DEAD_PEER' ? SocketTimeoutError : ConnectionError
  return new Class(message, details)
}

/** node-redis's text for a failure, and what there is to say besides. */
function withText (text, reason) {
  return reason === undefined ? text : `${text}: ${reason}`
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
  SocketClosedUnexpectedlyError,
  SocketTimeoutError,
  ConnectionTimeoutError,
  ReconnectStrategyError,
  TimeoutError,
  ClientClosedError,
  DisconnectsClientError,
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
