'use strict'

// BullMQ 6 on clients of node-redis, by its own adapter.

const bullmq = require('bullmq')

const { connected } = require('../clients')
const { useQueues } = require('../queues')

module.exports = given => useQueues({
  bullmq, connect: () => connected(given), disconnect: client => client.close()
})
