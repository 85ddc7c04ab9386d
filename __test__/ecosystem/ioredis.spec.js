'use strict'

// Libraries that stand on ioredis.

const { describe, it } = require('node:test')

const { compare } = require('./outcome')

const LIBRARIES = {
  'bullmq-ioredis': 'BullMQ 6 does jobs, flows and schedules, and each job once',
  'bullmq-5': 'BullMQ 5 does',
  bull: 'Bull 4 does jobs, and each once',
  'fastify-redis': '@fastify/redis makes and takes clients',
  'rate-limiter-flexible-ioredis': 'rate-limiter-flexible counts, blocks, and is insured',
  redlock: 'redlock lets one of many have a lock',
  'graphql-redis-subscriptions': 'graphql-redis-subscriptions hears names and patterns',
  'nestjs-microservices': 'the Redis transport of NestJS asks, streams and tells',
  'socket.io-ioredis': 'the packages of Socket.IO reach all servers, rooms and remote sockets',
  'stores-on-ioredis': 'connect-redis 7, cache-manager-ioredis-yet and unstorage keep values',
  bentocache: 'bentocache keeps values in two layers, and its bus tells of changes'
}

/** It imports the name, which an ES module has to have even if nothing is done with it. */
const WANT_CLUSTER = ['bentocache']

describe('on ioredis and on oxidis/ioredis', () => {
  const isClusterThere = require('oxidis/ioredis').Cluster !== undefined
  for (const [name, title] of Object.entries(LIBRARIES)) {
    const skip = WANT_CLUSTER.includes(name) && !isClusterThere &&
      `${name} imports Cluster, which oxidis/ioredis does not have yet`
    it(title, { skip }, () => compare(name, { args: ['--maxmemory-policy', 'noeviction'] }))
  }
})
