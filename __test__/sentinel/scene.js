'use strict'

// The set of one test about Sentinel: primaries, replicas, sentinels, clients and false sentinels,
// all of which end with it.

const { createSentinel } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { startSentinels } = require('../support/redis-sentinel')
const { until } = require('../support/until')

/** Starts a set (see `startSentinels`) that ends with test `t`. */
async function scene (t, options) {
  const scene = new Scene()
  t.after(() => scene.end())
  scene.set = await startSentinels(options)
  return scene
}

class Scene {
  constructor () {
    this.clients = []
    this.ends = []
  }

  /** A client of the set. Nothing that it meets is an error of the test by itself. */
  client (options) {
    const { name, sentinelRootNodes } = this.set
    const client = createSentinel({ name, sentinelRootNodes, ...options })
    this.clients.push(client)
    return client
  }

  /** A client of the set, once it is connected. */
  connected (options) {
    return this.client(options).connect()
  }

  /** Calls `end` when the test ends. */
  defer (end) {
    this.ends.push(end)
  }

  /**
   * A sentinel that lies, or is behind: it names `primary`, with `epoch` as its newest failover.
   * `replicas` and `sentinels` are servers that it knows; `said` is what it was asked, in order.
   * A server may have a `runId`.
   */
  async falseSentinel ({ primary, epoch, replicas = [], sentinels = [] }) {
    const fake = await startFakeServer()
    this.defer(() => fake.stop())
    const record = (server, flags) => Object.entries({
      name: 'x', ip: server.host, port: String(server.port), runid: server.runId ?? '', flags
    }).flat()
    fake.said = []
    fake.on('command', (args, reply) => {
      const [command, question] = args.map(word => word.toUpperCase())
      fake.said.push(args)
      if (command === 'SUBSCRIBE') {
        return args.slice(1).forEach((channel, i) => reply.array(['subscribe', channel, i + 1]))
      }
      switch (question) {
        case 'GET-MASTER-ADDR-BY-NAME':
          return reply.array([primary.host, String(primary.port)])
        case 'MASTER':
          return reply.array([...record(primary, 'master'), 'config-epoch', String(epoch)])
        case 'REPLICAS':
          return reply.array(replicas.map(replica => record(replica, 'slave')))
        case 'SENTINELS':
          return reply.array(sentinels.map(sentinel => record(sentinel, 'sentinel')))
        case 'MYID':
          return reply.bulk(String(fake.port).padStart(40, 'f'))
      }
      return reply.error('ERR unknown command')
    })
    return fake
  }

  /** How many writes a server has refused because it is a replica. */
  async refusedBy (server) {
    const info = await this.set.command(server, 'INFO', 'errorstats')
    return Number(/errorstat_READONLY:count=(\d+)/.exec(info)?.[1] ?? 0)
  }

  async end () {
    for (const client of this.clients) client.destroy()
    for (const end of this.ends.reverse()) await end()
    await this.set?.stop()
  }
}

/**
 * Counts: `workers` of them call INCR of a counter of their own, one after the other, until they
 * are told to `stop`. `settled` resolves when every worker has had a reply after the call.
 */
class Count {
  constructor (client, workers = 16) {
    this.client = client
    this.isOver = false
    this.failures = new Map()
    this.wrong = []
    this.workers = Array.from({ length: workers }, (_, i) => (
      { key: `count:${i}`, acknowledged: 0, unknown: 0, last: 0 }))
    this.running = this.workers.map(worker => this.run(worker))
  }

  get failed () {
    return [...this.failures.values()].reduce((sum, count) => sum + count, 0)
  }

  async run (worker) {
    while (!this.isOver) {
      const highest = worker.acknowledged + worker.unknown + 1
      try {
        const reply = await this.client.incr(worker.key)
        if (reply < 1 || reply > highest) this.wrong.push(`${worker.key}: ${reply} > ${highest}`)
        worker.acknowledged++
        worker.last = performance.now()
        await new Promise(resolve => { setTimeout(resolve, REST) })
      } catch (error) {
        if (error.applied !== 'no') worker.unknown++
        this.failures.set(error.code, (this.failures.get(error.code) ?? 0) + 1)
        await new Promise(resolve => { setTimeout(resolve, PAUSE) })
      }
    }
  }

  /** Resolves with the ms from `since` until every worker has had a reply. */
  async settled (since = performance.now()) {
    await until('every worker has had a reply', async () => (
      this.workers.every(({ last }) => last > since)))
    const first = Math.max(...this.workers.map(({ last }) => last))
    return first - since
  }

  async stop () {
    this.isOver = true
    await Promise.all(this.running)
  }

  /** Whether a counter is higher than what was asked for: something was done twice. */
  async doubled () {
    const wrong = [...this.wrong]
    for (const { key, acknowledged, unknown } of this.workers) {
      const counter = Number(await this.client.get(key) ?? 0)
      if (counter > acknowledged + unknown) {
        wrong.push(`${key} is ${counter}: ${acknowledged} acknowledged, ${unknown} unknown`)
      }
    }
    return wrong
  }
}

/** How long (ms) a worker rests after a failure: a dead server is not to become a busy loop. */
const PAUSE = 5

/** And after a reply: a failover takes seconds, in which six servers want the processors. */
const REST = 1

module.exports = { Count, scene }
