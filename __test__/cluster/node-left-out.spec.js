'use strict'

// What is for all primaries or all nodes reaches each of them, in order, and whatever one of them
// has to say against it reaches the caller.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')
const { inspect } = require('node:util')

const redis = require('redis')

const { createCluster, RESP_TYPES } = require('../..')
const { startFakeCluster } = require('../support/fake-cluster')
const { startCluster } = require('../support/redis-cluster')
const { untilReplicasListed } = require('./listed-replicas')

const LIBRARY = '#!lua name=lib\nredis.register_function("f", function() return 1 end)'
const SHA1 = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db'
const KEYS = Array.from({ length: 30 }, (_, i) => `key:${i}`)

describe('a command for many nodes', () => {
  let cluster, client, theirs
  before(async () => {
    // A script that runs for long is soon told from a node that is dead.
    cluster = await startCluster({ args: ['--lua-time-limit', '50'] })
    await untilReplicasListed(cluster)
    client = await createCluster({ rootNodes: cluster.rootNodes }).connect()
    theirs = await redis.createCluster({ rootNodes: cluster.rootNodes })
      .on('error', () => {}).connect()
  })
  after(async () => {
    await client?.close()
    theirs?.destroy()
    await cluster?.stop()
  })
  const all = (...args) => Promise.all(cluster.nodes.map(node => cluster.command(node, ...args)))
  const primaries = (...args) =>
    Promise.all(cluster.primaries.map(node => cluster.command(node, ...args)))
  /** Makes one call on both clients, on one state, and compares the replies. */
  const same = async (method, ...args) => {
    const reply = await client[method](...args)
    assert.deepStrictEqual(reply, await theirs[method](...args))
    return reply
  }

  it('is answered for all of them together', async () => {
    await client.flushAll()
    assert.strictEqual(await same('randomKey'), null)
    await client.mSet(Object.fromEntries(KEYS.map(key => [key, 'v'])))
    assert.strictEqual(await same('dbSize'), KEYS.length)
    assert.deepStrictEqual((await client.keys('*')).sort(), [...KEYS].sort())
    assert.deepStrictEqual((await theirs.keys('*')).sort(), [...KEYS].sort())
    assert.ok(KEYS.includes(await client.randomKey()))
    assert.strictEqual(await same('ping'), 'PONG')
    assert.strictEqual(await same('ping', 'é'), 'é')
    assert.strictEqual(await same('memoryPurge'), 'OK')
    assert.strictEqual(await same('latencyReset'), 0)
    assert.strictEqual(await same('flushDb'), 'OK')
    assert.deepStrictEqual(await primaries('DBSIZE'), [0, 0, 0])
  })

  it('reaches each of them', async () => {
    assert.strictEqual(await client.scriptLoad('return 1'), SHA1)
    assert.deepStrictEqual(await all('SCRIPT', 'EXISTS', SHA1), six([1]))
    assert.deepStrictEqual(await same('scriptExists', [SHA1, 'a'.repeat(40)]), [1, 0])
    await cluster.command(cluster.primaries[1], 'SCRIPT', 'FLUSH')
    assert.deepStrictEqual(await same('scriptExists', SHA1), [0])
    assert.strictEqual(await client.scriptFlush(), 'OK')
    assert.deepStrictEqual(await all('SCRIPT', 'EXISTS', SHA1), six([0]))
    assert.strictEqual(await same('configSet', 'slowlog-max-len', '77'), 'OK')
    for (const [, value] of await all('CONFIG', 'GET', 'slowlog-max-len')) {
      assert.strictEqual(value, '77')
    }
    assert.strictEqual(await same('configResetStat'), 'OK')
    await client.aclSetUser('u', ['on', 'nopass'])
    for (const users of await all('ACL', 'USERS')) assert.ok(users.includes('u'))
    assert.strictEqual(await client.aclDelUser('u'), 1)
  })

  it('loads, copies and deletes functions everywhere', async () => {
    assert.strictEqual(await client.functionLoad(LIBRARY), 'lib')
    for (const list of await primaries('FUNCTION', 'LIST')) assert.strictEqual(list.length, 1)
    const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
    const dump = await buffers.functionDump()
    assert.strictEqual(await client.functionDelete('lib'), 'OK')
    assert.strictEqual(await client.functionRestore(dump), 'OK')
    for (const list of await primaries('FUNCTION', 'LIST')) assert.strictEqual(list.length, 1)
    assert.strictEqual((await client.functionStats()).engines.LUA.functions_count, 1)
    assert.strictEqual((await client.withTypeMapping({ [RESP_TYPES.MAP]: Map })
      .functionStats()).get('running_script'), null)
    assert.strictEqual(await client.functionFlush(), 'OK')
    for (const list of await primaries('FUNCTION', 'LIST')) assert.deepStrictEqual(list, [])
  })

  it('waits for the replicas of all primaries', async () => {
    await client.mSet(Object.fromEntries(KEYS.map(key => [key, 'w'])))
    assert.strictEqual(await client.wait(1, 5000), 1)
    for (const node of cluster.replicas) assert.ok(await cluster.command(node, 'DBSIZE') > 0)
    await assert.rejects(client.wait('many', 10), TypeError)
  })

  it('finds subscribers wherever they are', async () => {
    const [one, other] = await Promise.all([cluster.primaries[0], cluster.replicas[1]].map(
      ({ url }) => redis.createClient({ url }).connect()))
    const channel = cluster.keyOn(cluster.primaries[0])
    try {
      await one.subscribe('c', () => {})
      await other.subscribe(['c', 'd'], () => {})
      await other.pSubscribe('p*', () => {})
      await one.sSubscribe(channel, () => {})
      assert.deepStrictEqual((await client.pubSubChannels()).sort(), ['c', 'd'])
      assert.deepStrictEqual(await client.pubSubNumSub(['c', 'd', 'e']), { c: 2, d: 1, e: 0 })
      assert.strictEqual(await client.pubSubNumPat(), 1)
      assert.deepStrictEqual(await client.pubSubShardChannels(), [channel])
      assert.deepStrictEqual(await client.pubSubShardNumSub(channel), { [channel]: 1 })
    } finally {
      one.destroy()
      other.destroy()
    }
  })

  it('is done when one of them could do it, where that is what it is for', async () => {
    await assert.rejects(client.scriptKill(), { code: 'NOTBUSY' })
    const busy = cluster.keyOn(cluster.primaries[1])
    // Over connections of its own: behind a script nothing of the same connection is heard.
    const other = createCluster({ rootNodes: cluster.rootNodes, commandOptions: { timeout: 0 } })
    const endless = other.eval('while true do end', { keys: [busy] })
    const ended = assert.rejects(endless, /killed/i).finally(() => other.close())
    for (let isKilled = false; !isKilled;) {
      isKilled = await client.scriptKill().then(reply => reply === 'OK', error => {
        assert.strictEqual(error.code, 'NOTBUSY')
      })
    }
    await ended
  })

  it('runs between the commands before and behind it', async () => {
    const replies = await Promise.all([
      ...KEYS.map(key => client.set(key, '1')), client.dbSize(), client.flushAll(),
      client.dbSize(), ...KEYS.slice(0, 10).map(key => client.set(key, '1')), client.dbSize()
    ])
    const sizes = replies.filter(reply => typeof reply === 'number')
    assert.deepStrictEqual(sizes, [KEYS.length, 0, 10])
  })

  it('has the types of the mapping, callbacks, and an end by a signal', async () => {
    const view = client.withTypeMapping({
      [RESP_TYPES.NUMBER]: String, [RESP_TYPES.BLOB_STRING]: Buffer
    })
    assert.strictEqual(await view.dbSize(), '10')
    assert.ok((await view.keys('*')).every(key => Buffer.isBuffer(key)))
    assert.deepStrictEqual(await new Promise(resolve => {
      assert.strictEqual(client.DBSIZE((...heard) => resolve(heard)), undefined)
    }), [null, 10])
    await assert.rejects(client.withAbortSignal(AbortSignal.abort()).dbSize(),
      { name: 'AbortError' })
  })

  it('is refused for what the caller got wrong, and then nobody has it', async () => {
    await assert.rejects(client.flushAll('NOW'), error =>
      error instanceof TypeError && error.message.startsWith('flushAll: '))
    assert.strictEqual(await client.dbSize(), 10)
    await assert.rejects(client.configSet('no-such-parameter', '1'), error =>
      /\(from the node 127\.0\.0\.1:\d+\)$/.test(error.message) && error.code === 'ERR')
  })

  it('has cursors of a module for nobody', async () => {
    await assert.rejects(client.blessScan('0'), error =>
      error instanceof TypeError && /nodeClient/.test(error.message))
    const node = await client.nodeClient(client.masters[0])
    assert.strictEqual((await node.scan('0')).cursor.length > 0, true)
  })

  it('can be the first command of a client, and the last', async () => {
    const other = createCluster({ rootNodes: cluster.rootNodes })
    assert.strictEqual(await other.dbSize(), 10)
    await other.close()
    await assert.rejects(other.dbSize(), { code: 'CLOSED' })
    const wrong = createCluster({ rootNodes: cluster.rootNodes })
    await assert.rejects(wrong.flushAll('NOW'), TypeError)
    assert.strictEqual(wrong.isOpen, false, 'nothing was sent')
  })
})

describe('a node that fails', () => {
  let cluster, client
  before(async () => {
    cluster = await startFakeCluster({ replicas: 1 })
    client = await createCluster({
      rootNodes: cluster.rootNodes, commandOptions: { timeout: 2000 }
    }).connect()
  })
  after(async () => {
    client?.destroy()
    await cluster?.stop()
  })

  it('is named, with its own words', async () => {
    const node = cluster.nodes[1]
    const done = cluster.answer({ command: 'FLUSHALL' }, (args, reply) => reply.ok())
    const undo = cluster.answer({ node, command: 'FLUSHALL' }, 'MISCONF cannot save')
    await assert.rejects(client.flushAll(), {
      code: 'MISCONF', message: `MISCONF cannot save (from the node ${node.address})`
    })
    await assert.rejects(client.flushAll(), error => inspect(error).includes(node.address))
    undo()
    done()
    assert.strictEqual(cluster.received({ command: 'FLUSHALL' }).length, 6)
  })

  it('is asked once more, if that does no harm', async () => {
    const node = cluster.nodes[1]
    cluster.answer({ node, command: 'DBSIZE', times: 1 }, 'LOADING soon')
    assert.strictEqual(await client.dbSize(), 0)
    cluster.answer({ command: 'SCRIPT FLUSH' }, (args, reply) => reply.ok())
    cluster.answer({ node, command: 'SCRIPT FLUSH', times: 1 }, 'LOADING soon')
    await assert.rejects(client.scriptFlush(), { code: 'LOADING' })
    assert.strictEqual(cluster.received({ node, command: 'SCRIPT FLUSH' }).length, 1)
  })

  it('costs no more than the deadline', async () => {
    const node = cluster.nodes[1]
    const undo = cluster.answer({ node, command: 'DBSIZE' }, 'hang')
    const hurried = client.withCommandOptions({ timeout: 300 })
    await assert.rejects(hurried.dbSize(), error => error.name === 'TimeoutError' &&
      error.message.endsWith(`(from the node ${node.address})`))
    undo()
  })

  it('is replaced by its successor', async () => {
    const node = cluster.primaries[1]
    const replica = cluster.replicas.find(({ primary }) => primary === node)
    node.data.set(cluster.keyOn(node), 'v')
    const asked = new Promise(resolve => {
      cluster.answer({ node, command: 'DBSIZE' }, () => { resolve(); return true })
    })
    const size = client.dbSize()
    await asked
    cluster.promote(replica)
    // Any redirect makes the client look around.
    const [elsewhere, , third] = cluster.nodes
    const key = cluster.keyOn(elsewhere)
    cluster.moveSlot(cluster.slotOf(key), third)
    assert.strictEqual(await client.get(key), null)
    assert.strictEqual(await size, 1)
    assert.ok(client.masters.some(({ port }) => port === replica.port))
    assert.strictEqual(cluster.received({ node: replica, command: 'DBSIZE' }).length, 1)
  })
})

/** What each of six nodes says. */
function six (reply) {
  return Array.from({ length: 6 }, () => reply)
}
