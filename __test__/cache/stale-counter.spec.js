'use strict'

// A counter that one connection raises, and a client with a cache reads, never goes back: not below
// what the reader has seen, and not below what was acknowledged to the same client before the read,
// while the connections of the reader are killed all the time. And when nobody raises it any more,
// the reader comes to see its last value, although the connection was gone at the last change.
//
// OXIDIS_COUNTER_READS=1000000 sets the number of reads.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')

const { createClient } = require('../..')
const { until } = require('../support/until')
const { startScene } = require('./scene')

const ALL_READS = Number(process.env.OXIDIS_COUNTER_READS ?? 20_000)

// In so many rounds, each with a new client: one whose connections do not last waits longer and
// longer before the next connection, up to 2 s, and nobody reads meanwhile.
const ROUNDS = 20
const READS = Math.ceil(ALL_READS / ROUNDS)

describe('a counter in the cache', () => {
  let scene
  before(async () => { scene = await startScene() })
  after(() => scene.stop())

  it('is never older than what was known before, while connections are killed', async () => {
    const all = { reads: 0, stale: 0, hits: 0, misses: 0, writes: 0, kills: 0 }
    for (let round = 0; round < ROUNDS; round++) {
      const counts = await readKilled(scene)
      for (const name of Object.keys(all)) all[name] += counts[name]
    }
    console.log(`# ${Object.entries(all).map(([name, count]) => `${count} ${name}`).join(', ')}`)
    assert.strictEqual(all.stale, 0)
    assert.ok(all.kills >= 3 && all.hits > 0 && all.misses > 0)
    assert.ok(await scene.other.get('counter') > 0)
  })
})

/** Reads with a new client, whose connection is killed again and again. Resolves to the counts. */
async function readKilled (scene) {
  const { other, server } = scene
  const client = scene.add()
  const { cache } = scene
  const killer = createClient(server.url)
  let reads = 0
  let stale = 0
  let kills = 0
  let writes = 0
  let highest = 0
  let isOver = false
  /** Resolvers of those who wait for reads -> for how many in all. */
  const goals = new Map()
  const moreReads = async count => {
    const goal = Math.min(READS, reads + count)
    if (reads < goal) await new Promise(resolve => { goals.set(resolve, goal) })
  }
  const tellGoals = () => {
    for (const [resolve, count] of goals) {
      if (reads >= count && goals.delete(resolve)) resolve()
    }
  }
  // As fast as the reads. While there are none, because the connection is gone, a change now and
  // then is enough to make what was cached old.
  const raise = async () => {
    while (!isOver) {
      const before = reads
      await other.incr('counter').catch(() => {})
      await (reads > before ? new Promise(setImmediate) : sleep(1))
    }
  }
  const kill = async () => {
    while (reads < READS) {
      const id = await client.withCommandOptions({ timeout: 1000 }).clientId().catch(() => null)
      if (id === null) continue
      await killer.clientKill({ filter: 'ID', id }).then(() => { kills++ }, () => {})
      await moreReads(Math.min(ALL_READS / 100, 2_000))
    }
  }
  const read = async () => {
    while (reads < READS) {
      const atLeast = highest
      const value = Number(await client.get('counter').catch(() => NaN))
      reads++
      tellGoals()
      // Hits are answered without a turn of the event loop; others want theirs.
      if (reads % 10 === 0) await new Promise(setImmediate)
      if (Number.isNaN(value)) continue
      if (value < atLeast) stale++
      highest = Math.max(highest, value)
    }
  }
  const own = async () => {
    while (reads < READS) {
      // Own writes are seldom, so that most reads are hits.
      await moreReads(50)
      // Who is not sure whether an INCR was done may not count it.
      const value = await client.incr('counter').catch(() => null)
      writes++
      if (value !== null) highest = Math.max(highest, value)
    }
  }
  const others = Promise.all([raise(), kill(), own()])
  await Promise.all([read(), read(), read()])
  isOver = true
  await others
  await changeWhileGone(client, killer, other)
  killer.destroy()
  client.destroy()
  const { hitCount: hits, missCount: misses } = cache.stats()
  return { reads, stale, hits, misses, writes, kills }
}

/** A change that the server cannot tell, because the reader's connection is gone, is seen later. */
async function changeWhileGone (client, killer, other) {
  const patient = client.withCommandOptions({ timeout: 30_000 })
  const id = await patient.clientId()
  // It is cached now.
  await patient.get('counter')
  await killer.clientKill({ filter: 'ID', id })
  const last = await other.incr('counter')
  await until(`the reader sees ${last}`, async () => Number(await patient.get('counter')) === last)
}
