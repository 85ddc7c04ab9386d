'use strict'

// The support's own tests, the scripted cluster. A fault test proves nothing without its fault.

const assert = require('node:assert')
const { once } = require('node:events')
const net = require('node:net')
const { afterEach, beforeEach, describe, it } = require('node:test')

const { startFakeCluster } = require('./fake-cluster')
const { slotOf } = require('./hash-slot')
const { ask, command } = require('./raw-socket')

describe('the fake cluster', () => {
  let fake, sockets
  beforeEach(async () => {
    fake = await startFakeCluster({ replicas: 1 })
    sockets = new Map()
  })
  afterEach(async () => {
    for (const socket of sockets.values()) socket.destroy()
    await fake.stop()
  })

  // One connection to each node; resolves with all that comes back at once.
  function say (node, ...args) {
    if (!sockets.has(node)) sockets.set(node, net.connect(node.port))
    return ask(sockets.get(node), command(...args), { keep: true })
  }

  it('serves keys where they belong and redirects elsewhere', async () => {
    const [owner, other] = fake.primaries
    const key = fake.keyOn(owner)
    assert.strictEqual(await say(owner, 'SET', key, 'v'), '+OK\r\n')
    assert.strictEqual(await say(owner, 'GET', key), '$1\r\nv\r\n')
    const moved = `-MOVED ${slotOf(key)} ${owner.host}:${owner.port}\r\n`
    assert.strictEqual(await say(other, 'GET', key), moved)
    const replica = fake.replicas.find(({ primary }) => primary === owner)
    assert.strictEqual(await say(replica, 'GET', key), moved)
    await say(replica, 'READONLY')
    assert.strictEqual(await say(replica, 'GET', key), '$1\r\nv\r\n')
    assert.strictEqual(await say(replica, 'SET', key, 'w'), moved)
  })

  it('describes itself as a real cluster does', async () => {
    const [node] = fake.nodes
    const [first] = (await say(node, 'CLUSTER', 'SLOTS')).split('127.0.0.1')
    assert.strictEqual(first, '*3\r\n*4\r\n:0\r\n:5461\r\n*4\r\n$9\r\n')
    assert.match(await say(node, 'CLUSTER', 'NODES'), /myself,master - 0 0 1 connected 0-5461\n/)
    assert.match(await say(node, 'CLUSTER', 'SHARDS'), /^\*3\r\n\*4\r\n\$5\r\nslots\r\n\*2\r\n:0/)
    assert.strictEqual(await say(node, 'CLUSTER', 'MYID'), `$40\r\n${node.id}\r\n`)
    assert.strictEqual(fake.refreshes.length, 3)
  })

  it('asks for ASKING right before the command while a slot is on its way', async () => {
    const [from, to] = fake.primaries
    const slot = slotOf('{a}')
    fake.moveSlot(slot, from)
    await say(from, 'SET', '{a}1', 'v')
    fake.beginMigration(slot, to)
    assert.strictEqual(await say(from, 'GET', '{a}1'), '$1\r\nv\r\n')
    assert.match(await say(from, 'GET', '{a}2'), new RegExp(`^-ASK ${slot} .*:${to.port}`))
    assert.match(await say(from, 'MGET', '{a}1', '{a}2'), /^-TRYAGAIN/)
    fake.moveKeys(slot, ['{a}1'])
    assert.match(await say(to, 'GET', '{a}1'), /^-MOVED/)
    await say(to, 'ASKING')
    assert.strictEqual(await say(to, 'GET', '{a}1'), '$1\r\nv\r\n')
    assert.match(await say(to, 'GET', '{a}1'), /^-MOVED/)
    assert.deepStrictEqual(fake.received({ node: to, command: 'get' }).map(one => one.isAsking),
      [false, true, false])
    fake.moveSlot(slot, to)
    assert.strictEqual(await say(to, 'GET', '{a}1'), '$1\r\nv\r\n')
  })

  it('answers what it is told to, as often as it is told to', async () => {
    const [node] = fake.primaries
    const key = fake.keyOn(node)
    fake.answer({ command: 'GET', slot: slotOf(key), times: 1 }, 'MOVED 1 __proto__:70000')
    assert.strictEqual(await say(node, 'GET', key), '-MOVED 1 __proto__:70000\r\n')
    assert.strictEqual(await say(node, 'GET', key), '$-1\r\n')
    const takeBack = fake.answer({ command: ['PING', 'CLUSTER SLOTS'] }, (args, reply) =>
      args[0] === 'CLUSTER' && reply.error('LOADING'))
    assert.strictEqual(await say(node, 'PING'), '+PONG\r\n')
    assert.strictEqual(await say(node, 'CLUSTER', 'SLOTS'), '-LOADING\r\n')
    takeBack()
    assert.match(await say(node, 'CLUSTER', 'SLOTS'), /^\*/)
  })

  it('hangs, resets connections, dies and comes back', async () => {
    const [first, second, third] = fake.primaries
    fake.answer({ node: first, command: 'GET' }, 'hang')
    fake.answer({ node: second }, 'reset')
    const silence = assert.rejects(say(first, 'GET', 'k'))
    await assert.rejects(say(second, 'PING'), { code: 'ECONNRESET' })
    await Promise.all([silence, first.stop()])
    await third.stop()
    await assert.rejects(once(net.connect(third.port), 'connect'), { code: 'ECONNREFUSED' })
    await third.start()
    assert.strictEqual(await say(third, 'PING'), '+PONG\r\n')
  })

  it('runs transactions, and refuses those with a command for another node', async () => {
    const [node, other] = fake.primaries
    const key = fake.keyOn(node)
    await say(node, 'MULTI')
    assert.strictEqual(await say(node, 'SET', key, '1'), '+QUEUED\r\n')
    await say(node, 'INCR', key)
    assert.strictEqual(await say(node, 'EXEC'), '*2\r\n+OK\r\n:2\r\n')
    await say(node, 'MULTI')
    assert.match(await say(node, 'GET', fake.keyOn(other)), /^-MOVED/)
    assert.match(await say(node, 'EXEC'), /^-EXECABORT/)
  })

  it('promotes a replica', async () => {
    const [old] = fake.primaries
    const key = fake.keyOn(old)
    const heir = fake.replicas.find(({ primary }) => primary === old)
    await say(old, 'SET', key, 'v')
    fake.promote(heir)
    assert.strictEqual(await say(heir, 'GET', key), '$1\r\nv\r\n')
    assert.strictEqual(await say(old, 'GET', key), `-${heir.moved(slotOf(key))}\r\n`)
  })
})
