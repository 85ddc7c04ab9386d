'use strict'

// BullMQ 5 on ioredis, on connections that it makes of options.

const bullmq = require('bullmq-5')

const { useQueues } = require('../queues')

module.exports = ({ url }) => useQueues({
  bullmq,
  connect: async () => ({ host: '127.0.0.1', port: Number(new URL(url).port) }),
  disconnect: async () => {}
})
