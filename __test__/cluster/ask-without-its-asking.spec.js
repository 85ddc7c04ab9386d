'use strict'

// Slots that are on their way. ASKING stands right before its command on one connection, keys that
// are half moved are waited for, and transactions, large values and blocking commands get through
// whole or not at all.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { scene, until } = require('./scene')

describe('ASK', { concurrency: true }, () => {
  it('puts ASKING right before each command that is sent on', async t => {
    const set = scene(t)
    const { cluster, client, from, to } = await migrating(set)
    const others = Array.from({ length: 50 }, (_, index) => cluster.keyIn(to.slots[0][0], index))
    const asked = Array.from({ length: 50 }, (_, index) => cluster.keyIn(0, index))
    const incrs = asked.flatMap((key, index) => [client.incr(key), client.incr(others[index])])
    assert.deepStrictEqual(await Promise.all(incrs), Array(100).fill(1))
    const served = cluster.received({ node: to, command: 'INCR' })
    const sentOn = served.filter(({ args }) => cluster.slotOf(args[1]) === 0)
    assert.deepStrictEqual(sentOn.map(({ args }) => args[1]), asked)
    assert.ok(sentOn.every(({ isAsking }) => isAsking))
    // Commands for slots that this node owns did not follow an ASKING that was for another one.
    assert.ok(served.filter(entry => !sentOn.includes(entry)).every(({ isAsking }) => !isAsking))
    assert.strictEqual(cluster.received({ node: to, command: 'ASKING' }).length, 50)
    // The slot is where it was: every command asks its owner first.
    assert.strictEqual(cluster.received({ node: from, command: 'INCR' }).length, 50)
  })

  it('keeps the order of commands that are half answered here and half there', async t => {
    const set = scene(t)
    const { cluster, client, from, to } = await migrating(set)
    const key = cluster.keyIn(0)
    from.data.set(key, '0')
    let seen = 0
    cluster.answer({ node: from, command: 'INCR', slot: 0 }, () => {
      // The key moves in the middle of a pipeline.
      if (++seen === 50) cluster.moveKeys(0, [key])
      return false
    })
    const incrs = Array.from({ length: 200 }, () => client.incr(key))
    assert.deepStrictEqual(await Promise.all(incrs), incrs.map((_, index) => index + 1))
    assert.strictEqual(to.data.get(key), '200')
  })

  it('waits for keys that are half moved, for as long as it takes', async t => {
    const set = scene(t)
    const { cluster, client, from } = await migrating(set)
    const [one, two] = [cluster.keyIn(0, 1), cluster.keyIn(0, 2)]
    from.data.set(one, '1').set(two, '2')
    cluster.moveKeys(0, [one])
    const both = client.mGet([one, two])
    await until(() => cluster.received({ command: 'MGET' }).length > 10, 'ten tries')
    cluster.moveKeys(0, [two])
    assert.deepStrictEqual(await both, ['1', '2'])
  })

  it('waits for new keys of one command until their slot has arrived', async t => {
    const set = scene(t)
    const { cluster, client, to } = await migrating(set)
    // Neither key is anywhere: the owner says ASK, and the other one cannot take both at once.
    const stored = client.mSet({ [cluster.keyIn(0, 1)]: 'a', [cluster.keyIn(0, 2)]: 'b' })
    await until(() => cluster.received({ node: to, command: 'MSET' }).length > 10, 'ten tries')
    cluster.moveSlot(0, to)
    assert.strictEqual(await stored, 'OK')
    assert.strictEqual(to.data.get(cluster.keyIn(0, 2)), 'b')
  })

  it('ends with the deadline when that comes before the keys are together', async t => {
    const set = scene(t)
    const { cluster, client, from } = await migrating(set)
    const [one, two] = [cluster.keyIn(0, 1), cluster.keyIn(0, 2)]
    from.data.set(one, '1').set(two, '2')
    cluster.moveKeys(0, [one])
    const hurried = client.withCommandOptions({ timeout: 300 })
    const error = await set.failure(hurried.mGet([one, two]))
    // It may be under way once more just then.
    assert.match(error.code, /^(TRYAGAIN|TIMEOUT)$/)
    // Under way, or waiting for its next try: either may be so at the deadline.
    if (error.code === 'TRYAGAIN') assert.strictEqual(error.applied, 'no')
    assert.strictEqual(error.retryable, true)
  })

  it('takes a transaction along whole', async t => {
    const set = scene(t)
    const { cluster, client, to } = await migrating(set)
    const key = cluster.keyIn(0)
    const chains = Array.from({ length: 20 }, () => client.multi().incr(key).incr(key).exec())
    assert.deepStrictEqual(await Promise.all(chains),
      chains.map((_, index) => [2 * index + 1, 2 * index + 2]))
    const multis = cluster.received({ node: to, command: 'MULTI' })
    assert.strictEqual(multis.length, 20)
    assert.ok(multis.every(({ isAsking }) => isAsking))
    assert.strictEqual(to.data.get(key), '40')
  })

  it('and MOVED take large values along whole', async t => {
    const set = scene(t)
    const { cluster, client, to } = await migrating(set)
    const value = 'x'.repeat(3 * 1024 * 1024)
    assert.strictEqual(await client.set(cluster.keyIn(0), value), 'OK')
    assert.strictEqual(to.data.get(cluster.keyIn(0)), value)
    cluster.moveSlot(1, to)
    assert.strictEqual(await client.set(cluster.keyIn(1), Buffer.from(value)), 'OK')
    assert.strictEqual(to.data.get(cluster.keyIn(1)), value)
  })

  it('does not reach the caller of a blocking command', async t => {
    const set = scene(t)
    const cluster = await set.cluster({ primaries: 2, replicas: 0 })
    const [from, to] = cluster.nodes
    const client = set.clusterClient(cluster)
    const key = cluster.keyIn(0)
    await cluster.beginMigration(0, from, to)
    const popped = client.blPop(key, 20)
    await until(async () => await blocked(cluster, to) === 1, 'the command to wait there')
    await client.rPush(key, 'item')
    assert.deepStrictEqual(await popped, { key, element: 'item' })
    // At the end of the way it waits where it is.
    const again = client.blPop(key, 20)
    await until(async () => await blocked(cluster, to) === 1, 'the next one to wait there')
    await cluster.finishMigration(0, from, to)
    await client.rPush(key, 'another')
    assert.deepStrictEqual(await again, { key, element: 'another' })
  })
})

describe('a blocking command whose slot moves away under it', () => {
  it('waits on at the new owner, and loses nothing', async t => {
    const set = scene(t)
    const cluster = await set.cluster({ primaries: 2, replicas: 0 })
    const [from, to] = cluster.nodes
    const client = set.clusterClient(cluster)
    const key = cluster.keyIn(0)
    const popped = client.blPop(key, 20)
    await until(async () => await blocked(cluster, from) === 1, 'the command to wait')
    // The server redirects those who wait once the slot is no longer its own.
    await cluster.migrateSlot(0, from, to)
    await until(async () => await blocked(cluster, to) === 1, 'the command to wait there')
    await client.rPush(key, 'item')
    assert.deepStrictEqual(await popped, { key, element: 'item' })
  })

  it('fails or is served when its primary hands over or dies, and no element is lost', async t => {
    const set = scene(t)
    const cluster = await set.cluster({ primaries: 3, replicas: 1 })
    const client = set.clusterClient(cluster)
    const [primary] = cluster.primaries
    const key = cluster.keyIn(0)
    for (const end of ['handed over', 'killed']) {
      const owner = cluster.nodeOf(0)
      const popped = client.blPop(key, 20).then(reply => reply.element, error => error)
      await until(async () => await blocked(cluster, owner) === 1, 'the command to wait')
      if (end === 'killed') await cluster.kill(owner)
      else await cluster.failover(cluster.nodes.find(node => node.primary === owner))
      await cluster.waitForPromotion(owner)
      await client.withCommandOptions({ timeout: 15_000 }).rPush(key, end)
      // A caller who was told of a failure that took nothing tries again.
      let outcome = await popped
      if (outcome instanceof Error) {
        set.note(outcome)
        assert.match(String(outcome.applied), /^(no|unknown)$/, outcome.stack)
        assert.strictEqual(outcome.retryable, true)
        outcome = (await client.blPop(key, 20)).element
      }
      assert.strictEqual(outcome, end)
      assert.strictEqual(await client.lLen(key), 0)
      if (end === 'handed over') await cluster.waitUntilHealthy()
    }
    assert.ok(primary)
  })
})

/** A scripted cluster whose slot 0 is on its way, and a client that knows it. */
async function migrating (set) {
  const cluster = await set.fakeCluster({ nodes: 2 })
  const [from, to] = cluster.primaries
  // Ten tries take a busy machine longer than the default deadline.
  const client = await set.clusterClient(cluster, { commandOptions: { timeout: 60_000 } }).connect()
  cluster.beginMigration(0, to)
  return { cluster, client, from, to }
}

/** How many clients wait on `node`. */
async function blocked (cluster, node) {
  const text = await cluster.command(node, 'INFO', 'clients')
  return Number(/blocked_clients:(\d+)/.exec(text)[1])
}
