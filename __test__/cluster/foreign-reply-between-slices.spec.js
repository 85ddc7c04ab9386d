'use strict'

// Large replies of several nodes are built in slices beside each other. Each goes to its own
// caller, and replies of one node keep their order.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { scene } = require('./scene')

/** Enough for several slices of 16,384 values. */
const LARGE = 60_000

describe('large replies of several nodes', () => {
  it('reach their own callers, whole and in order', async t => {
    const set = scene(t)
    const cluster = await set.cluster({ replicas: 0 })
    const client = set.clusterClient(cluster, { commandOptions: { timeout: 60_000 } })
    await client.connect()
    const tags = cluster.nodes.map(node => cluster.keyIn(node.slots[0][0]))
    const lists = tags.map(tag => Array.from({ length: LARGE }, (_, n) => `${tag} ${n}`))
    for (const [n, tag] of tags.entries()) {
      for (let from = 0; from < LARGE; from += 10_000) {
        await client.rPush(`${tag}list`, lists[n].slice(from, from + 10_000))
      }
      await client.set(`${tag}text`, `text of ${tag}`)
    }
    for (let round = 0; round < 3; round++) {
      const order = tags.map(() => [])
      const all = tags.flatMap((tag, n) => ['text', 'list', 'text', 'list', 'text']
        .map((name, at) => {
          const key = `${tag}${name}`
          const reply = name === 'text' ? client.get(key) : client.lRange(key, 0, -1)
          return reply.then(value => {
            order[n].push(at)
            return value
          })
        }))
      const chain = client.multi().lRange(`${tags[0]}list`, 0, -1).get(`${tags[0]}text`).exec()
      const values = await Promise.all(all)
      for (const [n, tag] of tags.entries()) {
        const [first, one, second, other, last] = values.slice(5 * n, 5 * n + 5)
        assert.deepStrictEqual([first, second, last], new Array(3).fill(`text of ${tag}`))
        assert.deepStrictEqual(one, lists[n])
        assert.deepStrictEqual(other, lists[n])
        assert.deepStrictEqual(order[n], [0, 1, 2, 3, 4])
      }
      assert.deepStrictEqual(await chain, [lists[0], `text of ${tags[0]}`])
    }
    const bridge = client._bridge
    await client.close()
    assert.strictEqual(bridge.pending, 0)
  })
})
