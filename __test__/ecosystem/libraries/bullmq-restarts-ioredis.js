'use strict'

// BullMQ 6 on ioredis, with a server that is killed and started again.

const bullmq = require('bullmq')

const { useRestarts } = require('../restarts')

module.exports = ({ url }) => useRestarts({
  bullmq,
  connect: async () => ({
    host: '127.0.0.1', port: Number(new URL(url).port), maxRetriesPerRequest: null
  }),
  disconnect: async () => {}
})
