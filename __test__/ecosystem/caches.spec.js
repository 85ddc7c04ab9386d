'use strict'

// Caches on one server and in a cluster with replicas.

const { after, before, describe, it } = require('node:test')

const { skipBefore7 } = require('../support/redis-server')
const { startCluster } = require('../support/redis-cluster')
const { compare, compareInCluster } = require('./outcome')

const LIBRARIES = {
  'keyv-redis': '@keyv/redis, alone, below cache-manager and below Apollo, keeps and clears values',
  'cache-manager-redis-yet': 'cache-manager-redis-yet, with options that are its own, keeps values',
  'nextjs-cache-handler': '@fortedigital/nextjs-cache-handler keeps pages and revalidates tags'
}

describe('on node-redis and on oxidis', () => {
  for (const [name, title] of Object.entries(LIBRARIES)) it(title, () => compare(name))

  describe('in a cluster', { skip: skipBefore7() }, () => {
    let cluster

    before(async () => { cluster = await startCluster() })
    after(() => cluster.stop())

    for (const [name, title] of Object.entries(LIBRARIES)) {
      it(title, () => compareInCluster(name, cluster))
    }
  })
})
