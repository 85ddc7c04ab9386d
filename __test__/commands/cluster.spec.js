'use strict'

// The CLUSTER methods on a node of a cluster: what they tell is what node-redis's tell. On other
// servers, as in differential.spec.js, all that comes is a refusal.

const assert = require('node:assert')
const { describe, it, before, after } = require('node:test')

const redis = require('redis')

const oxidis = require('../..')
const { startServer } = require('../support/redis-server')

for (const RESP of [2, 3]) {
  describe(`a node of a cluster, in RESP${RESP}`, () => {
    let server, ours, theirs

    before(async () => {
      server = await startServer({ args: ['--cluster-enabled', 'yes'] })
      const options = { socket: { host: '127.0.0.1', port: server.port }, RESP }
      ours = await oxidis.createClient(options).connect()
      theirs = await redis.createClient(options).on('error', () => {}).connect()
    })

    after(async () => {
      ours?.destroy()
      theirs?.destroy()
      await server?.stop()
    })

    const same = async (method, ...args) => {
      const reply = await ours[method](...args)
      assert.deepStrictEqual(reply, await theirs[method](...args))
      return reply
    }

    it('takes slots, and gives them back', async () => {
      assert.deepStrictEqual(await same('clusterSlots'), [])
      assert.strictEqual(await ours.clusterAddSlots([0, 1, 5]), 'OK')
      assert.strictEqual(await ours.clusterAddSlotsRange([{ start: 10, end: 20 }]), 'OK')
      assert.strictEqual(await ours.clusterDelSlots(5), 'OK')
      assert.strictEqual(await ours.clusterDelSlotsRange({ start: 12, end: 20 }), 'OK')
      const slots = await same('clusterSlots')
      assert.deepStrictEqual(slots.map(({ from, to }) => [from, to]), [[0, 1], [10, 11]])
      assert.strictEqual(slots[0].master.port, server.port)
      assert.strictEqual(slots[0].master.id, await same('clusterMyId'))
      assert.strictEqual(await ours.clusterFlushSlots(), 'OK')
    })

    it('tells the same about itself', async () => {
      assert.match(await same('clusterNodes'), /myself/)
      assert.match(await ours.clusterInfo(), /^cluster_state:/)
      assert.deepStrictEqual(await same('clusterLinks'), [])
      assert.deepStrictEqual(await same('clusterGetKeysInSlot', 0, 10), [])
      assert.strictEqual(await same('clusterCountKeysInSlot', 0), 0)
      assert.strictEqual(await same('clusterKeySlot', '{user}:1'), 5474)
      assert.strictEqual(await ours.clusterSaveConfig(), 'OK')
      assert.match(await ours.clusterBumpEpoch(), /^(BUMPED|STILL) \d+$/)
    })
  })
}
