'use strict'

/*
 * The client of a Redis or Valkey Cluster.
 *
 * It is a client whose bridge leads to several nodes; the native side finds the node of each
 * command. Owns what the application learns of the nodes, and the clients of single nodes.
 */

const { inspect } = require('node:util')

const { addressOf } = require('../addresses')
const { checkText, named, prefixed } = require('../arguments')
const { PING } = require('../boundary/internal-commands')
const { RedisClient } = require('../client/client')
const { settleWith } = require('../methods/callback')
const { defineMethod } = require('../methods/define')
const { PATIENT } = require('../mode')
const { nextTick } = require('../timers')
const { ClusterBridge } = require('./bridge')
const { addClusterCommands } = require('./commands')
const { slotOf } = require('./key-slot')
const { clusterMulti } = require('./multi')
const { parseClusterOptions } = require('./options')
const { scanAll } = require('./scan')
const { ScanCursors } = require('./scan-cursors')
const { sendByKey } = require('./send-by-key')
const { sendToMany } = require('./send-to-many')
const { Topology } = require('./topology')

/** A client of a cluster. Made by `createCluster`. */
class RedisCluster extends RedisClient {
  #options
  #topology = null
  #clients = new Map()
  #scanCursors = new ScanCursors()
  /** Address -> `{ host, port }` of the nodes that the application was told of. */
  #told = new Map()
  /** Whether the nodes are known, and the application has not been told yet that they are. */
  #isUntold = false
  /** Calls of `connect()` that are under way. */
  #warming = 0
  #isMinimal

  constructor (given) {
    const { client, topology, own } = parseClusterOptions(given)
    const addressMap = own.nodeAddressMap
    super(client, { topology, Bridge: ClusterBridge, given: given ?? {}, addressMap })
    this.#options = client
    this.#isMinimal = given?.minimizeConnections === true
    this._Multi = clusterMulti(this._Multi)
  }

  /**
   * Finds the nodes and connects to all primaries, or with `minimizeConnections` to the one that
   * was asked. A primary that does not answer holds it up for 1 s at most.
   * @param {{ timeout?: number }} [options] as those of a client
   */
  async connect (options) {
    const self = this._self
    self.#warming += self.#isMinimal ? 0 : 1
    try {
      await super.connect(options)
      if (!self.#isMinimal) await self.#warm()
    } finally {
      self.#warming -= self.#isMinimal ? 0 : 1
    }
    if (!self._bridge.isClosed) self.#tellConnected()
    return this
  }

  /** Connects to all primaries that answer in time. */
  async #warm () {
    const { _bridge: bridge } = this
    if (bridge.isClosed) return
    await Promise.allSettled(this.masters.map(({ place }) =>
      bridge.way(place).send(PING.text, PATIENT, LONGEST_WARMING, PING.row, undefined)))
  }

  /**
   * The primaries: `{ id, address, host, port, readonly: false }`, each with a `client` of that
   * node alone. Empty before `connect()`.
   */
  get masters () {
    return this._self.#known().masters
  }

  /** The replicas; `readonly` is true. */
  get replicas () {
    return this._self.#known().replicas
  }

  /** The shards: `{ master, replicas }`. */
  get shards () {
    return this._self.#known().shards
  }

  /** For each of the 16,384 slots its shard; undefined where no node has it. */
  get slots () {
    return this._self.#known().slots
  }

  /** All nodes by `host:port`, or `[host]:port` for IPv6. */
  get nodeByAddress () {
    return this._self.#known().nodeByAddress
  }

  /** @deprecated Use `masters`. */
  getMasters () {
    return this.masters
  }

  /** @deprecated Use `slots[slot].master`. */
  getSlotMaster (slot) {
    return this.slots[slot]?.master
  }

  /** Any node. */
  getRandomNode () {
    return oneOf([...this.nodeByAddress.values()])
  }

  /** Any node of the shard that has `slot`. */
  getSlotRandomNode (slot) {
    const shard = this.slots[slot]
    return shard === undefined ? undefined : oneOf([shard.master, ...shard.replicas])
  }

  /**
   * Resolves to a client of one node with the options of this client, for what concerns that node
   * alone. It has connections of its own, which are closed with this client.
   */
  async nodeClient (node) {
    const { host, port } = node ?? {}
    if (typeof host !== 'string' || typeof port !== 'number') {
      throw new TypeError('nodeClient: argument "node" must be a node of the cluster')
    }
    return this._self.#clientOf(node).connect()
  }

  /** The client of `node`, which connects with its first command. */
  #clientOf (node) {
    const { host, port, readonly } = node
    const address = addressOf({ host, port })
    let client = this.#clients.get(address)
    if (client === undefined) {
      client = new NodeClient(this, {
        ...this.#options,
        shared: undefined,
        // What it reads would be tracked twice.
        clientSideCache: undefined,
        socket: { ...this.#options.socket, host, port },
        ...(readonly && { readonly })
      })
      client.on('error', error => this.emit('node-error', error, node))
      this.#clients.set(address, client)
    }
    return client
  }

  /**
   * Resolves to a client of the node that has `key`: of the primary, or with `isReadonly` of a
   * replica if there is one.
   */
  async getNodeClientForKey (key, isReadonly = false) {
    const slot = this._slotOf(key, 'getNodeClientForKey')
    await this._bridge.primary(slot)
    const shard = this.slots[slot]
    const replica = isReadonly ? oneOf(shard.replicas) : undefined
    return this.nodeClient(replica ?? shard.master)
  }

  /**
   * Calls `run` with a session on the node of `key`. All keys of the session must be in the slot of
   * `key`; `{user:1}:name` and `{user:1}:age` are in one slot.
   * @param {string | Buffer} key
   * @param {(session: object) => unknown} run
   */
  async session (key, run) {
    return this._inSession(run, this._slotOf(key, 'session'))
  }

  /** Resolves to a session on the node of `key`, which has to be released. */
  acquire (key) {
    try {
      return this._acquire(this._slotOf(key, 'acquire'))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Sends any command to the node that has its keys, or to several nodes if its method does, as
   * `MGET` and `DBSIZE` do. Also takes node-redis's form for clusters: its
   * `firstKey` finds the node for a command that the table does not know; `isReadonly` is ignored.
   */
  sendCommand (firstKey, isReadonly, args, options, done) {
    const isOurs = Array.isArray(firstKey) || !Array.isArray(args)
    if (isOurs) [args, options, done] = [firstKey, isReadonly, args]
    if (typeof options === 'function') [options, done] = [undefined, options]
    const sent = sendToMany(this, args, options)
    if (sent !== null) return settleWith(sent, done)
    if (isOurs) return super.sendCommand(args, options, done)
    return settleWith(sendByKey(this, firstKey, args, options), done)
  }

  /**
   * A chain of commands. It goes where its keys are; those of a transaction must be in one slot. A
   * chain without keys goes to the node of the key `routing`.
   */
  multi (routing) {
    if (routing === undefined) return new this._Multi(this)
    return new this._Multi(this, this._slotOf(routing, 'multi', 'routing'))
  }

  /** Iterates over the keys of all primaries, a page at a time. A key may come more than once. */
  scanIterator (options) {
    return pages(this, options)
  }

  /**
   * A page of the keys of all primaries: `{ cursor, keys }`. Begins with cursor 0 and is over when
   * 0 comes back. The cursor in between is this client's own. A key may come more than once.
   */
  scan (cursor, options, done) {
    if (typeof options === 'function') [options, done] = [undefined, options]
    return settleWith(this._self.#scanCursors.page(this, cursor, options), done)
  }

  /** Refused: there is a connection to each node already. */
  createPool () {
    throw new TypeError('createPool: a cluster\'s client has no pool: it has connections to all ' +
      'nodes already')
  }

  /** Refused: a cluster has only one database. */
  select (database, done) {
    const refusal = new TypeError('select: a cluster has no other database than 0')
    return settleWith(Promise.reject(refusal), done)
  }

  /** Refused: each node has a MONITOR of its own. */
  monitor (listener, done) {
    const error = new TypeError('monitor: a cluster has no MONITOR of its own, each of its nodes ' +
      'has: use (await cluster.nodeClient(node)).monitor(listener)')
    return settleWith(Promise.reject(error), done)
  }

  _serverAt (place) {
    return this.#nodeAt(place)
  }

  _onEvent (name, first, second, third, fourth) {
    switch (name) {
      case 'topology':
        this.#topology = null
        this.#closeLeft()
        this._bridge.changed()
        if (first === 0) return this.emit('topology-change')
        this.#isUntold = true
        // Where threads share the client, the connections may have been there before.
        return this._bridge.isShared && this.#tellConnected()
      case 'ready': {
        const node = this.#nodeAt(first)
        if (node !== undefined) this.#told.set(node.address, node)
        this.emit('node-connect', node)
        this.emit('node-ready', node)
        // After all nodes that connect() waits for, as in node-redis.
        const isLast = this.#warming === 0 || this.masters.every(({ address }) =>
          this.#told.has(address))
        return isLast && this.#tellConnected()
      }
      case 'pinged':
        // As in node-redis, only a client of one server tells of it.
        return
      case 'reconnecting':
        return this.emit('node-reconnecting', { retries: first })
      case 'error':
        // Without an address it is no error of a node: nobody could say where everything is.
        if (second !== null) {
          return this.emit('node-error', first, this.nodeByAddress.get(second))
        }
    }
    return super._onEvent(name, first, second, third, fourth)
  }

  #tellConnected () {
    if (!this.#isUntold) return
    this.#isUntold = false
    this.emit('connect')
    this.emit('ready')
  }

  /** The slot of a key, as it is sent. */
  _slotOf (key, method, argument = 'key') {
    try {
      checkText(key, argument)
    } catch (error) {
      throw named(method, error)
    }
    return slotOf(this._keyPrefix ? prefixed(this._keyPrefix, key, argument) : key)
  }

  _end (bridge) {
    super._end(bridge)
    for (const client of this.#clients.values()) client.destroy()
    this.#clients.clear()
    this.#scanCursors.clear()
    this.#isUntold = false
    const nodes = [...this.#told.values()]
    this.#told.clear()
    nextTick(() => {
      for (const node of nodes) this.emit('node-disconnect', node)
      this.emit('disconnect')
    })
  }

  /** Closes the clients of nodes that have left the cluster. */
  #closeLeft () {
    for (const [address, client] of this.#clients) {
      if (this.nodeByAddress.has(address)) continue
      this.#clients.delete(address)
      client.close()
    }
    for (const [address, node] of this.#told) {
      if (this.nodeByAddress.has(address)) continue
      this.#told.delete(address)
      this.emit('node-disconnect', node)
    }
  }

  #nodeAt (place) {
    return this.#known().nodeByPlace.get(place)
  }

  #known () {
    this.#topology ??= new Topology(this._bridge.shards(), node => this.#clientOf(node))
    return this.#topology
  }

  [inspect.custom] (depth, options) {
    const nodes = [...this.nodeByAddress.keys()]
    const shown = { nodes, isOpen: this.isOpen, isReady: this.isReady }
    return `${this.constructor.name} ${inspect(shown, options)}`
  }
}

/**
 * The client of one node, as `node.client`. It makes its connection when it is used first; before
 * that it is as ready as its cluster.
 */
class NodeClient extends RedisClient {
  #cluster

  constructor (cluster, options) {
    super(options)
    this.#cluster = cluster
  }

  get isOpen () {
    return super.isOpen || this._self.#isUnused && this._self.#cluster.isOpen
  }

  get isReady () {
    return super.isReady || this._self.#isUnused && this._self.#cluster.isReady
  }

  get #isUnused () {
    const { _bridge: bridge, _isWanted: isWanted } = this._self
    return !bridge.isClosed && !bridge.isUsed && !isWanted
  }

  /** A client of its own, with the same options. */
  duplicate (overrides) {
    return new RedisClient({ ...this.options, ...overrides })
  }
}

addClusterCommands(RedisCluster.prototype)

defineMethod(RedisCluster.prototype, '_addCaching', (target, by) => {
  RedisClient.prototype._addCaching(target, by)
  addClusterCommands(target, by.addReadingCommands)
})
for (const name of ['monitor', 'multi', 'scan', 'select']) {
  defineMethod(RedisCluster.prototype, name.toUpperCase(), RedisCluster.prototype[name])
}

/** The pages of an iterator with these options. */
async function * pages (cluster, { cursor = '0', ...options } = {}) {
  if (String(cursor) !== '0') {
    throw new TypeError('scanIterator: option "cursor" belongs to one node: use nodeClient(node)')
  }
  yield * scanAll(cluster, () => options)
}

function oneOf (list) {
  return list[Math.floor(Math.random() * list.length)]
}

/**
 * How long (ms) `connect()` waits for primaries beside the first one that has answered. A healthy
 * one needs a few round trips.
 */
const LONGEST_WARMING = 1000

module.exports = { RedisCluster }
