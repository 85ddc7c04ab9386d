'use strict'

// Libraries that stand on ioredis.

const { after, before, describe, it } = require('node:test')

const { skipBefore7 } = require('../support/redis-server')
const { startCluster } = require('../support/redis-cluster')
const { compare, compareInCluster } = require('./outcome')

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

describe('on ioredis and on oxidis/ioredis', () => {
  for (const [name, title] of Object.entries(LIBRARIES)) {
    it(title, () => compare(name, { args: ['--maxmemory-policy', 'noeviction'] }))
  }

  describe('in a cluster', { skip: skipBefore7() }, () => {
    let cluster

    before(async () => { cluster = await startCluster({ replicas: 0 }) })
    after(() => cluster.stop())

    it(LIBRARIES['socket.io-ioredis'], () => compareInCluster('socket.io-ioredis', cluster))
  })
})
