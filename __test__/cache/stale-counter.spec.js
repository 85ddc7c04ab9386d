'use strict'

// A counter that one connection raises, and a client with a cache reads, never goes back: not below
// what the reader has seen, and not below what was acknowledged to the same client before the read,
// while the connections of the reader are killed all the time.
//
// OXIDIS_COUNTER_READS=1000000 sets the number of reads.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient } = require('../..')
const { startScene } = require('./scene')

const READS = Number(process.env.OXIDIS_COUNTER_READS ?? 20_000)

describe('a counter in the cache', () => {
  let scene
  before(async () => { scene = await startScene() })
  after(() => scene.stop())

  it('is never older than what was known before, while connections are killed', async () => {
    const { client, other, cache, server } = scene
    const killer = createClient(server.url)
    let reads = 0
    let stale = 0
    let kills = 0
    let highest = 0
    let isOver = false
    // Who is not sure whether an INCR was done may not count it.
    const raise = async (by, acknowledge) => {
      while (!isOver) {
        const value = await by.incr('counter').catch(() => null)
        if (value !== null) acknowledge(value)
        if (by === other) await new Promise(setImmediate)
      }
    }
    const kill = async () => {
      while (!isOver) {
        const id = await client.withCommandOptions({ timeout: 1000 }).clientId().catch(() => null)
        if (id === null) continue
        await killer.clientKill({ filter: 'ID', id }).then(() => { kills++ }, () => {})
        const until = reads + Math.min(READS / 100, 2_000)
        while (!isOver && reads < until) await new Promise(setImmediate)
      }
    }
    const read = async () => {
      while (reads < READS) {
        const atLeast = highest
        const value = Number(await client.get('counter').catch(() => NaN))
        reads++
        // Hits are answered without a turn of the event loop; others want theirs.
        if (reads % 10 === 0) await new Promise(setImmediate)
        if (Number.isNaN(value)) continue
        if (value < atLeast) stale++
        highest = Math.max(highest, value)
      }
    }
    const own = async () => {
      while (!isOver) {
        // Own writes are seldom, so that most reads are hits.
        const until = reads + 50
        while (!isOver && reads < until) await new Promise(setImmediate)
        const value = await client.incr('counter').catch(() => null)
        if (value !== null) highest = Math.max(highest, value)
      }
    }
    const others = Promise.all([raise(other, () => {}), kill(), own()])
    await Promise.all([read(), read(), read()])
    isOver = true
    await others
    killer.destroy()
    const { hitCount, missCount } = cache.stats()
    console.log(`# ${reads} reads, ${hitCount} hits, ${missCount} misses, ${kills} kills`)
    assert.strictEqual(stale, 0)
    assert.ok(kills >= 3, `${kills} kills`)
    assert.ok(hitCount > 0 && missCount > 0)
    assert.ok(highest > 0)
  })
})
