'use strict'

/*
 * The methods of a client with a cache, for the commands whose replies may be cached.
 *
 * Owns the way of a read: a hit is answered without a native call; a miss sends one command for all
 * who ask for the same meanwhile. A client without a cache has the methods that stand in for these
 * here whenever the cache must not be used.
 */

const { abortedBefore, onAbort } = require('../abort')
const { Arguments, named, prefixed } = require('../arguments')
const { CACHEABLE } = require('../commands/cacheable')
const { AbortError, TimeoutError, answering, fromTransform } = require('../errors')
const { performance, clearTimeout, setTimeout } = require('../timers')
const { callback } = require('./callback')
const { defineMethod, namesOf } = require('./define')
const { contextOf } = require('./dispatch')
const { compile, headOf } = require('./from-rows')

/**
 * Gives `target`, an object in front of a prototype with all methods, those that read from the
 * cache.
 * @param {object} target
 * @param {object[]} table rows
 */
function addCaching (target, table) {
  for (const row of table) {
    if (!CACHEABLE.has(row.command[0]) && !CACHEABLE.has(row.command.join(' '))) continue
    defineMethod(target, namesOf(row), makeReading(compile(row), target[row.name]))
  }
}

/** An argument writer that notes which arguments are keys, a char for each byte. */
class KeyNoter extends Arguments {
  constructor () {
    super()
    /** A key, or a list of them; null if there is none. */
    this.noted = null
  }

  reset (prefix, isStrict) {
    super.reset(prefix, isStrict)
    this.noted = null
  }

  key (v, name) {
    const key = this.prefix === null ? v : prefixed(this.prefix, v, name)
    this.arg(key, name)
    const bytes = bytesOf(key)
    if (this.noted === null) this.noted = bytes
    else if (typeof this.noted === 'string') this.noted = [this.noted, bytes]
    else this.noted.push(bytes)
  }

  /** Each key is noted. */
  manyKeys () {
    return false
  }
}

function bytesOf (key) {
  if (typeof key !== 'string') return Buffer.from(key).latin1Slice()
  return ASCII.test(key) ? key : Buffer.from(key).latin1Slice()
}

/** Lends a writer. The getter of an option may send another command meanwhile. */
function borrow (prefix, isStrict) {
  const w = spare ?? new KeyNoter()
  spare = null
  w.reset(prefix, isStrict)
  return w
}

let spare = new KeyNoter()

/**
 * @param {ReturnType<typeof compile>} row
 * @param {Function} plain the method that does not know the cache
 */
function makeReading (row, plain) {
  const encode = row.args
  const encodeAll = row.variadic
  const number = nextNumber++
  const landing = landingOf(row)
  return function (a, b, c, d, e, f, g) {
    const count = arguments.length
    if (count !== 0 && typeof arguments[count - 1] === 'function' &&
      row.takesFunctionAt !== count - 1) {
      const rest = Array.prototype.slice.call(arguments, 0, -1)
      return void callback(this[row.name](...rest), arguments[count - 1])
    }
    const options = this._command
    const bridge = this._bridge
    const { table } = bridge
    if (table === undefined || !options.cache || bridge.isWatching) {
      return plain.apply(this, arguments)
    }
    const { signal } = options
    if (signal !== undefined && signal.aborted) return Promise.reject(abortedBefore(signal.reason))
    table.catchUp()
    const mode = options.mode | row.mode
    const shelf = number * MODES + mode
    const isKeyOnly = count === 1 && typeof a === 'string'
    if (isKeyOnly) {
      const entry = table.shelf(shelf).byKey.get(a)
      if (entry !== undefined && !entry.isDue && table.isFresh(entry)) {
        return hit(table, entry, row, options, entry.preserved)
      }
    }
    const w = borrow(this._keyPrefix, options.isStrict)
    try {
      if (encodeAll) encode(w, ...arguments)
      else encode(w, a, b, c, d, e, f, g)
    } catch (error) {
      spare = w
      return Promise.reject(named(row.method, error))
    }
    spare = w
    if (w.chunks !== null || w.noted === null) return plain.apply(this, arguments)
    const { byKey, byText } = table.shelf(shelf)
    const names = isKeyOnly ? byKey : byText
    const name = isKeyOnly ? a : w.body
    const known = names.get(name)
    if (known !== undefined && !known.isDue && table.isFresh(known)) {
      return hit(table, known, row, options, w.preserved)
    }
    table.missed()
    const read = new Read(bridge, row, options, headOf(row, w.argc) + w.body, mode, w.preserved)
    const flying = names.get(name)
    if (flying !== undefined) return flying.flight.join(read)
    const entry = table.begin(names, name, w.noted)
    entry.preserved = w.preserved
    return new Flight(entry, landing, read).begin(read)
  }
}

/** Answers a read from the cache. */
function hit (table, entry, row, options, preserved) {
  const value = table.serve(entry)
  if (row.reply === undefined) return Promise.resolve(value)
  try {
    return Promise.resolve(row.reply(value, options.typeMapping, preserved))
  } catch (error) {
    return Promise.reject(answering(fromTransform(error), row))
  }
}

/** One call of a method that the cache has no reply for. */
class Read {
  constructor (bridge, row, options, text, mode, preserved) {
    this.bridge = bridge
    this.row = row
    this.options = options
    this.text = text
    this.mode = mode
    this.preserved = preserved
    this.since = performance.now()
  }

  /** When its time is over (ms of the clock). */
  get deadline () {
    const { timeout } = this.options
    return timeout === 0 ? Infinity : this.since + timeout
  }

  /** What the caller gets for a reply. */
  reply (value) {
    const { row, options, preserved } = this
    return row.reply === undefined ? value : row.reply(value, options.typeMapping, preserved)
  }

  /** Asks the server, for this caller alone and for as long as is left of its time. */
  sendAlone () {
    const { bridge, row, options, text, mode, preserved } = this
    const left = Math.max(1, Math.ceil(this.deadline - performance.now()))
    const timeout = options.timeout === 0 ? 0 : left
    return bridge.send(text, mode, timeout, row, contextOf(options, preserved))
  }
}

/** A command that is under way for all who have asked for its reply. */
class Flight {
  /** Callers that have joined: `{ read, resolve, reject }`. */
  #others = null
  #isOver = false

  /**
   * @param {object} entry where the reply is to be kept
   * @param {object} landing the row of the command, whose transform keeps it
   * @param {Read} read the first caller's
   */
  constructor (entry, landing, read) {
    this.entry = entry
    this.landing = landing
    this.first = read
    /** It is the context of its own command: what `landing.reply` gets. */
    this.typeMapping = undefined
    this.preserved = this
    entry.flight = this
  }

  /** Sends the command, without anybody's signal. Returns the promise of the first caller. */
  begin (read) {
    const { bridge, text, mode, options: { signal, timeout } } = read
    if (signal === undefined) {
      const promise = new Promise(capture)
      const { resolve, reject } = captured
      bridge.load(text, mode, timeout, this.landing, this, resolve,
        error => this.#failed(error, reject))
      return promise
    }
    // Who may leave early waits as the others do.
    const promise = this.join(read)
    bridge.load(text, mode, timeout, this.landing, this, ignore,
      error => this.#failed(error, ignore))
    return promise
  }

  /** Waits for the reply with the others. */
  join (read) {
    return new Promise((resolve, reject) => {
      const { signal } = read.options
      const waiter = { read, resolve, reject, timer: undefined, forget: undefined }
      this.#others ??= new Set()
      this.#others.add(waiter)
      const leave = error => {
        if (this.#others.delete(waiter)) settled(waiter).reject(error)
      }
      if (signal !== undefined) {
        waiter.forget = onAbort(signal, () =>
          leave(new AbortError(undefined, { applied: 'unknown', cause: signal.reason })))
      }
      if (read.deadline < this.first.deadline) {
        waiter.timer = setTimeout(() => leave(late(read)), read.options.timeout)
      }
    })
  }

  /** The reply has come. Returns what the first caller gets. */
  landed (value) {
    const { entry, first } = this
    const { table } = entry
    this.#isOver = true
    table.keep(entry, value)
    table.store.loaded(performance.now() - first.since)
    if (this.#others !== null) {
      for (const waiter of this.#others) {
        const { read, resolve, reject } = settled(waiter)
        try {
          resolve(read.reply(table.copy(value)))
        } catch (error) {
          reject(answering(fromTransform(error), read.row))
        }
      }
    }
    return first.reply(value)
  }

  #failed (error, rejectFirst) {
    rejectFirst(error)
    if (this.#isOver) return
    this.#isOver = true
    const { entry, first } = this
    entry.table.drop(entry)
    entry.table.store.failed(performance.now() - first.since)
    if (this.#others === null) return
    for (const waiter of this.#others) {
      const { read, resolve, reject } = settled(waiter)
      // It was the time of the first caller that is over.
      const mayGoOn = error instanceof TimeoutError && performance.now() < read.deadline
      if (mayGoOn) resolve(read.sendAlone())
      else reject(error)
    }
  }
}

/** Ends what was waited for beside the reply. */
function settled (waiter) {
  clearTimeout(waiter.timer)
  if (waiter.forget !== undefined) waiter.forget()
  return waiter
}

function late ({ row }) {
  return answering(new TimeoutError('the server did not answer before the command\'s deadline',
    { applied: 'unknown', retryable: true }), row)
}

/** The row that the command of a miss is sent with. Its transform runs when the reply comes. */
function landingOf ({ command, isRead, isOpaque }) {
  return { command, isRead, isOpaque, reply: (value, typeMapping, flight) => flight.landed(value) }
}

function ignore () {}

// One executor for all promises: a closure for each would cost more than the promise itself.
const captured = { resolve: undefined, reject: undefined }
function capture (resolve, reject) {
  captured.resolve = resolve
  captured.reject = reject
}

const ASCII = /^[\x00-\x7f]*$/ // eslint-disable-line no-control-regex

/** More than any mode of a method has: see mode.js. */
const MODES = 2 ** 13
/** The number of the next method that reads from caches. */
let nextNumber = 0

module.exports = { addCaching }
