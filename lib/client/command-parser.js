'use strict'

/*
 * What the `parseCommand` of a script, a function or a custom module's command writes its arguments
 * to. node-redis calls this object a parser, and its methods are node-redis's.
 *
 * It keeps what was pushed, because definitions may read it back. It does not hold the words in
 * front (EVALSHA, the digest, the number of keys): they differ from one try to the next.
 */

const { checkText, fail, prefixed } = require('../arguments')

class CommandParser {
  #writer
  #args = []
  #keys = []

  /** @param {import('../arguments').Arguments} writer reset, with the client's key prefix */
  constructor (writer) {
    this.#writer = writer
    /** Handed to `transformReply` as its second argument. */
    this.preserve = undefined
  }

  /** What was pushed, keys with their prefix. */
  get redisArgs () {
    return this.#args
  }

  /** The keys that were pushed, with their prefix. */
  get keys () {
    return this.#keys
  }

  /** The first of them. */
  get firstKey () {
    return this.#keys[0]
  }

  /** Any number of arguments, strings or Buffers. */
  push (...args) {
    for (const arg of args) this.#add(arg, 'parser.push')
  }

  /** One argument or an array of them. */
  pushVariadic (args) {
    for (const arg of list(args)) this.#add(arg, 'parser.pushVariadic')
  }

  /** The number of arguments, then the arguments. */
  pushVariadicWithLength (args) {
    this.#add(String(list(args).length))
    this.pushVariadic(args)
  }

  /** One number or an array of them. */
  pushVariadicNumber (numbers) {
    for (const number of list(numbers)) {
      if (typeof number !== 'bigint' && (typeof number !== 'number' || number !== number)) {
        fail('parser.pushVariadicNumber', 'a number', number)
      }
      this.#add(String(number))
    }
  }

  /** One key; `withPrefix` false leaves the client's key prefix out. */
  pushKey (key, withPrefix = true) {
    this.#addKey(key, withPrefix, 'parser.pushKey')
  }

  /** One key or an array of them. */
  pushKeys (keys) {
    for (const key of list(keys)) this.#addKey(key, true, 'parser.pushKeys')
  }

  /** The number of keys, then the keys: for definitions without NUMBER_OF_KEYS. */
  pushKeysLength (keys) {
    this.#add(String(list(keys).length))
    this.pushKeys(keys)
  }

  #addKey (key, withPrefix, name) {
    checkText(key, name)
    const { prefix } = this.#writer
    const whole = withPrefix && prefix !== null ? prefixed(prefix, key, name) : key
    this.#add(whole, name)
    this.#keys.push(whole)
  }

  #add (arg, name) {
    this.#writer.arg(arg, name)
    this.#args.push(arg)
  }
}

function list (one) {
  return Array.isArray(one) ? one : [one]
}

module.exports = { CommandParser }
