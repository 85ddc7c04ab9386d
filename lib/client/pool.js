'use strict'

/*
 * `createClientPool`: a client with several lanes, and node-redis's names for the pool's numbers.
 *
 * Commands that are not awaited may go over different lanes, so their order is not promised. A pool
 * of node-redis promises no order either.
 */

const { check, isAbsent } = require('../options/check')
const { CLIENT_SIDE_CACHE, POOL } = require('../options/client')
const { Unknown } = require('../unknown-options')
const { RedisClient } = require('./client')

/** A client whose commands are spread over several connections. Made by `createClientPool`. */
class RedisClientPool extends RedisClient {
  /** Runs `run` on a connection of its own: node-redis's name for `session`. */
  execute (run) {
    return this.session(run)
  }

  /** Whether `close()` was called, and what is under way has not ended. */
  get isClosing () {
    const { _ending: ending } = this._self
    return ending !== null && !ending.isClosed
  }

  /** Connections that no caller holds. */
  get idleClients () {
    const { total, inUse } = this.stats().pool
    return Math.max(total - inUse, 0)
  }

  /** Connections that callers hold. */
  get clientsInUse () {
    return this.stats().pool.inUse
  }

  /** Connections that exist. */
  get totalClients () {
    return this.stats().pool.total
  }

  /** Callers that wait for a connection. */
  get tasksQueueLength () {
    return this.stats().pool.waiting
  }
}

/**
 * The client options for node-redis's pool options.
 * @param {object | string} [given] client options or a URL
 * @param {{ minimum?: number, maximum?: number, acquireTimeout?: number, cleanupDelay?: number,
 *   clientSideCache?: object }} [poolOptions]
 */
function pooledOptions (given, poolOptions) {
  const base = typeof given === 'string' ? { url: given } : given ?? {}
  const unknown = new Unknown(base.strictOptions === true)
  const {
    minimum = 1, maximum = 100, acquireTimeout = 3000, cleanupDelay: idleTimeout, clientSideCache
  } = check(poolOptions ?? {}, POOL_OPTIONS, 'pool options.', unknown)
  unknown.tell()
  const pool = { min: minimum, max: maximum, acquireTimeout, ...base.pool }
  if (!isAbsent(idleTimeout)) pool.idleTimeout = idleTimeout
  const options = { lanes: Math.max(1, Math.min(LANES, maximum)), ...base, pool }
  if (clientSideCache !== undefined) options.clientSideCache = clientSideCache
  return options
}

/** node-redis's names of the pool's options. */
const POOL_OPTIONS = {
  minimum: POOL.min,
  maximum: POOL.max,
  acquireTimeout: POOL.acquireTimeout,
  cleanupDelay: POOL.idleTimeout,
  clientSideCache: CLIENT_SIDE_CACHE
}

/**
 * Two lanes keep a server busy while a large reply of one is under way. A server runs one command
 * at a time, so more lanes only make the batches smaller.
 */
const LANES = 2

module.exports = { RedisClientPool, pooledOptions }
