'use strict'

// BullMQ 6 on clients of node-redis, by its own adapter.

const bullmq = require('bullmq')

const { connected } = require('../clients')
const { useQueues } = require('../queues')

module.exports = async given => {
  const seen = await useQueues({
    bullmq, connect: () => connected(given), disconnect: client => client.close()
  })
  // A worker whose blocking command has a connection of its own is listed twice.
  for (const part of [seen.useJobs, seen.useLoad]) part.workers = [...new Set(part.workers)]
  return seen
}
