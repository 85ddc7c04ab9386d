'use strict'

/*
 * Makes methods of the rows of the command table.
 *
 * All methods have the same form: arguments, then maybe an options object, then maybe a Node-style
 * callback. They return a Promise, or undefined with a callback. Wrong arguments reject, and then
 * nothing is sent.
 */

const { named } = require('../arguments')
const { isObserved } = require('../channels')
const { factsOf, flagsOf } = require('../commands/flags')
const { FLAT, LIST, PAIRS } = require('../mode')
const { callback } = require('./callback')
const { defineMethod, namesOf } = require('./define')
const { contextOf, dispatch, dispatchBlocking } = require('./dispatch')
const { borrow, giveBack } = require('./writer')

/** Adds a method under all of its names to `prototype` for each row of `table`. */
function addCommands (prototype, table) {
  for (const row of table) {
    const compiled = compile(row)
    const method = row.blocks ? makeBlocking(compiled) : makeMethod(compiled)
    defineMethod(prototype, namesOf(row), method)
  }
}

/** What the hot path needs of a row. Clients, sessions and chains share it. */
function compile (row) {
  let compiled = COMPILED.get(row)
  if (compiled === undefined) {
    compiled = compiledAnew(row)
    COMPILED.set(row, compiled)
  }
  return compiled
}

function compiledAnew (row) {
  return {
    name: row.name,
    /** What errors call the method. */
    method: row.namespace === undefined ? row.name : `${row.namespace}.${row.name}`,
    args: row.args,
    variadic: row.variadic,
    takesFunctionAt: row.takesFunctionAt,
    reply: row.reply,
    mode: (row.shape === undefined ? 0 : SHAPES[row.shape]) | (row.bits ?? 0),
    command: row.command.join(' '),
    ...factsOf(flagsOf(row.command[0], row.command[1])),
    tokens: row.command.map(token => `$${token.length}\r\n${token}\r\n`).join(''),
    tokenCount: row.command.length,
    /** By the number of arguments: what stands in front of them. */
    heads: []
  }
}

function makeMethod (row) {
  const encode = row.args
  const encodeAll = row.variadic
  return function (a, b, c, d, e, f, g) {
    const count = arguments.length
    if (count !== 0 && typeof arguments[count - 1] === 'function' &&
      row.takesFunctionAt !== count - 1) {
      return withoutCallback(this, row, arguments)
    }
    const options = this._command
    const w = borrow(this._keyPrefix, options.isStrict)
    try {
      if (encodeAll) encode(w, ...arguments)
      else if (encode !== undefined) encode(w, a, b, c, d, e, f, g)
    } catch (error) {
      giveBack(w)
      return Promise.reject(named(row.method, error))
    }
    giveBack(w)
    const context = row.reply === undefined ? undefined : contextOf(options, w.preserved)
    const head = headOf(row, w.argc)
    if (options.signal !== undefined || w.chunks !== null || isObserved()) {
      return dispatch(this._bridge, w, head, row, options, context)
    }
    return this._bridge.send(head + w.body, options.mode | row.mode, options.timeout, row, context)
  }
}

/** A method whose command may wait on the server. If it does, it gets a session of its own. */
function makeBlocking (row) {
  return function (...args) {
    if (typeof args.at(-1) === 'function' && row.takesFunctionAt !== args.length - 1) {
      return withoutCallback(this, row, args)
    }
    const options = this._command
    const w = borrow(this._keyPrefix, options.isStrict)
    try {
      row.args(w, ...args)
    } catch (error) {
      giveBack(w)
      return Promise.reject(named(row.method, error))
    }
    giveBack(w)
    const context = row.reply === undefined ? undefined : contextOf(options, w.preserved)
    const head = headOf(row, w.argc)
    const send = w.waits === undefined ? dispatch : dispatchBlocking
    return send(this._bridge, w, head, row, options, context)
  }
}

/** What stands in front of `argc` arguments of a compiled row: the header and the command. */
function headOf (row, argc) {
  const head = row.heads[argc]
  return head === undefined ? makeHead(row, argc) : head
}

function makeHead (row, argc) {
  const head = `*${row.tokenCount + argc}\r\n${row.tokens}`
  // Calls with more arguments (a thousand keys) are rare, and each number of them needs a head.
  if (argc < KEPT_HEADS) row.heads[argc] = head
  return head
}

/** Calls the method again without the callback, and tells the callback of the outcome. */
function withoutCallback (client, row, args) {
  const rest = Array.prototype.slice.call(args, 0, -1)
  callback(client[row.name](...rest), args[args.length - 1])
}

/** What a row's `shape` asks of the native side (mode.js). */
const SHAPES = { object: PAIRS, flat: FLAT, list: LIST }

/** By row: what `compile` has made of it. */
const COMPILED = new WeakMap()

/** Heads that are kept for each command: one for each number of arguments below this. */
const KEPT_HEADS = 64

module.exports = { addCommands, compile, headOf }
