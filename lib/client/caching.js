'use strict'

/*
 * How a client uses its cache: by methods of its own, and by senders that tell the cache what
 * happens.
 *
 * A client without a cache does not load this file. Its methods and senders know no cache.
 */

const { caching } = require('../boundary/caching')
const { BasicClientSideCache } = require('../cache/caches')
const { addCaching } = require('../methods/caching')
const { IS_CACHE } = require('../options/cache')
const { addCommands } = require('../methods/from-rows')

/** The use that one client makes of a cache. */
class CacheUse {
  #endpoint

  /**
   * Puts the methods that read from the cache in front of those of the client's class.
   * @param {object} client
   * @param {object} options parsed ones
   * @param {{ topology?: object, Bridge: Function }} kind as that of `RedisClient`
   */
  constructor (client, { clientSideCache, socket }, { topology, Bridge }) {
    this.cache = clientSideCache[IS_CACHE]
      ? clientSideCache
      : new BasicClientSideCache(clientSideCache)
    this.#endpoint = endpointOf(socket, topology)
    /** The class of the client's bridges. */
    this.Bridge = caching(Bridge)
    Object.setPrototypeOf(client, readingFrom(Object.getPrototypeOf(client)))
  }

  /** Keeps the replies that come over `bridge`. */
  begin (bridge) {
    bridge.useCache(this.cache, this.#endpoint)
  }
}

/** An object in front of `prototype` with the methods that read from a cache. */
function readingFrom (prototype) {
  let made = READING.get(prototype)
  if (made === undefined) {
    made = Object.create(prototype)
    prototype._addCaching(made, { addCaching, addReadingCommands })
    READING.set(prototype, made)
  }
  return made
}

/** All methods of a namespace; those that can read from the cache. */
function addReadingCommands (prototype, rows) {
  addCommands(prototype, rows)
  addCaching(prototype, rows)
}

/** Text that is equal for clients of the same server or deployment. */
function endpointOf ({ host, port, path }, topology) {
  if (topology === undefined) return JSON.stringify(path ?? [host, port])
  const { seeds, sentinel } = topology
  return JSON.stringify([seeds, sentinel?.name, sentinel?.seeds])
}

/** Prototype of a class of clients -> the object in front of it. */
const READING = new WeakMap()

module.exports = { CacheUse }
