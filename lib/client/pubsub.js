'use strict'

/*
 * The methods to subscribe, to unsubscribe and to monitor.
 *
 * Names and forms are node-redis's. A Node-style callback may follow the listener, as with
 * commands. Wrong arguments reject; they never throw. Channels are not keys, so the client's key
 * prefix is not put in front of them.
 */

const { fail, isText, named } = require('../arguments')
const {
  CHANNELS, MONITOR, PATTERNS, SHARD_CHANNELS
} = require('../boundary/subscriptions')
const { settleWith } = require('../methods/callback')
const { defineGetter, defineMethod } = require('../methods/define')
const { RESP_TYPES } = require('../resp-types')

/** topic -> [its methods, the name of the first argument] */
const METHODS = new Map([
  [CHANNELS, ['subscribe', 'unsubscribe', 'channels']],
  [PATTERNS, ['pSubscribe', 'pUnsubscribe', 'patterns']],
  [SHARD_CHANNELS, ['sSubscribe', 'sUnsubscribe', 'channels']]
])

/** node-redis's names of the topics. */
const TYPES = new Map([['CHANNELS', CHANNELS], ['PATTERNS', PATTERNS], ['SHARDED', SHARD_CHANNELS]])

/** Adds the methods, in both spellings, to `prototype`. */
function addPubSub (prototype) {
  for (const [topic, [subscribe, unsubscribe, names]] of METHODS) {
    add(prototype, subscribe, subscriber(topic, subscribe, names))
    add(prototype, unsubscribe, unsubscriber(topic, unsubscribe, names))
  }
  add(prototype, 'monitor', monitor)
  add(prototype, 'reset', reset)
  /**
   * The listeners of a kind of subscriptions: a Map of channels to `{ buffers, strings }`, which
   * are Sets. Changing it changes nothing.
   * @param {'CHANNELS' | 'PATTERNS' | 'SHARDED'} type
   */
  defineMethod(prototype, 'getPubSubListeners', function (type) {
    const topic = TYPES.get(type)
    if (topic === undefined) {
      throw new TypeError("getPubSubListeners: argument \"type\" must be 'CHANNELS', " +
        "'PATTERNS' or 'SHARDED'")
    }
    const { _bridge: bridge } = this
    return bridge.isClosed ? new Map() : bridge.subscriptions.listenersOf(topic)
  })
  defineGetter(prototype, 'isPubSubActive', function () {
    const bridge = this._bridge
    return !bridge.isClosed && bridge.subscriptions.isPubSubActive
  })
}

function add (prototype, name, method) {
  defineMethod(prototype, [name, name.toUpperCase()], method)
}

/** (names, listener, bufferMode?, callback?) */
function subscriber (topic, method, argument) {
  return function (names, listener, bufferMode, done) {
    if (typeof bufferMode === 'function') [bufferMode, done] = [false, bufferMode]
    return settle(done, () => {
      const list = listOf(names, method, argument)
      if (typeof listener !== 'function') refuse(method, 'listener', 'a function', listener)
      const { timeout } = this._command
      return open(this).subscribe(topic, list, listener, isBuffer(bufferMode, method), timeout)
    })
  }
}

/** (names?, listener?, bufferMode?, callback?) */
function unsubscriber (topic, method, argument) {
  return function (names, listener, bufferMode, done) {
    if (typeof names === 'function') [names, done] = [undefined, names]
    else if (typeof bufferMode === 'function') [bufferMode, done] = [false, bufferMode]
    return settle(done, () => {
      const list = isAbsent(names) ? undefined : listOf(names, method, argument)
      if (isAbsent(listener)) listener = undefined
      else if (typeof listener !== 'function') refuse(method, 'listener', 'a function', listener)
      const { timeout } = this._command
      return open(this).unsubscribe(topic, list, listener, isBuffer(bufferMode, method), timeout)
    })
  }
}

/**
 * Calls `listener` with each line that MONITOR sends, over a connection of its own. Resolves, once
 * MONITOR has begun, to a function that ends it.
 */
function monitor (listener, done) {
  return settle(done, async () => {
    if (typeof listener !== 'function') refuse('monitor', 'callback', 'a function', listener)
    const { timeout, typeMapping } = this._command
    const buffers = typeMapping?.[RESP_TYPES.SIMPLE_STRING] === Buffer
    const subscriptions = open(this)
    await subscriptions.subscribe(MONITOR, [''], listener, buffers, timeout)
    return () => subscriptions.unsubscribe(MONITOR, [''], listener, buffers, timeout)
  })
}

/** Ends all subscriptions and all MONITORs. */
function reset (done) {
  return settle(done, async () => {
    const subscriptions = open(this)
    const { timeout } = this._command
    await Promise.all([CHANNELS, PATTERNS, SHARD_CHANNELS, MONITOR].map(topic =>
      subscriptions.unsubscribe(topic, undefined, undefined, false, timeout)))
  })
}

function open ({ _bridge: bridge }) {
  if (bridge.isClosed) throw bridge.refusal()
  return bridge.subscriptions
}

function settle (done, begin) {
  let promise
  try {
    promise = begin()
  } catch (error) {
    promise = Promise.reject(error)
  }
  return settleWith(promise, done)
}

function listOf (names, method, argument) {
  if (!Array.isArray(names)) {
    if (!isText(names)) refuse(method, argument, 'a string, a Buffer or an array of them', names)
    return [names]
  }
  if (names.length === 0) refuse(method, argument, 'a non-empty array', names)
  names.forEach((name, i) => {
    if (!isText(name)) refuse(method, `${argument}[${i}]`, 'a string or a Buffer', name)
  })
  return names
}

function isBuffer (bufferMode, method) {
  if (isAbsent(bufferMode)) return false
  if (typeof bufferMode !== 'boolean') refuse(method, 'bufferMode', 'a boolean', bufferMode)
  return bufferMode
}

function isAbsent (value) {
  return value === undefined || value === null
}

function refuse (method, name, wanted, value) {
  try {
    fail(name, wanted, value)
  } catch (error) {
    throw named(method, error)
  }
}

module.exports = { addPubSub }
