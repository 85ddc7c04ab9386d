'use strict'

// ioredis, and our class with its interface; WITHSCORES and XRANGE come back as the flat arrays
// that the server sent.

const { once } = require('node:events')

const { load } = require('./index')

async function open ({ host, port }, options, name = 'ioredis') {
  const { Redis } = load(name)
  const client = new Redis({ host, port, ...options })
  await once(client, 'ready')
  return adapt(client)
}

async function openCluster (rootNode, options) {
  const { Cluster } = load('ioredis')
  const client = new Cluster([rootNode], options)
  await once(client, 'ready')
  return adapt(client)
}

function adapt (client) {
  return {
    get: key => client.get(key),
    set: (key, value) => client.set(key, value),
    getBuffer: key => client.getBuffer(key),
    hGetAll: key => client.hgetall(key),
    pairs: reply => Object.keys(reply).length,
    lRange: key => client.lrange(key, 0, -1),
    mGet: keys => client.mget(keys),
    zRangeWithScores: key => client.zrange(key, 0, -1, 'WITHSCORES'),
    scores: reply => reply.length / 2,
    xRange: key => client.xrange(key, '-', '+'),
    entries: reply => reply.length,
    async subscribe (channel, listener) {
      client.on('message', (from, message) => listener(message, from))
      await client.subscribe(channel)
    }
  }
}

module.exports = { open, openCluster }
