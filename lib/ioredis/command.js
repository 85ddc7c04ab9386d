'use strict'

/*
 * One command: its name, its arguments, and who waits for its reply.
 *
 * Owns the forms of arguments that ioredis takes and the transformers, which hold for the whole
 * process. Programs that trace commands replace `sendCommand` and see these objects; they may
 * replace `resolve` and `reject` of one before it is sent.
 *
 * Invariant: every argument is a string or bytes once the command is made, and the promise is
 * settled by nothing but `resolve` and `reject`.
 */

const { isUint8Array } = require('node:util').types

const { Thrown } = require('../errors')
const { put } = require('../fields')
const { nextTick } = require('../timers')
const { FLAGS } = require('./command-flags')
const { encode } = require('./encode')
const { factsOf } = require('./facts')
const { addPrefix, keysIn } = require('./prefix')

class Command {
  /**
   * @param {string} name
   * @param {unknown[]} [args] one level of arrays is flattened
   * @param {{ replyEncoding?: string | null, keyPrefix?: string | Buffer, errorStack?: Error,
   *   readOnly?: boolean }} [options] without `replyEncoding` the reply has Buffers
   * @param {(error: unknown, reply?: unknown) => void} [callback]
   */
  constructor (name, args, options, callback) {
    this.name = name
    this.facts = factsOf(name)
    this.args = prepared(name, args ?? [])
    this.callback = callback
    this.replyEncoding = options?.replyEncoding
    this.isReadOnly = options?.readOnly === true
    this.errorStack = options?.errorStack
    this.inTransaction = false
    this.isTraced = false
    /** The instance that has sent it last, and its turn among the commands of that instance. */
    this.owner = null
    this.seq = 0
    /** The transform of the reply; undefined if it stays as it is. */
    this.reply = undefined
    /** The link that it was sent over last. */
    this.link = null
    /** What is kept of the encoded command, where the caller may change its bytes meanwhile. */
    this.kept = null
    this.context = undefined
    /** Whether it may wait on the server. */
    this.blocks = false
    /** The script that it runs, and whether that is its second try; see scripts.js. */
    this.script = null
    this.isSecond = false
    /** Ends its wait for a connection; and when its deadline passes (ms). */
    this.timer = null
    this.due = 0
    const { keyPrefix } = options ?? NOTHING
    if (keyPrefix) addPrefix(name, this.args, keyPrefix)
    this.promise = options?.isBare ? undefined : this.begin()
  }

  /** A promise for the reply. */
  begin () {
    const promise = new Promise(capture)
    this.resolve = captured.resolve
    this.reject = captured.reject
    if (this.callback !== undefined) tell(promise, this.callback)
    return promise
  }

  /** The keys among the arguments. */
  getKeys () {
    return keysIn(this.name, this.args).map(index => this.args[index])
  }

  /** The command failed with `error`: its owner knows what that means. */
  failed (error) {
    this.owner._failed(this, error)
  }

  /** Ends the command with `error`, with the stack of its call if that is wanted. */
  fail (error) {
    if (this.errorStack !== undefined) withStack(error, this.errorStack)
    this.reject(error)
  }

  /** Ends the command with a text of the face's own in place of the server's reply. */
  answer (text) {
    this.resolve(this.replyEncoding ? text : Buffer.from(text))
  }

  /** Whether the reply is strings, and not Buffers. */
  get isText () {
    return this.replyEncoding === 'utf8'
  }

  /** Whether the caller may change what the command says before it is sent again. */
  get isKept () {
    const { args } = this
    for (let i = 0; i < args.length; i++) if (typeof args[i] !== 'string') return true
    return false
  }

  /** Takes copies of bytes, which the caller may change once the call has returned. */
  own () {
    const { args } = this
    for (let i = 0; i < args.length; i++) {
      if (typeof args[i] !== 'string') args[i] = Buffer.from(args[i])
    }
  }

  /** The command as text for the wire; see encode.js. */
  encode (link) {
    if (this.script !== null) this.script.choose(this, link)
    return encode(this)
  }

  /**
   * Gives a decoded reply the form that the caller wants.
   * @param {unknown} reply strings for text, else with Buffers
   * @param {{ protocol: number, replyMapping: string }} context
   */
  transformReply (reply, context = LEGACY) {
    if (this.replyEncoding && this.replyEncoding !== 'utf8') {
      reply = inEncoding(reply, this.replyEncoding)
    }
    const transformer = Command._transformer.reply[this.name]
    if (transformer === undefined) return reply
    const { protocol, replyMapping } = context
    return transformer(reply, { commandName: this.name, protocol, replyMapping })
  }

  /** Whether the command has the flag, in ioredis's own table. */
  static checkFlag (flagName, commandName) {
    return FLAGS[flagName].has(String(commandName).toLowerCase())
  }

  /** Changes the arguments of all commands of this name: `f(args)` returns them. */
  static setArgumentTransformer (name, f) {
    this._transformer.argument[name] = f
  }

  /** Changes the replies of all commands of this name: `f(reply, context)` returns it. */
  static setReplyTransformer (name, f) {
    this._transformer.reply[name] = f
  }
}

/** The transformers by the name of the command. Both are read at each call. */
Command._transformer = { argument: { __proto__: null }, reply: { __proto__: null } }

/** Tells `callback` of the outcome. What it throws becomes an uncaught exception. */
function tell (promise, callback) {
  promise.then(
    reply => run(callback, null, reply),
    error => run(callback, error)
  )
}

function run (callback, ...outcome) {
  try {
    callback(...outcome)
  } catch (error) {
    nextTick(rethrow, error)
  }
}

function rethrow (error) {
  throw error
}

/** The arguments as they are sent: strings and bytes. */
function prepared (name, given) {
  let args = flattened(given)
  const transformer = Command._transformer.argument[name]
  if (transformer !== undefined) {
    args = transformer(args)
    if (!Array.isArray(args)) throw new TypeError(`the argument transformer of ${name} must ` +
      'return an array')
  }
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]
    if (typeof arg !== 'string' && !isUint8Array(arg)) args[i] = asText(arg)
  }
  return args
}

/** A copy of the arguments, with the items of arrays among them. `flat()` takes 20 times longer. */
function flattened (args) {
  const list = []
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]
    if (Array.isArray(arg)) for (let j = 0; j < arg.length; j++) list.push(arg[j])
    else list.push(arg)
  }
  return list
}

/** A value as ioredis sends it. */
function asText (value) {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return BigInt(value).toString()
  }
  return String(value)
}

/** The fields of a sole object or Map, as they are sent. */
function spread (object) {
  return object instanceof Map ? [...object].flat(1) : Object.entries(object).flat(1)
}

const isFields = value => typeof value === 'object' && value !== null && !isUint8Array(value)

const fieldsOnly = args => args.length === 1 && isFields(args[0]) ? spread(args[0]) : args
const fieldsBehindKey = args =>
  args.length === 2 && isFields(args[1]) ? [args[0], ...spread(args[1])] : args

for (const name of ['mset', 'msetnx']) Command.setArgumentTransformer(name, fieldsOnly)
for (const name of ['hset', 'hmset']) Command.setArgumentTransformer(name, fieldsBehindKey)

/** HGETALL's reply as an object. The native side makes it where nobody has replaced this one. */
function hgetall (reply) {
  if (!Array.isArray(reply)) return reply
  const object = {}
  for (let i = 0; i < reply.length; i += 2) put(object, String(reply[i]), reply[i + 1])
  return object
}

Command.setReplyTransformer('hgetall', hgetall)

/** The replies as strings of another encoding. */
function inEncoding (reply, encoding) {
  if (Buffer.isBuffer(reply)) return reply.toString(encoding)
  if (Array.isArray(reply)) return reply.map(one => inEncoding(one, encoding))
  return reply
}

/** A transform for the promise ring: what it throws is the caller's own error. */
function asReply (command, context) {
  return reply => {
    try {
      return command.transformReply(reply, context)
    } catch (error) {
      throw new Thrown(error)
    }
  }
}

/** Gives `error` the stack of the call that has failed, without the frames in here. */
function withStack (error, { stack }) {
  const frames = stack.split('\n').slice(1)
  const first = frames.findIndex(frame => !frame.includes(__dirname))
  const [head] = String(error.stack ?? error).split('\n    at ')
  error.stack = [head, ...frames.slice(Math.max(first, 0))].join('\n')
}

// One executor for all promises, as in bridge.js.
const captured = { resolve: undefined, reject: undefined }
function capture (resolve, reject) {
  captured.resolve = resolve
  captured.reject = reject
}

const NOTHING = Object.freeze({})
const LEGACY = Object.freeze({ protocol: 2, replyMapping: 'legacy' })

module.exports = { Command, asReply, hgetall, run, tell }
