'use strict'

// A primary that dies, or is replaced while it is well, under load: the new one is used within a
// second of the announcement, nothing is done twice, and no reply is somebody else's.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { startOracle } = require('../support/oracle')
const { skipBefore7 } = require('../support/redis-server')
const { Count, scene } = require('./scene')

/** Promised is a second. A busy machine with 2 cores that runs six servers may need more. */
const SOON = 5_000

describe('a failover under load', { skip: skipBefore7() }, () => {
  it('of a primary that is killed costs no doubled command', async t => {
    const { set, client } = await begin(t)
    const oracle = startOracle(client, { workers: 32, sessions: 4 })
    await oracle.healed()
    const switched = set.waitForSwitch()
    await set.kill(set.primary)
    const { port, at } = await switched
    await oracle.healed({ within: SOON * 2 })
    const recovered = performance.now() - at
    t.diagnostic(`healed ${Math.round(recovered)} ms after +switch-master`)
    assert.ok(recovered < SOON, `${recovered} ms`)
    assert.deepStrictEqual(client.getMasterNode(), { host: '127.0.0.1', port })
    await oracle.stop()
    // What the dead primary had not passed on yet is lost, and nobody else's fault.
    await oracle.verify(client, { emptied: true })
  })

  it('of a primary that hangs does not wait for it, and leaves it alone when it wakes up',
    async t => {
      const { set, client, scene } = await begin(t)
      const count = new Count(client)
      await count.settled()
      const old = set.primary
      const switched = set.waitForSwitch()
      set.pause(old)
      const { at } = await switched
      const recovered = await count.settled(at)
      t.diagnostic(`answered ${Math.round(recovered)} ms after +switch-master`)
      assert.ok(recovered < SOON, `${recovered} ms`)
      set.resume(old)
      await set.waitUntilHealthy()
      await count.settled()
      await count.stop()
      assert.strictEqual(await scene.refusedBy(old), 0)
      assert.deepStrictEqual(await count.doubled(), [])
    })

  it('that somebody has asked for reaches nobody twice, and no replica', async t => {
    const { set, client, scene } = await begin(t)
    const count = new Count(client)
    await count.settled()
    const old = set.primary
    const switched = set.waitForSwitch()
    await set.failover()
    const { at, server } = await switched
    const recovered = await count.settled(at)
    await set.waitUntilHealthy()
    t.diagnostic(`answered ${Math.round(recovered)} ms after +switch-master; refused ` +
      `${await scene.refusedBy(old)} times by the former primary; ` +
      JSON.stringify(Object.fromEntries(count.failures)))
    const before = await scene.refusedBy(old)
    await count.settled()
    assert.strictEqual(await scene.refusedBy(old), before, 'writes go to a replica')
    await count.stop()
    assert.deepStrictEqual(await count.doubled(), [])
    assert.strictEqual(client.getMasterNode().port, server.port)
    // A READONLY is sent on, so the only failures are what the old primary closed without a word.
    const codes = [...count.failures.keys()].filter(code => code !== 'UNEXPECTED_EOF' &&
      code !== 'CONNECTION_LOST' && code !== 'ECONNRESET')
    assert.deepStrictEqual(codes, [])
  })

  it('finds the new primary although the sentinel that was listened to died with the old one',
    async t => {
      const { set, client } = await begin(t)
      const count = new Count(client)
      await count.settled()
      const { port } = client.getSentinelNode()
      const heard = set.sentinels.find(sentinel => sentinel.port === port)
      const switched = set.waitForSwitch()
      await Promise.all([set.kill(heard), set.kill(set.primary)])
      const { at } = await switched
      const recovered = await count.settled(at)
      t.diagnostic(`answered ${Math.round(recovered)} ms after +switch-master`)
      assert.ok(recovered < SOON, `${recovered} ms`)
      await count.stop()
      assert.deepStrictEqual(await count.doubled(), [])
      assert.notStrictEqual(client.getSentinelNode()?.port, port)
    })
})

async function begin (t) {
  const made = await scene(t)
  const client = await made.connected({ commandOptions: { timeout: 15_000 } })
  return { scene: made, set: made.set, client }
}
