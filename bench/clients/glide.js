'use strict'

// Valkey GLIDE; its limit on requests in flight (1,000) is raised, or it would refuse some.

const { load } = require('./index')

async function open (address) {
  return adapt(await connect('GlideClient', address))
}

async function openCluster (rootNode) {
  return adapt(await connect('GlideClusterClient', rootNode))
}

function connect (name, address) {
  const { Logger, [name]: Client } = load('@valkey/valkey-glide')
  Logger.setLoggerConfig('error') // its warnings would stand in the middle of the tables
  return Client.createClient({
    addresses: [address],
    requestTimeout: 5000,
    inflightRequestsLimit: 1_000_000
  })
}

function adapt (client) {
  const { Decoder, InfBoundary } = load('@valkey/valkey-glide')
  const bytes = { decoder: Decoder.Bytes }
  const all = { start: 0, end: -1 }
  const { NegativeInfinity, PositiveInfinity } = InfBoundary
  return {
    get: key => client.get(key),
    set: (key, value) => client.set(key, value),
    getBuffer: key => client.get(key, bytes),
    hGetAll: key => client.hgetall(key),
    pairs: reply => reply.length,
    lRange: key => client.lrange(key, 0, -1),
    mGet: keys => client.mget(keys),
    zRangeWithScores: key => client.zrangeWithScores(key, all),
    scores: reply => reply.length,
    xRange: key => client.xrange(key, NegativeInfinity, PositiveInfinity),
    entries: reply => Object.keys(reply).length
  }
}

module.exports = { open, openCluster }
