'use strict'

// Socket.IO servers by @socket.io/redis-adapter, plain and sharded, by
// @socket.io/redis-streams-adapter, and the emitter, all on ioredis.

const { createAdapter, createShardedAdapter } = require('@socket.io/redis-adapter')
const { Emitter } = require('@socket.io/redis-emitter')
const { createAdapter: createStreamsAdapter } = require('@socket.io/redis-streams-adapter')
const Redis = require('ioredis')

const { useServers } = require('../socket-servers')

module.exports = async ({ url, rootNodes }) => {
  const seen = {}
  const connect = () => url === undefined
    // Without the option ioredis subscribes to sharded channels at any node.
    ? new Redis.Cluster(rootNodes.map(({ url }) => url), { shardedSubscribers: true })
    : new Redis(url)
  const adapters = {
    plain: (...clients) => createAdapter(...clients, { requestsTimeout: 60_000 }),
    sharded: createShardedAdapter,
    streams: client => createStreamsAdapter(client, { blockTimeInMs: 500 }),
    several: client => createStreamsAdapter(client,
      { streamName: 'several', streamCount: 2, useShardedPubSub: true, blockTimeInMs: 500 })
  }
  for (const [kind, create] of Object.entries(adapters)) {
    const clients = []
    const makeAdapter = async () => {
      const publisher = connect()
      const subscriber = publisher.duplicate()
      clients.push(publisher, subscriber)
      return create(publisher, subscriber)
    }
    const own = connect()
    clients.push(own)
    const emitter = kind === 'plain' ? new Emitter(own) : undefined
    seen[kind] = await useServers(makeAdapter, { emitter, isOrdered: url !== undefined })
    await Promise.all(clients.map(client => client.quit()))
  }
  return seen
}

module.exports.leavesTimers = 'of emits with an acknowledgement, until their timeout'
