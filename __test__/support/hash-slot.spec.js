'use strict'

// The support's own tests, keys of a slot. A fault test proves nothing without its fault.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { keyIn, slotOf } = require('./hash-slot')

describe('a key of a slot', () => {
  it('is found for every slot, and more than one', () => {
    for (const slot of [0, 1, 8191, 16383]) {
      assert.strictEqual(slotOf(keyIn(slot)), slot)
      assert.strictEqual(slotOf(keyIn(slot, 1)), slot)
      assert.notStrictEqual(keyIn(slot, 1), keyIn(slot))
    }
  })

  it('has the slot that the specification gives it', () => {
    assert.strictEqual(slotOf('123456789'), 0x31c3)
    assert.strictEqual(slotOf('foo{123456789}bar'), 0x31c3)
    assert.strictEqual(slotOf('{}123456789'), slotOf(Buffer.from('{}123456789')))
    assert.notStrictEqual(slotOf('{}a'), slotOf('{}b'))
  })
})
