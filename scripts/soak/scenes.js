'use strict'

/*
 * The three scenes: servers, a client of them, and the oracle's load over it.
 */

const { createClient, createCluster, createSentinel } = require('../..')
const { startFaultProxy } = require('../../__test__/support/fault-proxy')
const { startOracle } = require('../../__test__/support/oracle')
const { startCluster } = require('../../__test__/support/redis-cluster')
const { startSentinels } = require('../../__test__/support/redis-sentinel')
const { startServer } = require('../../__test__/support/redis-server')
const { Watched } = require('./watched')

class Scene {
  constructor (name) {
    this.name = name
    this.client = undefined
    this.oracle = undefined
    this.watched = undefined
  }

  /** Begins the load over `client`, at half of what the client can do. */
  load (client, options) {
    client.on('error', () => {})
    this.client = client
    this.watched = new Watched(client)
    this.oracle = startOracle(this.watched, { workers: 64, duty: 0.5, ...options })
    return this
  }

  /** Throws if an acknowledged write is lost or doubled, or if a reply was somebody else's. */
  verify () {
    return this.oracle.verify(this.client)
  }

  async stop () {
    // A load that nobody has stopped would keep the process for ever.
    this.oracle?.end()
    this.client?.destroy()
  }
}

/** One server, whose data survive a crash, behind a proxy. Its password changes now and then. */
class ServerScene extends Scene {
  async start () {
    this.firstPassword = 'soak-0'
    this.password = this.firstPassword
    // The kernel keeps what was written to the file when the process is killed, so every
    // acknowledged write is there after a restart.
    const args = ['--appendonly', 'yes', '--appendfsync', 'no']
    this.server = await startServer({ requirepass: this.password, args })
    this.proxy = await startFaultProxy(this.server)
    this.admin = createClient({
      url: `redis://${this.server.host}:${this.server.port}`,
      credentialsProvider: () => ({ password: this.password }),
      commandOptions: { timeout: 30_000 }
    })
    return this.load(createClient({
      socket: { host: this.proxy.host, port: this.proxy.port },
      credentialsProvider: () => ({ password: this.password }),
      commandOptions: { timeout: 3_000 }
    }), { pairs: 4, sessions: 4 })
  }

  async stop () {
    await super.stop()
    this.admin?.destroy()
    await this.proxy?.stop()
    await this.server?.stop()
  }
}

/** Three primaries with a replica each. */
class ClusterScene extends Scene {
  async start () {
    this.cluster = await startCluster()
    return this.load(createCluster({
      rootNodes: this.cluster.rootNodes, commandOptions: { timeout: 10_000 }
    }), { forgetful: true })
  }

  /** A primary that dies takes along what its replica has not got yet: such is replication. */
  verify () {
    return this.oracle.verify(this.client, { emptied: true })
  }

  async stop () {
    await super.stop()
    await this.cluster?.stop()
  }
}

/** A primary with two replicas, and three sentinels. */
class SentinelScene extends Scene {
  async start () {
    this.set = await startSentinels()
    return this.load(createSentinel({
      name: this.set.name,
      sentinelRootNodes: this.set.sentinelRootNodes,
      commandOptions: { timeout: 10_000 }
    }), { forgetful: true })
  }

  verify () {
    return this.oracle.verify(this.client, { emptied: true })
  }

  async stop () {
    await super.stop()
    await this.set?.stop()
  }
}

const SCENES = { server: ServerScene, cluster: ClusterScene, sentinel: SentinelScene }

module.exports = { SCENES }
