'use strict'

// The set of a fault test on a cluster: what faults/scene.js gives to one server, for many.
//
// Clients log in with the canary, so every node that is no fake asks for it, and every fault
// scenario is a test of secrecy as well.

const { createCluster } = require('../..')
const base = require('../faults/scene')
const { startFakeCluster } = require('../support/fake-cluster')
const { startFaultProxy } = require('../support/fault-proxy')
const { startCluster } = require('../support/redis-cluster')

/** The scene of test `t`; it is cleared away when `t` ends. */
function scene (t) {
  return Object.assign(base.scene(t), {
    /** A real cluster, with the canary as its password. */
    async cluster (options) {
      const cluster = await startCluster({ requirepass: base.CANARY, ...options })
      this.defer(() => cluster.stop())
      return cluster
    },

    /** A scripted cluster, which asks for no password. */
    async fakeCluster (options) {
      const cluster = await startFakeCluster(options)
      this.defer(() => cluster.stop())
      return cluster
    },

    /**
     * A proxy before each node of `cluster`, as a map from node to proxy, with the option
     * `nodeAddressMap` that leads a client through them.
     */
    async proxies (cluster) {
      const proxies = new Map()
      const nodeAddressMap = {}
      for (const node of cluster.nodes) {
        const proxy = await startFaultProxy(node)
        this.defer(() => proxy.stop())
        proxies.set(node, proxy)
        nodeAddressMap[`${node.host}:${node.port}`] = { host: proxy.host, port: proxy.port }
      }
      return { proxies, nodeAddressMap }
    },

    /** A client of `cluster`, which knows its first node by default. */
    clusterClient (cluster, { rootNodes, ...options } = {}) {
      const client = this.cast(createCluster({
        rootNodes: rootNodes ?? [at(cluster.nodes[0])], password: base.CANARY, ...options
      }))
      client.on('node-error', error => this.note(error))
      return client
    }
  })
}

/** Client options that say where `node` is. */
function at ({ host, port }) {
  return { socket: { host, port } }
}

/**
 * A client for the oracle that knows of each failure when, of which command, and of which slot it
 * was: `failures`, `{ error, at, method, slot }`; no slot for `echo`.
 */
function watch (set, client, cluster) {
  const failures = []
  const watched = method => (first, ...others) => {
    const promise = client[method](first, ...others)
    promise.catch(error => {
      set.note(error)
      const slot = method === 'echo' ? undefined : cluster.slotOf(first)
      failures.push({ error, at: performance.now(), method, slot })
    })
    return promise
  }
  return {
    client,
    failures,
    incr: watched('incr'),
    echo: watched('echo'),
    set: watched('set'),
    get: watched('get')
  }
}

/**
 * A writer that appends rising numbers to lists, one for each of `slots`, and awaits none of them
 * before the next: what order means. `check` holds the lists against what was asked for.
 */
class Appender {
  /** Options: `perTurn`, numbers for each list in each turn, default 3. */
  constructor (set, client, cluster, slots, { perTurn = 3 } = {}) {
    this.client = client
    this.perTurn = perTurn
    this.lists = slots.map(slot => ({ key: `${cluster.keyIn(slot)}:list`, next: 0 }))
    /** How many were answered, and the errors of the others with the number they are about. */
    this.answered = 0
    this.failures = []
    this.pending = 0
    this.stopping = false
    this.set = set
    set.defer(() => { this.stopping = true })
    this.running = this.run()
  }

  async run () {
    while (!this.stopping) {
      for (const list of this.lists) {
        for (let count = 0; count < this.perTurn; count++) this.append(list)
      }
      // As much as makes long pipelines, not as much as makes deadlines pass or takes a processor
      // from the servers.
      do await turn(); while (this.pending > MOST_PENDING)
    }
    while (this.pending > 0) await turn()
  }

  append (list) {
    const number = list.next++
    this.pending++
    this.client.rPush(list.key, String(number)).then(
      () => { this.answered++ },
      error => {
        this.set.note(error)
        this.failures.push({ error, list, number })
      }
    ).finally(() => { this.pending-- })
  }

  /** Ends the writing and waits for the last answers. */
  stop () {
    this.stopping = true
    return this.running
  }

  /**
   * Throws unless each list rises without a number twice, and has all that was answered. Unless
   * `lossy`, nothing may have failed either.
   */
  async check ({ lossy = false } = {}) {
    const wrong = []
    if (!lossy) {
      const codes = new Set(this.failures.map(({ error }) => `${error.code}: ${error.message}`))
      if (codes.size > 0) wrong.push(`${this.failures.length} failed: ${[...codes].join('; ')}`)
    }
    await Promise.all(this.lists.map(async list => {
      const found = (await this.client.lRange(list.key, 0, -1)).map(Number)
      const failed = this.failures.filter(failure => failure.list === list)
      const at = found.findIndex((number, index) => index > 0 && number <= found[index - 1])
      if (at !== -1) {
        wrong.push(`${list.key}: ${found[at]} behind ${found.slice(Math.max(0, at - 3), at)}`)
      }
      const unknown = failed.filter(({ error }) => error.applied !== 'no').length
      const acknowledged = list.next - failed.length
      if (found.length < acknowledged || found.length > acknowledged + unknown) {
        wrong.push(`${list.key} has ${found.length} numbers, with ${acknowledged} acknowledged ` +
          `and ${unknown} unknown`)
      }
      const refused = failed.filter(({ error }) => error.applied === 'no')
      const ran = new Set(found)
      for (const { number } of refused) {
        if (ran.has(number)) wrong.push(`${list.key}: ${number} was run, but said not to be`)
      }
    }))
    if (wrong.length === 0) return
    throw new Error(`${wrong.length} lists are wrong:\n${wrong.slice(0, 10).join('\n')}`)
  }
}

function turn () {
  return new Promise(resolve => { setTimeout(resolve, 1) })
}

const MOST_PENDING = 1000

module.exports = { ...base, Appender, at, scene, watch }
