'use strict'

// node-redis, and everything that follows its API.

const { load } = require('./index')

async function open ({ host, port }, options) {
  const client = load('redis').createClient({ socket: { host, port }, ...options })
  client.on('error', () => {})
  await client.connect()
  return adapt(client, load('redis').RESP_TYPES)
}

async function openPool ({ host, port }, options) {
  const { createClientPool } = load('redis')
  const pool = createClientPool({ socket: { host, port }, ...options }, POOL)
  pool.on('error', () => {})
  await pool.connect()
  return adaptPool(pool)
}

async function openCluster (rootNode, options) {
  const { createCluster, RESP_TYPES } = load('redis')
  const cluster = createCluster({ rootNodes: [{ socket: rootNode }], ...options })
  cluster.on('error', () => {})
  await cluster.connect()
  return adapt(cluster, RESP_TYPES)
}

/** The adapter of a client with node-redis's methods. */
function adapt (client, types) {
  const buffers = client.withTypeMapping({ [types.BLOB_STRING]: Buffer })
  return {
    get: key => client.get(key),
    set: (key, value) => client.set(key, value),
    getBuffer: key => buffers.get(key),
    hGetAll: client.hGetAll && (key => client.hGetAll(key)),
    pairs: reply => Object.keys(reply).length,
    lRange: client.lRange && (key => client.lRange(key, 0, -1)),
    mGet: client.mGet && (keys => client.mGet(keys)),
    zRangeWithScores: client.zRangeWithScores && (key => client.zRangeWithScores(key, 0, -1)),
    scores: reply => reply.length,
    xRange: client.xRange && (key => client.xRange(key, '-', '+')),
    entries: reply => reply.length,
    subscribe: client.subscribe && ((channel, listener) => client.subscribe(channel, listener))
  }
}

/** The adapter of a pool with node-redis's methods. */
function adaptPool (pool) {
  return {
    get: key => pool.get(key),
    set: (key, value) => pool.set(key, value),
    lease: pool.execute && (use => pool.execute(use))
  }
}

// Eight connections: what one server thread and one event loop can still use.
const POOL = { minimum: 8, maximum: 8 }

module.exports = { open, openCluster, openPool, adapt, adaptPool, POOL }
