'use strict'

// Socket.IO: the three packages that use Redis, on one server and in a cluster.

const { after, before, describe, it } = require('node:test')

const { skipBefore7 } = require('../support/redis-server')
const { startCluster } = require('../support/redis-cluster')
const { compare, compareInCluster } = require('./outcome')

const ADAPTER = 'socket.io-redis-adapter'
const STREAMS = 'socket.io-redis-streams-adapter'

describe('on node-redis and on oxidis', () => {
  it('@socket.io/redis-adapter and -emitter reach all servers, rooms and remote sockets', () =>
    compare(ADAPTER))

  it('@socket.io/redis-streams-adapter does', () => compare(STREAMS))

  describe('in a cluster', { skip: skipBefore7() }, () => {
    let cluster

    before(async () => { cluster = await startCluster({ replicas: 0 }) })
    after(() => cluster.stop())

    it('@socket.io/redis-adapter and -emitter do', () => compareInCluster(ADAPTER, cluster))

    it('@socket.io/redis-streams-adapter does', () => compareInCluster(STREAMS, cluster))
  })
})
