'use strict'

// Socket.IO servers by @socket.io/redis-streams-adapter, alone and in a cluster, by one stream and
// by several, with the other messages in plain and in sharded channels.

const { createAdapter } = require('@socket.io/redis-streams-adapter')

const { closeAll, connected } = require('../clients')
const { useServers } = require('../socket-servers')

module.exports = async given => {
  const seen = {}
  for (const [kind, options] of Object.entries({
    one: { streamName: 'one' },
    several: { streamName: 'several', streamCount: 2, useShardedPubSub: true }
  })) {
    const clients = []
    const makeAdapter = async () => {
      const client = await connected(given)
      clients.push(client)
      // Its readers stop between two reads.
      return createAdapter(client, { ...options, blockTimeInMs: 500 })
    }
    seen[kind] = await useServers(makeAdapter, { isOrdered: true })
    const names = kind === 'one' ? ['one'] : ['several-0', 'several-1']
    const lengths = await Promise.all(names.map(name => clients[0].xLen(name)))
    seen[kind].streams = lengths.map(length => length > 0)
    await closeAll(clients)
  }
  return seen
}

module.exports.leavesTimers = 'of emits with an acknowledgement, until their timeout'
