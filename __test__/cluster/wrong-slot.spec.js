'use strict'

// The slot that JavaScript computes is the one that the native side and the servers know.

const assert = require('node:assert')
const { test } = require('node:test')

const { slotOf } = require('../../lib/cluster/key-slot')
const native = require('../../lib/native')
const model = require('../support/hash-slot')

test('the slot of a key is the same everywhere', () => {
  const keys = ['', '123456789', 'foo', '{foo}bar', 'foo{}bar', 'foo{{bar}}zap', 'foo{bar}{zap}',
    '{', '}', '{}', '}{', '{}{a}', 'a{b', 'ключ', '{ключ}a', 'a{é}', 'é{a}', '🎈{b}c', '\u0000']
  for (let i = 0; i < 5_000; i++) keys.push(`user:${i}`, `{${i}}x`, `é${i * 7919}{`)
  for (const key of keys) {
    const expected = model.slotOf(key)
    assert.strictEqual(slotOf(key), expected, key)
    assert.strictEqual(slotOf(Buffer.from(key)), expected, key)
    assert.strictEqual(slotOf(new Uint8Array(Buffer.from(key))), expected, key)
    assert.strictEqual(native.slotOf(Buffer.from(key)), expected, key)
  }
})

test('bytes that are no text have slots as well', () => {
  for (let byte = 0; byte < 256; byte++) {
    const key = Buffer.from([byte, 0x7b, 255 - byte, 13, 10, 0x7d, byte])
    assert.strictEqual(slotOf(key), native.slotOf(key))
    assert.strictEqual(slotOf(key), model.slotOf(key))
  }
})
