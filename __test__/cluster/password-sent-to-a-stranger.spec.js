'use strict'

// A redirect chooses the host that gets the password next, so only nodes that the cluster has named
// are followed; what names anybody else makes the client ask again where everything is.

const assert = require('node:assert')
const { once } = require('node:events')
const net = require('node:net')
const { after, afterEach, before, beforeEach, describe, it } = require('node:test')

const { createCluster } = require('../..')
const { startFakeCluster } = require('../support/fake-cluster')

describe('a redirect', () => {
  let fake, cluster, stranger, visits, key, slot

  before(async () => {
    stranger = net.createServer(socket => { visits++; socket.destroy() }).listen(0, '127.0.0.1')
    await once(stranger, 'listening')
  })

  after(() => stranger.close())

  beforeEach(async () => {
    visits = 0
    fake = await startFakeCluster()
    cluster = createCluster({ rootNodes: fake.rootNodes })
    key = fake.keyOn(fake.nodes[0])
    slot = fake.slotOf(key)
    await cluster.set(key, 'own')
  })

  afterEach(async () => {
    cluster?.destroy()
    await fake?.stop()
  })

  for (const kind of ['MOVED', 'ASK']) {
    it(`to a stranger (${kind}) is not followed, the cluster is asked instead`, async () => {
      const address = `127.0.0.1:${stranger.address().port}`
      fake.answer({ command: 'GET', times: 1 }, `${kind} ${slot} ${address}`)
      const asked = fake.refreshes.length
      assert.strictEqual(await cluster.get(key), 'own')
      assert.ok(fake.refreshes.length > asked)
      assert.strictEqual(visits, 0)
    })
  }

  it('to another node of the cluster is followed, by later commands at once', async () => {
    const [from, to] = fake.nodes
    fake.moveSlot(slot, to)
    assert.strictEqual(await cluster.get(key), 'own')
    assert.strictEqual(await cluster.get(key), 'own')
    assert.strictEqual(fake.received({ node: from, command: 'GET' }).length, 1)
    assert.strictEqual(fake.received({ node: to, command: 'GET' }).length, 2)
  })

  it('that says what is no address is not followed either, and never ends the client', async () => {
    for (const lie of [
      `MOVED ${slot} 127.0.0.1:70000`, 'MOVED 99999 127.0.0.1:6379', `MOVED ${slot} a/b:6379`,
      'MOVED __proto__ x:1', `MOVED ${slot} ?:6379`, 'MOVED', `ASK ${slot}`
    ]) {
      fake.answer({ command: 'GET', times: 1 }, lie)
      assert.strictEqual(await cluster.get(key), 'own', lie)
    }
    assert.strictEqual(visits, 0)
  })

  it('in a circle ends after the fifth, and says so', async () => {
    const [one, two] = fake.nodes
    fake.answer({ node: one, command: 'INCR' }, two.moved(slot))
    fake.answer({ node: two, command: 'INCR' }, one.moved(slot))
    await assert.rejects(cluster.incr(key), error => {
      assert.strictEqual(error.code, 'MAX_REDIRECTIONS')
      assert.strictEqual(error.applied, 'no')
      assert.match(error.message, new RegExp(`${one.address}|${two.address}`))
      return true
    })
    assert.strictEqual(fake.received({ command: 'INCR' }).length, 6)
    assert.strictEqual(await cluster.get(key), 'own')
  })

  it('of a node to itself makes the connection anew', async () => {
    const [one] = fake.nodes
    const [{ connection }] = fake.received({ command: 'SET' })
    fake.answer({ node: one, command: 'GET', times: 1 }, one.moved(slot))
    assert.strictEqual(await cluster.get(key), 'own')
    const gets = fake.received({ command: 'GET' })
    assert.strictEqual(gets[0].connection, connection)
    assert.notStrictEqual(gets.at(-1).connection, connection)
  })
})
