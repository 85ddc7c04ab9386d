'use strict'

// While a slot moves its keys are on two nodes. Commands for them are sent on, or tried again,
// until they have run; their callers notice nothing.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createCluster } = require('../..')
const { startCluster } = require('../support/redis-cluster')
const { skipBefore7 } = require('../support/redis-server')
const { until } = require('../support/until')

describe('while a slot moves', { skip: skipBefore7() }, () => {
  let servers, cluster, from, to, slot

  before(async () => {
    servers = await startCluster({ replicas: 0 })
    cluster = await createCluster({ rootNodes: servers.rootNodes }).connect()
    ;[from, to] = servers.primaries
    slot = from.slots[0][0]
  })

  after(async () => {
    cluster?.destroy()
    await servers?.stop()
  })

  it('a command whose keys are divided waits until they are together', async () => {
    const [here, there] = [servers.keyIn(slot, 0), servers.keyIn(slot, 1)]
    await cluster.mSet([[here, 'a'], [there, 'b']])
    await servers.beginMigration(slot, from, to)
    await servers.moveKeys(slot, from, to, { keys: [there] })
    let isAnswered = false
    const values = cluster.mGet([here, there])
    values.finally(() => { isAnswered = true })
    const before = cluster.stats().redirects
    await until('it was refused several times', async () => cluster.stats().redirects > before + 3)
    assert.strictEqual(isAnswered, false)
    await servers.moveKeys(slot, from, to)
    await servers.finishMigration(slot, from, to)
    assert.deepStrictEqual(await values, ['a', 'b'])
    await servers.migrateSlot(slot, to, from)
  })

  it('each command for a key that has moved runs behind an ASKING of its own', async () => {
    const keys = Array.from({ length: 50 }, (_, nth) => servers.keyIn(slot, nth))
    await cluster.unlink(keys)
    await Promise.all(keys.map(key => cluster.set(key, 0)))
    await servers.beginMigration(slot, from, to)
    await servers.moveKeys(slot, from, to, { keys: keys.slice(0, 25) })
    // Both kinds in turns, with commands for the target's own slots between them.
    const own = servers.keyOn(to)
    const calls = keys.flatMap((_, index) => {
      const key = keys[(index * 7) % keys.length]
      return [cluster.incr(key), cluster.set(own, index), cluster.get(key)]
    })
    const replies = await Promise.all(calls)
    assert.deepStrictEqual(replies.filter((_, index) => index % 3 === 0), keys.map(() => 1))
    assert.deepStrictEqual(replies.filter((_, index) => index % 3 === 2), keys.map(() => '1'))
    await servers.moveKeys(slot, from, to)
    await servers.finishMigration(slot, from, to)
    assert.deepStrictEqual(await cluster.mGet(keys), keys.map(() => '1'))
  })
})
