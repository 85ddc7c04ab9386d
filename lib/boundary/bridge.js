'use strict'

/*
 * One client's way through the native boundary: once per turn out, once per wake-up back.
 *
 * Owns the turn's batch (one binary string that grows by each command), its table of lengths,
 * modes and timeouts, and the promises that wait. The first command of a turn schedules the flush
 * with `process.nextTick`: that runs when the microtask queue is empty, so all continuations of
 * the last replies have added their next commands by then.
 *
 * Invariant: ids within a batch are consecutive, and every id is settled exactly once.
 */

const { inspect } = require('node:util')

const { abortedBefore, onAbort } = require('../abort')
const native = require('../native')
const { AbortError, OxidisError, QueueFullError, fromNative, fromReply } = require('../errors')
const { VerbatimString } = require('../mode')
const { SessionSlots } = require('./session-bridge')
const { Sessions } = require('./sessions')
const { Slots } = require('./promise-ring')
const { Subscriptions } = require('./subscriptions')

class Bridge {
  /**
   * @param {object} options the native core's options
   * @param {{ maxCommands: number, maxBytes: number }} limits
   * @param {{ max: number, acquireTimeout: number, leakThreshold: number }} pool
   * @param {(name: string, ...details: unknown[]) => void} onEvent called outside of any promise
   */
  constructor (options, limits, pool, onEvent) {
    this.limits = limits
    /** Bytes from which on a command is looked at more closely. */
    this.watermark = Math.min(limits.maxBytes, LONGEST_TEXT)
    this.slots = new Slots()
    /** Those of the sessions, whose ids have the highest bit set. */
    this.sessionSlots = new SessionSlots()
    this.sessions = new Sessions(this, pool)
    this.lanes = options.lanes
    this.isShared = options.shared !== undefined
    this.subscriptions = new Subscriptions(this)
    this.text = ''
    this.table = new Uint32Array(COLUMNS * 256)
    this.count = 0
    this.nextId = 0
    this.nextSessionId = FIRST_SESSION_ID
    /** Bytes queued natively, as of the last flush. */
    this.queued = 0
    /** Whether the event loop is kept alive by pending commands, and may be. */
    this.isAlive = false
    this.isReferenced = true
    this.isClosed = false
    this.releaseTimer = null
    this.whenIdle = null
    this.flush = this.flush.bind(this)
    this.release = this.release.bind(this)
    this.core = new native.Core(options, this.face(onEvent))
  }

  /** Commands without a reply, and requests that have not ended. */
  get pending () {
    return this.slots.pending + this.sessionSlots.pending + this.subscriptions.pending
  }

  /** Whether any command was ever sent. */
  get isUsed () {
    return this.nextId !== 0 || this.nextSessionId !== FIRST_SESSION_ID || this.subscriptions.isUsed
  }

  /** Whether a connection stands. */
  get isConnected () {
    return this.core.stats()?.lanes.some(lane => lane.connected) ?? false
  }

  /** The native side's numbers; null before the first command. */
  stats () {
    const stats = this.core.stats()
    if (stats === null) return null
    const { idle, opening, waiters } = this.sessions
    const { pool } = stats
    // Sessions that wait for their next caller are not given back yet; those that have lost their
    // connection meanwhile are counted by nobody.
    const kept = idle.filter(({ place }) => this.core.isSessionUp(place)).length
    pool.inUse -= kept
    pool.idle += kept
    pool.waiting += Math.max(0, waiters - opening)
    return stats
  }

  /**
   * Queues one command.
   * @param {string} encoded RESP as a binary string
   * @param {number} mode what its reply becomes (see mode.js)
   * @param {number} timeout deadline in ms; 0 for none
   * @param {{ command?: string, reply?: Function }} row
   * @param {{ typeMapping?: object, preserved?: unknown } | undefined} context for `row.reply`
   */
  send (encoded, mode, timeout, row, context) {
    if (this.slots.pending >= this.limits.maxCommands ||
      this.queued + this.text.length + encoded.length > this.watermark) {
      const full = this.full(encoded.length, 1, encoded)
      if (full !== null) return Promise.reject(full)
    }
    this.append(encoded, encoded.length, mode, timeout)
    return this.promise(row, context)
  }

  /**
   * Queues one command that holds large values: `chunks` alternates text and values, `tail`
   * follows. It is flushed at once, so that the caller may change its Buffers afterwards.
   */
  sendLarge (chunks, tail, mode, timeout, row, context) {
    const length = lengthOf(chunks, tail)
    if (this.slots.pending >= this.limits.maxCommands ||
      this.queued + this.text.length + length > this.watermark) {
      const full = this.full(length, 1, chunks.join(''))
      if (full !== null) return Promise.reject(full)
    }
    chunks[0] = this.text + chunks[0]
    this.text = ''
    this.append(tail, length, mode, timeout)
    const promise = this.promise(row, context)
    this.flush(chunks)
    return promise
  }

  /** Sends a command that may wait on the server, over a session of its own. */
  async sendBlocking (command) {
    const { chunks } = command
    // The caller may change its Buffers once this function has returned.
    if (chunks !== null) {
      for (let i = 1; i < chunks.length; i += 2) {
        if (typeof chunks[i] !== 'string') chunks[i] = Buffer.from(chunks[i])
      }
    }
    const { sessions } = this
    sessions.running++
    try {
      const session = await this.acquire(command.signal, command.slot, command.place)
      try {
        if (COUNTING.has(command.row.command)) await session.takeOffset(this.unheard(session))
        if (command.isAsking) session.send(ASKING, 0, 0, ASKING_ROW, undefined).catch(() => {})
        return await session.sendBlocking(command)
      } catch (error) {
        // A server that has become a replica closes the connection right behind these words.
        if (error.code === 'UNBLOCKED') session.end()
        throw error
      } finally {
        sessions.finish(session)
      }
    } finally {
      sessions.running--
      this.drained()
    }
  }

  /** A channel that nobody listens to, for a message to the server of `session`. */
  unheard () {
    return UNHEARD
  }

  /**
   * Resolves once all commands that are pending in the lane are answered, so that what comes next
   * runs behind them; null if that is so already. Several lanes keep no order anyway.
   */
  fence () {
    return this.lanes === 1 ? this.slots.fence(this.nextId) : null
  }

  /** The same for a caller of his own; if there is one at once, without a promise. */
  acquireNow () {
    if (this.lanes === 1 && this.slots.pending > 0) return null
    return this.sessions.acquireNow()
  }

  /**
   * A session for a caller, behind everything that was sent before. It is looked for once that is
   * answered: a SELECT among it decides in which database the session is to be.
   */
  async acquire (signal) {
    const fence = this.fence()
    if (fence !== null) await unlessAborted(fence, signal)
    const session = await this.sessions.acquire(signal)
    if (signal === undefined || !signal.aborted) return session
    this.sessions.finish(session)
    throw abortedBefore(signal.reason)
  }

  /**
   * Queues several commands, with large values among them, so that they go out in one batch: over
   * one lane, and flushed at once as with `sendLarge`. All or none of them find room.
   * @param {{ chunks: Array | null, text: string, mode: number, row: object, context: object }[]}
   *   commands `text` as `encoded` of `send`, or as `tail` of `sendLarge` where there are chunks
   * @returns {Promise<unknown>[]}
   */
  sendTogether (commands, timeout) {
    const lengths = commands.map(({ chunks, text }) => lengthOf(chunks ?? [], text))
    const length = lengths.reduce((sum, length) => sum + length, 0)
    if (this.slots.pending + commands.length > this.limits.maxCommands ||
      this.queued + this.text.length + length > this.watermark) {
      const [{ chunks, text }] = commands
      const full = this.full(length, commands.length, chunks === null ? text : chunks.join(''))
      if (full !== null) return commands.map(() => Promise.reject(full))
    }
    const large = []
    const promises = commands.map(({ chunks, text, mode, row, context }, index) => {
      if (chunks !== null) {
        chunks[0] = this.text + chunks[0]
        this.text = ''
        for (const chunk of chunks) large.push(chunk)
      }
      this.append(text, lengths[index], mode, timeout)
      return this.promise(row, context)
    })
    this.flush(large)
    return promises
  }

  append (encoded, length, mode, timeout) {
    const at = this.count * COLUMNS
    if (at === this.table.length) this.growTable()
    const table = this.table
    table[at] = length
    table[at + 1] = mode
    table[at + 2] = timeout
    this.text += encoded
    if (this.count++ === 0) process.nextTick(this.flush)
  }

  promise (row, context) {
    const promise = new Promise(capture)
    const id = this.nextId
    this.nextId = (id + 1) & LAST_LANE_ID
    this.slots.put(id, captured.resolve, captured.reject, row, context)
    return promise
  }

  /** Hands the turn's batch over. */
  flush (chunks) {
    const count = this.count
    if (count === 0) return
    const text = this.text
    this.text = ''
    this.count = 0
    this.stayAlive()
    const firstId = (this.nextId - count) & LAST_LANE_ID
    try {
      this.queued = this.core.submit(text, text.length, this.table, count, firstId, chunks)
    } catch (cause) {
      const error = new OxidisError('the batch could not be handed over',
        { code: 'INTERNAL', cause })
      for (let i = 0; i < count; i++) {
        this.slots.settle((firstId + i) & LAST_LANE_ID, error, true)
      }
      this.drained()
    }
  }

  /** The id that the next command will get. */
  get upcoming () {
    return this.nextId
  }

  /** Ends command `id`, whose caller has gone; no effect if its reply is on its way. */
  abort (id, reason) {
    this.flush()
    this.abortIn(this.slots, id, reason)
  }

  abortIn (slots, id, reason) {
    const code = this.core.cancel(id)
    if (code === 0) return
    const applied = code === 1 ? 'no' : 'unknown'
    const error = new AbortError('the command was aborted', { applied, cause: reason })
    slots.settle(id, error, true)
    this.drained()
  }

  /** The id that the next command of a session will get. */
  get upcomingSessionId () {
    return this.nextSessionId
  }

  /** An id for a command of a session, or for whatever else the native side is asked for. */
  takeSessionId () {
    const id = this.nextSessionId
    this.nextSessionId = ((id + 1) | FIRST_SESSION_ID) >>> 0
    return id
  }

  /**
   * The error for `length` bytes that a session wants to hand over beside the `queued` ones that it
   * has, or null if there is room for them.
   */
  fullWith (length, queued) {
    if (this.pending < this.limits.maxCommands &&
      this.queued + queued + length <= this.watermark) return null
    return this.full(length)
  }

  /**
   * The error for `count` commands, `length` bytes, that find a queue bound reached, or null.
   * `text` is the beginning of the first.
   */
  full (length, count = 1, text = '') {
    const { maxCommands, maxBytes } = this.limits
    const pending = this.pending
    if (pending + count > maxCommands) {
      return new QueueFullError(`${pending} commands are waiting for a reply, which is ` +
        'commandsQueueMaxLength', { applied: 'no', retryable: true })
    }
    if (this.text.length + length > LONGEST_TEXT) this.flush()
    // The figure of the last flush is too high if replies have come since.
    this.queued = this.core.queuedBytes()
    if (this.queued + this.text.length + length <= maxBytes) return null
    const queued = this.queuedFor(text)
    if (queued + this.text.length + length <= maxBytes) return null
    return new QueueFullError(`${queued} bytes of commands are waiting, and maxQueuedBytes ` +
      `is ${maxBytes}`, { applied: 'no', retryable: true })
  }

  /** The bytes that wait where the command that begins with `text` would. */
  queuedFor () {
    return this.queued
  }

  /** Whether nobody waits for a reply or a session. */
  get isQuiet () {
    return this.pending === 0 && this.sessions.waiters === 0
  }

  /** Whether the process must not end: somebody waits, or listens. */
  get isNeeded () {
    return !this.isQuiet || this.subscriptions.isActive
  }

  /** Whether nobody waits for anything and no function runs in a session. */
  get isIdle () {
    return this.isQuiet && this.sessions.running === 0
  }

  /** Resolves when that is so. */
  idle () {
    if (this.isIdle) return Promise.resolve()
    return new Promise(resolve => {
      this.whenIdle = resolve
    })
  }

  /** Ends all commands and closes all connections, for good. */
  close () {
    this.flush()
    this.isClosed = true
    this.sessions.close()
    this.core.close()
    this.subscriptions.clear()
    this.drained()
  }

  /** Lets pending commands and subscriptions keep the process alive (the default), or not. */
  reference (isReferenced) {
    this.isReferenced = isReferenced
    this.keepAlive(isReferenced && this.isNeeded)
  }

  /** Something is pending: the process must not end over it. */
  stayAlive () {
    if (!this.isAlive && this.isReferenced) this.keepAlive(true)
  }

  keepAlive (isAlive) {
    if (isAlive === this.isAlive) return
    this.isAlive = isAlive
    this.core.keepAlive(isAlive)
  }

  /** Called when a wake-up has delivered everything, or a command has ended by itself. */
  drained () {
    if (!this.isQuiet) return
    if (this.whenIdle !== null && this.isIdle) {
      this.whenIdle()
      this.whenIdle = null
    }
    if (this.isClosed) return this.core.dispose()
    // Letting go at once would cost two native calls per command of a program that awaits each.
    if (this.isAlive && this.releaseTimer === null && !this.subscriptions.isActive) {
      this.releaseTimer = setTimeout(this.release, RELEASE_DELAY).unref()
    }
  }

  release () {
    this.releaseTimer = null
    if (this.isNeeded) return
    this.keepAlive(false)
    this.slots.shrink()
  }

  /** Batches hold keys and values: nothing of them is shown. */
  [inspect.custom] () {
    return `Bridge { pending: ${this.pending} }`
  }

  growTable () {
    const table = new Uint32Array(this.table.length * 2)
    table.set(this.table)
    this.table = table
  }

  /** The functions that the native side calls. None of them may throw. */
  face (onEvent) {
    const { slots, sessionSlots } = this
    const of = id => id < FIRST_SESSION_ID ? slots : sessionSlots
    const ids = new Uint32Array(MOST_VALUES)
    return {
      ids,
      deliver: (...values) => {
        for (let i = 0; i < values.length; i++) {
          const id = ids[i]
          const value = values[i]
          const isFailure = typeof value === 'object' && value instanceof OxidisError
          if (id < FIRST_SESSION_ID) slots.settle(id, value, isFailure)
          else sessionSlots.settle(id, value, isFailure)
        }
      },
      part: (id, index, error) => of(id).part(id, index, error),
      reject: (id, error) => of(id).settle(id, error, true),
      drained: () => this.drained(),
      // A listener that throws must not do so inside of the native callback.
      event: (name, ...details) => process.nextTick(onEvent, name, ...details),
      error: fromNative,
      replyError: fromReply,
      list: (...values) => values,
      extend: (list, ...values) => { for (const value of values) list.push(value) },
      object: (...pairs) => toObject(pairs),
      objectOf: toObject,
      map: toMap,
      set: list => new Set(list),
      bigint: digits => BigInt(digits),
      verbatim: (format, text) => new VerbatimString(format, text),
      settled: (id, error) => {
        if (id < FIRST_SESSION_ID) this.subscriptions.settle(id, error)
        else this.sessionSlots.settle(id, error, error instanceof OxidisError)
      },
      messages: (...values) => this.subscriptions.dispatch(values)
    }
  }
}

/** Bytes of a command that holds large values. */
function lengthOf (chunks, tail) {
  let length = tail.length
  for (let i = 0; i < chunks.length; i += 2) {
    length += chunks[i].length + Buffer.byteLength(chunks[i + 1])
  }
  return length
}

/**
 * A plain object of alternating keys and values. `__proto__` is an ordinary field here: it is
 * defined, never assigned, so that it neither gets lost nor changes the prototype.
 */
function toObject (pairs) {
  const object = {}
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i]
    if (key === '__proto__' || typeof key === 'object') define(object, String(key), pairs[i + 1])
    else object[key] = pairs[i + 1]
  }
  return object
}

function define (object, key, value) {
  Object.defineProperty(object, key,
    { value, writable: true, enumerable: true, configurable: true })
}

function toMap (pairs) {
  const map = new Map()
  for (let i = 0; i < pairs.length; i += 2) map.set(pairs[i], pairs[i + 1])
  return map
}

/** Resolves with `promise`, unless `signal` is aborted before. */
async function unlessAborted (promise, signal) {
  if (signal === undefined) return promise
  if (signal.aborted) throw abortedBefore(signal.reason)
  let forget
  const aborted = new Promise((resolve, reject) => {
    forget = onAbort(signal, () => reject(abortedBefore(signal.reason)))
  })
  try {
    await Promise.race([promise, aborted])
  } finally {
    forget()
  }
}

// One executor for all promises: a closure for each would cost more than the promise itself.
const captured = { resolve: undefined, reject: undefined }
function capture (resolve, reject) {
  captured.resolve = resolve
  captured.reject = reject
}

const ASKING = '*1\r\n$6\r\nASKING\r\n'
const ASKING_ROW = { command: 'ASKING', reply: undefined }

/** What they count is what their connection has written. */
const COUNTING = new Set(['WAIT', 'WAITAOF'])
const UNHEARD = 'oxidis:wait'
/** Ids of commands of the lanes are below, those of sessions are not. */
const FIRST_SESSION_ID = 2 ** 31
const LAST_LANE_ID = FIRST_SESSION_ID - 1
/** Replies that one call of `deliver` brings at most. `src/binding/values.rs` says `ARGUMENTS`. */
const MOST_VALUES = 1024
/** Length, mode and timeout of each command. `src/binding/bridge.rs` reads them. */
const COLUMNS = 3
/** The most text that waits for a turn's end: half of what V8 can hold in one string. */
const LONGEST_TEXT = 2 ** 28
/** How long (ms) an idle client still keeps the event loop alive; nobody notices that at exit. */
const RELEASE_DELAY = 10

module.exports = { Bridge, UNHEARD, toMap, toObject, unlessAborted }
