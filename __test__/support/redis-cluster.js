'use strict'

// Starts real clusters for tests, and does to them what happens to clusters.
//
// A cluster is formed by the servers' own commands and is handed over only when every node agrees
// with every other. What its fields say (roles, slots) is what the nodes last said: `refresh()`,
// all waits and all moves of slots bring it up to date. Waits poll the nodes; none waits for a
// fixed time. All nodes end with the process that started them, as every started server does.

const { Controls } = require('./control-connection')
const { covers, evenly, keyIn, slotOf, without } = require('./hash-slot')
const { allStarted, startServer } = require('./redis-server')
const { until } = require('./until')

/**
 * Starts a cluster and resolves when every node reports `cluster_state:ok`, all have the same
 * view, and all replicas are connected to their primaries. That takes 2 seconds, for which a new
 * primary refuses commands in any case. Options, all of them optional:
 * - `primaries`: how many, default 3; slots are dealt out evenly, in the order of `nodes`
 * - `replicas`: how many for each primary, default 1
 * - `nodeTimeout`: ms without an answer until a node is suspected, default 1,500, or 30,000 without
 *   replicas. A killed primary is replaced after this time and 1 to 2 seconds
 * - `args`: more command line arguments for all nodes, or a function of the node that returns them
 * - `requirepass`, `tls`, `path`: as for `startServer`; all nodes share one authority
 */
async function startCluster (options = {}) {
  const cluster = new Cluster(options)
  try {
    await cluster.start()
  } catch (error) {
    await cluster.stop()
    throw error
  }
  return cluster
}

/**
 * `nodes` are started servers that have besides:
 * - `id`: the node's name in the cluster
 * - `role`: 'primary' or 'replica'
 * - `primary`: for a replica, the node that it follows
 * - `slots`: ranges `[first, last]`; empty for replicas
 */
class Cluster {
  constructor ({ primaries = 3, replicas = 1, nodeTimeout, ...options }) {
    this.size = { primaries, replicas }
    this.nodeTimeout = nodeTimeout ?? (replicas === 0 ? NODE_TIMEOUT_ALONE : NODE_TIMEOUT)
    this.options = options
    this.nodes = []
    this.controls = new Controls()
    // The highest epoch that all nodes are known to have heard of.
    this.spreadTo = 0
  }

  /** The primaries that run, dead ones left out. */
  get primaries () {
    return this.nodes.filter(node => node.role === 'primary' && node.pid)
  }

  get replicas () {
    return this.nodes.filter(node => node.role === 'replica' && node.pid)
  }

  /** What a cluster client takes as its root nodes: `[{ url }]`, every node once. */
  get rootNodes () {
    return this.nodes.map(({ url }) => ({ url }))
  }

  /** The port of the first node. */
  get seedPort () {
    return this.nodes[0].port
  }

  /** With `tls`: the paths of the certificate files, the same for all nodes. */
  get certificates () {
    return this.nodes[0].certificates
  }

  /** The slot of a key. */
  slotOf (key) {
    return slotOf(key)
  }

  /** A key of this slot; other values of `nth` give other keys. */
  keyIn (slot, nth) {
    return keyIn(slot, nth)
  }

  /** A key that this primary has. */
  keyOn (node, nth) {
    return keyIn(node.slots[0][0], nth)
  }

  /** The primary that has this slot, undefined when none has. */
  nodeOf (slot) {
    return this.primaries.find(({ slots }) => covers(slots, slot))
  }

  /** The node with this id; throws when there is none. */
  nodeById (id) {
    const found = this.nodes.find(node => node.id === id)
    if (!found) throw new Error(`no node of this cluster has the id ${id}`)
    return found
  }

  /** Sends one command to one node, as it is: no redirects. Error replies reject. */
  command (node, ...args) {
    return this.controls.command(node, ...args)
  }

  /** SIGKILL, as a crash. `waitForPromotion` tells when its replica has taken over. */
  async kill (node) {
    await node.kill()
    this.controls.forget(node)
  }

  /**
   * Kills a node if it runs, and starts it on the same port, with its id and its view of the
   * cluster. It keeps no data: a replica that comes back fetches it from its primary.
   */
  async restart (node) {
    await this.kill(node)
    await node.start()
  }

  /** SIGSTOP: a node that hangs. Its connections stay open; after a while it is voted out. */
  pause (node) {
    node.pause()
  }

  /** SIGCONT: ends `pause`. A primary that was voted out meanwhile turns into a replica. */
  resume (node) {
    node.resume()
  }

  /**
   * Makes a node name itself by another `host` (an address), `port` or `hostname` than its own,
   * such as those of a fault proxy before it; `host` and `port` are where the other nodes look for
   * it too. Resolves when all have heard of it.
   */
  async announce (node, { host, port, hostname }) {
    const settings = {
      'cluster-announce-ip': host,
      [this.options.tls ? 'cluster-announce-tls-port' : 'cluster-announce-port']: port,
      'cluster-announce-hostname': hostname
    }
    for (const [name, value] of Object.entries(settings)) {
      if (value !== undefined) await this.command(node, 'CONFIG', 'SET', name, value)
    }
    const isKnown = async other => {
      const seen = (await this.view(other)).get(node.id)
      return seen.host === (host ?? seen.host) && seen.port === (port ?? seen.port) &&
        seen.hostname === (hostname ?? seen.hostname)
    }
    await until('all nodes have heard of another address', async () =>
      (await Promise.all(this.running.map(isKnown))).every(Boolean))
  }

  /**
   * CLUSTER FAILOVER on a replica. Without `how` its primary has to agree and hands over; with
   * 'FORCE' the other primaries vote; with 'TAKEOVER' nobody is asked. Resolves when the replica
   * has taken the order, which may be before it is promoted: see `waitForPromotion`.
   */
  failover (replica, how) {
    return this.command(replica, 'CLUSTER', 'FAILOVER', ...(how ? [how] : []))
  }

  /**
   * Resolves when one of this primary's replicas has become a primary: `{ node, at }`, `at` being
   * the `performance.now()` at which it said so first.
   */
  async waitForPromotion (ofPrimary) {
    const candidates = this.nodes.filter(node => node.primary === ofPrimary)
    if (candidates.length === 0) throw new Error('a primary without replicas is never replaced')
    const promoted = await until('a replica is promoted', async () => {
      for (const node of candidates) {
        if (node.pid && !node.paused && await this.isPrimary(node)) {
          return { node, at: performance.now() }
        }
      }
    })
    await this.refresh(promoted.node)
    return promoted
  }

  /**
   * Moves a slot the way an operator does: both ends are told, the keys are moved, everybody is
   * told. `keys: false` leaves that step out, for slots that have none.
   */
  async migrateSlot (slot, from, to, { keys = true } = {}) {
    await this.beginMigration(slot, from, to)
    if (keys) await this.moveKeys(slot, from, to)
    await this.finishMigration(slot, from, to)
  }

  /**
   * The first third: from now on `from` answers ASK for keys of the slot that it does not have,
   * and `to` serves them after ASKING. A command with keys on both sides gets TRYAGAIN.
   */
  async beginMigration (slot, from, to) {
    await this.command(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id)
    await this.command(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id)
  }

  /** The second third: moves the slot's keys, all of them or those in `keys`. */
  async moveKeys (slot, from, to, { keys } = {}) {
    const batch = () => this.command(from, 'CLUSTER', 'GETKEYSINSLOT', slot, KEYS_AT_ONCE)
    const { requirepass } = this.options
    const auth = requirepass ? ['AUTH', requirepass] : []
    const start = ['MIGRATE', to.host, to.port, '', 0, MIGRATE_TIMEOUT, ...auth, 'KEYS']
    if (keys) return this.command(from, ...start, ...keys)
    for (let some = await batch(); some.length > 0; some = await batch()) {
      await this.command(from, ...start, ...some)
    }
  }

  /** The last third: `to` owns the slot now, and every primary knows. Replicas hear of it soon. */
  async finishMigration (slot, from, to) {
    const others = this.primaries.filter(node => node !== from && node !== to && !node.paused)
    for (const node of [to, from, ...others]) {
      await this.command(node, 'CLUSTER', 'SETSLOT', slot, 'NODE', to.id)
    }
    await this.spreadEpoch(to)
    from.slots = without(from.slots, slot)
    to.slots = [...to.slots, [slot, slot]]
  }

  // A node that takes a slot gives itself a new epoch, one more than the highest that it knows of,
  // and tells the others. A node that takes a slot before it has heard of that would choose the
  // same epoch. Then nobody could say which of the two claims is the newer one, and the former
  // owner might get its slot back.
  async spreadEpoch (node) {
    const own = await this.info(node, 'cluster_my_epoch')
    if (own <= this.spreadTo) return
    await until('all nodes have heard of an epoch', async () => {
      const known = await Promise.all(this.running.map(other =>
        this.info(other, 'cluster_current_epoch')))
      return known.every(epoch => epoch >= own)
    })
    this.spreadTo = Math.max(this.spreadTo, own)
  }

  /** Ends a migration where it began. Keys that were moved have to be moved back before. */
  async abortMigration (slot, from, to) {
    await this.command(from, 'CLUSTER', 'SETSLOT', slot, 'STABLE')
    await this.command(to, 'CLUSTER', 'SETSLOT', slot, 'STABLE')
  }

  /**
   * Adds a primary without slots, or a replica of `replicaOf`, and resolves with the node when
   * all others know it.
   */
  async addNode ({ replicaOf } = {}) {
    const node = await this.launch()
    await this.meet(node, this.running.filter(other => other !== node))
    if (replicaOf) await this.follow(node, replicaOf)
    await this.waitUntilHealthy()
    return node
  }

  /**
   * Removes a node that has no slots (any more): all others forget it, then it is stopped. Its
   * replicas have to be removed first.
   */
  async removeNode (node) {
    if (node.slots.length > 0) throw new Error('a node that has slots cannot be removed')
    this.nodes = this.nodes.filter(other => other !== node)
    for (const other of this.running) {
      await this.command(other, 'CLUSTER', 'FORGET', node.id).catch(error => {
        // Since Redis 7.2 the others tell each other; then it is forgotten already.
        if (!error.message.includes('Unknown node')) throw error
      })
    }
    this.controls.forget(node)
    await node.stop()
  }

  /**
   * Resolves when all nodes that answer have the same view: the same nodes in the same roles,
   * with the same slots, and the same ones declared dead.
   */
  async waitUntilAgreed () {
    await until('all nodes agree', () => this.isAgreed(), () => this.describe(), ALL_INTERVAL)
  }

  /** As `waitUntilAgreed`, and all slots are served, and all replicas are connected. */
  async waitUntilHealthy () {
    await until('the cluster is healthy', async () =>
      await this.isAgreed() && await this.isServing(), () => this.describe(), ALL_INTERVAL)
  }

  /** Brings roles and slots up to date, as `node` sees them; default any node that answers. */
  async refresh (node = this.running[0]) {
    this.adopt(await this.view(node))
  }

  /** Stops all nodes and removes their folders. Safe to call twice. */
  async stop () {
    for (const node of this.nodes) this.controls.forget(node)
    await Promise.all(this.nodes.map(node => node.stop()))
  }

  // The nodes that can answer.
  get running () {
    return this.nodes.filter(node => node.pid && !node.paused)
  }

  async start () {
    const { primaries, replicas } = this.size
    // The first one makes the certificates.
    const first = await this.launch()
    await allStarted(Array.from(
      { length: primaries * (replicas + 1) - 1 }, () => this.launch(first)))
    const owners = this.nodes.slice(0, primaries)
    await Promise.all(evenly(primaries).map((range, index) =>
      this.command(owners[index], 'CLUSTER', 'ADDSLOTSRANGE', ...range)))
    // Different epochs: nodes with equal ones would first have to agree on whose slots count.
    await Promise.all(this.nodes.map((node, index) =>
      this.command(node, 'CLUSTER', 'SET-CONFIG-EPOCH', index + 1)))
    await Promise.all(this.nodes.map((node, index) =>
      this.meet(node, this.nodes.slice(index + 1))))
    await Promise.all(this.nodes.slice(primaries).map((node, index) =>
      this.follow(node, owners[index % primaries])))
    await this.waitUntilHealthy()
  }

  // Starts a server that belongs to no cluster yet.
  async launch (first = this.nodes[0]) {
    const { args, ...options } = this.options
    const node = await startServer({
      ...options,
      certificates: first?.certificates,
      cluster: true,
      args: node => [...this.arguments(), ...(typeof args === 'function' ? args(node) : args ?? [])]
    })
    this.nodes.push(node)
    Object.assign(node, { role: 'primary', primary: undefined, slots: [] })
    node.id = await this.command(node, 'CLUSTER', 'MYID')
    return node
  }

  arguments () {
    const { tls, requirepass } = this.options
    return [
      '--cluster-node-timeout', String(this.nodeTimeout),
      // A replica takes over however long its primary has been away; no replica changes sides by
      // itself; and a first synchronisation starts at once instead of after 5 s.
      '--cluster-replica-validity-factor', '0',
      '--cluster-allow-replica-migration', 'no',
      '--repl-diskless-sync-delay', '0',
      ...(requirepass ? ['--masterauth', requirepass] : []),
      ...(tls ? ['--tls-cluster', 'yes', '--tls-replication', 'yes'] : [])
    ]
  }

  async meet (node, others) {
    for (const { host, port, busPort } of others) {
      await this.command(node, 'CLUSTER', 'MEET', host, port, busPort)
    }
  }

  // A node can follow only one that it knows already.
  async follow (node, primary) {
    await until('a replica knows its primary', async () => (await this.view(node)).has(primary.id))
    await this.command(node, 'CLUSTER', 'REPLICATE', primary.id)
    Object.assign(node, { role: 'replica', primary })
  }

  async isPrimary (node) {
    try {
      return (await this.command(node, 'ROLE'))[0] === 'master'
    } catch (error) {
      if (node.pid) throw error
      return false
    }
  }

  async isAgreed () {
    const views = await Promise.all(this.running.map(node => this.view(node)))
    const [first, ...others] = views.map(view => [...view].map(String).sort().join('\n'))
    if (views[0].size !== this.nodes.length || !others.every(other => other === first)) return false
    this.adopt(views[0])
    return ![...views[0].values()].some(({ state }) => state === 'unsettled')
  }

  async isServing () {
    const states = await Promise.all(this.running.map(async node => {
      const state = await this.command(node, 'CLUSTER', 'INFO')
      if (!state.includes('cluster_state:ok')) return false
      return node.role === 'primary' ||
        (await this.command(node, 'INFO', 'replication')).includes('master_link_status:up')
    }))
    return states.every(Boolean)
  }

  // A number that a node says of the cluster.
  async info (node, name) {
    const text = await this.command(node, 'CLUSTER', 'INFO')
    return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)[1])
  }

  // What a node says of all: a map from id to `Seen`.
  async view (node) {
    const text = await this.command(node, 'CLUSTER', 'NODES')
    return new Map(text.trimEnd().split('\n').map(line => {
      const [id, ...fields] = line.split(' ')
      return [id, new Seen(fields)]
    }))
  }

  // What the nodes say of each other, for the error of a wait that was in vain.
  async describe () {
    const views = await Promise.all(this.running.map(async node =>
      `as ${node.port} sees it:\n${await this.command(node, 'CLUSTER', 'NODES')}` +
      `${/^master_link_status.*/m.exec(await this.command(node, 'INFO', 'replication')) ?? ''}`))
    return views.join('\n')
  }

  adopt (view) {
    for (const node of this.nodes) {
      const seen = view.get(node.id)
      if (!seen) continue
      node.role = seen.role
      node.primary = this.nodes.find(({ id }) => id === seen.primary)
      node.slots = seen.slots
    }
  }
}

// What one node says of another: the fields of its line in CLUSTER NODES, after the id.
class Seen {
  constructor ([address, marks, primary, , , , , ...slots]) {
    const [, host, port, hostname = ''] = /^(.*):(\d+)@\d+(?:,([^,]*))?/.exec(address)
    this.host = host
    this.port = Number(port)
    this.hostname = hostname
    const flags = marks.split(',')
    this.role = flags.includes('slave') ? 'replica' : 'primary'
    this.primary = primary === '-' ? undefined : primary
    const unsettled = flags.some(flag => ['fail?', 'handshake', 'noaddr'].includes(flag))
    this.state = unsettled ? 'unsettled' : flags.includes('fail') ? 'dead' : 'alive'
    // Slots in brackets are on their way, which only the two ends know.
    this.slots = slots.filter(range => range[0] !== '[').map(range => {
      const [first, last = first] = range.split('-').map(Number)
      return [first, last]
    })
  }

  // What nodes have to agree about.
  toString () {
    return `${this.role} of ${this.primary}, ${this.state}, ${this.slots.join(' ')}`
  }
}

// Short, so that failovers take seconds; long enough that a node of a loaded 2-core machine is not
// taken for dead.
const NODE_TIMEOUT = 1_500

// Without replicas nobody is replaced, and a node that is suspected only makes the others refuse
// commands. With replicas so long a time would make the start of a cluster take 6 s instead of 3:
// nodes ask each other at least twice in it, and so learn who follows whom.
const NODE_TIMEOUT_ALONE = 30_000

// Between two questions to all nodes for their views (ms). A new cluster needs 2 seconds until it
// serves; every 10 ms, the questions would take longer than all that the nodes do in that time.
const ALL_INTERVAL = 40

// MIGRATE holds up both servers while it runs: a hundred small keys take about a millisecond.
const KEYS_AT_ONCE = 100

// Until the target answers, ms; it is on the same machine.
const MIGRATE_TIMEOUT = 5_000

module.exports = { startCluster }
