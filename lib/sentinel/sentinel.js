'use strict'

/*
 * The client of a primary and its replicas that Sentinel watches over.
 *
 * It is a client whose bridge leads to several nodes. The native side finds out which of them is
 * the primary and sends it the commands. Owns what the application learns of the nodes.
 */

const { inspect } = require('node:util')

const { addressOf, parseAddress } = require('../addresses')
const { RedisClient } = require('../client/client')
const { ITERATORS } = require('../client/iterators')
const { sessionWithScripts } = require('../client/scripts')
const { RedisSession, completeSession } = require('../client/session')
const { ConnectionTimeoutError, ScanIteratorInterruptedError } = require('../errors')
const { settleWith } = require('../methods/callback')
const { defineMethod } = require('../methods/define')
const { SentinelBridge } = require('./bridge')
const { parseSentinelOptions } = require('./options')

/** A client that Sentinel watches over. Made by `createSentinel`. */
class RedisSentinel extends RedisClient {
  #name
  #passesOn
  #seeds
  /** The nodes that the application was told of last. */
  #told

  constructor (given) {
    const { client, topology, own, sentinels } = parseSentinelOptions(given)
    super(client, {
      topology,
      Bridge: SentinelBridge,
      given,
      addressMap: own.nodeAddressMap,
      others: [sentinels]
    })
    this.#name = own.name
    this.#passesOn = own.passthroughClientErrorEvents ?? false
    this.#seeds = topology.sentinel.seeds
    this.#told = this.#nothing()
    this._Session = sessionWithScripts(RedisSentinelClient, this._scripts)
  }

  /**
   * Connects to the primary, and resolves to this client. Rejects with `RootNodesUnavailableError`
   * if no sentinel has answered within `socket.connectTimeout`. Attempts go on in the background.
   */
  async connect (options) {
    try {
      return await super.connect(options)
    } catch (error) {
      const { cause } = error
      if (!(error instanceof ConnectionTimeoutError)) throw error
      throw new ConnectionTimeoutError(
        `the primary of "${this._self.#name}" could not be reached in time`,
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

  /** Calls `run` with a session on the primary: node-redis's name for `session`. */
  use (run) {
    return this.session(run)
  }

  /** Refused: each new connection begins in the database of the options. */
  select (database, done) {
    const refusal = new TypeError('select: use the option database, or session.select(): a ' +
      'client of several nodes has one database')
    return settleWith(Promise.reject(refusal), done)
  }

  /** Refused: each node has a MONITOR of its own. */
  monitor (listener, done) {
    const refusal = new TypeError('monitor: each node has a MONITOR of its own: use a client of ' +
      'that node, createClient({ socket: sentinel.getMasterNode() })')
    return settleWith(Promise.reject(refusal), done)
  }

  /** Refused: a pool is a client of one server. */
  createPool () {
    throw new TypeError('createPool: a client of Sentinel has a pool for each node already: see ' +
      'the option masterPoolSize')
  }

  _serverAt (place) {
    const [shard] = this._bridge.shards()
    if (shard === undefined) return this.#seeds[0]
    return shard.replicas.find(replica => replica.place === place) ?? shard.primary
  }

  _onEvent (name, first, second, third, fourth) {
    switch (name) {
      case 'topology':
        this._bridge.changed()
        if (first !== 0) this.emit('connect')
        return this.#tell()
      case 'ready':
        return first === this._bridge.primaryOf() && this.emit('ready')
      // Single connections reconnect for many reasons; `topology` tells what it means.
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

  /** Emits what has changed since the last time, with node-redis's events. */
  #tell () {
    const before = this.#told
    const now = this.#nodes()
    this.#told = now
    const tell = (type, details) => this.emit('topology-change', { type, ...details })
    const isOther = (node, former) =>
      node !== undefined && (former === undefined || addressOf(node) !== addressOf(former))
    if (isOther(now.sentinel, before.sentinel)) {
      tell('SENTINEL_CHANGE', { node: now.sentinel })
    }
    if (isOther(now.primary, before.primary)) {
      if (before.primary !== undefined) this.emit('reconnecting')
      tell('MASTER_CHANGE', { node: now.primary })
      // A replica that was read from has a connection already when it is promoted.
      if (before.primary !== undefined && this.isReady) this.emit('ready')
    }
    for (const node of without(before.replicas, now.replicas)) tell('REPLICA_REMOVE', { node })
    for (const node of without(now.replicas, before.replicas)) tell('REPLICA_ADD', { node })
    const listOf = ({ sentinels }) => sentinels.map(addressOf).sort().join()
    if (now.sentinels.length > 0 && listOf(now) !== listOf(before)) {
      // Node-redis spells it like this.
      tell('SENTINE_LIST_CHANGE', { size: now.sentinels.length })
    }
  }

  /** A connection to the server at `address` was lost, or could not be made. */
  #tellError (error, address) {
    const { primary, sentinels, sentinel, replicas } = this.#nodes()
    const is = node => node !== undefined && addressOf(node) === address
    let type = 'REPLICA'
    if (is(primary)) type = 'MASTER'
    else if ([...this.#seeds, ...sentinels, sentinel].some(is)) type = 'SENTINEL'
    const node = [primary, ...replicas.keys()].find(is) ?? parseAddress(address)
    this.emit('client-error', { type, node, error })
    if (!this.#passesOn) return
    const text = `${TYPES[type]} Client (${address}): ${error.message}`
    super._onEvent('error', new Error(text, { cause: error }))
  }

  #nodes () {
    const { _bridge: bridge } = this
    if (bridge.isClosed) return this.#nothing()
    const [shard] = bridge.shards()
    const { all, watched } = bridge.sentinels()
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
 * Makes `sendCommand` take node-redis's form as well: `sendCommand(isReadonly, args, options)`. The
 * flag is ignored: the command table says which commands may go to a replica.
 */
function addFlaggedCommand (prototype) {
  const { sendCommand } = prototype
  defineMethod(prototype, 'sendCommand', function (first, ...rest) {
    const isFlagged = (typeof first === 'boolean' || first === undefined) && Array.isArray(rest[0])
    return isFlagged ? sendCommand.apply(this, rest) : sendCommand.call(this, first, ...rest)
  })
}

addFlaggedCommand(RedisSentinel.prototype)
defineMethod(RedisSentinel.prototype, 'MONITOR', RedisSentinel.prototype.monitor)

/** A session of such a client, under node-redis's name. Made by `acquire()` and `use(run)`. */
class RedisSentinelClient extends RedisSession {}
completeSession()

addFlaggedCommand(RedisSentinelClient.prototype)

// Another server does not know the cursor, so an iterator ends when the primary changes.
for (const name of Object.keys(ITERATORS)) {
  const iterate = RedisClient.prototype[name]
  defineMethod(RedisSentinel.prototype, name, function (...args) {
    return whilePrimaryStays(this._self, iterate.apply(this, args))
  })
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
    // The page may have come from another server than the page before.
    check()
    yield page.value
  }
}

function nodeOf ({ host, port }) {
  return { host, port }
}

/** The nodes of `nodes` that `others` does not have. */
function without (nodes, others) {
  const known = new Set([...others.keys()].map(addressOf))
  return [...nodes.keys()].filter(node => !known.has(addressOf(node)))
}

const TYPES = { MASTER: 'Master', REPLICA: 'Replica', SENTINEL: 'Sentinel' }

module.exports = { RedisSentinel, RedisSentinelClient }
