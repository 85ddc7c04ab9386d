'use strict'

/*
 * `Cluster`: an instance as ioredis has it, of a whole cluster.
 *
 * Owns what the application sees. The native side finds the node of each command; the instances of
 * single nodes, for `nodes()`, are made here and connect when they are used.
 */

const { EventEmitter } = require('node:events')
const { inspect } = require('node:util')

const { addressOf } = require('../addresses')
const { tell } = require('./command')
const { addCommander, define } = require('./commander')
const { ClusterLife } = require('./cluster-life')
const { clusterOptions, nodeOptions, seedsOf } = require('./cluster-options')
const { ClusterTraffic } = require('./cluster-traffic')
const { addTransactions } = require('./pipeline')
const { PubSub } = require('./pubsub')
const { Redis } = require('./redis')
const { ScanStream } = require('./scan-stream')
const { traceCommand, tracesCommands } = require('./tracing')

class Cluster extends EventEmitter {
  #nodes = new Map()

  /**
   * @param {(number | string | object)[]} startupNodes ports, URLs or options of some nodes
   * @param {object} [options]
   */
  constructor (startupNodes, options = {}) {
    super()
    /** The nodes that are asked first. `clusterRetryStrategy` may put others in their place. */
    this.startupNodes = startupNodes
    this.options = clusterOptions(options)
    // Wrong values are told here, where their caller is.
    nodeOptions(this, seedsOf(this))
    this.status = 'wait'
    this.isCluster = true
    this.condition = undefined
    this.manuallyClosing = false
    this.retryAttempts = 0
    this.connectionEpoch = 0
    this.reconnectTimeout = null
    this.scriptsSet = {}
    this.addedBuiltinSet = new Set()
    for (const [name, value] of [['_traffic', new ClusterTraffic(this)],
      ['_life', new ClusterLife(this)], ['_pubsub', new PubSub(this)]]) {
      Object.defineProperty(this, name, { __proto__: null, value, enumerable: false })
    }
    for (const [name, definition] of Object.entries(this.options.scripts ?? {})) {
      this.defineCommand(name, definition)
    }
    if (!this.options.lazyConnect) this.connect().catch(() => {})
  }

  /** Finds the nodes. Resolves at ready; rejects at the first close. */
  connect () {
    return this._life.connect()
  }

  /** Closes all connections at once; `true` makes others. */
  disconnect (reconnect = false) {
    this._life.disconnect(reconnect)
  }

  /** Waits for what is pending, and closes all connections. */
  quit (callback) {
    const promise = this._life.quit()
    if (typeof callback === 'function') tell(promise, callback)
    return promise
  }

  /** The instances of the nodes with a role: `all`, `master` or `slave`. */
  nodes (role = 'all') {
    if (!ROLES.includes(role)) {
      throw new Error(`Invalid role "${role}". Expected "all", "master" or "slave"`)
    }
    const nodes = [...this.#nodes.values()]
    return nodes.filter(({ isReplica }) => role === 'all' || isReplica === (role === 'slave'))
      .map(({ redis }) => redis)
  }

  /** A new instance, with other nodes to ask first, or with these options changed. */
  duplicate (startupNodes = [], options = {}) {
    const redisOptions = { ...this.options.redisOptions, ...options.redisOptions }
    return new this.constructor(startupNodes.length > 0 ? startupNodes : [...this.startupNodes],
      { ...this.options, ...options, redisOptions })
  }

  /** Commands of a cluster go on beside subscriptions. */
  get mode () {
    return 'normal'
  }

  /** Commands that wait for the end of the turn: none that the application could see. */
  get autoPipelineQueueSize () {
    return 0
  }

  /** Sends a command that is made already. All methods do it by this one. */
  sendCommand (command) {
    if (!tracesCommands()) this._take(command)
    else traceCommand(this, command, () => { this._take(command); return command.promise })
    return command.promise
  }

  _take (command) {
    this._traffic.take(command)
  }

  _failed (command, error) {
    this._traffic.failed(command, error)
  }

  /** What is known of the nodes has changed. */
  _arrange (shards) {
    const known = new Map(shards.flatMap(({ primary, replicas }) => [
      [addressOf(primary), { ...primary, isReplica: false }],
      ...replicas.map(replica => [addressOf(replica), { ...replica, isReplica: true }])
    ]))
    for (const [address, { redis }] of this.#nodes) {
      if (!known.has(address)) this.#leave(address, redis)
    }
    for (const [address, { host, port, isReplica }] of known) {
      const before = this.#nodes.get(address)
      if (before !== undefined) {
        before.isReplica = isReplica
        continue
      }
      const redis = new Redis({
        ...this.options.redisOptions, host, port, lazyConnect: true, readOnly: isReplica
      })
      redis.on('error', error => this.emit('node error', error, address))
      this.#nodes.set(address, { redis, isReplica })
      this.emit('+node', redis)
    }
    this.emit('refresh')
  }

  #leave (address, redis) {
    this.#nodes.delete(address)
    redis.disconnect()
    this.emit('-node', redis)
  }

  /** The instances of the nodes that have a slot: the primary first. */
  _nodesOf (slot) {
    const shard = this._traffic.link.shards().find(({ slots }) => slots.some((first, i) =>
      i % 2 === 0 && first <= slot && slot <= slots[i + 1]))
    if (shard === undefined) return []
    return [shard.primary, ...shard.replicas].flatMap(node =>
      this.#nodes.get(addressOf(node))?.redis ?? [])
  }

  /** The connections of single nodes end with the cluster's. */
  _leaveAll () {
    for (const [address, { redis }] of this.#nodes) this.#leave(address, redis)
  }

  /** As that of `Redis`. */
  silentEmit (name, detail) {
    return Redis.prototype.silentEmit.call(this, name, detail)
  }

  /** Shows no password, no key and no value. */
  [inspect.custom] (depth, options) {
    const shown = { nodes: [...this.#nodes.keys()], status: this.status }
    return `${this.constructor.name} ${inspect(shown, options)}`
  }
}

const { quit } = Cluster.prototype
addCommander(Cluster.prototype)
define(Cluster.prototype, 'quit', quit)
addTransactions(Cluster.prototype)
for (const kind of ['s', 'h', 'z']) {
  for (const form of ['', 'Buffer']) {
    define(Cluster.prototype, `${kind}scan${form}Stream`, function (key, options) {
      return new ScanStream(
        { objectMode: true, key, redis: this, command: `${kind}scan${form}`, ...options })
    })
  }
}

const ROLES = ['all', 'master', 'slave']

module.exports = { Cluster }
