'use strict'

/*
 * What programs that trace can subscribe to: ioredis's channels `ioredis:command`,
 * `ioredis:batch` and `ioredis:connect`, of `node:diagnostics_channel`.
 *
 * Values are never told: arguments behind the key are `?`, as in ioredis, with fewer exceptions.
 */

const { tracingChannel } = require('node:diagnostics_channel')

const [command, batch, connect] = ['command', 'batch', 'connect']
  .map(name => tracingChannel(`ioredis:${name}`))

/** Whether anybody listens to commands. */
function tracesCommands () {
  return hasSubscribers(command)
}

function hasSubscribers ({ start, end, asyncStart, asyncEnd, error }) {
  return start.hasSubscribers || asyncEnd.hasSubscribers || error.hasSubscribers ||
    end.hasSubscribers || asyncStart.hasSubscribers
}

/** Tells of a command that was sent; `send` returns its promise. */
function traceCommand (redis, { name, args }, send) {
  const traced = command.tracePromise(send, { command: name, args: shown(name, args),
    ...placeOf(redis) })
  // Its caller has the promise of the command itself.
  traced?.catch(() => {})
}

/** Tells of a transaction. */
function traceBatch ({ redis, length }, run) {
  if (!hasSubscribers(batch)) return run()
  const traced = batch.tracePromise(run, { batchMode: 'MULTI', batchSize: Math.max(length - 1, 0),
    ...placeOf(redis) })
  traced.catch(() => {})
  return traced
}

/** Tells of an attempt to connect. */
function traceConnect (redis, run) {
  if (!hasSubscribers(connect)) return run()
  const { serverAddress, serverPort } = placeOf(redis)
  return connect.tracePromise(run,
    { serverAddress, serverPort, connectionEpoch: redis.connectionEpoch + 1 })
}

function placeOf ({ condition, options: { db, host, path, port } }) {
  return {
    database: condition?.select ?? db ?? 0,
    serverAddress: path || host || 'localhost',
    serverPort: path ? undefined : port || 6379
  }
}

/** The arguments that may be shown: those that are no values. */
function shown (name, args) {
  const count = SHOWN.find(([names]) => names.test(name))?.[1] ?? 0
  return args.map((arg, index) => index < count ? String(arg) : '?')
}

/** Commands -> how many of their arguments are keys, fields or words. Others show none. */
const SHOWN = [
  [/^echo$/i, 0],
  [/^(?:hset|hmset|lset|linsert)$/i, 2],
  [/^(?:getset|lpush|mset|pfadd|psetex|publish|rpush|sadd|set|setex|setnx|spublish)$/i, 1],
  [/^(?:del|exists|expire|get|hget|hgetall|hmget|incr|decr|mget|ttl|type|unlink)$/i, Infinity],
  [/^(?:bl|br|bz|h|l|s|x|z|geo)[a-z]+$/i, 1]
]

module.exports = { traceBatch, traceCommand, traceConnect, tracesCommands }
