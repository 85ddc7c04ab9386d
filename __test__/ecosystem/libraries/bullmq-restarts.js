'use strict'

// BullMQ 6 on a client of node-redis, with a server that is killed and started again.

const bullmq = require('bullmq')

const { connected } = require('../clients')
const { useRestarts } = require('../restarts')

module.exports = given => useRestarts({
  bullmq,
  connect: async () => {
    const client = await connected(given)
    return client.on('error', () => {})
  },
  disconnect: client => client.close()
})
