'use strict'

/*
 * `client.multi()`: a chain of commands that run together, as a transaction or as a pipeline.
 *
 * Owns the chain: each method encodes its command at once and returns the chain, so wrong
 * arguments are kept and reject the execution, before anything is sent. A transaction is handed
 * over as one text, `MULTI` to `EXEC`, which no other command can get into and which is written
 * again as a whole or not at all. Knows of its client (or view, or session) only `_bridge`,
 * `_command`, `_keyPrefix`, `_database` and `_isSession`.
 *
 * Invariant: a chain leaves the connections that everybody shares as they were: a database that it
 * selects is given back within the transaction.
 */

const { inspect } = require('node:util')

const { Arguments, isText } = require('../arguments')
const {
  abortable, callback, commandName, compile, contextOf, endOnAbort, headOf
} = require('../methods/from-rows')
const { commands } = require('../commands')
const { STATE, SUBSCRIBE, flagsOf } = require('../commands/flags')
const { judge, waitOf } = require('../commands/guards')
const { BLOCK } = require('../mode')
const { addNamespaces } = require('../methods/namespaces')
const { gathered, refusal, results } = require('./multi-replies')

/** A chain of commands. Made by `client.multi()`; executed once. */
class RedisMulti {
  #target
  #writer = new Arguments()
  /** { row, text, chunks, preserved } of each command; `chunks` is null without large values. */
  #items = []
  /** What was wrong with the first wrong command. */
  #error = null
  #isSelecting = false
  #isDone = false
  #seen = null

  /** @param {object} target the client, view or session that executes the chain */
  constructor (target) {
    this.#target = target
  }

  /**
   * Selects a database for the commands behind it, in this transaction only (in a session for what
   * comes after as well). Not in a pipeline of a client, whose connections are shared.
   */
  select (db, transform) {
    const w = this._begin()
    try {
      w.int(db, 'db')
    } catch (error) {
      return this._refuse('select', error)
    }
    const row = { command: 'SELECT', reply: rawReply(transform), mode: 0 }
    return this._add(row, '*2\r\n$6\r\nSELECT\r\n', w)
  }

  /**
   * Adds any command: the name and the arguments, as strings or Buffers. `transform` gets the reply
   * (then `preserve` of `args`, and the type mapping) and returns what takes its place.
   */
  addCommand (args, transform) {
    return this.#addRaw('addCommand', args, rawReply(transform), args?.preserve)
  }

  /** Adds any command: the name and the arguments, as strings or Buffers. */
  sendCommand (args) {
    return this.#addRaw('sendCommand', args, undefined, args?.preserve)
  }

  /**
   * Adds a command that `parse` has put together, and which errors call `method`.
   * @param {string} method
   * @param {(prefix: string | Buffer | undefined) => import('./command-parser').Parser} parse
   * @param {Function} [reply] as that of a row
   */
  _addWhole (method, parse, reply) {
    if (this.#isDone) throw new TypeError(DONE)
    let parser
    try {
      parser = parse(this.#target._keyPrefix)
    } catch (error) {
      return this._refuse(method, error)
    }
    return this.#addRaw(method, parser.redisArgs, reply, parser.preserve)
  }

  #addRaw (method, args, reply, preserved) {
    const w = this._begin()
    try {
      checkRaw(args)
      for (const arg of args) w.arg(arg, 'args')
      w.preserved = preserved
    } catch (error) {
      return this._refuse(method, error)
    }
    const { name, flags } = judge(args)
    w.waits = waitOf(name, flags, args)
    const row = { command: commandName(args[0]), reply, mode: 0 }
    return this._add(row, `*${args.length}\r\n`, w)
  }

  /** Lends the argument writer. An option's getter may add a command meanwhile: it gets another. */
  _begin () {
    if (this.#isDone) throw new TypeError(DONE)
    const w = this.#writer ?? new Arguments()
    this.#writer = null
    w.reset(this.#target._keyPrefix)
    return w
  }

  /** Adds the command whose arguments are in `w`, behind `head`. */
  _add (row, head, w) {
    const { chunks, body, preserved, waits } = w
    if (chunks === null) this.#items.push({ row, text: head + body, chunks, preserved, waits })
    else {
      chunks[0] = head + chunks[0]
      // Sent in a later turn perhaps: until then the caller may have changed the Buffer.
      for (let i = 1; i < chunks.length; i += 2) {
        if (typeof chunks[i] !== 'string') chunks[i] = Buffer.from(chunks[i])
      }
      this.#items.push({ row, text: body, chunks, preserved, waits })
    }
    this.#isSelecting ||= row.command === 'SELECT'
    this.#writer = w
    return this
  }

  /** Keeps the error of a call whose arguments are wrong. */
  _refuse (method, error) {
    if (error instanceof TypeError) error.message = `${method}: ${error.message}`
    this.#error ??= error
    this.#writer = new Arguments()
    return this
  }

  /** Whether `name` is asked for the first time: a script is sent once, then named by its SHA-1. */
  _once (name) {
    this.#seen ??= new Set()
    return this.#seen.size !== this.#seen.add(name).size
  }

  /**
   * Executes the chain as a transaction, or with `true` as a pipeline; resolves to all replies.
   *
   * Rejects with `WatchError` if a watched key has changed, and with `MultiErrorReply` if commands
   * failed (`EXECABORT` if they were refused, so that nothing ran).
   */
  exec (execAsPipeline, done) {
    if (typeof execAsPipeline === 'function') return this.exec(false, execAsPipeline)
    const promise = execAsPipeline ? this.#pipeline() : this.#transaction()
    return typeof done === 'function' ? callback(promise, done) : promise
  }

  /** As `exec`; for the types, as node-redis has it. */
  execTyped (execAsPipeline, done) {
    return this.exec(execAsPipeline, done)
  }

  /** Sends the commands together, but not as a transaction: one may fail while others succeed. */
  execAsPipeline (done) {
    return this.exec(true, done)
  }

  /** As `execAsPipeline`; for the types, as node-redis has it. */
  execAsPipelineTyped (done) {
    return this.exec(true, done)
  }

  async #transaction () {
    const items = this.#finish()
    if (items.length === 0) return []
    const { _bridge: bridge, _command: options } = this.#target
    const context = { typeMapping: options.typeMapping, preserved: undefined, refused: new Map() }
    const { chunks, text } = this.#block(items)
    const outcome = send(bridge, options, chunks, text, options.mode | BLOCK, EXEC_ROW, context)
    let replies
    try {
      replies = await outcome
    } catch (error) {
      throw refusal(error, context.refused, items)
    }
    return results(replies, context.refused, items, options.typeMapping)
  }

  /** The text of the transaction, in `chunks` as far as there are large values. */
  #block (items) {
    const chunks = []
    let text = MULTI
    for (const item of items) {
      if (item.chunks !== null) {
        item.chunks[0] = text + item.chunks[0]
        for (const chunk of item.chunks) chunks.push(chunk)
        text = ''
      }
      text += item.text
    }
    if (this.#isSelecting && !this.#target._isSession) {
      const own = String(this.#target._database ?? 0)
      text += `*2\r\n$6\r\nSELECT\r\n$${own.length}\r\n${own}\r\n`
    }
    return { chunks: chunks.length === 0 ? null : chunks, text: text + EXEC }
  }

  async #pipeline () {
    const items = this.#finish()
    if (!this.#target._isSession) checkShared(items, this.#isSelecting)
    const { _bridge: bridge, _command: options } = this.#target
    const sent = items.map(({ row, text, chunks, preserved }) => {
      const context = row.reply === undefined ? undefined : contextOf(options, { preserved })
      return { chunks, text, mode: options.mode | row.mode, row, context }
    })
    return gathered(await Promise.allSettled(sendAll(bridge, options, sent)))
  }

  #finish () {
    if (this.#isDone) throw new TypeError(DONE)
    this.#isDone = true
    if (this.#error !== null) throw this.#error
    const items = this.#items
    this.#items = []
    return items
  }

  /** Shows no key and no value. */
  [inspect.custom] () {
    return `${this.constructor.name} { commands: ${this.#items.length} }`
  }
}

const { prototype } = RedisMulti
prototype.SELECT = prototype.select
prototype.EXEC = prototype.exec

/** The commands of a module on a chain. */
class ChainNamespace {
  constructor (owner) {
    this._owner = owner
  }

  _begin () {
    return this._owner._begin()
  }

  _add (row, head, w) {
    return this._owner._add(row, head, w)
  }

  _refuse (method, error) {
    return this._owner._refuse(method, error)
  }
}

addChained(prototype, commands)
addNamespaces(prototype, ChainNamespace, addChained)

/** Adds a method that appends to a chain, in both spellings, for each row of `table`. */
function addChained (prototype, table) {
  for (const row of table) {
    const method = chained(compile(row))
    for (const name of [row.name, row.upper, ...row.aliases]) define(prototype, name, method)
  }
}

function chained (row) {
  const encode = row.args
  return function (a, b, c, d, e, f, g) {
    const w = this._begin()
    try {
      if (row.variadic) encode(w, ...arguments)
      else if (encode !== undefined) encode(w, a, b, c, d, e, f, g)
    } catch (error) {
      return this._refuse(row.method, error)
    }
    return this._add(row, headOf(row, w.argc), w)
  }
}

/**
 * Adds a method that is not of the command table to the prototype of a subclass.
 * @param {object} prototype
 * @param {string} name
 * @param {object} row `command`, the name for errors; `encode (w, multi, ...args)`, which writes
 *   the whole command, its name first; `reply (reply, typeMapping, preserved)`, optional
 */
function addMultiMethod (prototype, name, { command, encode, reply }) {
  const row = { command, reply, mode: 0 }
  define(prototype, name, function (...args) {
    const w = this._begin()
    try {
      encode(w, this, ...args)
    } catch (error) {
      return this._refuse(name, error)
    }
    return this._add(row, `*${w.argc}\r\n`, w)
  })
}

/** Adds `multi` to the prototype of a client; its `_Multi` may be a subclass with more methods. */
function addMulti (prototype) {
  define(prototype, '_Multi', RedisMulti)
  for (const name of ['multi', 'MULTI']) {
    define(prototype, name, function () { return new this._Multi(this) })
  }
}

function define (prototype, name, value) {
  Object.defineProperty(prototype, name, { value, writable: true, configurable: true })
}

function send (bridge, options, chunks, text, mode, row, context) {
  const now = () => chunks === null
    ? bridge.send(text, mode, options.timeout, row, context)
    : bridge.sendLarge(chunks, text, mode, options.timeout, row, context)
  return options.signal === undefined ? now() : abortable(bridge, options.signal, now)
}

/** Sends commands in one turn, and in one batch even if they hold large values. */
function sendAll (bridge, options, commands) {
  const { signal } = options
  const isLarge = commands.some(({ chunks }) => chunks !== null)
  // A session has one connection, which keeps the order by itself.
  if (!isLarge || bridge.sendTogether === undefined || signal?.aborted) {
    return commands.map(({ chunks, text, mode, row, context }) =>
      send(bridge, options, chunks, text, mode, row, context))
  }
  const first = bridge.upcoming
  const promises = bridge.sendTogether(commands, options.timeout)
  if (signal !== undefined && bridge.upcoming !== first) {
    for (const [index, promise] of promises.entries()) {
      endOnAbort(bridge, signal, (first + index) >>> 0, promise)
    }
  }
  return promises
}

/** A caller's transform, in the order of arguments that rows have. */
function rawReply (transform) {
  if (transform === undefined) return undefined
  return (value, mapping, preserved) => transform(value, preserved, mapping)
}

/** Throws unless `args` is a command that can be part of a chain. */
function checkRaw (args) {
  if (!Array.isArray(args) || args.length === 0) {
    throw new TypeError('argument "args" must be a non-empty array')
  }
  for (let i = 0; i < args.length; i++) {
    if (!isText(args[i])) {
      throw new TypeError(`argument "args[${i}]" must be a string or a Buffer, ` +
        `not ${typeof args[i]}`)
    }
  }
  const name = commandName(args[0])
  if ((flagsOf(args[0], args[1]) & (STATE | SUBSCRIBE)) !== 0 && name !== 'SELECT') {
    throw new TypeError(`${name} cannot be part of a transaction or a pipeline: it acts on the ` +
      'connection, not on data')
  }
}

/** Throws if `items` cannot be sent one by one over a connection that others use as well. */
function checkShared (items, isSelecting) {
  if (isSelecting) {
    throw new TypeError('execAsPipeline: SELECT would change the database of every other command ' +
      'of this client; use exec(), or a session')
  }
  const blocking = items.find(({ waits }) => waits !== undefined)
  if (blocking !== undefined) {
    throw new TypeError(`execAsPipeline: ${blocking.row.command} may block, and would hold up ` +
      'every other command of this client; within exec() it never waits')
  }
}

const MULTI = '*1\r\n$5\r\nMULTI\r\n'
const EXEC = '*1\r\n$4\r\nEXEC\r\n'
const EXEC_ROW = { command: 'EXEC', reply: undefined }
const DONE = 'this chain was executed already: each needs a new multi()'

module.exports = { RedisMulti, addMulti, addMultiMethod }
