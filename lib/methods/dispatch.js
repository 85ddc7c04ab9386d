'use strict'

/*
 * Hands encoded commands to a sender: text or large values, with or without an AbortSignal, over a
 * shared connection or over one of their own.
 */

const { abortedBefore, onAbort } = require('../abort')
const { batchChannel, commandChannel, isObserved } = require('../channels')

/**
 * Sends one command.
 * @param {import('../boundary/sender').Sender} bridge
 * @param {{ chunks: Array | null, body: string }} w the argument writer, with the arguments
 * @param {string} head what stands in front of them
 * @param {{ mode: number, command?: string, reply?: Function }} row
 * @param {object} options compiled command options
 * @param {object | undefined} context for `row.reply`
 */
function dispatch (bridge, { chunks, body }, head, row, options, context) {
  if (chunks !== null) chunks[0] = head + chunks[0]
  const text = chunks === null ? head + body : body
  return send(bridge, options, chunks, text, options.mode | row.mode, row, context)
}

/**
 * Sends one command that may wait on the server for `waits` ms, or for ever if that is 0. It gets a
 * session of its own, because it would hold up everything behind it on a shared connection.
 */
function dispatchBlocking (bridge, { chunks, body, waits }, head, row, options, context) {
  if (chunks !== null) chunks[0] = head + chunks[0]
  const text = chunks === null ? head + body : body
  const { signal } = options
  const run = () => bridge.sendBlocking(
    { chunks, text, mode: options.mode | row.mode, waits, row, context, signal })
  return isObserved() ? observer().traceCommand(bridge, chunks, text, row, run) : run()
}

/** Sends `text`, with the large values in `chunks` in front of it if that is not null. */
function send (bridge, options, chunks, text, mode, row, context) {
  if (!isObserved()) return sendUntold(bridge, options, chunks, text, mode, row, context)
  return observer().traceCommand(bridge, chunks, text, row,
    () => sendUntold(bridge, options, chunks, text, mode, row, context))
}

/** `send` of what is no command of its own, so that nobody is told of it. */
function sendUntold (bridge, options, chunks, text, mode, row, context) {
  const { signal, timeout } = options
  if (signal !== undefined && signal.aborted) return Promise.reject(abortedBefore(signal.reason))
  const before = signal === undefined ? 0 : bridge.latestId
  const promise = chunks === null
    ? bridge.send(text, mode, timeout, row, context)
    : bridge.sendLarge(chunks, text, mode, timeout, row, context)
  if (signal !== undefined) {
    const { latestId } = bridge
    // A command that was refused has no id.
    if (latestId !== before) endOnAbort(bridge, signal, latestId, promise)
  }
  return promise
}

/**
 * Sends several commands in one turn and over one connection: see `Sender.sendTogether`.
 * @returns {Promise<unknown>[]}
 */
function sendTogether (bridge, options, commands) {
  if (!commandChannel.hasSubscribers) return sendAll(bridge, options, commands)
  return observer().tracePipeline(bridge, commands, () => sendAll(bridge, options, commands))
}

function sendAll (bridge, options, commands) {
  const { signal, timeout } = options
  const isLarge = commands.some(({ chunks }) => chunks !== null)
  if (!isLarge || signal?.aborted) {
    return commands.map(({ chunks, text, mode, row, context }) =>
      sendUntold(bridge, options, chunks, text, mode, row, context))
  }
  if (signal === undefined) return bridge.sendTogether(commands, timeout)
  return bridge.sendTogether(commands, timeout,
    (promise, id) => endOnAbort(bridge, signal, id, promise))
}

/**
 * Executes a chain by `run`, and tells those who listen to chains.
 * @param {'MULTI' | 'PIPELINE'} batchMode
 * @param {{ row: object }[]} items its commands
 * @param {() => Promise<unknown[]>} run
 */
function executeBatch (bridge, batchMode, items, run) {
  if (!batchChannel.hasSubscribers) return run()
  return observer().traceBatch(bridge, batchMode, items, run)
}

/** Loaded by the first command that somebody listens to: most programs are not watched. */
function observer () {
  return require('../observability/trace')
}

/** Ends command `id`, which `promise` waits for, when `signal` is aborted. */
function endOnAbort (bridge, signal, id, promise) {
  const forget = onAbort(signal, () => bridge.abort(id, signal.reason))
  promise.then(forget, forget)
}

/** What the transform of a reply gets besides the reply; undefined if that is nothing. */
function contextOf ({ typeMapping }, preserved) {
  if (typeMapping === undefined && preserved === undefined) return undefined
  return { typeMapping, preserved }
}

module.exports = {
  contextOf, dispatch, dispatchBlocking, executeBatch, send, sendTogether, sendUntold
}
