'use strict'

/*
 * Makes methods of the rows of the command table.
 *
 * Owns the call forms that all commands share: arguments, then maybe an options object, then maybe
 * a Node-style callback; a Promise comes back, or undefined with a callback. Wrong arguments
 * reject, they never throw, and nothing is sent then.
 */

const { Arguments, isText } = require('./arguments')
const { BLOCKING, STATE, SUBSCRIBE, flagsOf } = require('./commands/flags')
const { AbortError } = require('./errors')
const { FLAT, PAIRS } = require('./mode')

/** Adds a method, in both spellings, for each row of `table` to `prototype`. */
function addCommands (prototype, table) {
  for (const row of table) {
    const compiled = compile(row)
    const method = makeMethod(compiled)
    for (const name of [row.name, row.upper, ...row.aliases]) {
      Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true })
    }
  }
}

/** What the hot path needs of a row. */
function compile (row) {
  return {
    method: row.name,
    args: row.args,
    variadic: row.variadic,
    reply: row.reply,
    mode: row.shape === undefined ? 0 : SHAPES[row.shape],
    command: row.command.join(' '),
    tokens: row.command.map(token => `$${token.length}\r\n${token}\r\n`).join(''),
    tokenCount: row.command.length,
    /** Everything in front of the arguments, by their number. */
    heads: []
  }
}

function makeMethod (row) {
  const encode = row.args
  const encodeAll = row.variadic
  return function (a, b, c, d, e, f, g) {
    const count = arguments.length
    if (count !== 0 && typeof arguments[count - 1] === 'function') {
      return withCallback(this, row, arguments)
    }
    const w = borrow(this._keyPrefix)
    try {
      if (encodeAll) encode(w, ...arguments)
      else if (encode !== undefined) encode(w, a, b, c, d, e, f, g)
    } catch (error) {
      writer = w
      return refuse(row, error)
    }
    writer = w
    const options = this._command
    const context = row.reply === undefined ? undefined : contextOf(options, w)
    const argc = w.argc
    const head = row.heads[argc] === undefined ? makeHead(row, argc) : row.heads[argc]
    if (options.signal !== undefined || w.chunks !== null) {
      return dispatch(this._bridge, w, head, row, options, context)
    }
    return this._bridge.send(head + w.body, options.mode | row.mode, options.timeout, row, context)
  }
}

/**
 * The one argument writer, reset. While it is lent (an options object may have a getter that sends
 * a command) there is another, so that no two commands write into one.
 */
function borrow (prefix) {
  const w = writer === null ? new Arguments() : writer
  writer = null
  w.reset(prefix)
  return w
}

let writer = new Arguments()

function dispatch (bridge, { chunks, body }, head, row, options, context) {
  const mode = options.mode | row.mode
  const send = () => {
    if (chunks === null) return bridge.send(head + body, mode, options.timeout, row, context)
    chunks[0] = head + chunks[0]
    return bridge.sendLarge(chunks, body, mode, options.timeout, row, context)
  }
  return options.signal === undefined ? send() : abortable(bridge, options.signal, send)
}

function makeHead (row, argc) {
  const head = `*${row.tokenCount + argc}\r\n${row.tokens}`
  // Long heads are rare (a thousand keys in one call) and quickly made.
  if (argc < KEPT_HEADS) row.heads[argc] = head
  return head
}

function contextOf (options, { preserved }) {
  if (options.typeMapping === undefined && preserved === undefined) return undefined
  return { typeMapping: options.typeMapping, preserved }
}

function refuse (row, error) {
  if (error instanceof TypeError) error.message = `${row.method}: ${error.message}`
  return Promise.reject(error)
}

function withCallback (client, row, args) {
  const rest = Array.prototype.slice.call(args, 0, -1)
  callback(client[row.method](...rest), args[args.length - 1])
}

/** Passes the outcome of `promise` to a Node-style callback, outside of the promise's errors. */
function callback (promise, done) {
  promise.then(
    reply => process.nextTick(done, null, reply),
    error => process.nextTick(done, error)
  )
}

/** Sends a command that `signal` can end. */
function abortable (bridge, signal, send) {
  if (signal.aborted) {
    return Promise.reject(new AbortError('the command was aborted before it was sent',
      { applied: 'no', cause: signal.reason }))
  }
  const id = bridge.upcoming
  const promise = send()
  if (bridge.upcoming === id) return promise
  const forget = onAbort(signal, () => bridge.abort(id, signal.reason))
  promise.then(forget, forget)
  return promise
}

/**
 * Calls `abort` when `signal` is aborted; returns the function that takes it back. However many
 * commands share a signal, it has one listener: Node warns of more than ten as of a leak.
 */
function onAbort (signal, abort) {
  const aborts = ABORTS.get(signal) ?? new Set()
  if (aborts.size === 0) {
    ABORTS.set(signal, aborts)
    aborts.listener = () => { for (const abort of aborts) abort() }
    signal.addEventListener('abort', aborts.listener, { once: true })
  }
  aborts.add(abort)
  return () => {
    aborts.delete(abort)
    if (aborts.size === 0) signal.removeEventListener('abort', aborts.listener)
  }
}

/** What is to be called for each signal; an entry lives no longer than its signal. */
const ABORTS = new WeakMap()

/**
 * Sends any command: the name and the arguments, as strings or Buffers.
 * @param {object} client
 * @param {(string | Buffer)[]} args
 * @param {object} options compiled command options
 */
function sendCommand (client, args, options) {
  if (!Array.isArray(args) || args.length === 0) {
    return Promise.reject(new TypeError('sendCommand: argument "args" must be a non-empty array'))
  }
  const unfit = unfitForLane(args)
  if (unfit !== null) return Promise.reject(unfit)
  for (let i = 0; i < args.length; i++) {
    if (!isText(args[i])) {
      return Promise.reject(new TypeError(`sendCommand: argument "args[${i}]" must be a string ` +
        `or a Buffer, not ${typeof args[i]}`))
    }
  }
  const w = borrow(null)
  for (let i = 0; i < args.length; i++) w.arg(args[i], 'args')
  writer = w
  const row = { method: 'sendCommand', command: commandName(args[0]), reply: undefined, mode: 0 }
  const head = `*${args.length}\r\n`
  return dispatch(client._bridge, w, head, row, options, undefined)
}

/** The error for a command that needs a connection of its own, which a client's lanes are not. */
function unfitForLane (args) {
  if (!isText(args[0])) return null
  const flags = flagsOf(args[0], args.length > 1 && isText(args[1]) ? args[1] : undefined)
  const name = commandName(args[0])
  if ((flags & BLOCKING) !== 0 && waits(name, args)) {
    return new TypeError(`sendCommand: ${name} may block, and would hold up every other command ` +
      'of this client; blocking commands are not supported yet')
  }
  if ((flags & SUBSCRIBE) !== 0) {
    return new TypeError(`sendCommand: ${name} would turn the shared connection into a stream of ` +
      'messages; use subscribe(), pSubscribe(), sSubscribe() and their opposites')
  }
  if ((flags & STATE) !== 0) {
    return new TypeError(`sendCommand: ${name} would change the connection that all commands of ` +
      'this client share; see the options of createClient (database, username, name ...)')
  }
  return null
}

/** XREAD and XREADGROUP wait only when told so. */
function waits (name, args) {
  return !name.startsWith('XREAD') || args.some(arg => String(arg).toUpperCase() === 'BLOCK')
}

/** The name for errors. An argument that is no plain command name may be anything: not shown. */
function commandName (name) {
  const text = String(name)
  return COMMAND_NAME.test(text) ? text.toUpperCase() : undefined
}

/** What a row's `shape` asks of the native side. */
const SHAPES = { object: PAIRS, flat: FLAT }

const COMMAND_NAME = /^[A-Za-z0-9._-]{1,64}$/
const KEPT_HEADS = 64

module.exports = { addCommands, callback, sendCommand }
