'use strict'

/*
 * The bridge of a client of several nodes.
 *
 * The native side finds the node of each command, so what is sent over lanes needs nothing here.
 * This class adds what is for one node: its sessions, and senders to that node alone.
 */

const { abortedBefore, unlessAborted } = require('../abort')
const { bytesOf } = require('../boundary/batch')
const { Bridge, UNHEARD } = require('../boundary/bridge')
const { PING } = require('../boundary/internal-commands')
const { isElsewhere, isRedirect } = require('../error-replies')
const {
  AbortError, ClientClosedError, MaxCommandRedirectionsError, OxidisError, QueueFullError,
  TimeoutError
} = require('../errors')
const native = require('../native')
const { clearTimeout, performance, setTimeout } = require('../timers')
const { slotOf } = require('./key-slot')
const { NodeBridge } = require('./node-bridge')
const { NodeSessions } = require('./node-sessions')

class ClusterBridge extends Bridge {
  constructor (options, limits, pool, onEvent, identity) {
    super(options, limits, pool, onEvent, identity)
    this.sessions = new NodeSessions(this, pool)
    this.readsReplicas = options.topology.reads !== 'primary'
    /** Redirects of one command that this class follows itself, beside the native side. */
    this.maxRedirects = Math.min(options.topology.maxRedirects, MOST_REDIRECTS)
    /** Place of a node -> the sender to it. */
    this.ways = new Map()
    /** Called whenever anything about the nodes has changed. */
    this.watchers = new Set()
  }

  shards () {
    return this.core.shards()
  }

  primaryOf (slot) {
    return this.core.primaryOf(slot)
  }

  placeFor (key) {
    return this.isClosed ? null : this.primaryOf(key === undefined ? undefined : slotOf(key))
  }

  /** Whether it is known where everything is. */
  get isKnown () {
    return this.shards().length > 0
  }

  way (place) {
    let way = this.ways.get(place)
    if (way === undefined) {
      way = this.nodeBridge(place)
      this.ways.set(place, way)
    }
    return way
  }

  /** The sender to the node that the native side knows as `place`. */
  nodeBridge (place) {
    return new NodeBridge(this, place)
  }

  /**
   * A session on one node: the one at `place`, else the one that has `slot`, else any primary.
   * Commands of `slot` that were sent before are answered first.
   * @param {AbortSignal} [signal]
   * @param {number} [slot]
   * @param {number} [place]
   * @param {number} [since] as in `Bridge.acquire`
   */
  async acquire (signal, slot, place, since = performance.now()) {
    if (signal !== undefined && signal.aborted) throw abortedBefore(signal.reason)
    const fence = slot === undefined ? this.fence(since, signal) : this.fenceOf(slot, since, signal)
    if (fence !== null) await fence
    const node = place ?? await this.primary(slot, since, signal)
    const session = await this.sessions.at(node).acquire(signal, since)
    this.core.bindSession(session.target, slot)
    return this.unlessLeft(session, signal)
  }

  /**
   * Resolves once all commands of `slot` that are pending are answered; null if none is. Commands
   * of other slots are not waited for, so a node that hangs holds up only its own slots. `since`
   * and `signal` are as in `fence`.
   */
  fenceOf (slot, since, signal) {
    if (this.promises.pending === 0) return null
    const place = this.core.settledPrimaryOf(slot)
    if (place === null) return this.fence(since, signal)
    // A node answers in the order in which it was asked, so a PING behind the commands is enough.
    this.flush()
    const answered = this.way(place).send(PING.text, 0, this.timeLeft(since), PING.row, undefined)
    const passed = answered.catch(error => {
      if (error instanceof QueueFullError) throw error
      if (error instanceof TimeoutError) throw this.lateBehind(performance.now() - since)
    })
    return this.fences.waitFor(passed, since, signal)
  }

  /** What is left (ms, at least 1) of the time in which a caller gets a session. */
  timeLeft (since) {
    return Math.max(1, Math.ceil(since + this.sessions.acquireTimeout - performance.now()))
  }

  queuedFor (text) {
    const slot = native.slotOfCommand(Buffer.from(text, 'latin1'))
    return slot === null ? this.queued : this.core.queuedBytesAt(slot)
  }

  /** One of a node waits for the other commands of the slot, which the common way does. */
  warmSession () {
    return null
  }

  blockingSession ({ signal, slot, place }, since) {
    return this.acquire(signal, slot, place, since)
  }

  acquireNow (slot) {
    if (this.promises.pending > 0) return null
    const place = this.primaryOf(slot)
    if (place === null) return null
    const session = this.sessions.at(place).acquireNow()
    if (session !== null) this.core.bindSession(session.target, slot)
    return session
  }

  /** Resolves once it is known where everything is; rejects after `timeout` (ms). */
  async known (timeout, signal) {
    // Any command waits for that.
    const sent = this.send(PING.text, 0, timeout, PING.row, undefined)
    try {
      await unlessAborted(sent, signal)
    } catch (error) {
      // An error reply came from a node, so it is known by now where that node is.
      if (error instanceof AbortError || !this.isKnown) throw error
    }
  }

  async refresh () {
    this.core.lookAround()
    let forget
    const changed = new Promise(resolve => { forget = this.watch(resolve) })
    let timer
    const over = new Promise(resolve => { timer = setTimeout(resolve, LONGEST_LOOK) })
    await Promise.race([changed, over])
    clearTimeout(timer)
    forget()
  }

  /** Calls `changed` whenever anything about the nodes has changed. Returns what ends that. */
  watch (changed) {
    this.watchers.add(changed)
    return () => this.watchers.delete(changed)
  }

  changed () {
    for (const changed of this.watchers) changed()
  }

  close () {
    for (const way of this.ways.values()) way.flush()
    super.close()
    for (const way of this.ways.values()) way.isClosed = true
    this.changed()
  }

  /**
   * The place of the node that takes writes to `slot`. It may have to be found out first. `since`
   * and `signal` are as in `fence`.
   */
  async primary (slot, since, signal) {
    for (let tries = 0; tries < MOST_LOOKS; tries++) {
      const place = this.primaryOf(slot)
      if (place !== null) return place
      if (this.isClosed) throw new ClientClosedError(undefined, { applied: 'no' })
      // Any command waits until it is known where everything is.
      const sent = this.send(PING.text, 0, this.timeLeft(since), PING.row, undefined)
      try {
        await unlessAborted(sent, signal)
      } catch (error) {
        if (!(error instanceof TimeoutError)) throw error
        throw this.lateFor('it is not known which node takes it', performance.now() - since,
          error.cause)
      }
      if (tries > 0) this.core.lookAround()
    }
    throw new OxidisError('no node of the cluster has the slot', {
      code: 'CLUSTERDOWN', applied: 'no', retryable: true
    })
  }

  /** The channel is in a slot of the session's node: only there the message stays on the node. */
  unheard ({ sessions: { node } }) {
    const shard = this.shards().find(({ primary }) => primary.place === node)
    if (shard === undefined) return UNHEARD
    const { slots } = shard
    const isOwned = slot => slots.some((first, i) =>
      i % 2 === 0 && first <= slot && slot <= slots[i + 1])
    // Most nodes have thousands of slots, so one of the first names fits.
    for (let i = 0; i < MOST_NAMES; i++) {
      if (isOwned(slotOf(`${UNHEARD}:${i}`))) return `${UNHEARD}:${i}`
    }
    return UNHEARD
  }

  /**
   * A node has refused a command of `slot` with `error`; the command was sent on `redirects` times
   * before. Resolves with the place of the node that is to be asked next, behind ASKING, or with
   * undefined if that is the one that has the slot; what has moved is known by then.
   */
  async redirected (error, redirects, slot) {
    const isNamed = isElsewhere(error.code)
    // Other refusals name no node: they tell by themselves what is wrong.
    if (!isNamed && redirects >= MOST_TRIES) throw error
    if (isNamed && redirects >= this.maxRedirects) throw tooMany(redirects, error)
    const place = slot === undefined ? null : this.core.askedBy(slot, error.message)
    if (place !== null) return place
    await this.refresh()
    return undefined
  }

  /** Sends the command over a session on the node of its keys, and follows redirects. */
  async sendBlocking (command) {
    if (command.place !== undefined) return super.sendBlocking(command)
    const slot = native.slotOfCommand(bytesOf(command.chunks, command.text)) ?? undefined
    let place
    for (let redirects = 0; ; redirects++) {
      try {
        return await super.sendBlocking({ ...command, slot, place, isAsking: place !== undefined })
      } catch (error) {
        if (!isRedirect(error.code)) throw error
        place = await this.redirected(error, redirects, slot)
      }
    }
  }
}

function tooMany (redirects, cause) {
  const [, , last = 'an unknown node'] = cause.message.split(' ')
  const text = `the cluster has sent the command on ${redirects} times, and once more to ` +
    `${last}: its nodes do not agree on who has its slot`
  return new MaxCommandRedirectionsError(text, { applied: 'no', retryable: true, cause })
}

/** The most redirects of `maxCommandRedirections` that are counted, as on the native side. */
const MOST_REDIRECTS = 15
/**
 * How often a command is sent again that a node cannot run yet. The client has looked around in
 * between each time, so this is about a second.
 */
const MOST_TRIES = 5
/**
 * How long (ms) `refresh` waits for news. The native side looks around at most every 200 ms, so it
 * has looked once by then.
 */
const LONGEST_LOOK = 250
/** Names that are tried for a slot of a node: enough where a node has one slot of 16,384. */
const MOST_NAMES = 100_000
/** How often the primary of a slot is looked for. */
const MOST_LOOKS = 3

module.exports = { ClusterBridge }
