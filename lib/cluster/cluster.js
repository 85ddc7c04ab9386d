'use strict'

/*
 * The client of a Redis or Valkey Cluster.
 *
 * It is a client whose bridge leads to several nodes: the native side finds the node of each
 * command. Owns what the application learns of the nodes, and the ways to one of them.
 */

const { inspect } = require('node:util')

const { fail: failArgument, isText, prefixed } = require('../arguments')
const { RedisClient } = require('../client/client')
const { ClusterBridge } = require('./bridge')
const { addClusterCommands } = require('./commands')
const { clusterMulti } = require('./multi')
const { parseClusterOptions } = require('./options')
const { scanAll } = require('./scan')
const { sendByKey } = require('./send-by-key')
const { callback } = require('../methods/from-rows')
const native = require('../native')
const { slotOf } = require('./key-slot')

/** A client of a cluster. Made by `createCluster`. */
class RedisCluster extends RedisClient {
  #options
  #topology = null
  #clients = new Map()

  constructor (given) {
    const { client, topology } = parseClusterOptions(given)
    super(client, { topology, Bridge: ClusterBridge, given: given ?? {} })
    this.#options = client
    this._Multi = clusterMulti(this._Multi)
  }

  /** The primaries: `{ id, address, host, port, readonly: false }`. Empty before `connect()`. */
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

  /** All nodes by `host:port`. */
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
   * A client of one node, with this client's options: for what concerns that node alone. It has
   * connections of its own, which close with the cluster's.
   */
  async nodeClient (node) {
    const { host, port } = node ?? {}
    if (typeof host !== 'string' || typeof port !== 'number') {
      throw new TypeError('nodeClient: argument "node" must be a node of the cluster')
    }
    const self = this._self
    const { readonly } = node
    const address = `${host}:${port}`
    let client = self.#clients.get(address)
    if (client === undefined) {
      const { url, ...options } = self.#options
      client = new RedisClient({
        ...loginOf(url),
        ...options,
        // Its connections are its own.
        shared: undefined,
        socket: { ...tlsOf(url), ...options.socket, host, port },
        ...(readonly && { readonly })
      })
      client.on('error', error => self.emit('node-error', error, node))
      self.#clients.set(address, client)
    }
    return client.connect()
  }

  /** The client of the node that has `key`; a replica's, if `isReadonly`, where there is one. */
  async getNodeClientForKey (key, isReadonly = false) {
    const slot = this._slotOf(key, 'getNodeClientForKey')
    await this._bridge.primary(slot)
    const shard = this.slots[slot]
    const replica = isReadonly ? oneOf(shard.replicas) : undefined
    return this.nodeClient(replica ?? shard.master)
  }

  /**
   * Runs `run` with a connection of its own to the node of `key`; all keys of the session have to
   * be in the same slot as `key` (`{user:1}:name` and `{user:1}:age` are).
   * @param {string | Buffer} key
   * @param {(session: object) => unknown} run
   */
  async session (key, run) {
    return this._inSession(run, this._slotOf(key, 'session'))
  }

  /** A connection of one's own to the node of `key`, which has to be released. */
  acquire (key) {
    try {
      return this._acquire(this._slotOf(key, 'acquire'))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Sends any command, to the node that its keys say. Also in node-redis's form for clusters, whose
   * `firstKey` finds the node for commands that nobody knows; `isReadonly` says nothing new.
   */
  sendCommand (firstKey, isReadonly, args, options, done) {
    const isOurs = Array.isArray(firstKey) || !Array.isArray(args)
    if (isOurs) return super.sendCommand(firstKey, isReadonly, args)
    if (typeof options === 'function') [options, done] = [undefined, options]
    const sent = sendByKey(this, firstKey, args, options)
    return typeof done === 'function' ? callback(sent, done) : sent
  }

  /**
   * A chain. With `routing`, a key, commands without a key go to the node that has it; others go
   * where their keys are, which have to be in one slot for a transaction.
   */
  multi (routing) {
    if (routing === undefined) return new this._Multi(this)
    return new this._Multi(this, this._slotOf(routing, 'multi', 'routing'))
  }

  /** Goes through the keys of all primaries: see cluster-scan.js for what is promised. */
  scanIterator (options) {
    return scanAll(this, options)
  }

  /** There is a lane for each node already. */
  createPool () {
    throw new TypeError('createPool: a cluster\'s client has no pool: it has connections to all ' +
      'nodes already')
  }

  /** There is one database only. */
  select (database, done) {
    const refusal = Promise.reject(new TypeError('select: a cluster has no other database than 0'))
    return typeof done === 'function' ? callback(refusal, done) : refusal
  }

  /** Each node has its own MONITOR: refused, with the way to it. */
  monitor (listener, done) {
    const error = new TypeError('monitor: a cluster has no MONITOR of its own, each of its nodes ' +
      'has: use (await cluster.nodeClient(node)).monitor(listener)')
    const promise = Promise.reject(error)
    return typeof done === 'function' ? callback(promise, done) : promise
  }

  /** The same by its other name. */
  MONITOR (listener, done) {
    return this.monitor(listener, done)
  }

  _onEvent (name, first, second, third, fourth) {
    switch (name) {
      case 'topology':
        this.#topology = null
        this.#closeLeft()
        this._bridge.changed()
        if (first === 0) return this.emit('topology-change')
        this.emit('connect')
        return this.emit('ready')
      case 'ready': {
        const node = this.#nodeAt(first)
        this.emit('node-connect', node)
        return this.emit('node-ready', node)
      }
      case 'reconnecting':
        return this.emit('node-reconnecting', { retries: first })
      case 'error':
        // What no node is to blame for: nobody could say where everything is.
        if (second !== null) {
          return this.emit('node-error', first, this.nodeByAddress.get(second))
        }
    }
    return super._onEvent(name, first, second, third, fourth)
  }

  /** The slot of a key, as it is sent. */
  _slotOf (key, method, argument = 'key') {
    if (!isText(key)) fail(method, argument, key)
    return slotOf(this._keyPrefix ? prefixed(this._keyPrefix, key, argument) : key)
  }

  _end (bridge) {
    super._end(bridge)
    for (const client of this.#clients.values()) client.destroy()
    this.#clients.clear()
  }

  /** Clients of nodes that are no longer part of the cluster serve nobody. */
  #closeLeft () {
    for (const [address, client] of this.#clients) {
      if (this.nodeByAddress.has(address)) continue
      this.#clients.delete(address)
      client.close()
    }
  }

  #nodeAt (place) {
    return [...this.nodeByAddress.values()].find(node => node.place === place)
  }

  #known () {
    this.#topology ??= known(this._bridge.core?.shards() ?? [])
    return this.#topology
  }

  [inspect.custom] (depth, options) {
    const nodes = [...this.nodeByAddress.keys()]
    const shown = { nodes, isOpen: this.isOpen, isReady: this.isReady }
    return `${this.constructor.name} ${inspect(shown, options)}`
  }
}

addClusterCommands(RedisCluster.prototype)
RedisCluster.prototype.MULTI = RedisCluster.prototype.multi
RedisCluster.prototype.SELECT = RedisCluster.prototype.select

/** What the application sees of the shards. */
function known (shards) {
  const nodeByAddress = new Map()
  const node = ({ place, host, port, id }, readonly) => {
    const address = `${host}:${port}`
    const made = { id, address, host, port, readonly }
    // For us; not part of what is documented.
    Object.defineProperty(made, 'place', { value: place })
    nodeByAddress.set(address, made)
    return made
  }
  const slots = Array.from({ length: 16384 })
  const made = shards.map(({ primary, replicas, slots: ranges }) => {
    const shard = {
      master: node(primary, false), replicas: replicas.map(replica => node(replica, true))
    }
    for (let i = 0; i < ranges.length; i += 2) {
      for (let slot = ranges[i]; slot <= ranges[i + 1]; slot++) slots[slot] = shard
    }
    return shard
  })
  return {
    shards: made,
    slots,
    masters: made.map(({ master }) => master),
    replicas: made.flatMap(({ replicas }) => replicas),
    nodeByAddress
  }
}

function loginOf (url) {
  if (url === undefined) return {}
  const { username, password } = native.parseConnectionUrl(url)
  return { ...(username && { username }), ...(password && { password }) }
}

function tlsOf (url) {
  return url !== undefined && native.parseConnectionUrl(url).tls ? { tls: true } : {}
}

function fail (method, argument, value) {
  try {
    failArgument(argument, 'a string or a Buffer', value)
  } catch (error) {
    error.message = `${method}: ${error.message}`
    throw error
  }
}

function oneOf (list) {
  return list[Math.floor(Math.random() * list.length)]
}

module.exports = { RedisCluster }
