'use strict'

/*
 * The client of a primary and its replicas that Sentinel watches over.
 *
 * It is a client whose bridge leads to several nodes, of which one is the primary: the native side
 * finds out which, and sends it the commands. Owns what the application learns of that.
 */

const { inspect } = require('node:util')

const { RedisClient } = require('../client/client')
const { callback } = require('../methods/from-rows')
const { ConnectionTimeoutError, ScanIteratorInterruptedError } = require('../errors')
const { ITERATORS } = require('../client/iterators')
const { SentinelBridge } = require('./bridge')
const { parseSentinelOptions } = require('./options')
const { sessionWithScripts } = require('../client/scripts')
const { RedisSession } = require('../client/session')

/** A client that Sentinel watches over. Made by `createSentinel`. */
class RedisSentinel extends RedisClient {
  #name
  #passesOn
  #seeds
  /** What the application was told last. */
  #told

  constructor (given) {
    const { client, topology, own } = parseSentinelOptions(given)
    super(client, { topology, Bridge: SentinelBridge, given })
    this.#name = own.name
    this.#passesOn = own.passthroughClientErrorEvents ?? false
    this.#seeds = topology.sentinel.seeds
    this.#told = this.#nothing()
    this._Session = sessionWithScripts(RedisSentinelClient, this._scripts)
  }

  /**
   * As for other clients. Rejects with `RootNodesUnavailableError` if no sentinel has answered
   * within `socket.connectTimeout`; attempts go on in the background.
   */
  async connect () {
    try {
      return await super.connect()
    } catch (error) {
      const { cause } = error
      if (!(error instanceof ConnectionTimeoutError)) throw error
      throw new ConnectionTimeoutError(
        `the primary of "${this._self.#name}" could not be reached within connectTimeout`,
        { cause, retryable: true })
    }
  }

  /** The primary: `{ host, port }`; undefined before it is known. */
  getMasterNode () {
    return this._self.#nodes().primary
  }

  /** The replicas, each with the number of connections that stand to it. */
  getReplicaNodes () {
    return this._self.#nodes().replicas
  }

  /** The sentinel that is listened to. */
  getSentinelNode () {
    return this._self.#nodes().sentinel
  }

  /** Runs `run` with a connection of its own to the primary: node-redis's name for `session`. */
  use (run) {
    return this.session(run)
  }

  /** Refused: a connection that is made after a failover begins with the option. */
  select (database, done) {
    const refusal = Promise.reject(new TypeError('select: use the option database, or ' +
      'session.select(): a client of several nodes has one database'))
    return typeof done === 'function' ? callback(refusal, done) : refusal
  }

  /** Refused: each node has its own. */
  monitor (listener, done) {
    const refusal = Promise.reject(new TypeError('monitor: each node has a MONITOR of its own: ' +
      'use a client of that node, createClient({ socket: sentinel.getMasterNode() })'))
    return typeof done === 'function' ? callback(refusal, done) : refusal
  }

  /** The same by its other name. */
  MONITOR (listener, done) {
    return this.monitor(listener, done)
  }

  /** Refused: a pool is a client of one server. */
  createPool () {
    throw new TypeError('createPool: a client of Sentinel has a pool for each node already: see ' +
      'the option masterPoolSize')
  }

  _onEvent (name, first, second, third, fourth) {
    switch (name) {
      case 'topology':
        this._bridge.changed?.()
        if (first !== 0) this.emit('connect')
        return this.#tell()
      case 'ready':
        return first === this._bridge.core?.primaryOf() && this.emit('ready')
      // Those of single connections: what happens to the whole is told by `topology`.
      case 'reconnecting':
        return
      case 'stopped':
        return super._onEvent('error', first)
      case 'error':
        if (second !== null) return this.#tellError(first, second)
    }
    return super._onEvent(name, first, second, third, fourth)
  }

  _end (bridge) {
    this.#told = this.#nothing()
    super._end(bridge)
  }

  /** Tells what is different from what was told last, as node-redis does. */
  #tell () {
    const before = this.#told
    const now = this.#nodes()
    this.#told = now
    const tell = (type, details) => this.emit('topology-change', { type, ...details })
    if (now.sentinel !== undefined && addressOf(now.sentinel) !== addressOf(before.sentinel)) {
      tell('SENTINEL_CHANGE', { node: now.sentinel })
    }
    if (now.primary !== undefined && addressOf(now.primary) !== addressOf(before.primary)) {
      if (before.primary !== undefined) this.emit('reconnecting')
      tell('MASTER_CHANGE', { node: now.primary })
      // Replicas that are read from have a connection before they are promoted.
      if (before.primary !== undefined && this.isReady) this.emit('ready')
    }
    for (const node of without(before.replicas, now.replicas)) tell('REPLICA_REMOVE', { node })
    for (const node of without(now.replicas, before.replicas)) tell('REPLICA_ADD', { node })
    const listOf = ({ sentinels }) => sentinels.map(addressOf).sort().join()
    if (now.sentinels.length > 0 && listOf(now) !== listOf(before)) {
      // That is how node-redis spells it.
      tell('SENTINE_LIST_CHANGE', { size: now.sentinels.length })
    }
  }

  /** A connection to the server at `address` was lost, or could not be made. */
  #tellError (error, address) {
    const { primary, sentinels, sentinel, replicas } = this.#nodes()
    const is = node => node !== undefined && addressOf(node) === address
    const asNode = () => {
      const at = address.lastIndexOf(':')
      const host = address.slice(0, at).replace(/^\[(.*)\]$/, '$1')
      return { host, port: Number(address.slice(at + 1)) }
    }
    let type = 'REPLICA'
    if (is(primary)) type = 'MASTER'
    else if ([...this.#seeds, ...sentinels, sentinel].some(is)) type = 'SENTINEL'
    const node = [primary, ...replicas.keys()].find(is) ?? asNode()
    this.emit('client-error', { type, node, error })
    if (!this.#passesOn) return
    const text = `${TYPES[type]} Client (${address}): ${error.message}`
    super._onEvent('error', new Error(text, { cause: error }))
  }

  #nodes () {
    const { core } = this._bridge
    if (core === undefined) return this.#nothing()
    const [shard] = core.shards()
    const { all, watched } = core.sentinels()
    const replicas = (shard?.replicas ?? []).map(replica => [nodeOf(replica), replica.isUp ? 1 : 0])
    return {
      primary: shard && nodeOf(shard.primary),
      replicas: new Map(replicas),
      sentinels: all.map(nodeOf),
      sentinel: watched ? nodeOf(watched) : undefined
    }
  }

  #nothing () {
    return { primary: undefined, replicas: new Map(), sentinels: this.#seeds, sentinel: undefined }
  }

  [inspect.custom] (depth, options) {
    const self = this._self
    const primary = self.getMasterNode()
    const shown = {
      name: self.#name,
      primary: primary && addressOf(primary),
      isOpen: this.isOpen,
      isReady: this.isReady
    }
    return `${this.constructor.name} ${inspect(shown, options)}`
  }
}

/**
 * Takes node-redis's form of the method as well: `sendCommand(isReadonly, args, options)`. What may
 * go to a replica is known of the commands themselves.
 */
function addFlaggedCommand (prototype) {
  const { sendCommand } = prototype
  const value = function (first, ...rest) {
    const isFlagged = (typeof first === 'boolean' || first === undefined) && Array.isArray(rest[0])
    return isFlagged ? sendCommand.apply(this, rest) : sendCommand.call(this, first, ...rest)
  }
  Object.defineProperty(prototype, 'sendCommand', { value, writable: true, configurable: true })
}

addFlaggedCommand(RedisSentinel.prototype)

/** A session of such a client: node-redis's name for it. Made by `acquire()` and `use(...)`. */
class RedisSentinelClient extends RedisSession {}

addFlaggedCommand(RedisSentinelClient.prototype)

/** A cursor is worth nothing to another server, so an iterator ends with the primary's reign. */
for (const name of Object.keys(ITERATORS)) {
  const iterate = RedisClient.prototype[name]
  const value = function (...args) {
    return whilePrimaryStays(this._self, iterate.apply(this, args))
  }
  const property = { value, writable: true, configurable: true }
  Object.defineProperty(RedisSentinel.prototype, name, property)
}

async function * whilePrimaryStays (client, pages) {
  let first
  const check = cause => {
    const primary = client.getMasterNode()
    if (primary === undefined) return
    first ??= addressOf(primary)
    if (addressOf(primary) !== first) throw new ScanIteratorInterruptedError(undefined, { cause })
  }
  for (;;) {
    check()
    let page
    try {
      page = await pages.next()
    } catch (error) {
      check(error)
      throw error
    }
    if (page.done) return
    // It may have come from another one than the page before.
    check()
    yield page.value
  }
}

function nodeOf ({ host, port }) {
  return { host, port }
}

function addressOf (node) {
  if (node === undefined) return undefined
  const { host, port } = node
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** The nodes of one list that the other has not. */
function without (nodes, others) {
  const known = new Set([...others.keys()].map(addressOf))
  return [...nodes.keys()].filter(node => !known.has(addressOf(node)))
}

const TYPES = { MASTER: 'Master', REPLICA: 'Replica', SENTINEL: 'Sentinel' }

module.exports = { RedisSentinel, RedisSentinelClient }
