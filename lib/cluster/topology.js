'use strict'

/*
 * The nodes of a cluster as the application sees them: shards, slots, masters, replicas.
 */

const { addressOf, parseAddress } = require('../addresses')
const { defineGetter } = require('../methods/define')

/** What the application sees of `shards`, which the native side has told. */
class Topology {
  #slots = null

  /**
   * @param {object[]} shards as the native side tells them
   * @param {(node: object) => object} clientOf the client of a node, made when it is asked for
   */
  constructor (shards, clientOf) {
    this.clientOf = clientOf
    this.nodeByAddress = new NodesByAddress()
    /** Place of a node -> the node. */
    this.nodeByPlace = new Map()
    /** Ranges of slots of each shard: first and last slot in turns. */
    this.ranges = shards.map(({ slots }) => slots)
    this.shards = shards.map(({ primary, replicas }) => ({
      master: this.add(primary, false), replicas: replicas.map(replica => this.add(replica, true))
    }))
    this.masters = this.shards.map(({ master }) => master)
    this.replicas = this.shards.flatMap(({ replicas }) => replicas)
  }

  add ({ place, host, port, id }, readonly) {
    const address = addressOf({ host, port })
    const node = { id, address, host, port, readonly }
    // Hidden: the number by which the native side finds the node.
    Object.defineProperty(node, 'place', { value: place })
    // Not enumerable, so that a look at the node makes no client.
    defineGetter(node, 'client', () => this.clientOf(node))
    this.nodeByAddress.set(address, node)
    this.nodeByPlace.set(place, node)
    return node
  }

  /**
   * For each of the 16,384 slots its shard. Made when it is read first: the topology changes with
   * each slot that moves, and an application seldom looks at single slots.
   */
  get slots () {
    if (this.#slots !== null) return this.#slots
    this.#slots = new Array(16384).fill(undefined)
    for (const [index, ranges] of this.ranges.entries()) {
      for (let i = 0; i < ranges.length; i += 2) {
        this.#slots.fill(this.shards[index], ranges[i], ranges[i + 1] + 1)
      }
    }
    return this.#slots
  }
}

/**
 * Address -> node. IPv6 addresses stand in brackets, as in the messages of errors; they are found
 * without them as well, as node-redis writes them.
 */
class NodesByAddress extends Map {
  get (address) {
    const node = super.get(address)
    if (node !== undefined || typeof address !== 'string') return node
    const parsed = parseAddress(address)
    return parsed && super.get(addressOf(parsed))
  }

  has (address) {
    return this.get(address) !== undefined
  }
}

module.exports = { Topology }
