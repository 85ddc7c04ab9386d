'use strict'

// scanIterator of a cluster: a key that exists during the whole iteration comes at least once,
// whatever happens to the nodes meanwhile.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createCluster, RESP_TYPES } = require('../..')
const { startCluster } = require('../support/redis-cluster')

const KEYS = Array.from({ length: 2_000 }, (_, i) => `key:${i}`)

describe('scanIterator of a cluster', () => {
  let cluster, client
  before(async () => {
    cluster = await startCluster({ primaries: 3, replicas: 1 })
    client = await createCluster({ rootNodes: cluster.rootNodes }).connect()
    await client.mSet(KEYS.map(key => [key, 'v']))
    await client.wait(1, 5_000)
  })
  after(async () => {
    await client?.close()
    await cluster?.stop()
  })

  /** All keys of an iteration; `meanwhile` is called with the number of each page, from 1 on. */
  const iterate = async (options, meanwhile = () => {}, of = client) => {
    const seen = []
    let page = 0
    for await (const keys of of.scanIterator(options)) {
      seen.push(...keys)
      await meanwhile(++page)
    }
    return seen
  }
  const assertComplete = seen =>
    assert.deepStrictEqual(KEYS.filter(key => !seen.includes(key)), [])

  // Before slots move: a successor may not know of a slot that its primary was given shortly before
  // (Redis 7.0.15, one of some hundred runs), and then nobody serves it.
  it('goes on with the successor of a primary that was killed', async () => {
    const victim = cluster.primaries.find(({ port }) => port === client.masters[0].port)
    const seen = await iterate({ COUNT: 50 }, async page => {
      if (page !== 2) return
      await cluster.kill(victim)
      await cluster.waitForPromotion(victim)
    })
    assertComplete(seen)
    await cluster.restart(victim)
    await cluster.waitUntilHealthy()
  })

  it('goes on after a failover that takes no connection away', async () => {
    const [primary] = cluster.primaries
    const replica = cluster.replicas.find(node => node.primary === primary)
    const seen = await iterate({ COUNT: 50 }, async page => {
      if (page !== 1) return
      await cluster.failover(replica)
      await cluster.waitForPromotion(primary)
    })
    assertComplete(seen)
    await cluster.waitUntilHealthy()
  })

  it('goes through all primaries', async () => {
    const seen = await iterate({ COUNT: 100 })
    assert.strictEqual(new Set(seen).size, KEYS.length)
    assertComplete(seen)
  })

  it('takes the options of SCAN, in either protocol and type', async () => {
    assert.deepStrictEqual((await iterate({ MATCH: 'key:77', COUNT: 1000 })), ['key:77'])
    assert.deepStrictEqual(await iterate({ TYPE: 'hash', COUNT: 1000 }), [])
    const buffers = client.withTypeMapping({
      [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.SIMPLE_STRING]: Buffer
    })
    assert.deepStrictEqual(await iterate({ MATCH: 'key:77' }, undefined, buffers),
      [Buffer.from('key:77')])
    const old = createCluster({ rootNodes: cluster.rootNodes, RESP: 2 })
    assertComplete(await iterate({ COUNT: 500 }, undefined, old))
    await old.close()
  })

  it('can be left, aborted, and refuses what it cannot do', async () => {
    for await (const keys of client.scanIterator()) {
      assert.ok(Array.isArray(keys))
      break
    }
    const aborter = new AbortController()
    const aborted = iterate({ COUNT: 10 }, () => aborter.abort(),
      client.withAbortSignal(aborter.signal))
    await assert.rejects(aborted, { name: 'AbortError' })
    await assert.rejects(iterate({ cursor: '5' }), error =>
      error instanceof TypeError && /"cursor"/.test(error.message))
    await assert.rejects(iterate({ COUNT: 'x' }), error =>
      error instanceof TypeError && /COUNT/.test(error.message))
    const closed = createCluster({ rootNodes: cluster.rootNodes })
    await closed.connect()
    await closed.close()
    await assert.rejects(iterate({}, undefined, closed), { code: 'CLOSED' })
  })

  it('iterates over hashes, sets and sorted sets by their key', async () => {
    await client.hSet('{x}h', { a: '1', b: '2' })
    await client.sAdd('{x}s', ['a', 'b'])
    await client.zAdd('{x}z', [{ score: 1, value: 'a' }])
    const all = async pages => {
      const found = []
      for await (const page of pages) found.push(...page)
      return found
    }
    assert.strictEqual((await all(client.hScanIterator('{x}h'))).length, 2)
    assert.deepStrictEqual((await all(client.sScanIterator('{x}s'))).sort(), ['a', 'b'])
    assert.deepStrictEqual(await all(client.zScanIterator('{x}z')), [{ value: 'a', score: 1 }])
    await client.del(['{x}h', '{x}s', '{x}z'])
  })

  it('finds keys of a slot that has moved behind its back', async () => {
    // From the node that is scanned last to the one that was scanned first.
    const scanned = []
    const places = new Map(cluster.primaries.map(node => [node.port, node]))
    for (const { port } of client.masters) scanned.push(places.get(port))
    const [first, , last] = scanned
    const moved = KEYS.filter(key => cluster.nodeOf(cluster.slotOf(key)) === last).slice(0, 20)
    const isOfFirst = key => cluster.nodeOf(cluster.slotOf(key)) === first
    let left = KEYS.filter(isOfFirst).length
    const seen = []
    for await (const keys of client.scanIterator({ COUNT: 50 })) {
      seen.push(...keys)
      left -= keys.filter(isOfFirst).length
      if (left > 0 || moved.length === 0) continue
      for (const key of moved.splice(0)) {
        const slot = cluster.slotOf(key)
        if (cluster.nodeOf(slot) === last) await cluster.migrateSlot(slot, last, first)
      }
    }
    assert.strictEqual(moved.length, 0)
    assertComplete(seen)
    await cluster.waitUntilAgreed()
  })

  it('finds keys of a slot that is on its way all the time', async () => {
    const [from, to] = cluster.primaries
    const slots = [...new Set(KEYS.map(key => cluster.slotOf(key)))]
      .filter(slot => cluster.nodeOf(slot) === from).slice(0, 5)
    for (const slot of slots) await cluster.beginMigration(slot, from, to)
    const moving = KEYS.filter(key => slots.includes(cluster.slotOf(key)))
    const seen = await iterate({ COUNT: 20 }, async () => {
      const keys = moving.splice(0, 1)
      if (keys.length === 0) return
      await cluster.moveKeys(cluster.slotOf(keys[0]), from, to, { keys })
    })
    assertComplete(seen)
    for (const slot of slots) {
      await cluster.moveKeys(slot, from, to)
      await cluster.finishMigration(slot, from, to)
    }
    await cluster.waitUntilAgreed()
  })
})
