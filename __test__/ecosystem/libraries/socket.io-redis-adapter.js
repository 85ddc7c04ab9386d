'use strict'

// Socket.IO servers by @socket.io/redis-adapter, alone and in a cluster, and the emitter.

const { createAdapter, createShardedAdapter } = require('@socket.io/redis-adapter')
const { Emitter } = require('@socket.io/redis-emitter')

const { closeAll, connected } = require('../clients')
const { useServers } = require('../socket-servers')

module.exports = async given => {
  const seen = {}
  const adapters = { plain: createAdapter, sharded: createShardedAdapter }
  for (const [kind, create] of Object.entries(adapters)) {
    const clients = []
    const makeAdapter = async () => {
      const publisher = await connected(given)
      const subscriber = publisher.duplicate()
      await subscriber.connect()
      clients.push(publisher, subscriber)
      return create(publisher, subscriber, { requestsTimeout: 60_000 })
    }
    const own = await connected(given)
    clients.push(own)
    seen[kind] = await useServers(makeAdapter, {
      // It knows the channels of the plain adapter only.
      emitter: kind === 'plain' ? new Emitter(own) : undefined,
      // node-redis publishes each message by some node of a cluster, so they overtake each other.
      isOrdered: given.url !== undefined
    })
    await closeAll(clients)
  }
  return seen
}

module.exports.leavesTimers = 'of emits with an acknowledgement, until their timeout'
