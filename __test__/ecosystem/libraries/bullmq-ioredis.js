'use strict'

// BullMQ 6 on ioredis: on clients that it is given, and on those that it makes of options.

const bullmq = require('bullmq')
const Redis = require('ioredis')

const { useQueues } = require('../queues')

module.exports = async ({ url }) => {
  const given = await useQueues({
    bullmq,
    connect: async () => new Redis(url, { maxRetriesPerRequest: null }),
    disconnect: client => client.quit()
  })
  const client = new Redis(url)
  await client.flushall()
  await client.quit()
  const own = await useQueues({
    bullmq,
    connect: async () => ({ host: '127.0.0.1', port: Number(new URL(url).port) }),
    disconnect: async () => {}
  })
  return { given, own }
}
