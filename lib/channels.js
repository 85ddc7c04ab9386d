'use strict'

/*
 * The diagnostics channels on which oxidis tells what it does
 * (https://nodejs.org/api/diagnostics_channel.html).
 *
 * Their names and their messages are those of node-redis 6, so that tools which watch node-redis
 * see oxidis as well. Here are the names and the channels, and nothing else: whoever publishes
 * looks at `hasSubscribers` first, and makes the message only then.
 */

const diagnostics = require('node:diagnostics_channel')

/** The names of the channels, as node-redis exports them. Programs subscribe by them. */
const CHANNELS = Object.freeze({
  TRACE_COMMAND: 'node-redis:command',
  TRACE_BATCH: 'node-redis:batch',
  TRACE_CONNECT: 'node-redis:connect',
  CONNECTION_READY: 'node-redis:connection:ready',
  CONNECTION_CLOSED: 'node-redis:connection:closed',
  CONNECTION_RELAXED_TIMEOUT: 'node-redis:connection:relaxed-timeout',
  CONNECTION_HANDOFF: 'node-redis:connection:handoff',
  ERROR: 'node-redis:error',
  MAINTENANCE: 'node-redis:maintenance',
  PUBSUB: 'node-redis:pubsub',
  CACHE_REQUEST: 'node-redis:cache:request',
  CACHE_EVICTION: 'node-redis:cache:eviction',
  COMMAND_REPLY: 'node-redis:command:reply',
  POOL_CONNECTION_WAIT: 'node-redis:pool:connection-wait'
})

/**
 * The five channels of one tracing channel. Not Node's own class: its `hasSubscribers` is missing
 * before Node.js 20.13, and its `tracePromise` returns another promise than it was given, which is
 * rejected beside the first one.
 */
class TracingChannel {
  /** @param {string} name */
  constructor (name) {
    this.start = diagnostics.channel(`tracing:${name}:start`)
    this.end = diagnostics.channel(`tracing:${name}:end`)
    this.asyncStart = diagnostics.channel(`tracing:${name}:asyncStart`)
    this.asyncEnd = diagnostics.channel(`tracing:${name}:asyncEnd`)
    this.error = diagnostics.channel(`tracing:${name}:error`)
  }

  /** Whether anybody listens to any part of it. */
  get hasSubscribers () {
    return this.start.hasSubscribers || this.asyncEnd.hasSubscribers ||
      this.error.hasSubscribers || this.end.hasSubscribers || this.asyncStart.hasSubscribers
  }

  /**
   * Calls `run` and tells of its beginning and its end. `run` is called in the context that the
   * subscribers of `start` have bound. Returns the very promise that `run` has returned, so that a
   * failure is the caller's alone to handle; its subscribers hear of the end before the caller.
   * @template T
   * @param {object} message gets `result` or `error`
   * @param {() => Promise<T>} run
   * @returns {Promise<T>}
   */
  trace (message, run) {
    return this.start.runStores(message, () => {
      try {
        const promise = run()
        promise.then(result => {
          message.result = result
          this.asyncStart.publish(message)
          this.asyncEnd.publish(message)
        }, error => {
          message.error = error
          this.error.publish(message)
          this.asyncStart.publish(message)
          this.asyncEnd.publish(message)
        })
        return promise
      } catch (error) {
        message.error = error
        this.error.publish(message)
        throw error
      } finally {
        this.end.publish(message)
      }
    })
  }
}

/** The channels themselves. They are kept, so that looking at one costs no search by its name. */
const commandChannel = new TracingChannel(CHANNELS.TRACE_COMMAND)
const batchChannel = new TracingChannel(CHANNELS.TRACE_BATCH)
const connectChannel = new TracingChannel(CHANNELS.TRACE_CONNECT)
const readyChannel = diagnostics.channel(CHANNELS.CONNECTION_READY)
const closedChannel = diagnostics.channel(CHANNELS.CONNECTION_CLOSED)
const errorChannel = diagnostics.channel(CHANNELS.ERROR)
const pubSubChannel = diagnostics.channel(CHANNELS.PUBSUB)
const cacheRequestChannel = diagnostics.channel(CHANNELS.CACHE_REQUEST)
const cacheEvictionChannel = diagnostics.channel(CHANNELS.CACHE_EVICTION)
const replyChannel = diagnostics.channel(CHANNELS.COMMAND_REPLY)
const waitChannel = diagnostics.channel(CHANNELS.POOL_CONNECTION_WAIT)

/** Whether anybody listens to commands or to their replies. */
function isObserved () {
  return commandChannel.hasSubscribers || replyChannel.hasSubscribers
}

module.exports = {
  CHANNELS,
  batchChannel,
  cacheEvictionChannel,
  cacheRequestChannel,
  closedChannel,
  commandChannel,
  connectChannel,
  errorChannel,
  isObserved,
  pubSubChannel,
  readyChannel,
  replyChannel,
  waitChannel
}
