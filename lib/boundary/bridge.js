'use strict'

/*
 * A client's way through the native boundary: once a turn out, once a wake-up back.
 *
 * Owns the client's batch of this turn, the promises that wait for replies, and the ids that
 * connect the two. The sessions and the subscriptions of the client use the same native core, and
 * so they are reached through the bridge.
 *
 * Invariant: the ids of a batch are consecutive, and every id is settled exactly once. No id is
 * given while a command has it.
 */

const { inspect } = require('node:util')

const { abortedBefore } = require('../abort')
const native = require('../native')
const {
  AbortError, ClientClosedError, OxidisError, QueueFullError, TimeoutError
} = require('../errors')
const { nextTick, performance, setImmediate } = require('../timers')
const { Batch, LONGEST_TEXT, copyValues, lengthOf, notHandedOver } = require('./batch')
const { Fences } = require('./fences')
const { Ids } = require('./ids')
const { ASKING } = require('./internal-commands')
const { KeepAlive } = require('./keep-alive')
const { PACKED_MAKERS } = require('./packed')
const { PromiseMap } = require('./promise-map')
const { PromiseRing } = require('./promise-ring')
const { Sender } = require('./sender')
const { SessionBridge } = require('./session-bridge')
const { Sessions } = require('./sessions')
const { SLICE_MAKERS } = require('./slices')
const { Subscriptions } = require('./subscriptions')
const { MAKERS } = require('./values')

class Bridge extends Sender {
  #identity

  /**
   * @param {object} options the native core's options
   * @param {{ maxCommands: number, maxBytes: number }} limits bounds of what waits for a reply
   * @param {{ max: number, acquireTimeout: number, leakThreshold: number }} pool
   * @param {(name: string, ...details: unknown[]) => void} onEvent called outside of any promise
   * @param {object} [identity] who the client is, for those who watch
   */
  constructor (options, limits, pool, onEvent, identity) {
    super()
    this.#identity = identity
    this.limits = limits
    /** Bytes from which on a command is looked at more closely. */
    this.watermark = Math.min(limits.maxBytes, LONGEST_TEXT)
    this.flush = this.flush.bind(this)
    this.batch = new Batch(COLUMNS, FIRST_ROWS, this.flush)
    this.promises = new PromiseRing()
    /** Of the commands of sessions, whose ids have the highest bit set. */
    this.sessionPromises = new PromiseMap()
    this.sessions = new Sessions(this, pool)
    this.subscriptions = new Subscriptions(this)
    this.acquireTimeout = pool.acquireTimeout
    this.lanes = options.lanes
    this.isShared = options.shared !== undefined
    /** The id of the next command of a lane. */
    this.nextId = 0
    this.fences = new Fences(() => this.nextId, pool.acquireTimeout,
      (waited, unanswered) => this.lateBehind(waited, unanswered))
    /** Knows which ids from `nextId` on are free. */
    this.laneIds = new Ids(0, FIRST_SESSION_ID, () => this.promises.pendingIds(),
      id => this.fences.skip(id))
    /** For the commands of sessions, for sessions, and for sessions that are being opened. */
    this.sessionIds = new Ids(FIRST_SESSION_ID, FIRST_SESSION_ID, () => this.usedSessionIds())
    /** Bytes queued natively, as of the last flush. */
    this.queued = 0
    this.whenIdle = null
    this.keepAlive = new KeepAlive(isAlive => this.core.keepAlive(isAlive), () => this.isNeeded,
      () => this.promises.shrink())
    /** What the native side calls. Only the bridge holds it until the client starts. */
    this.face = this.callbacks(onEvent)
    this.core = new native.Core(options, this.face)
  }

  get identity () {
    return this.#identity
  }

  /** Commands without a reply, and requests to subscribe that have not ended. */
  get pending () {
    return this.promises.pending + this.sessionPromises.pending + this.subscriptions.pending
  }

  /** Whether any command was ever sent. */
  get isUsed () {
    return this.nextId !== 0 || this.laneIds.isUsed || this.sessionIds.isUsed ||
      this.subscriptions.isUsed
  }

  get isConnected () {
    return this.core.stats()?.lanes.some(lane => lane.connected) ?? false
  }

  /** The native side's numbers; null before the first command. */
  stats () {
    const stats = this.core.stats()
    if (stats === null) return null
    const { idle, opening, waiters } = this.sessions
    const { pool } = stats
    // A session that waits here for its next caller is in use for the native side, but idle for the
    // user. One that has lost its connection meanwhile is not counted at all.
    const kept = idle.filter(({ target }) => this.core.isSessionUp(target)).length
    pool.inUse -= kept
    pool.idle += kept
    pool.waiting += Math.max(0, waiters - opening)
    return stats
  }

  send (encoded, mode, timeout, row, context) {
    if (this.promises.pending >= this.limits.maxCommands ||
      this.queued + this.batch.text.length + encoded.length > this.watermark) {
      const refusal = this.refusal(encoded.length, 1, encoded)
      if (refusal !== null) return Promise.reject(refusal)
    }
    this.batch.add(encoded, encoded.length, mode, timeout)
    return this.promise(row, context)
  }

  sendLarge (chunks, tail, mode, timeout, row, context) {
    const length = lengthOf(chunks, tail)
    if (this.promises.pending >= this.limits.maxCommands ||
      this.queued + this.batch.text.length + length > this.watermark) {
      const refusal = this.refusal(length, 1, chunks.join(''))
      if (refusal !== null) return Promise.reject(refusal)
    }
    this.batch.putBefore(chunks)
    this.batch.add(tail, length, mode, timeout)
    const promise = this.promise(row, context)
    this.flush(chunks)
    return promise
  }

  /** All of the commands find room, or none; large values are handed over at once. */
  sendTogether (commands, timeout, taken) {
    const lengths = commands.map(({ chunks, text }) => lengthOf(chunks ?? [], text))
    const length = lengths.reduce((sum, length) => sum + length, 0)
    if (this.promises.pending + commands.length > this.limits.maxCommands ||
      this.queued + this.batch.text.length + length > this.watermark) {
      const [{ chunks, text }] = commands
      const head = chunks === null ? text : chunks.join('')
      const refusal = this.refusal(length, commands.length, head)
      if (refusal !== null) return commands.map(() => Promise.reject(refusal))
    }
    const large = []
    const promises = commands.map(({ chunks, text, mode, row, context }, index) => {
      if (chunks !== null) {
        this.batch.putBefore(chunks)
        for (const chunk of chunks) large.push(chunk)
      }
      this.batch.add(text, lengths[index], mode, timeout)
      const promise = this.promise(row, context)
      if (taken !== undefined) taken(promise, this.latestId)
      return promise
    })
    this.flush(large)
    return promises
  }

  /**
   * Sends a command that may wait on the server, over a session of its own.
   * @param {object} command `text` and `chunks` as in `sendTogether`, `mode`, `row`, `context`,
   *   `signal`, and `waits`: how long the server may wait in ms, 0 for ever. A cluster adds the
   *   `slot` or the `place` of the node, and `isAsking` to put ASKING in front.
   */
  async sendBlocking (command) {
    // The caller may change its Buffers once this function has returned.
    if (command.chunks !== null) copyValues(command.chunks)
    const { sessions } = this
    const since = performance.now()
    sessions.running++
    try {
      for (;;) {
        // At once if that is possible, so that nothing that is called later overtakes it.
        const session = this.warmSession(command) ?? await this.blockingSession(command, since)
        try {
          return await this.sendBlockingOver(session, command)
        } catch (error) {
          // The connection was lost before the command was sent: any other one will do.
          const isUnsent = error.kind === 'SESSION_LOST' && error.applied === 'no'
          if (!isUnsent || performance.now() - since >= this.acquireTimeout) throw error
        } finally {
          sessions.finish(session)
        }
      }
    } finally {
      sessions.running--
      this.drained()
    }
  }

  /** A session for a blocking command, if there is one at once; else null. */
  warmSession ({ signal }) {
    const isPending = this.lanes === 1 && this.promises.pending > 0
    if (isPending || signal?.aborted) return null
    return this.sessions.acquireNow(true) ?? this.sessions.borrow()
  }

  /** A session for a blocking command, behind everything that was sent before it. */
  async blockingSession (command, since) {
    const { signal, slot, place } = command
    const fence = this.fence(since, signal)
    if (fence === null) return this.acquire(signal, slot, place, since)
    await fence
    // Commands that were called later are none of its business.
    return this.warmSession(command) ??
      this.unlessLeft(await this.sessions.acquire(signal, since), signal)
  }

  async sendBlockingOver (session, command) {
    try {
      if (COUNTING.has(command.row.command)) await session.takeOffset(this.unheard(session))
      if (command.isAsking) session.send(ASKING.text, 0, 0, ASKING.row, undefined).catch(() => {})
      return await session.sendBlocking(command)
    } catch (error) {
      // A server that has become a replica closes the connection right behind this error.
      if (error.code === 'UNBLOCKED') session.end()
      throw error
    }
  }

  /** The sender to the session that the native side knows as `target`. */
  sessionBridge (target) {
    return new SessionBridge(this, target)
  }

  /** Makes all connections begin anew, as the options say. */
  startOver () {
    this.core.resetConnections()
  }

  /** Keys have changed, as the server says. Only a client with a cache asks it to. */
  invalidated () {}

  /** A channel that nobody listens to, for a message to the server of `session`. */
  unheard () {
    return UNHEARD
  }

  /**
   * Resolves once all commands that are pending in the lane are answered; null if none is. Clients
   * with several lanes promise no order, so there it is always null. Rejects when
   * `pool.acquireTimeout` has passed.
   * @param {number} since when the caller has asked (ms of `performance.now()`)
   * @param {AbortSignal} [signal]
   */
  fence (since, signal) {
    const { promises, fences } = this
    if (this.lanes !== 1 || promises.pending === 0) return null
    const passed = fences.wait(promises.pending, since, signal)
    promises.fences = fences
    return passed
  }

  /** The error of a caller whose time for a session has passed behind earlier commands. */
  lateBehind (waited, unanswered) {
    const count = unanswered === undefined ? '' : ` (unanswered=${unanswered})`
    return this.lateFor('commands that were called before it have no reply yet' + count + ', so ' +
      'give them a deadline with commandOptions.timeout', waited)
  }

  /** The error of a caller that did not come to ask the pool for a session, and why. */
  lateFor (why, waited, cause = this.core.poolTimeout(waited, 0, null).cause) {
    return new TimeoutError(`no session within ${Math.round(waited)} ms: ${why}`,
      { code: 'POOL_TIMEOUT', applied: 'no', retryable: true, cause })
  }

  /** A session for a caller, if there is one at once; else null. */
  acquireNow () {
    if (this.lanes === 1 && this.promises.pending > 0) return null
    return this.sessions.acquireNow()
  }

  /**
   * A session for a caller, which has to be given back. Whatever was sent before is answered first:
   * a SELECT among it decides the database of the session.
   * @param {AbortSignal} [signal]
   * @param {number} [slot] unused here, as is `place`: `ClusterBridge` finds the node by them
   * @param {number} [place]
   * @param {number} [since] when the wait for a session has begun (ms of `performance.now()`)
   */
  async acquire (signal, slot, place, since = performance.now()) {
    if (signal !== undefined && signal.aborted) throw abortedBefore(signal.reason)
    const fence = this.fence(since, signal)
    if (fence !== null) await fence
    return this.unlessLeft(await this.sessions.acquire(signal, since), signal)
  }

  /** `session`, or an `AbortError` if its caller has left meanwhile; then it is given back. */
  unlessLeft (session, signal) {
    if (signal === undefined || !signal.aborted) return session
    this.sessions.finish(session)
    throw abortedBefore(signal.reason)
  }

  promise (row, context) {
    const promise = new Promise(capture)
    const id = this.nextId
    this.nextId = (id + 1) & LAST_LANE_ID
    this.promises.put(id, captured.resolve, captured.reject, row, context)
    return promise
  }

  flush (chunks) {
    const { batch } = this
    const { count } = batch
    if (count === 0) return
    const text = batch.take()
    this.keepAlive.stay()
    const firstId = (this.nextId - count) & LAST_LANE_ID
    if (((this.laneIds.limit - this.nextId) & LAST_LANE_ID) < MOST_IN_BATCH) this.lookAhead()
    try {
      this.queued = this.core.submit(text, text.length, batch.table, count, firstId, chunks)
    } catch (cause) {
      const error = notHandedOver(cause)
      for (let i = 0; i < count; i++) {
        this.promises.settle((firstId + i) & LAST_LANE_ID, error, true)
      }
      this.drained()
    }
  }

  get latestId () {
    return (this.nextId - 1) & LAST_LANE_ID
  }

  /** Goes on with these ids, for tests. */
  startIdsAt ({ lane = this.nextId, session = this.sessionIds.next, ticket }) {
    this.nextId = lane
    this.laneIds.startAt(lane)
    this.lookAhead()
    this.sessionIds.startAt(session)
    if (ticket !== undefined) this.subscriptions.ticketIds.startAt(ticket)
  }

  /** Looks which ids ahead are in use. If one is near, each command looks (`reserve`). */
  lookAhead () {
    if (this.watermark === EACH) return
    this.laneIds.next = this.nextId
    this.laneIds.look()
    if (this.laneIds.room < MOST_IN_BATCH) this.watermark = EACH
  }

  /** Makes sure that `count` ids from `nextId` on are free. False if there are none in a row. */
  reserve (count) {
    const { laneIds } = this
    laneIds.next = this.nextId
    // The ids of a batch are consecutive.
    if (laneIds.room < count) this.flush()
    for (let left = FIRST_SESSION_ID; laneIds.room < count; left -= laneIds.room + 1) {
      if (left < 0) return false
      laneIds.skip()
      this.nextId = laneIds.next
    }
    if (laneIds.room >= 2 * MOST_IN_BATCH) {
      this.watermark = Math.min(this.limits.maxBytes, LONGEST_TEXT)
    }
    return true
  }

  /** Ends command `id`, whose caller has gone. No effect if its reply has come to Rust already. */
  abort (id, reason) {
    this.flush()
    this.abortIn(this.promises, id, reason)
  }

  abortIn (promises, id, reason) {
    const code = this.core.cancel(id)
    if (code === CANNOT_CANCEL) return
    const applied = code === CANCELLED_UNWRITTEN ? 'no' : 'unknown'
    const error = new AbortError(undefined, { applied, cause: reason })
    promises.settle(id, error, true)
    this.drained()
  }

  * usedSessionIds () {
    yield * this.sessionPromises.entries.keys()
    yield * this.sessions.targets()
  }

  /**
   * The error for `count` commands of `length` bytes that find no room; null if there is room, and
   * then that many ids are free as well. `text` is the beginning of the first command.
   */
  refusal (length, count, text) {
    const full = this.full(length, count, text)
    if (full !== null || this.watermark !== EACH || this.reserve(count)) return full
    return new QueueFullError(`there are no ids for ${count} commands in a row: too many others ` +
      'wait for a reply', { applied: 'no', retryable: true })
  }

  /**
   * The error for `length` bytes that a session wants to hand over beside the `queued` ones that it
   * has; null if there is room for them.
   */
  fullWith (length, queued) {
    if (this.pending < this.limits.maxCommands &&
      this.queued + queued + length <= this.watermark) return null
    return this.full(length)
  }

  /**
   * The error for `count` commands of `length` bytes that find a queue bound reached; null if there
   * is room for them. `text` is the beginning of the first command.
   */
  full (length, count = 1, text = '') {
    const { maxCommands, maxBytes } = this.limits
    const pending = this.pending
    if (pending + count > maxCommands) {
      return new QueueFullError(`${pending} commands are waiting for a reply, which is ` +
        'commandsQueueMaxLength', { applied: 'no', retryable: true })
    }
    if (this.batch.text.length + length > LONGEST_TEXT) this.flush()
    // Replies may have come since the last flush, so its figure may be too high.
    this.queued = this.core.queuedBytes()
    if (this.queued + this.batch.text.length + length <= maxBytes) return null
    const queued = this.queuedFor(text)
    if (queued + this.batch.text.length + length <= maxBytes) return null
    return new QueueFullError(`${queued} bytes of commands are waiting, and maxQueuedBytes ` +
      `is ${maxBytes}`, { applied: 'no', retryable: true })
  }

  /** The bytes that wait where the command that begins with `text` would wait. */
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

  /** Resolves once `isIdle` holds. */
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
    this.fences.close(new ClientClosedError(undefined, { applied: 'no' }))
    this.sessions.close()
    this.core.close()
    this.subscriptions.clear()
    this.drained()
  }

  /** Lets pending commands and subscriptions keep the process alive (the default), or not. */
  reference (isReferenced) {
    this.keepAlive.allow(isReferenced)
  }

  /** Called when a wake-up has delivered everything, or a command has ended by itself. */
  drained () {
    if (!this.isQuiet) return
    if (this.whenIdle !== null && this.isIdle) {
      this.whenIdle()
      this.whenIdle = null
    }
    if (this.isClosed) return this.core.dispose()
    if (!this.subscriptions.isActive) this.keepAlive.leave()
  }

  /** Shows no key and no value. */
  [inspect.custom] () {
    return `Bridge { pending: ${this.pending} }`
  }

  /** The functions that the native side calls. None of them may throw. */
  callbacks (onEvent) {
    const { promises, sessionPromises } = this
    const of = id => id < FIRST_SESSION_ID ? promises : sessionPromises
    const ids = DELIVERED
    const resume = () => {
      this.core.resume()
      this.drained()
    }
    return {
      __proto__: ALL_MAKERS,
      ids,
      deliver: (...values) => {
        for (let i = 0; i < values.length; i++) {
          const id = ids[i]
          const value = values[i]
          const isFailure = typeof value === 'object' && value instanceof OxidisError
          if (id < FIRST_SESSION_ID) promises.settle(id, value, isFailure)
          else sessionPromises.settle(id, value, isFailure)
        }
      },
      part: (id, index, error) => of(id).part(id, index, error),
      reject: (id, error) => of(id).settle(id, error, true),
      drained: () => this.drained(),
      later: () => { setImmediate(resume) },
      // A listener of the application may throw, which must not happen in a native callback.
      event: (name, ...details) => nextTick(onEvent, name, ...details),
      settled: (id, error) => {
        if (id < FIRST_SESSION_ID) this.subscriptions.settle(id, error)
        else sessionPromises.settle(id, error, error instanceof OxidisError)
      },
      messages: (...values) => this.subscriptions.dispatch(values),
      invalidated: (...keys) => this.invalidated(keys)
    }
  }
}

// One executor for all promises: a closure for each would cost more than the promise itself.
const captured = { resolve: undefined, reject: undefined }
function capture (resolve, reject) {
  captured.resolve = resolve
  captured.reject = reject
}

/** The commands that count what their own connection has written. */
const COUNTING = new Set(['WAIT', 'WAITAOF'])
const UNHEARD = 'oxidis:wait'
/** Ids of commands of the lanes are below this, those of sessions are not. */
const FIRST_SESSION_ID = 2 ** 31
const LAST_LANE_ID = FIRST_SESSION_ID - 1
/** More commands than the text of a batch has room for: the shortest takes 14 of its 2^28 chars. */
const MOST_IN_BATCH = 2 ** 25
/** The watermark that makes each command look. */
const EACH = -1
/** Replies that one call of `deliver` brings at most. `src/binding/values.rs` says `ARGUMENTS`. */
const MOST_VALUES = 1024
/**
 * Their ids. All bridges of a thread share the array: the native side fills it for one call of
 * `deliver`, and nothing else is delivered before that has ended.
 */
const DELIVERED = new Uint32Array(MOST_VALUES)
const ALL_MAKERS = { ...MAKERS, ...SLICE_MAKERS, ...PACKED_MAKERS }
/** Length, mode and timeout of each command. `src/binding/bridge.rs` reads them. */
const COLUMNS = 3
/** Commands of a usual turn. The table grows for larger ones. */
const FIRST_ROWS = 16

/** What `core.cancel` answers; anything else means that the command was written. */
const CANNOT_CANCEL = 0
const CANCELLED_UNWRITTEN = 1

module.exports = { Bridge, LAST_LANE_ID, UNHEARD }
