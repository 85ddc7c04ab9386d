'use strict'

/*
 * The life of a cluster's instance: its status, its links one after the other, and its events.
 *
 * A link stands as long as any node can say where everything is. When none can, it is closed, and
 * `clusterRetryStrategy` says when there is another one.
 */

const { PING } = require('../boundary/internal-commands')
const { answerIdentity, answerLookup } = require('../client/socket-answers')
const { ClusterBridge } = require('../cluster/bridge')
const { parseAddress } = require('../addresses')
const { PATIENT } = require('../mode')
const { clearTimeout, nextTick, setImmediate, setTimeout } = require('../timers')
const { POOL, nodeOptions, seedsOf } = require('./cluster-options')
const { ClusterAllFailedError, ReplyError, closed, replyBehind } = require('./errors')
const { linkOf } = require('./link')
const { LIMITS } = require('./options')
const { targetsOf } = require('./srv')
const { CLOSED } = require('./traffic')

const ClusterLink = linkOf(ClusterBridge)

class ClusterLife {
  /** @param {import('./cluster').Cluster} redis */
  constructor (redis) {
    this.redis = redis
    this.link = null
    this.waiting = null
    this.lastError = null
    /** The options of the startup nodes, as they were found last. */
    this.seeds = []
  }

  /** Finds the nodes. */
  connect () {
    const { redis } = this
    if (BUSY.has(redis.status)) {
      return Promise.reject(new Error('Redis is already connecting/connected'))
    }
    this.forgetRetry()
    redis.manuallyClosing = false
    redis.connectionEpoch++
    this.setStatus('connecting')
    redis.condition = { select: 0, subscriber: false, protocol: redis.options.protocol }
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject }
      try {
        this.seeds = seedsOf(redis)
        if (!redis.options.useSRVRecords) return this.open(nodeOptions(redis, this.seeds))
      } catch (error) {
        redis.manuallyClosing = true
        return this.close(error)
      }
      this.resolve(redis.connectionEpoch)
    })
  }

  /** Looks up the targets of the startup nodes' SRV records. */
  async resolve (epoch) {
    const { redis } = this
    const isWanted = () => redis.connectionEpoch === epoch && redis.status === 'connecting'
    try {
      const seeds = await targetsOf(this.seeds, redis.options.resolveSrv)
      if (!isWanted()) return
      this.seeds = seeds
      this.open(nodeOptions(redis, seeds))
    } catch (error) {
      if (!isWanted()) return
      this.settle(error)
      this.close(error)
    }
  }

  open ({ core, parsed }) {
    const link = new ClusterLink(core, (...event) => this.hear(link, parsed, event), POOL)
    link.isOfSeveral = true
    this.link = link
    // Any command waits until it is known where everything is.
    link.ask(PING.text, PING.row).then(() => this.found(link), error => {
      if (replyBehind(error) !== null && link.isKnown) this.found(link)
      else this.failed(link, error)
    })
  }

  /** What messages come over: it finds the nodes by itself. */
  openSubscriber () {
    const { core, parsed } = nodeOptions(this.redis, this.seeds)
    const bridge = new ClusterBridge(core, LIMITS, POOL,
      (...event) => this.answer(bridge, parsed, event))
    return bridge
  }

  hear (link, parsed, event) {
    const [name, first, second] = event
    if (this.answer(link, parsed, event) || this.link !== link) return
    switch (name) {
      case 'topology':
        link.changed()
        return this.redis._arrange(link.shards())
      case 'error':
        if (second !== null) return this.redis.emit('node error', first, second)
        return this.failed(link, first)
      case 'stopped':
        return this.failed(link, first)
    }
  }

  /** Answers a question of the native side. False if the event is none. */
  answer ({ core }, parsed, [name, first, second, third, fourth]) {
    if (name === 'askIdentity') answerIdentity(core, first, parsed, third, fourth)
    else if (name === 'askLookup') answerLookup(core, first, parsed, third, fourth)
    else if (name === 'askAddress') this.answerAddress(core, first, second)
    else return false
    return true
  }

  /** Asks `natMap` where the server is reached that servers call `address`. */
  answerAddress (core, question, address) {
    const { host, port } = parseAddress(address)
    let reached
    try {
      reached = this.redis.options.natMap(`${host}:${port}`)
    } catch (error) {
      nextTick(() => { throw error })
    }
    core.answerAddress(question,
      reached ? { host: reached.host, port: Number(reached.port) } : undefined)
  }

  found (link) {
    if (this.link !== link || this.redis.status !== 'connecting') return
    this.setStatus('connect')
    if (!this.redis.options.enableReadyCheck) return this.ready(link)
    link.send(CLUSTER_INFO, PATIENT, 0, INFO_ROW, undefined).then(info => {
      if (this.link !== link) return
      if (/cluster_state:fail/.test(info)) this.disconnect(true)
      else this.ready(link)
    }, error => {
      if (this.link !== link) return
      // A user may not be allowed to ask that.
      if (error instanceof ReplyError) this.ready(link)
      else this.failed(link, error)
    })
  }

  ready (link) {
    const { redis } = this
    this.setStatus('ready')
    redis.retryAttempts = 0
    this.settle()
    redis._traffic.open(link)
    redis._pubsub.ready()
  }

  settle (error) {
    const { waiting } = this
    this.waiting = null
    if (error === undefined) waiting?.resolve()
    else waiting?.reject(error)
  }

  /** No node can say where everything is. */
  failed (link, error) {
    if (this.link !== link) return
    const { redis } = this
    const reply = replyBehind(error)
    const last = reply === null ? error : new ReplyError(reply.message)
    redis.silentEmit('error', new ClusterAllFailedError(last))
    if (this.link === link) this.close(last)
  }

  /** Closes all connections by hand; others follow if `isReconnecting`. */
  disconnect (isReconnecting) {
    const { redis, link } = this
    const { status } = redis
    if (status === 'end') return
    this.setStatus('disconnecting')
    if (!isReconnecting) redis.manuallyClosing = true
    if (redis.reconnectTimeout !== null && !isReconnecting) this.forgetRetry()
    if (link !== null && !isReconnecting) link.ending = CLOSED
    this.drop()
    setImmediate(() => this.closed())
  }

  async quit () {
    const { redis, link } = this
    if (redis.status === 'end') throw closed('no')
    const { queue } = redis._traffic
    this.forgetRetry()
    redis.manuallyClosing = true
    this.setStatus('disconnecting')
    // What waits for the nodes is sent before the end.
    await Promise.allSettled(queue.map(({ promise }) => promise))
    redis._traffic.shut()
    if (link !== null && !link.isClosed) await link.idle()
    if (this.link === link && link !== null) this.drop()
    setImmediate(() => this.closed())
    return 'OK'
  }

  drop () {
    const { link } = this
    this.link = null
    this.redis._traffic.lost()
    link?.close()
  }

  close (error) {
    this.drop()
    this.closed(error)
  }

  closed (reason) {
    const { redis } = this
    if (redis.status === 'end') return
    this.setStatus('close')
    this.settle(new Error('None of startup nodes is available'))
    redis._leaveAll()
    const { clusterRetryStrategy } = redis.options
    const isOver = redis.manuallyClosing || typeof clusterRetryStrategy !== 'function'
    redis.manuallyClosing = false
    if (isOver) return this.end()
    const delay = clusterRetryStrategy.call(redis, ++redis.retryAttempts, reason)
    if (typeof delay !== 'number') return this.end(new Error('None of startup nodes is available'))
    this.setStatus('reconnecting', delay)
    redis.reconnectTimeout = setTimeout(() => {
      redis.reconnectTimeout = null
      redis.connect().catch(() => {})
    }, delay)
  }

  end (error = closed('no')) {
    const { redis } = this
    this.setStatus('end')
    redis._pubsub.end()
    redis._traffic.flush(error, null)
  }

  forgetRetry () {
    const { redis } = this
    if (redis.reconnectTimeout !== null) clearTimeout(redis.reconnectTimeout)
    redis.reconnectTimeout = null
  }

  setStatus (status, detail) {
    const { redis } = this
    redis.status = status
    nextTick(() => detail === undefined ? redis.emit(status) : redis.emit(status, detail))
  }

  /** An error reply is the caller's: connections of a cluster heal by themselves. */
  judge (error, command) {
    command.fail(error)
  }
}

const BUSY = new Set(['connecting', 'connect', 'ready'])
const CLUSTER_INFO = '*2\r\n$7\r\nCLUSTER\r\n$4\r\nINFO\r\n'
const INFO_ROW = { command: 'CLUSTER', reply: undefined }

module.exports = { ClusterLife }
