'use strict'

/*
 * The results of a chain: the reply of each command, as its own method would give it, and errors.
 *
 * The native side decodes the reply of EXEC as one array. It does not know the shapes of the
 * replies inside, so lists that stand for maps become maps here. An error stands at the index of
 * its command.
 */

const { toMap, toObject } = require('../boundary/values')
const { isServerText } = require('../error-replies')
const { RESP_TYPES } = require('../resp-types')
const {
  ErrorReply, MultiErrorReply, OxidisError, ProtocolError, WatchError, answering, fromTransform,
  unbuildable
} = require('../errors')
const { put } = require('../fields')
const { FLAT, PAIRS } = require('../mode')

/**
 * The results of a transaction.
 * @param {unknown} replies what EXEC was answered with
 * @param {Map<number, Error>} refused index of a refused part -> its error; part 0 is MULTI
 * @param {object[]} items the chain's commands
 * @param {boolean} isRestoring whether one more command stands behind them, for the client itself
 * @param {object | undefined} typeMapping
 */
function results (replies, refused, items, isRestoring, typeMapping) {
  if (replies === null) {
    throw new WatchError()
  }
  // Without its MULTI the server has run each command by itself.
  if (refused.has(0)) throw unopened(refused, items)
  // With one reply too many, each might be that of the command before.
  if (!Array.isArray(replies) || replies.length !== items.length + Number(isRestoring)) {
    throw new ProtocolError('the server answered EXEC with something else than a reply for each ' +
      'command', { code: 'REPLY_SHAPE', applied: 'unknown' })
  }
  const errorIndexes = []
  const all = items.map(({ row, preserved }, index) => {
    const reply = replies[index]
    try {
      if (reply instanceof OxidisError) throw answering(reply, row)
      const shaped = row.mode === 0 ? reply : inShape(reply, row.mode, typeMapping)
      return row.reply === undefined ? shaped : row.reply(shaped, typeMapping, preserved)
    } catch (error) {
      errorIndexes.push(index)
      return named(fromTransform(error), row)
    }
  })
  if (errorIndexes.length > 0) throw failed(all, errorIndexes)
  return all
}

/** The error of a transaction that got `error` instead of EXEC's array. */
function refusal (error, refused, items) {
  if (!(error instanceof ErrorReply)) return error
  if (refused.has(0)) return unopened(refused, items)
  if (error.code !== 'EXECABORT') return error
  const replies = new Array(items.length).fill(undefined)
  const errorIndexes = []
  let cause
  for (const [place, reason] of refused) {
    cause ??= reason
    const index = place - 1
    // The part behind the commands of the chain is the SELECT of the client's database.
    if (index >= items.length) continue
    replies[index] = named(reason, items[index].row)
    errorIndexes.push(index)
  }
  const { message, code, command } = error
  const retryable = refused.size > 0 && [...refused.values()].every(reason => reason.retryable)
  const details = { message, code, applied: 'no', retryable, cause }
  return Object.assign(new MultiErrorReply(replies, errorIndexes, details), { command })
}

/** The error of a transaction whose MULTI was refused: the commands behind it may have run. */
function unopened (refused, items) {
  const error = named(refused.get(0), { command: 'MULTI' })
  const isUntouched = items.every(({ row }, index) => isWithoutEffect(refused.get(index + 1), row))
  error.applied = isUntouched ? 'no' : 'unknown'
  return error
}

/** Whether a command with this error has changed nothing. A script may have, before it failed. */
function isWithoutEffect (error, row) {
  return error !== undefined && (!row.isOpaque || isServerText(error.message))
}

/** The replies of a pipeline's commands. */
function gathered (outcomes) {
  const errorIndexes = []
  const replies = outcomes.map(({ status, value, reason }, index) => {
    if (status === 'fulfilled') return value
    errorIndexes.push(index)
    return reason
  })
  if (errorIndexes.length > 0) throw failed(replies, errorIndexes)
  return replies
}

function failed (replies, errorIndexes) {
  const errors = errorIndexes.map(index => replies[index])
  const isLost = errors.some(error => error?.applied === 'unknown')
  return new MultiErrorReply(replies, errorIndexes,
    { cause: errors[0], applied: isLost ? 'unknown' : undefined })
}

function named (error, row) {
  if (row.command !== undefined && error instanceof OxidisError) put(error, 'command', row.command)
  return error
}

/** Gives a reply the shape that its mode says: as the native side does for a reply by itself. */
function inShape (reply, mode, typeMapping) {
  if (!Array.isArray(reply)) return reply
  if ((mode & PAIRS) === 0) return (mode & FLAT) === 0 ? reply : reply.flat()
  const wanted = typeMapping?.[RESP_TYPES.MAP]
  // A mapping to Array wants the flat list that it is. An odd list is no map.
  if (reply.length % 2 !== 0 || wanted === Array) return reply
  try {
    return wanted === Map ? toMap(reply) : toObject(reply)
  } catch (error) {
    throw unbuildable(error)
  }
}

module.exports = { gathered, refusal, results }
