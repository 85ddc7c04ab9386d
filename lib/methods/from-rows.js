'use strict'

/*
 * Makes methods of the rows of the command table.
 *
 * Owns the call forms that all commands share: arguments, then maybe an options object, then maybe
 * a Node-style callback; a Promise comes back, or undefined with a callback. Wrong arguments
 * reject, they never throw, and nothing is sent then.
 */

const { abortedBefore, onAbort } = require('../abort')
const { Arguments, isText } = require('../arguments')
const { judge, laneRefusal, sessionRefusal, waitOf } = require('../commands/guards')
const { FLAT, LIST, PAIRS } = require('../mode')

/** Adds a method, in both spellings, for each row of `table` to `prototype`. */
function addCommands (prototype, table) {
  for (const row of table) {
    const compiled = compile(row)
    const method = row.blocks ? makeBlocking(compiled) : makeMethod(compiled)
    for (const name of [row.name, row.upper, ...row.aliases]) {
      Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true })
    }
  }
}

/** What the hot path needs of a row. */
function compile (row) {
  return {
    name: row.name,
    /** What errors call it. */
    method: row.namespace === undefined ? row.name : `${row.namespace}.${row.name}`,
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
    const head = headOf(row, w.argc)
    if (options.signal !== undefined || w.chunks !== null) {
      return dispatch(this._bridge, w, head, row, options, context)
    }
    return this._bridge.send(head + w.body, options.mode | row.mode, options.timeout, row, context)
  }
}

/** A method whose command may wait on the server: if it does, it must not go to a lane. */
function makeBlocking (row) {
  return function (...args) {
    if (typeof args[args.length - 1] === 'function') return withCallback(this, row, args)
    const w = borrow(this._keyPrefix)
    try {
      row.args(w, ...args)
    } catch (error) {
      writer = w
      return refuse(row, error)
    }
    writer = w
    const options = this._command
    const context = row.reply === undefined ? undefined : contextOf(options, w)
    const head = makeHead(row, w.argc)
    const send = w.waits === undefined ? dispatch : blocking
    return send(this._bridge, w, head, row, options, context)
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

/** Everything in front of `argc` arguments of `row`. */
function headOf (row, argc) {
  const head = row.heads[argc]
  return head === undefined ? makeHead(row, argc) : head
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
  callback(client[row.name](...rest), args[args.length - 1])
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
    return Promise.reject(abortedBefore(signal.reason))
  }
  const id = bridge.upcoming
  const promise = send()
  if (bridge.upcoming !== id) endOnAbort(bridge, signal, id, promise)
  return promise
}

/** Ends command `id`, which `promise` waits for, when `signal` is aborted. */
function endOnAbort (bridge, signal, id, promise) {
  const forget = onAbort(signal, () => bridge.abort(id, signal.reason))
  promise.then(forget, forget)
}

/**
 * Sends any command: the name and the arguments, as strings or Buffers.
 * @param {object} client
 * @param {(string | Buffer)[]} args
 * @param {object} options compiled command options
 * @param {{ method: string, reply?: Function, preserved?: unknown }} [as] what errors call the
 *   caller, and what becomes of the reply; default: `sendCommand`, and the reply as it is
 */
function sendCommand (client, args, options, { method, reply, preserved } = BY_HAND) {
  if (!Array.isArray(args) || args.length === 0) {
    return Promise.reject(new TypeError(`${method}: argument "args" must be a non-empty array`))
  }
  for (let i = 0; i < args.length; i++) {
    if (!isText(args[i])) {
      return Promise.reject(new TypeError(`${method}: argument "args[${i}]" must be a string ` +
        `or a Buffer, not ${typeof args[i]}`))
    }
  }
  const { name, flags } = judge(args)
  const refusal = client._isSession ? sessionRefusal(name) : laneRefusal(name, flags)
  if (refusal !== null) {
    // The way to change the database of a client is a method that remembers it.
    if (name === 'SELECT' && !client._isSession) return client.select(Number(String(args[1])))
    return Promise.reject(new TypeError(`${method}: ${name} ${refusal}`))
  }
  const w = borrow(null)
  for (let i = 0; i < args.length; i++) w.arg(args[i], 'args')
  w.waits = waitOf(name, flags, args)
  writer = w
  const row = { method, command: commandName(args[0]), reply, mode: 0 }
  const context = reply === undefined ? undefined : contextOf(options, { preserved })
  const head = `*${args.length}\r\n`
  const send = w.waits === undefined ? dispatch : blocking
  return send(client._bridge, w, head, row, options, context)
}

/** Sends a command that may wait on the server: for `w.waits` ms, or for ever if that is 0. */
function blocking (bridge, { chunks, body, waits }, head, row, options, context) {
  if (chunks !== null) chunks[0] = head + chunks[0]
  return bridge.sendBlocking({
    chunks,
    text: chunks === null ? head + body : body,
    mode: options.mode | row.mode,
    waits,
    row,
    context,
    signal: options.signal
  })
}

/** The name for errors. An argument that is no plain command name may be anything: not shown. */
function commandName (name) {
  const text = String(name)
  return COMMAND_NAME.test(text) ? text.toUpperCase() : undefined
}

/** What a row's `shape` asks of the native side. */
const SHAPES = { object: PAIRS, flat: FLAT, list: LIST }

const BY_HAND = { method: 'sendCommand', reply: undefined, preserved: undefined }

const COMMAND_NAME = /^[A-Za-z0-9._-]{1,64}$/
const KEPT_HEADS = 64

module.exports = {
  abortable,
  addCommands,
  callback,
  commandName,
  compile,
  contextOf,
  dispatch,
  endOnAbort,
  headOf,
  sendCommand
}
