'use strict'

/*
 * A span for each command and for each chain, made of what the diagnostics channels tell. The
 * commands of a chain have none of their own.
 */

const { batchChannel, commandChannel } = require('../channels')
const { namesOf } = require('../observability/trace')
const { COMMON, errorOf, serverOf } = require('./attributes')
const { filter } = require('./options')

/**
 * @param {{ startSpan: Function }} tracer
 * @param {{ SpanKind: { CLIENT: number }, SpanStatusCode: { ERROR: number } }} api
 * @param {object} options checked ones
 */
function trace (tracer, api, options) {
  const isWanted = filter(options)
  const spans = new WeakMap()
  // `start` runs in the caller's context, so the span is the child of the caller's.
  const start = (message, name, attributes) => {
    const own = { ...COMMON, ...serverOf(message), 'db.operation.name': name, ...attributes }
    spans.set(message, tracer.startSpan(name, { kind: api.SpanKind.CLIENT, attributes: own }))
  }
  const end = message => {
    const span = spans.get(message)
    if (span === undefined) return
    spans.delete(message)
    if ('error' in message) {
      span.setAttributes(errorOf(message.error))
      span.recordException(message.error)
      span.setStatus({ code: api.SpanStatusCode.ERROR, message: message.error?.message })
    }
    span.end()
  }
  commandChannel.start.subscribe(message => {
    const { command, args, batchMode } = message
    if (batchMode !== undefined || !isWanted(command)) return
    start(message, command, { 'db.query.text': textOf(args) })
  })
  batchChannel.start.subscribe(message => {
    const { batchMode, batchSize } = message
    if (!isWanted(batchMode)) return
    const size = batchSize > 1 ? { 'db.operation.batch.size': batchSize } : {}
    start(message, nameOf(batchMode, namesOf(message)), size)
  })
  for (const channel of [commandChannel, batchChannel]) channel.asyncEnd.subscribe(end)
}

/** `MULTI SET` if all commands of a chain are the same, else `MULTI`. */
function nameOf (batchMode, names) {
  return new Set(names).size === 1 ? `${batchMode} ${names[0]}` : batchMode
}

/** The redacted arguments. Those of a command with very many keys are cut. */
function textOf (args) {
  const shown = args.length > MOST ? [...args.slice(0, MOST), '...'] : args
  return shown.join(' ')
}

/** More arguments than a person reads, and fewer than would make a span large. */
const MOST = 100

module.exports = { trace }
