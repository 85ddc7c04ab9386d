'use strict'

/*
 * The errors of the second face, with ioredis's classes and texts: programs compare both.
 *
 * Each has `code` as well, and `applied` where the server may or may not have run the command.
 * Classes that ioredis does not have are plain `Error`s, as there.
 */

const { ErrorReply, OxidisError, TimeoutError } = require('../errors')
const { put } = require('../fields')

/** What the server has answered, in its own words. It can be made by the application, too. */
class ReplyError extends ErrorReply {
  get name () {
    return 'ReplyError'
  }
}

/** The command was ended, because its transaction or its connection was. */
class AbortError extends Error {
  get name () {
    return this.constructor.name
  }
}

/** The connection could not be made so often that the command was given up. */
class MaxRetriesPerRequestError extends AbortError {
  /** @param {number} most the option `maxRetriesPerRequest` */
  constructor (most) {
    super(`Reached the max retries per request limit (which is ${most}). Refer to ` +
      '"maxRetriesPerRequest" option for details.')
    this.code = 'MAX_RETRIES'
  }
}

/** No node of a cluster could say where everything is. */
class ClusterAllFailedError extends Error {
  /** @param {unknown} lastNodeError what the last of them was asked in vain for */
  constructor (lastNodeError) {
    super('Failed to refresh slots cache.')
    this.code = 'CLUSTER_ALL_FAILED'
    this.lastNodeError = lastNodeError
  }

  get name () {
    return this.constructor.name
  }
}

const CONNECTION_CLOSED_ERROR_MSG = 'Connection is closed.'

/** The error of a command that a connection has taken along. */
function closed (applied, cause) {
  return detailed(new Error(CONNECTION_CLOSED_ERROR_MSG), 'CONNECTION_CLOSED', applied, cause)
}

/** The error of a command whose `commandTimeout` has passed. */
function timedOut (applied, cause) {
  return detailed(new Error('Command timed out'), 'TIMEOUT', applied, cause)
}

/** The error of a command that does not wait for a connection. */
function notWriteable () {
  const text = "Stream isn't writeable and enableOfflineQueue options is false"
  return detailed(new Error(text), 'OFFLINE', 'no')
}

/** The error of a part of a transaction whose connection is gone. */
function aborted (applied, cause) {
  const error = new AbortError('Command aborted due to connection close')
  return detailed(error, 'CONNECTION_CLOSED', applied, cause)
}

/** The error of a command that cannot be sent in the state that the connection is in. */
function refused (text) {
  return detailed(new Error(text), 'REFUSED', 'no')
}

function detailed (error, code, applied, cause) {
  error.code = code
  if (applied !== undefined) error.applied = applied
  if (cause !== undefined) put(error, 'cause', cause)
  return error
}

/** Whether `error` says that the connection has taken the command along. */
function isLoss (error) {
  return LOSSES.has(error.kind)
}

/**
 * The reply that an attempt to connect was refused with, such as WRONGPASS; null if it was not.
 * @param {unknown} error
 */
function replyBehind (error) {
  for (let one = error; one instanceof OxidisError; one = one.cause) {
    if (one instanceof ErrorReply) return one
  }
  return null
}

/**
 * The error of an attempt to connect, as Node's sockets have it: `connect ECONNREFUSED`.
 * @param {Error} error the native side's
 * @param {{ host?: string, port?: number, path?: string }} options
 */
function ofConnecting (error, { host, port, path }) {
  const reply = replyBehind(error)
  if (reply !== null) return asReply(reply)
  const cause = deepest(error)
  const isLate = error.kind === 'CONNECT_TIMEOUT' || cause.kind === 'CONNECT_TIMEOUT' ||
    error instanceof TimeoutError
  const code = isLate ? 'ETIMEDOUT' : systemCode(error)
  if (code === undefined) return error
  if (isLate) return system(new Error('connect ETIMEDOUT'), { code, syscall: 'connect' }, error)
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) {
    const named = new Error(`getaddrinfo ${code} ${host}`)
    return system(named, { code, syscall: 'getaddrinfo', hostname: host }, error)
  }
  const address = path ?? ADDRESS.exec(cause.message)?.[1] ?? host
  const where = path ?? `${address}:${port}`
  const details = path === undefined ? { address, port: Number(port) } : { address }
  return system(new Error(`connect ${code} ${where}`), { code, syscall: 'connect', ...details },
    error)
}

/** The error of a connection that has stood, if the system names one: `read ECONNRESET`. */
function ofLosing (error) {
  const code = systemCode(error)
  if (!LOST_BY_SYSTEM.has(code)) return null
  const syscall = code === 'EPIPE' ? 'write' : 'read'
  return system(new Error(`${syscall} ${code}`), { code, syscall }, error)
}

function systemCode (error) {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (SYSTEM_CODE.test(one.code)) return one.code
  }
}

function deepest (error) {
  while (error.cause instanceof Error) error = error.cause
  return error
}

function system (error, details, cause) {
  put(error, 'cause', cause)
  return Object.assign(error, details)
}

/** The error reply of the native side as a `ReplyError`. */
function asReply (error) {
  if (error instanceof ReplyError) return error
  return new ReplyError(error.message, { code: error.code, retryable: error.retryable })
}

const ADDRESS = /(\d+\.\d+\.\d+\.\d+|\[?[0-9a-f:]*::[0-9a-f:.]*\]?)(?::\d+)?/i
const SYSTEM_CODE = /^E(?:AI_)?[A-Z]+$/
/** What the system calls the end of a connection. A peer that closes it makes no error. */
const LOST_BY_SYSTEM = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH',
  'ENETUNREACH', 'ENETRESET', 'ECONNABORTED'])
const LOSSES = new Set(['CONNECTION_LOST', 'CLOSED', 'SESSION_LOST', 'DEAD_PEER',
  'UNEXPECTED_EOF', 'CONNECT', 'PROTOCOL'])

module.exports = {
  AbortError,
  CONNECTION_CLOSED_ERROR_MSG,
  ClusterAllFailedError,
  MaxRetriesPerRequestError,
  ReplyError,
  aborted,
  closed,
  isLoss,
  notWriteable,
  ofConnecting,
  ofLosing,
  refused,
  replyBehind,
  timedOut
}
