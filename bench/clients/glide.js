'use strict'

// Valkey GLIDE; its limit on requests in flight (1,000) is raised, or it would refuse some.

const { load } = require('./index')

async function open ({ host, port }) {
  const { GlideClient, Decoder, InfBoundary, Logger } = load('@valkey/valkey-glide')
  Logger.setLoggerConfig('error') // its warnings would stand in the middle of the tables
  const client = await GlideClient.createClient({
    addresses: [{ host, port }],
    requestTimeout: 5000,
    inflightRequestsLimit: 1_000_000
  })
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

module.exports = { open }
