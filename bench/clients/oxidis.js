'use strict'

// oxidis with its defaults, deadlines included.

const { load } = require('./index')
const { adapt, adaptPool, POOL } = require('./node-redis')

async function open ({ host, port }, options) {
  const { createClient, RESP_TYPES } = load('oxidis')
  const client = await createClient({ socket: { host, port }, ...options }).connect()
  return adapt(client, RESP_TYPES)
}

async function openPool ({ host, port }) {
  const pool = load('oxidis').createClientPool({ socket: { host, port } }, POOL)
  await pool.connect()
  return adaptPool(pool)
}

async function openCluster (rootNode) {
  const { createCluster, RESP_TYPES } = load('oxidis')
  const cluster = await createCluster({ rootNodes: [{ socket: rootNode }] }).connect()
  return adapt(cluster, RESP_TYPES)
}

module.exports = { open, openCluster, openPool }
