'use strict'

// `npm run demo -- --cluster`: what a cluster's client does while the cluster changes.
//
// Starts three primaries and three replicas of its own on free ports, keeps them busy through
// `createCluster`, kills a primary, brings it back as a replica, and moves slots, all under load.
// Every reply is judged. The summary and the exit status say whether anything happened that must
// not. Needs what `npm run demo` needs, and leaves nothing behind.

const { setTimeout: wait } = require('node:timers/promises')

const { SetupError, step } = require('../setup')
const { startLoad } = require('./load')
const { NodeTable, Screen, grouped } = require('./screen')

/** Runs the demo; resolves to the exit status. */
async function demonstrate () {
  endOnSignals()
  const { startCluster } = require('../../__test__/support/redis-cluster')
  const { skipBefore7 } = require('../../__test__/support/redis-server')
  const tooOld = skipBefore7()
  if (tooOld) throw new SetupError(`the demo of a cluster needs Redis 7 or Valkey: ${tooOld}`)
  step('starting 3 primaries and 3 replicas, which takes 2 seconds')
  // By default servers refuse all slots while some have no primary. Then a failover would concern
  // all shards, and the demo could not show that it concerns one.
  const servers = await startCluster({ args: ['--cluster-require-full-coverage', 'no'] })
  try {
    return await withClient(servers)
  } finally {
    await servers.stop()
  }
}

async function withClient (servers) {
  const { createCluster } = require('../..')
  const cluster = createCluster({ rootNodes: servers.rootNodes.slice(0, 2) })
  try {
    await cluster.connect()
    return await new Story(servers, cluster).tell()
  } finally {
    cluster.destroy()
  }
}

class Story {
  constructor (servers, cluster) {
    this.servers = servers
    this.cluster = cluster
    this.load = startLoad(cluster, key => servers.slotOf(key))
    this.table = new NodeTable(servers, cluster, this.load)
    this.screen = new Screen(() => this.table.lines())
  }

  async tell () {
    const { screen, load } = this
    screen.start()
    try {
      await wait(WARM_UP)
      screen.event('connected by two of the nodes; all of them are known, and have work')
      await wait(QUIET)
      const failover = await this.failover()
      await this.comeBack(failover.killed)
      const migration = await this.migrate()
      await wait(QUIET)
      await load.stop()
      await load.verify()
      return this.summary(failover, migration)
    } finally {
      screen.stop()
    }
  }

  /** Kills a primary and waits until all of its slots are served again. */
  async failover () {
    const { servers, cluster, load, screen } = this
    const [killed] = servers.primaries
    const slots = slotsOf(killed)
    let detected
    cluster.on('node-error', () => { detected ??= performance.now() })
    const recovery = load.disturb(slots, () => detected !== undefined)
    const start = performance.now()
    const since = time => Math.max(0, time - start)
    await servers.kill(killed)
    screen.event(`killed the primary ${name(killed)}: nobody serves ${grouped(slots.size)} slots`)
    const { node: heir, at: promoted } = await servers.waitForPromotion(killed)
    // The servers' own election: no client can make it faster.
    screen.event(`promoted: ${name(heir)} has taken over, ${ms(since(promoted))} after the kill`)
    const recovered = await recovery
    load.calm(GRACE)
    const figures = {
      killed, detected: since(detected), promoted: since(promoted),
      recovered: Math.max(0, recovered - promoted), elsewhere: load.slowest,
      errors: load.errors, gone: load.gone
    }
    screen.event(`recovered: all of its slots take writes, ${ms(figures.recovered)} later`)
    return figures
  }

  async comeBack (killed) {
    const { servers, screen, table } = this
    table.notes.set(killed, 'starting')
    await servers.restart(killed)
    await servers.waitUntilHealthy()
    table.notes.delete(killed)
    await wait(QUIET)
    screen.event(`${name(killed)} is back, as a replica`)
  }

  /** Moves slots that are in use from one primary to another. */
  async migrate () {
    const { servers, cluster, load, screen, table } = this
    const [from, to] = servers.primaries.slice(-2)
    const used = load.pairs.map(({ slot }) => slot)
    const slots = used.filter(slot => slotsOf(from).has(slot)).slice(0, MOVED)
    const before = { errors: load.errors, redirects: cluster.stats().redirects }
    table.notes.set(from, 'gives slots').set(to, 'gets slots')
    screen.event(`moving ${slots.length} slots in use from ${name(from)} to ${name(to)}`)
    const start = performance.now()
    for (const slot of slots) await this.moveSlot(slot, from, to)
    const took = performance.now() - start
    await servers.waitUntilAgreed()
    for (const server of [from, to]) table.notes.delete(server)
    const figures = {
      slots: slots.length, took,
      redirects: cluster.stats().redirects - before.redirects, errors: load.errors - before.errors
    }
    screen.event(`moved in ${ms(took)}: ${grouped(figures.redirects)} commands were sent on by ` +
      `MOVED, ASK or TRYAGAIN, ${figures.errors} failed`)
    return figures
  }

  // It is slow, so that the load meets each slot in each state: keys at the old node, at the new
  // one, and divided between them.
  async moveSlot (slot, from, to) {
    const { servers, load } = this
    const keys = load.pairs.filter(pair => pair.slot === slot).map(pair => pair.keys[0])
    await servers.beginMigration(slot, from, to)
    await wait(STEP)
    await servers.moveKeys(slot, from, to, { keys })
    await wait(STEP)
    await servers.moveKeys(slot, from, to)
    await servers.finishMigration(slot, from, to)
  }

  summary (failover, migration) {
    const { load, screen } = this
    const codes = [...load.codes].map(pair => pair.join(' ')).join(', ')
    const { gone } = failover
    screen.event('done')
    screen.stop()
    screen.print(
      'Summary',
      `  commands answered              ${grouped(load.commands)}`,
      `  errors                         ${codes === '' ? 'none' : codes}`,
      `  failover: detected             ${ms(failover.detected)} after the kill`,
      `            promoted             ${ms(failover.promoted)} after the kill`,
      `            recovered            ${ms(failover.recovered)} after the promotion`,
      `            errors               ${failover.errors}`,
      `            slowest elsewhere    ${ms(failover.elsewhere)}`,
      `  migration: slots               ${migration.slots} in ${ms(migration.took)}`,
      `             redirects           ${grouped(migration.redirects)}`,
      `             errors              ${migration.errors}`)
    if (gone > 0) {
      screen.print('',
        `  ${gone} acknowledged writes died with the killed server: Redis answers before ` +
        'it replicates.', '  Where that is not enough, wait() waits for replicas.')
    }
    const verdict = load.broken.length === 0
      ? ['', 'No error for any other slot, no acknowledged write lost, no command run twice, ' +
        'no foreign reply.']
      : ['', `BROKEN: ${load.broken.length} times`, ...load.broken.slice(0, SHOWN).map(indent)]
    screen.print(...verdict)
    return load.broken.length === 0 ? 0 : 1
  }
}

// The servers end with this process in any case. A signal must not look like success.
function endOnSignals () {
  for (const [signal, status] of [['SIGINT', 130], ['SIGTERM', 143]]) {
    process.once(signal, () => {
      process.stdout.write('\ninterrupted: the servers end with the demo\n')
      process.exit(status)
    })
  }
}

function slotsOf ({ slots }) {
  return new Set(slots.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index)))
}

function name ({ host, port }) {
  return `${host}:${port}`
}

function ms (number) {
  return `${grouped(Math.round(number))} ms`
}

function indent (line) {
  return `  ${line}`
}

// ms until the rates of the table are steady.
const WARM_UP = 1500
// ms between two events, so that a reader can tell them apart.
const QUIET = 1500
// ms after a promotion in which commands of the shard may still fail.
const GRACE = 1000
// How many slots are moved: with two steps each that takes about two seconds.
const MOVED = 40
// ms between two steps: longer than the load takes from one round to the next.
const STEP = 20
// At most so many events that must not happen are shown.
const SHOWN = 20

module.exports = { demonstrate }
