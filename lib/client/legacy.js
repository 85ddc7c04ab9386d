'use strict'

/*
 * `client.legacy()`: the callback interface of node-redis 3, which node-redis still offers.
 *
 * Arguments are loose: nested arrays are flattened, numbers and dates become text. An error of a
 * call without a callback is an `error` event of the client. Replies are those of `sendCommand`,
 * except for HGETALL, which gives an object in both protocols. The client's `keyPrefix` is not put
 * in front of keys. There is a method for each command, but none for variants such as
 * `zRangeWithScores`: here the caller writes such arguments itself.
 */

const { isDate } = require('node:util').types

const { commands } = require('../commands')
const { object } = require('../commands/replies')
const { callback } = require('../methods/callback')
const { defineMethod, namesOf } = require('../methods/define')

/** Made by `client.legacy()`. */
class RedisLegacyClient {
  #client

  constructor (client) {
    this.#client = client
  }

  /** Sends any command: its name and arguments, then maybe a callback. */
  sendCommand (...args) {
    const done = takeCallback(args)
    this._settle(this.#client.sendCommand(flat(args)), done)
  }

  /** Closes the client when the pending commands are answered. */
  quit (done) {
    this._settle(this.#client.quit(), done)
  }

  /** A transaction: the same methods, without callbacks, then `exec(callback)`. */
  multi () {
    return new RedisLegacyMulti(this, this.#client.multi())
  }

  _call (row, args) {
    const done = takeCallback(args)
    const promise = this.#client.sendCommand([...row.command, ...flat(args)])
    const reply = replyOf(row)
    this._settle(reply === undefined ? promise : promise.then(reply), done)
  }

  _settle (promise, done) {
    const client = this.#client
    callback(promise, done ?? (error => { if (error !== null) client._onEvent('error', error) }))
  }
}

/** Made by `legacy().multi()`. */
class RedisLegacyMulti {
  #client
  #multi

  constructor (client, multi) {
    this.#client = client
    this.#multi = multi
  }

  /** Queues any command: its name and arguments. */
  sendCommand (...args) {
    this.#multi.addCommand(flat(args))
    return this
  }

  /** Runs the transaction: `callback(error, replies)`. */
  exec (done) {
    this.#client._settle(this.#multi.exec(), done)
  }

  _call (row, args) {
    this.#multi.addCommand([...row.command, ...flat(args)], replyOf(row))
    return this
  }
}

/** Whether a row is the command itself, and not a variant of it. */
function isWhole ({ upper, command }) {
  return letters(upper) === letters(command.join(''))
}

for (const row of commands.filter(isWhole)) {
  for (const { prototype } of [RedisLegacyClient, RedisLegacyMulti]) {
    defineMethod(prototype, namesOf(row), function (...args) { return this._call(row, args) })
  }
}

function letters (name) {
  return name.replace(/[_-]/g, '')
}

function replyOf ({ name }) {
  // RESP2 sends a flat list, RESP3 a map, which is an object already.
  if (name === 'hGetAll') return reply => Array.isArray(reply) ? object(reply) : reply
}

function takeCallback (args) {
  return typeof args.at(-1) === 'function' ? args.pop() : undefined
}

function flat (args) {
  return args.flat(Infinity)
    .map(arg => typeof arg === 'number' || isDate(arg) ? arg.toString() : arg)
}

module.exports = { RedisLegacyClient, isWhole }
