'use strict'

/*
 * `client.multi()`: a chain of commands that run together, as a transaction or as a pipeline.
 *
 * Each method encodes its command at once and returns the chain. The error of a wrong argument is
 * kept, and rejects the execution before anything is sent. A transaction is handed over as one
 * text, from MULTI to EXEC: no other command can get into it, and it is written again as a whole or
 * not at all. Of its client (or view, or session) a chain uses only `_bridge`, `_command`,
 * `_keyPrefix`, `_database`, `_isSession` and `_useUpWatch`.
 *
 * Invariant: a chain leaves a connection that others share as it was. If it selects a database, the
 * client's own one is selected again within the same transaction.
 */

const { inspect } = require('node:util')

const { Arguments, named } = require('../arguments')
const { copyValues } = require('../boundary/batch')
const { encodedSelect } = require('../boundary/internal-commands')
const { STATE, SUBSCRIBE, factsOf } = require('../commands/flags')
const { judge, waitOf } = require('../commands/guards')
const { settleWith } = require('../methods/callback')
const { defineMethod, namesOf } = require('../methods/define')
const {
  contextOf, executeBatch, sendTogether, sendUntold
} = require('../methods/dispatch')
const { compile, headOf } = require('../methods/from-rows')
const { addLate } = require('../methods/late')
const { addNamespaces } = require('../methods/namespaces')
const { checkArgs, commandName } = require('../methods/send-command')
const { BLOCK, PRIMARY } = require('../mode')
const { callersTransform } = require('./definitions')
const { gathered, refusal, results } = require('./multi-replies')

/**
 * A chain of commands. Made by `client.multi()`. May be executed again: all of it is sent again
 * then, with what was added meanwhile.
 */
class RedisMulti {
  #target
  #writer = new Arguments()
  /** Of each command { row, text, chunks, preserved }; `chunks` is null without large values. */
  #items = []
  /** The error of the first command with wrong arguments. */
  #error = null
  #isSelecting = false
  /** Whether an execution reads `#items`, so that nothing may be added to that list. */
  #isSent = false
  #seen = null

  /** @param {object} target the client, view or session that executes the chain */
  constructor (target) {
    completeMulti()
    this.#target = target
  }

  /**
   * Selects a database for the commands that follow in this transaction; in a session also for what
   * comes later. A pipeline of a client refuses it, because others use the same connection.
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
   * Adds any command: the name and the arguments, as strings or Buffers. `transform` gets the
   * reply, `args.preserve` and the type mapping; what it returns takes the place of the reply.
   */
  addCommand (args, transform) {
    return this.#addRaw('addCommand', args, rawReply(transform), args?.preserve)
  }

  /** Adds any command: the name and the arguments, as strings or Buffers. The reply stays as is. */
  sendCommand (args) {
    return this.#addRaw('sendCommand', args, undefined, args?.preserve)
  }

  /**
   * Adds a command that `parse` puts together. Errors call it `method`.
   * @param {string} method
   * @param {(prefix: string | Buffer | undefined) => import('./command-parser').Parser} parse
   * @param {Function} [reply] as that of a row
   */
  _addWhole (method, parse, reply) {
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
    const row = { command: commandName(args[0]), ...factsOf(flags), reply, mode: 0 }
    return this._add(row, `*${args.length}\r\n`, w)
  }

  /** Lends the argument writer. An option's getter may add a command meanwhile, with another. */
  _begin () {
    const w = this.#writer ?? new Arguments()
    this.#writer = null
    w.reset(this.#target._keyPrefix, this.#target._command.isStrict)
    return w
  }

  /** Adds the command whose arguments are in `w`, behind `head`. */
  _add (row, head, w) {
    const { chunks, body, preserved, waits } = w
    if (this.#isSent) {
      this.#items = [...this.#items]
      this.#isSent = false
    }
    if (chunks === null) this.#items.push({ row, text: head + body, chunks, preserved, waits })
    else {
      chunks[0] = head + chunks[0]
      // It may be sent in a later turn, and until then the caller may change its Buffers.
      copyValues(chunks)
      this.#items.push({ row, text: body, chunks, preserved, waits })
    }
    this.#isSelecting ||= row.command === 'SELECT'
    this.#writer = w
    return this
  }

  /** Keeps the error of a call whose arguments are wrong. */
  _refuse (method, error) {
    this.#error ??= named(method, error)
    this.#writer = new Arguments()
    return this
  }

  /** Whether this is called with `name` for the first time. A script is sent whole only then. */
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
    return settleWith(promise, done)
  }

  /** `exec` under the name that node-redis has for typed replies. */
  execTyped (execAsPipeline, done) {
    return this.exec(execAsPipeline, done)
  }

  /** Sends the commands together, but not as a transaction: one may fail while others succeed. */
  execAsPipeline (done) {
    return this.exec(true, done)
  }

  /** `execAsPipeline` under the name that node-redis has for typed replies. */
  execAsPipelineTyped (done) {
    return this.exec(true, done)
  }

  async #transaction () {
    const items = this.#finish()
    this.#target._useUpWatch?.()
    if (items.length === 0) return []
    return executeBatch(this.#target._bridge, 'MULTI', items,
      () => this.#sendTransaction(items))
  }

  async #sendTransaction (items) {
    const { _bridge: bridge, _command: options } = this.#target
    const context = { typeMapping: options.typeMapping, preserved: undefined, refused: new Map() }
    const { chunks, text } = this.#block(items)
    const mode = options.mode | BLOCK
    const outcome = sendUntold(bridge, options, chunks, text, mode, EXEC_ROW, context)
    let replies
    try {
      replies = await outcome
    } catch (error) {
      throw refusal(error, context.refused, items)
    }
    return results(replies, context.refused, items, this.#isRestoring, options.typeMapping)
  }

  /** The text of the transaction; what stands in front of the last large value is in `chunks`. */
  #block (items) {
    const chunks = []
    let text = MULTI
    for (const item of items) {
      if (item.chunks !== null) {
        const [head, ...rest] = item.chunks
        chunks.push(text + head, ...rest)
        text = ''
      }
      text += item.text
    }
    if (this.#isRestoring) {
      text += encodedSelect(this.#target._database ?? 0)
    }
    return { chunks: chunks.length === 0 ? null : chunks, text: text + EXEC }
  }

  /** Whether a SELECT of the client's own database stands behind the commands. */
  get #isRestoring () {
    return this.#isSelecting && !this.#target._isSession
  }

  async #pipeline () {
    const items = this.#finish()
    if (!this.#target._isSession) checkShared(items, this.#isSelecting)
    if (items.length === 0) return []
    return executeBatch(this.#target._bridge, 'PIPELINE', items,
      () => this.#sendPipeline(items))
  }

  async #sendPipeline (items) {
    const { _bridge: bridge, _command: options } = this.#target
    // A read behind a write of its chain would find an older value on a replica.
    const isForPrimary = bridge.readsReplicas && !items.every(({ row }) => row.isRead)
    const mode = isForPrimary ? options.mode | PRIMARY : options.mode
    const sent = items.map(({ row, text, chunks, preserved }) => {
      const context = row.reply === undefined ? undefined : contextOf(options, preserved)
      // Copied, because senders change the list.
      return { chunks: chunks && [...chunks], text, mode: mode | row.mode, row, context }
    })
    return gathered(await Promise.allSettled(sendTogether(bridge, options, sent)))
  }

  #finish () {
    if (this.#error !== null) throw this.#error
    this.#isSent = true
    return this.#items
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

let isComplete = false

/**
 * Gives chains the methods of all commands, once. The first chain does it, and whoever looks at the
 * class itself: a program without transactions is loaded the sooner.
 */
function completeMulti () {
  if (isComplete) return
  isComplete = true
  addLate(prototype, addChained)
  addNamespaces(prototype, ChainNamespace, addChained)
}

/** Adds a method that appends its command to a chain for each row of `table`. */
function addChained (prototype, table) {
  for (const row of table) {
    const method = chained(compile(row))
    defineMethod(prototype, namesOf(row), method)
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
 * @param {object} row `command`, the name for errors; `isRead` and `isOpaque`, as `factsOf` makes
 *   them; `encode (w, multi, ...args)`, which writes
 *   the whole command, its name first; `reply (reply, typeMapping, preserved)`, optional
 */
function addMultiMethod (prototype, name, { command, isRead, isOpaque, encode, reply }) {
  const row = { command, isRead, isOpaque, reply, mode: 0 }
  defineMethod(prototype, name, function (...args) {
    const w = this._begin()
    try {
      encode(w, this, ...args)
    } catch (error) {
      return this._refuse(name, error)
    }
    return this._add(row, `*${w.argc}\r\n`, w)
  })
}

/** A caller's transform, in the order of arguments that rows have. */
function rawReply (transform) {
  return transform === undefined ? undefined : callersTransform(transform)
}

/** Throws a TypeError unless `args` is a command that can be part of a chain. */
function checkRaw (args) {
  checkArgs(args)
  const { name, flags } = judge(args)
  if ((flags & (STATE | SUBSCRIBE)) !== 0 && name !== 'SELECT') {
    throw new TypeError(`${name} cannot be part of a transaction or a pipeline: it acts on the ` +
      'connection, not on data')
  }
}

/** Throws if `items` cannot be sent one by one over a connection that others use too. */
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

module.exports = { RedisMulti, addMultiMethod, completeMulti }
