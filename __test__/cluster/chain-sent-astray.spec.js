'use strict'

// Chains, scripts and commands by hand go to the node that has their keys, and find their way when
// slots move.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createCluster, defineScript } = require('../..')
const { startFakeCluster } = require('../support/fake-cluster')
const { startCluster } = require('../support/redis-cluster')

const LIBRARY = `#!lua name=lib
redis.register_function('twice', function(keys) return redis.call('GET', keys[1]) * 2 end)`

const definitions = {
  scripts: {
    add: defineScript({
      SCRIPT: 'return redis.call("INCRBY", KEYS[1], ARGV[1])',
      NUMBER_OF_KEYS: 1,
      parseCommand (parser, key, by) {
        parser.pushKey(key)
        parser.push(String(by))
      }
    })
  },
  functions: {
    lib: {
      twice: { NUMBER_OF_KEYS: 1, parseCommand: (parser, key) => parser.pushKey(key) }
    }
  },
  modules: {
    own: {
      RENEW: {
        parseCommand (parser, key, value) {
          parser.push('GETSET')
          parser.pushKey(key)
          parser.push(value)
        }
      }
    }
  }
}

describe('a chain of a cluster', () => {
  let cluster, client
  before(async () => {
    cluster = await startCluster({ primaries: 3, replicas: 0 })
    client = await createCluster({ rootNodes: cluster.rootNodes, ...definitions }).connect()
  })
  after(async () => {
    await client?.close()
    await cluster?.stop()
  })
  /** A slot of each primary, with its node. */
  const places = () => cluster.primaries.map(node => [node.slots[0][0], node])

  it('runs where its keys are', async () => {
    for (const [slot] of places()) {
      const [a, b] = [cluster.keyIn(slot, 0), cluster.keyIn(slot, 1)]
      const replies = await client.multi().set(a, '1').mSet({ [a]: '5', [b]: '2' }).incr(b)
        .mGet([a, b]).exec()
      assert.deepStrictEqual(replies, ['OK', 'OK', 3, ['5', '3']])
    }
  })

  it('is refused before it is sent when its keys are in several slots', async () => {
    const chain = client.multi().set('a', '1').set('b', '2')
    await assert.rejects(chain.exec(), { code: 'CROSSSLOT', applied: 'no' })
    assert.deepStrictEqual(await client.mGet(['a', 'b']), [null, null])
  })

  it('may have keys of all slots as a pipeline, in the order of each', async () => {
    const replies = await client.multi().set('a', '1').set('b', '2').incr('a').get('c').incr('b')
      .execAsPipeline()
    assert.deepStrictEqual(replies, ['OK', 'OK', 2, null, 3])
    assert.strictEqual(await client.del(['a', 'b']), 2)
  })

  it('goes to the node of its routing key as long as it has no key', async () => {
    for (const [slot, { id }] of places()) {
      const key = cluster.keyIn(slot)
      assert.deepStrictEqual(await client.multi(key).clusterMyId().exec(), [id])
      assert.deepStrictEqual(await client.MULTI(Buffer.from(key)).clusterMyId().EXEC(), [id])
      assert.deepStrictEqual(await client.multi(key).clusterMyId().execAsPipeline(), [id])
      const other = createCluster({ rootNodes: cluster.rootNodes })
      assert.deepStrictEqual(await other.multi(key).clusterMyId().execTyped(), [id])
      const heard = await new Promise(resolve => {
        other.multi(key).clusterMyId().exec((...args) => resolve(args))
      })
      assert.deepStrictEqual(heard, [null, [id]])
      await other.close()
    }
  })

  it('keeps to its deadline when no node is found', async () => {
    const lost = createCluster({
      rootNodes: ['redis://127.0.0.1:1'], commandOptions: { timeout: 50 }
    })
    const key = cluster.keyIn(1)
    for (const call of [() => lost.multi(key).ping().exec(), () => lost.dbSize(),
      () => lost.mGet(['a', 'b']), () => lost.scanIterator().next(),
      () => lost.sendCommand(key, true, ['MY.COMMAND', 'x', key])]) {
      await assert.rejects(call(), { name: 'TimeoutError', applied: 'no' })
    }
    lost.destroy()
  })

  it('goes where its keys are, whatever the routing key', async () => {
    const [[one], [other]] = places()
    const key = cluster.keyIn(other)
    assert.deepStrictEqual(
      await client.multi(cluster.keyIn(one)).ping().set(key, 'v').get(key).exec(),
      ['PONG', 'OK', 'v'])
  })

  it("takes node-redis's form of addCommand", async () => {
    const replies = await client.multi().addCommand('a', false, ['SET', 'a', '1'])
      .addCommand('a', true, ['GET', 'a'], Number).addCommand(['DEL', 'a']).exec()
    assert.deepStrictEqual(replies, ['OK', 1, 1])
  })

  it('refuses a routing key that is none', () => {
    for (const key of [5, null, {}, ['a']]) {
      assert.throws(() => client.multi(key), error =>
        error instanceof TypeError && error.message.startsWith('multi: argument "routing" must be'))
    }
  })

  it('has the scripts, functions and modules of its client', async () => {
    await client.functionLoad(LIBRARY, { REPLACE: true })
    for (const [slot] of places()) {
      const key = cluster.keyIn(slot)
      await client.del(key)
      assert.strictEqual(await client.add(key, 2), 2, 'EVALSHA, then EVAL')
      assert.strictEqual(await client.add(key, 3), 5)
      assert.strictEqual(await client.lib.twice(key), 10)
      assert.strictEqual(await client.own.RENEW(key, '1'), '5')
      assert.deepStrictEqual(await client.multi().add(key, 1).lib.twice(key).own.RENEW(key, '9')
        .exec(), [2, 4, '2'])
      const inSession = await client.session(key, async session => [
        await session.add(key, 1), await session.multi().add(key, 1).exec()
      ])
      assert.deepStrictEqual(inSession, [10, [11]])
    }
    await client.scriptFlush()
    const [[slot]] = places()
    assert.strictEqual(await client.add(cluster.keyIn(slot), 1), 12)
  })
})

describe('a command by hand', () => {
  let cluster, client
  before(async () => {
    cluster = await startFakeCluster()
    client = await createCluster({ rootNodes: cluster.rootNodes }).connect()
    cluster.answer({ command: 'MY.COMMAND' }, (args, reply, { node }) => {
      const slot = cluster.slotOf(args[2])
      const { from, to } = cluster.migrations.get(slot) ?? {}
      if (from === node) return reply.error(to.ask(slot))
      if (to !== node && cluster.nodeOf(slot) !== node) {
        return reply.error(cluster.nodeOf(slot).moved(slot))
      }
      return reply.integer(node.index)
    })
  })
  after(async () => {
    client?.destroy()
    await cluster?.stop()
  })
  const mine = key => client.sendCommand(key, false, ['MY.COMMAND', 'x', key])

  it('goes to the node of its first key, though nobody knows its keys', async () => {
    for (const node of cluster.nodes) {
      assert.strictEqual(await mine(cluster.keyOn(node)), node.index)
    }
    const cold = createCluster({ rootNodes: cluster.rootNodes })
    const key = cluster.keyOn(cluster.nodes[2])
    assert.strictEqual(await cold.sendCommand(Buffer.from(key), true, ['MY.COMMAND', 'x', key]), 2)
    cold.destroy()
  })

  it('follows its slot', async () => {
    const [, from, to] = cluster.nodes
    const key = cluster.keyOn(from, 7)
    assert.strictEqual(await mine(key), from.index)
    cluster.beginMigration(cluster.slotOf(key), to)
    assert.strictEqual(await mine(key), to.index)
    const [asked] = cluster.received({ node: to, command: 'MY.COMMAND' }).slice(-1)
    assert.ok(asked.isAsking)
    cluster.moveSlot(cluster.slotOf(key), to)
    assert.strictEqual(await mine(key), to.index)
  })

  it('stops when nobody has it', async () => {
    const key = cluster.keyOn(cluster.nodes[0])
    const slot = cluster.slotOf(key)
    const lies = cluster.nodes.map((node, index) => cluster.answer(
      { node, command: 'MY.COMMAND' }, cluster.nodes[(index + 1) % 3].moved(slot)))
    await assert.rejects(mine(key), { name: 'MaxCommandRedirectionsError' })
    for (const undo of lies) undo()
  })

  it('is sent as any other when its keys are known, or it has none', async () => {
    const key = cluster.keyOn(cluster.nodes[1])
    assert.strictEqual(await client.sendCommand(key, false, ['SET', key, 'v']), 'OK')
    assert.strictEqual(await client.sendCommand(key, true, ['GET', key], { timeout: 500 }), 'v')
    assert.strictEqual(await client.sendCommand(undefined, true, ['ECHO', 'x']), 'x')
    assert.strictEqual(await client.sendCommand(['GET', key]), 'v')
    assert.deepStrictEqual(await new Promise(resolve => {
      client.sendCommand(key, true, ['GET', key], (...heard) => resolve(heard))
    }), [null, 'v'])
    await assert.rejects(client.sendCommand(5, true, ['GET', key]), TypeError)
    await assert.rejects(client.sendCommand(key, true, ['GET', 5]), TypeError)
    await assert.rejects(client.sendCommand(key, true, ['WATCH', key]), TypeError)
    await assert.rejects(client.sendCommand(key, true, []), TypeError)
  })
})
