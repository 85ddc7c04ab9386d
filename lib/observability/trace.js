'use strict'

/*
 * What is told of commands and chains while somebody listens. Loaded by the first of them.
 *
 * A message is made before its command is sent, because senders change the list of large values.
 */

const { batchChannel, commandChannel, replyChannel } = require('../channels')
const { HIDDEN, argumentsOf, redacted } = require('./redact')

/**
 * Sends one command by `run`, and tells of it.
 * @param {import('../boundary/sender').Sender} sender
 * @param {Array | null} chunks as in `argumentsOf`
 * @param {string} text
 * @param {{ name?: string }} row
 * @param {() => Promise<unknown>} run
 */
function traceCommand (sender, chunks, text, row, run) {
  const args = argumentsOf(chunks, text)
  const message = messageOf(sender, args)
  const promise = commandChannel.hasSubscribers ? commandChannel.trace(message, run) : run()
  if (message.command === 'SELECT' && 'database' in sender) noteSelected(sender, args, promise)
  // As in node-redis, only of methods: the reply of a command that was put together by hand, or of
  // a script, has a form that nobody knows.
  const isMethod = row.name !== undefined && !UNTOLD.has(message.command)
  if (replyChannel.hasSubscribers && isMethod) {
    const { args: shown, clientId } = message
    promise.then(reply => replyChannel.publish({ args: shown, reply, clientId }), () => {})
  }
  return promise
}

/**
 * Sends the commands of a pipeline by `run`, and tells of each.
 * @param {import('../boundary/sender').Sender} sender
 * @param {{ chunks: Array | null, text: string }[]} commands
 * @param {() => Promise<unknown>[]} run
 */
function tracePipeline (sender, commands, run) {
  const messages = commands.map(({ chunks, text }) => ({
    ...messageOf(sender, argumentsOf(chunks, text)),
    batchMode: 'PIPELINE',
    batchSize: commands.length
  }))
  return run().map((promise, i) => commandChannel.trace(messages[i], () => promise))
}

/**
 * Executes a chain by `run`, and tells of it as a whole.
 * @param {import('../boundary/sender').Sender} sender
 * @param {'MULTI' | 'PIPELINE'} batchMode
 * @param {{ row: { command?: string } }[]} items its commands
 * @param {() => Promise<unknown[]>} run
 */
function traceBatch (sender, batchMode, items, run) {
  const message = { batchMode, batchSize: items.length, ...about(sender) }
  const names = items.map(({ row: { command = HIDDEN } }) => command.split(' ', 1)[0])
  // Not a field of the message, which is node-redis's.
  BATCHES.set(message, names)
  return batchChannel.trace(message, run)
}

/** The names of the commands of a chain that a message is about. */
function namesOf (message) {
  return BATCHES.get(message) ?? []
}

/** Message -> the names of its commands. */
const BATCHES = new WeakMap()

function messageOf (sender, args) {
  const { command, args: shown, key } = redacted(args)
  const { database, clientId, serverAddress, serverPort } = about(sender, key)
  return { command, args: shown, database, clientId, serverAddress, serverPort }
}

/** Who sends it where. A sender whose client has ended may not know. */
function about (sender, key) {
  const { identity } = sender
  if (identity === undefined) return NOBODY
  const { clientId } = identity
  const database = sender.database ?? identity.database
  const { serverAddress, serverPort } = identity.server(sender.placeFor(key))
  return { database, clientId, serverAddress, serverPort }
}

/** A session that has selected a database tells that one from then on. */
function noteSelected (sender, args, promise) {
  promise.then(() => { sender.database = Number(args[1]) }, () => {})
}

/** Methods whose replies are not told, as in node-redis: they say nothing but OK. */
const UNTOLD = new Set(['SELECT', 'UNWATCH', 'WATCH'])

const NOBODY = Object.freeze({
  database: undefined, clientId: undefined, serverAddress: undefined, serverPort: undefined
})

module.exports = { namesOf, traceBatch, traceCommand, tracePipeline }
