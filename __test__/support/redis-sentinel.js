'use strict'

// Starts a primary, its replicas and the Sentinels that watch over them, and does to them what
// happens to such sets.
//
// The Sentinels talk to each other more often than theirs do elsewhere (SENTINEL DEBUG, Redis 7),
// so that tests take seconds; what they say and decide is their own. All waits are for what a
// server says, none for a fixed time.

const { EventEmitter } = require('node:events')

const { Controls, openControl } = require('./control-connection')
const { allStarted, startServer } = require('./redis-server')
const { until } = require('./until')

/**
 * Starts the set and resolves when every Sentinel knows all replicas and all other Sentinels, and
 * all replicas are connected, after half a second. Options, all of them optional:
 * - `replicas`, `sentinels`: how many, default 2 and 3
 * - `quorum`: how many Sentinels must agree that the primary is down, default 2
 * - `name`: of the primary, default 'oxidis-primary'
 * - `downAfter`: ms without an answer until a Sentinel takes a server for dead, default 1,000
 * - `failoverTimeout`: ms, default 5,000; after a failed attempt the next one waits twice as long
 * - `requirepass`: the servers' password; `sentinelPassword`: the Sentinels'. Neither may have
 *   blanks or quotes: a Sentinel that writes its configuration file does not quote them
 * - `byName`: which Sentinels call the primary `localhost`, by their indices; the others call it by
 *   its address
 * - `tls`, `path`: as for `startServer`; all share one authority
 * - `args`: more command line arguments for the servers, `sentinelArgs` for the Sentinels; lists,
 *   or functions of the server that return them
 */
async function startSentinels (options = {}) {
  const set = new SentinelSet(options)
  try {
    await set.start()
  } catch (error) {
    await set.stop()
    throw error
  }
  return set
}

/**
 * `servers` are the primary and the replicas, in the order of their start; `sentinels` those that
 * watch them. All are started servers. `primary` is what the last +switch-master said.
 *
 * Event: `switch ({ sentinel, server, host, port, at })`, whenever a Sentinel says +switch-master;
 * `server` is undefined for an address that is none of ours, `at` is from `performance.now()`.
 */
class SentinelSet extends EventEmitter {
  constructor (options) {
    super()
    this.options = {
      replicas: 2,
      sentinels: 3,
      quorum: 2,
      name: 'oxidis-primary',
      byName: [],
      downAfter: DOWN_AFTER,
      failoverTimeout: FAILOVER_TIMEOUT,
      ...options
    }
    this.name = this.options.name
    this.servers = []
    this.sentinels = []
    this.primary = undefined
    this.publishPeriod = PUBLISH_PERIOD_AT_FIRST
    this.controls = new Controls()
  }

  /** All servers but the primary, dead ones among them. */
  get replicas () {
    return this.servers.filter(server => server !== this.primary)
  }

  /** What a client takes as its Sentinels: `[{ host, port }]`. */
  get sentinelRootNodes () {
    return this.sentinels.map(({ host, port }) => ({ host, port }))
  }

  /** With `tls`: the paths of the certificate files, the same for all. */
  get certificates () {
    return this.servers[0].certificates
  }

  /** Sends one command to a server or a Sentinel. Error replies reject. */
  command (server, ...args) {
    return this.controls.command(server, ...args)
  }

  /** SIGKILL of a server or a Sentinel, as a crash. */
  async kill (server) {
    await server.kill()
    this.controls.forget(server)
  }

  /**
   * Kills a server or a Sentinel if it runs, and starts it on the same port. Servers keep no data.
   * The first primary comes back as a primary, whoever has replaced it, until the Sentinels tell
   * it otherwise; the others come back as replicas of the first one, unless they are `primary`.
   */
  async restart (server) {
    await this.kill(server)
    await server.start()
    if (this.sentinels.includes(server)) await this.prepare(server)
  }

  /** SIGSTOP: a server or a Sentinel that hangs. */
  pause (server) {
    server.pause()
  }

  /** SIGCONT: ends `pause`. */
  resume (server) {
    server.resume()
  }

  /** SENTINEL FAILOVER: a Sentinel replaces a healthy primary. `waitForSwitch` tells when. */
  failover (sentinel = this.running[0]) {
    return this.command(sentinel, 'SENTINEL', 'FAILOVER', this.name)
  }

  /**
   * Makes a primary a replica of another server behind the Sentinels' backs: it still accepts
   * connections and refuses writes.
   */
  demote (primary, to) {
    return this.command(primary, 'REPLICAOF', to.host, to.port)
  }

  /**
   * Resolves with the next `switch` event, of any Sentinel or of the one given as `on`. It listens
   * from the moment of the call: call it before what causes the switch.
   */
  waitForSwitch ({ on } = {}) {
    return new Promise((resolve, reject) => {
      const heard = change => {
        if (on && change.sentinel !== on) return
        clearTimeout(timer)
        this.off('switch', heard)
        resolve(change)
      }
      const timer = setTimeout(() => {
        this.off('switch', heard)
        reject(new Error(`no +switch-master within ${SWITCH_PATIENCE} ms`))
      }, SWITCH_PATIENCE)
      this.on('switch', heard)
    })
  }

  /** Where a Sentinel says that the primary is: `{ host, port }`. */
  async addressFrom (sentinel) {
    const [host, port] =
      await this.command(sentinel, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.name)
    return { host, port: Number(port) }
  }

  /**
   * Resolves when all Sentinels that answer name the same primary, which is one, and know all
   * others; and when all replicas that answer follow it.
   */
  async waitUntilHealthy () {
    await until('the Sentinels and their servers are healthy', () => this.isHealthy())
  }

  /** Stops everything and removes the folders. Safe to call twice. */
  async stop () {
    const all = [...this.sentinels, ...this.servers]
    for (const server of all) this.controls.forget(server)
    await Promise.all(all.map(server => server.stop()))
  }

  // The Sentinels that can answer.
  get running () {
    return this.sentinels.filter(isRunning)
  }

  async start () {
    const { replicas, sentinels } = this.options
    this.primary = await this.launchServer()
    await allStarted(Array.from({ length: replicas }, () => this.launchServer()))
    // A Sentinel asks a primary for its replicas at once, and again seconds later.
    await until('the replicas are connected', async () =>
      (await Promise.all(this.replicas.map(server => this.isFollowing(server)))).every(Boolean))
    await allStarted(Array.from({ length: sentinels }, (_, index) => this.launchSentinel(index)))
    await this.waitUntilHealthy()
    this.publishPeriod = PUBLISH_PERIOD
    await Promise.all(this.sentinels.map(sentinel =>
      this.setPeriods(sentinel, { 'publish-period': PUBLISH_PERIOD })))
  }

  async launchServer () {
    const { path, tls, requirepass, args } = this.options
    const first = this.servers[0]
    const follow = first && ['--replicaof', first.host, String(first.port)]
    const server = await startServer({
      path,
      tls,
      requirepass,
      certificates: first?.certificates,
      args: server => [
        '--repl-diskless-sync-delay', '0',
        ...(requirepass ? ['--masterauth', requirepass] : []),
        ...(tls ? ['--tls-replication', 'yes'] : []),
        ...(follow && server !== this.primary ? follow : []),
        ...list(args, server)
      ]
    })
    this.servers.push(server)
    return server
  }

  async launchSentinel (index) {
    const { path, tls, sentinelPassword, sentinelArgs, byName } = this.options
    const sentinel = await startServer({
      path,
      tls,
      requirepass: sentinelPassword,
      certificates: this.certificates,
      sentinel: this.configuration(byName.includes(index)),
      args: server => [...(tls ? ['--tls-replication', 'yes'] : []), ...list(sentinelArgs, server)]
    })
    this.sentinels.push(sentinel)
    await this.prepare(sentinel)
  }

  configuration (isByName) {
    const { quorum, downAfter, failoverTimeout, requirepass, sentinelPassword, byName } =
      this.options
    const { name, primary } = this
    return [
      // Without this a Sentinel does not understand the hellos of those that use names.
      ...(byName.length > 0 ? ['sentinel resolve-hostnames yes'] : []),
      ...(isByName ? ['sentinel announce-hostnames yes'] : []),
      `sentinel monitor ${name} ${isByName ? 'localhost' : primary.host} ${primary.port} ${quorum}`,
      `sentinel down-after-milliseconds ${name} ${downAfter}`,
      `sentinel failover-timeout ${name} ${failoverTimeout}`,
      ...(requirepass ? [`sentinel auth-pass ${name} ${requirepass}`] : []),
      ...(sentinelPassword ? [`sentinel sentinel-pass ${sentinelPassword}`] : [])
    ].join('\n') + '\n'
  }

  // What a Sentinel has to be told after every start.
  async prepare (sentinel) {
    await this.setPeriods(sentinel, { ...PERIODS, 'publish-period': this.publishPeriod })
    const control = await openControl(sentinel)
    control.on('push', ([, , text]) => this.hear(sentinel, text))
    await control.command('SUBSCRIBE', '+switch-master')
  }

  setPeriods (sentinel, periods) {
    return this.command(sentinel, 'SENTINEL', 'DEBUG', ...Object.entries(periods).flat())
  }

  // `<name> <old host> <old port> <new host> <new port>`
  hear (sentinel, text) {
    const at = performance.now()
    const [, , , host, port] = text.split(' ')
    const server = this.servers.find(server => server.port === Number(port))
    if (server) this.primary = server
    this.emit('switch', { sentinel, server, host, port: Number(port), at })
  }

  async isHealthy () {
    const { running } = this
    const addresses = await Promise.all(running.map(sentinel => this.addressFrom(sentinel)))
    const named = this.servers.find(({ port }) => port === addresses[0].port)
    if (!named || !isRunning(named)) return false
    if (addresses.some(({ port }) => port !== named.port)) return false
    if ((await this.command(named, 'ROLE'))[0] !== 'master') return false
    this.primary = named
    const following = this.replicas.filter(isRunning).map(server => this.isFollowing(server))
    const content = running.map(sentinel => this.isContent(sentinel))
    return (await Promise.all([...following, ...content])).every(Boolean)
  }

  async isFollowing (server) {
    const [role, , port, state] = await this.command(server, 'ROLE')
    return role === 'slave' && port === this.primary.port && state === 'connected'
  }

  // Whether a Sentinel knows everybody and finds nothing wrong with those that run.
  async isContent (sentinel) {
    const { name } = this
    const primary = record(await this.command(sentinel, 'SENTINEL', 'MASTER', name))
    if (primary.flags !== 'master' || primary['role-reported'] !== 'master') return false
    if (Number(primary['num-slaves']) !== this.replicas.length) return false
    if (Number(primary['num-other-sentinels']) !== this.sentinels.length - 1) return false
    const seen = async (what, all, isRight) => {
      const records = (await this.command(sentinel, 'SENTINEL', what, name)).map(record)
      return all.filter(isRunning).every(({ port }) =>
        records.some(found => Number(found.port) === port && isRight(found)))
    }
    const isReplica = found => found.flags === 'slave' && found['role-reported'] === 'slave' &&
      found['master-link-status'] === 'ok' && Number(found['master-port']) === this.primary.port
    const others = this.sentinels.filter(other => other !== sentinel)
    return await seen('REPLICAS', this.replicas, isReplica) &&
      await seen('SENTINELS', others, ({ flags }) => flags === 'sentinel')
  }
}

const isRunning = server => Boolean(server.pid) && !server.paused

function list (args = [], server) {
  return typeof args === 'function' ? args(server) : args
}

// An object from alternating names and values.
function record (flat) {
  const pairs = flat.flatMap((name, at) => at % 2 === 0 ? [[name, flat[at + 1]]] : [])
  return Object.fromEntries(pairs)
}

// Short, so that failovers take seconds; long enough that a server of a loaded 2-core machine is
// not taken for dead.
const DOWN_AFTER = 1_000
const FAILOVER_TIMEOUT = 5_000

// Milliseconds, in place of Redis' 1,000 (pings, questions to the others), 10,000 (INFO), 30,000
// (how long a Sentinel that was stopped for a while trusts nothing that it sees) and 15,000 (before
// it tries a Sentinel again that it could not reach).
const PERIODS = {
  'ping-period': 200,
  'ask-period': 200,
  'info-period': 500,
  'tilt-period': 1_000,
  'min-link-reconnect-period': 500
}

// Milliseconds between hellos, in place of 2,000. After 4 of them without one that explains it, a
// Sentinel makes a new primary a replica again; in a failover by command the one that did it needs
// up to 1,000 ms to see the new primary, and a hello to tell. Until the Sentinels know each other
// there is no failover.
const PUBLISH_PERIOD = 1_000
const PUBLISH_PERIOD_AT_FIRST = 100

// A failover takes 2 to 3 seconds; the second attempt, after one without a majority, 10 more.
const SWITCH_PATIENCE = 30_000

module.exports = { startSentinels }
