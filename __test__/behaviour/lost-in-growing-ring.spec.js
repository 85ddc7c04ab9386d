'use strict'

// The ring of promises starts small and grows with what is pending. However many commands wait, and
// in whatever order they are answered, each promise is settled once, with its own reply.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { PromiseRing } = require('../../lib/boundary/promise-ring')

const ROW = { reply: undefined }

describe('the ring of promises', () => {
  for (const [order, arrange] of Object.entries({
    'in order': ids => ids,
    backwards: ids => ids.toReversed(),
    'the first one last': ([first, ...rest]) => [...rest, first],
    shuffled: ids => ids.map((id, index) => [(index * 7919) % ids.length, id])
      .toSorted(([a], [b]) => a - b).map(([, id]) => id)
  })) {
    it(`loses none of ten to ten thousand pending commands that are answered ${order}`, () => {
      for (const count of [10, 31, 32, 33, 100, 1000, 10_000]) {
        // An id that is near the end of the ids, where they begin anew.
        for (const start of [0, 17, 2 ** 31 - 1 - count]) {
          const ring = new PromiseRing()
          const ids = Array.from({ length: count }, (_, index) => start + index)
          const settled = new Map()
          for (const id of ids) {
            ring.put(id, value => {
              assert.ok(!settled.has(id), `${id} is settled twice`)
              settled.set(id, value)
            }, () => assert.fail('rejected'), ROW, undefined)
          }
          assert.strictEqual(ring.pending, count)
          assert.deepStrictEqual([...ring.pendingIds()].toSorted((a, b) => a - b), ids)
          for (const id of arrange(ids)) ring.settle(id, `reply ${id}`, false)
          assert.strictEqual(ring.pending, 0)
          assert.ok(ids.every(id => settled.get(id) === `reply ${id}`))
        }
      }
    })
  }

  it('keeps a slow command that thousands of quick ones overtake, in little memory', () => {
    const ring = new PromiseRing()
    let slow
    ring.put(0, value => { slow = value }, assert.fail, ROW, undefined)
    for (let id = 1; id < 5000; id++) {
      ring.put(id, () => {}, assert.fail, ROW, undefined)
      ring.settle(id, 'OK', false)
    }
    assert.ok(ring.mask + 1 <= 64, `the ring has ${ring.mask + 1} places for one command`)
    ring.settle(0, 'late', false)
    assert.strictEqual(slow, 'late')
    assert.strictEqual(ring.pending, 0)
  })
})
