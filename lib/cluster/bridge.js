'use strict'

/*
 * The bridge of a client of several nodes.
 *
 * Owns the ways to one node: its sessions, and batches that are for it alone. Everything else is
 * the common bridge's, since the native side finds the node of each command.
 */

const { Bridge, UNHEARD, unlessAborted } = require('../boundary/bridge')
const { abortedBefore } = require('../abort')
const { isRedirect } = require('../error-replies')
const { AbortError, ClientClosedError, OxidisError, QueueFullError } = require('../errors')
const native = require('../native')
const { SessionBridge } = require('../boundary/session-bridge')
const { Sessions } = require('../boundary/sessions')
const { slotOf } = require('./key-slot')

class ClusterBridge extends Bridge {
  constructor (options, limits, pool, onEvent) {
    super(options, limits, pool, onEvent)
    this.sessions = new NodeSessions(this, pool)
    /** Ways to one node, by its place. */
    this.ways = new Map()
    /** Called whenever anything about the nodes has changed. */
    this.watchers = new Set()
  }

  /** Whether where everything is has been found out. */
  get isKnown () {
    return this.core.shards().length > 0
  }

  /**
   * A bridge to the node at `place` and no other: its redirects and refusals reach the caller.
   * @param {number} place
   */
  way (place) {
    let way = this.ways.get(place)
    if (way === undefined) {
      way = new NodeBridge(this, place)
      this.ways.set(place, way)
    }
    return way
  }

  /**
   * As in the common bridge, for a session on the node at `place`, or on that which has `slot`; on
   * any by default.
   */
  async acquire (signal, slot, place) {
    const fence = slot === undefined ? this.fence() : this.fenceOf(slot)
    if (fence !== null) await unlessAborted(fence, signal)
    const session = await this.sessions.at(place ?? await this.primary(slot)).acquire(signal)
    this.core.bindSession(session.place, slot)
    if (signal === undefined || !signal.aborted) return session
    this.sessions.finish(session)
    throw abortedBefore(signal.reason)
  }

  /**
   * Resolves once all commands of `slot` that are pending are answered; null if that is so already.
   * Only those keep an order, so that whatever hangs elsewhere holds up nobody.
   */
  fenceOf (slot) {
    if (this.slots.pending === 0) return null
    const place = this.core.settledPrimaryOf(slot)
    if (place === null) return this.fence()
    // Its node answers in the order of asking.
    this.flush()
    const { acquireTimeout } = this.sessions
    const answered = this.way(place).send(PING, 0, acquireTimeout, PING_ROW, undefined)
    return answered.catch(error => { if (error instanceof QueueFullError) throw error })
  }

  queuedFor (text) {
    const slot = native.slotOfCommand(Buffer.from(text, 'latin1'))
    return slot === null ? this.queued : this.core.queuedBytesAt(slot)
  }

  acquireNow (slot) {
    if (this.slots.pending > 0) return null
    const place = this.core.primaryOf(slot)
    if (place === null) return null
    const session = this.sessions.at(place).acquireNow()
    if (session !== null) this.core.bindSession(session.place, slot)
    return session
  }

  /** Resolves once it has been found out where everything is; fails after `timeout` (ms). */
  async known (timeout, signal) {
    // Any command waits for that.
    const sent = this.send(PING, 0, timeout, PING_ROW, undefined)
    try {
      await unlessAborted(sent, signal)
    } catch (error) {
      // A node that answers something else is known as well.
      if (error instanceof AbortError || !this.isKnown) throw error
    }
  }

  /** Asks where everything is, and resolves when that has changed; at the latest after a while. */
  async refresh () {
    this.core.lookAround()
    let forget
    const changed = new Promise(resolve => { forget = this.watch(resolve) })
    let timer
    const over = new Promise(resolve => { timer = setTimeout(resolve, REFRESH) })
    await Promise.race([changed, over])
    clearTimeout(timer)
    forget()
  }

  /** Calls `changed` whenever anything about the nodes has changed, until what it returns is. */
  watch (changed) {
    this.watchers.add(changed)
    return () => this.watchers.delete(changed)
  }

  /** Tells those who watch. */
  changed () {
    for (const changed of this.watchers) changed()
  }

  close () {
    for (const way of this.ways.values()) way.flush()
    super.close()
    for (const way of this.ways.values()) way.isOver = true
    this.changed()
  }

  /** The place of the node that takes writes to `slot`, which may have to be found out first. */
  async primary (slot) {
    for (let tries = 0; tries < LOOKS; tries++) {
      const place = this.core.primaryOf(slot)
      if (place !== null) return place
      if (this.isClosed) throw new ClientClosedError('the client is closed', { applied: 'no' })
      // Any command waits until that is known.
      await this.send(PING, 0, this.sessions.acquireTimeout, PING_ROW, undefined)
      if (tries > 0) this.core.lookAround()
    }
    throw new OxidisError('no node of the cluster has the slot', {
      code: 'CLUSTERDOWN', applied: 'no', retryable: true
    })
  }

  /** As in the common bridge; only in a slot of the node does such a message stay there. */
  unheard ({ home: { node } }) {
    const shard = this.core.shards().find(({ primary }) => primary.place === node)
    if (shard === undefined) return UNHEARD
    const { slots } = shard
    const isOwn = slot => slots.some((first, i) =>
      i % 2 === 0 && first <= slot && slot <= slots[i + 1])
    // Most nodes have thousands of slots, so the right name is among the first.
    for (let i = 0; i < MOST_NAMES; i++) {
      if (isOwn(slotOf(`${UNHEARD}:${i}`))) return `${UNHEARD}:${i}`
    }
    return UNHEARD
  }

  /** A blocking command goes to a session on the node of its keys, and follows redirects there. */
  async sendBlocking (command) {
    if (command.place !== undefined) return super.sendBlocking(command)
    const head = command.chunks === null ? command.text : command.chunks.join('')
    const slot = native.slotOfCommand(Buffer.from(head, 'latin1')) ?? undefined
    let place
    for (let redirects = 0; ; redirects++) {
      try {
        return await super.sendBlocking({ ...command, slot, place, isAsking: place !== undefined })
      } catch (error) {
        if (!isRedirect(error.code) || redirects === MOST_REDIRECTS) throw error
        place = slot === undefined ? undefined : this.core.askedBy(slot, error.message) ?? undefined
        if (place !== undefined) continue
        await this.refresh()
      }
    }
  }
}

/** The way to one node and no other. Its lane is shared: what may wait there gets a session. */
class NodeBridge extends SessionBridge {
  sendBlocking (command) {
    return this.bridge.sendBlocking({ ...command, place: this.place })
  }
}

/** The sessions of all nodes: what callers know of `Sessions`, for each node by itself. */
class NodeSessions {
  constructor (bridge, pool) {
    this.bridge = bridge
    this.pool = pool
    this.leakThreshold = pool.leakThreshold
    this.acquireTimeout = pool.acquireTimeout
    this.byPlace = new Map()
    this.running = 0
  }

  at (place) {
    let sessions = this.byPlace.get(place)
    if (sessions === undefined) {
      sessions = new Sessions(this.bridge, this.pool, place)
      this.byPlace.set(place, sessions)
    }
    return sessions
  }

  get waiters () {
    return this.sum(({ waiters }) => waiters)
  }

  get opening () {
    return this.sum(({ opening }) => opening)
  }

  get idle () {
    return [...this.byPlace.values()].flatMap(({ idle }) => idle)
  }

  sum (number) {
    let sum = 0
    for (const sessions of this.byPlace.values()) sum += number(sessions)
    return sum
  }

  finish (session) {
    session.home.finish(session)
  }

  reclaim (session) {
    session.home.reclaim(session)
  }

  close () {
    for (const sessions of this.byPlace.values()) sessions.close()
  }
}

const PING = '*1\r\n$4\r\nPING\r\n'
const PING_ROW = { command: 'PING', reply: undefined }

const MOST_REDIRECTS = 5
/** How long (ms) a look around may take before the command is tried again. */
const REFRESH = 250
/** Tries to find a name in one of a node's slots: enough where it has one of 16,384 only. */
const MOST_NAMES = 100_000
/** How often the owner of a slot is looked for. */
const LOOKS = 3

module.exports = { ClusterBridge }
