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
const { RedisClient } = require('../client/client')
const { settleWith } = require('../methods/callback')
const { defineMethod } = require('../methods/define')
const { ClusterBridge } = require('./bridge')
const { addClusterCommands } = require('./commands')
const { slotOf } = require('./key-slot')
const { clusterMulti } = require('./multi')
const { parseClusterOptions } = require('./options')
const { scanAll } = require('./scan')
const { sendByKey } = require('./send-by-key')
const { Topology } = require('./topology')

/** A client of a cluster. Made by `createCluster`. */
class RedisCluster extends RedisClient {
  #options
  #topology = null
  #clients = new Map()

  constructor (given) {
    const { client, topology, own } = parseClusterOptions(given)
    const addressMap = own.nodeAddressMap
    super(client, { topology, Bridge: ClusterBridge, given: given ?? {}, addressMap })
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
    const self = this._self
    const { readonly } = node
    const address = addressOf({ host, port })
    let client = self.#clients.get(address)
    if (client === undefined) {
      client = new RedisClient({
        ...self.#options,
        shared: undefined,
        socket: { ...self.#options.socket, host, port },
        ...(readonly && { readonly })
      })
      client.on('error', error => self.emit('node-error', error, node))
      self.#clients.set(address, client)
    }
    return client.connect()
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
   * Sends any command to the node that has its keys. Also takes node-redis's form for clusters: its
   * `firstKey` finds the node for a command that the table does not know; `isReadonly` is ignored.
   */
  sendCommand (firstKey, isReadonly, args, options, done) {
    const isOurs = Array.isArray(firstKey) || !Array.isArray(args)
    if (isOurs) return super.sendCommand(firstKey, isReadonly, args)
    if (typeof options === 'function') [options, done] = [undefined, options]
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
    return scanAll(this, options)
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
        // Without an address it is no error of a node: nobody could say where everything is.
        if (second !== null) {
          return this.emit('node-error', first, this.nodeByAddress.get(second))
        }
    }
    return super._onEvent(name, first, second, third, fourth)
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
  }

  /** Closes the clients of nodes that have left the cluster. */
  #closeLeft () {
    for (const [address, client] of this.#clients) {
      if (this.nodeByAddress.has(address)) continue
      this.#clients.delete(address)
      client.close()
    }
  }

  #nodeAt (place) {
    return this.#known().nodeByPlace.get(place)
  }

  #known () {
    this.#topology ??= new Topology(this._bridge.shards())
    return this.#topology
  }

  [inspect.custom] (depth, options) {
    const nodes = [...this.nodeByAddress.keys()]
    const shown = { nodes, isOpen: this.isOpen, isReady: this.isReady }
    return `${this.constructor.name} ${inspect(shown, options)}`
  }
}

addClusterCommands(RedisCluster.prototype)
for (const name of ['monitor', 'multi', 'select']) {
  defineMethod(RedisCluster.prototype, name.toUpperCase(), RedisCluster.prototype[name])
}

function oneOf (list) {
  return list[Math.floor(Math.random() * list.length)]
}

module.exports = { RedisCluster }
