'use strict'

// The slot of a key, computed apart from the client under test; and keys for a slot.

/** The slot of `key`: CRC16 (XMODEM) of what is in its first braces, or of all of it. */
function slotOf (key) {
  const bytes = Buffer.from(key)
  const open = bytes.indexOf('{')
  const close = open < 0 ? -1 : bytes.indexOf('}', open + 1)
  return crc16(close > open + 1 ? bytes.subarray(open + 1, close) : bytes) % SLOTS
}

/**
 * A key of this slot, such as `{k4711}:0`. Other values of `nth` give other keys of the same slot.
 */
function keyIn (slot, nth = 0) {
  for (; !tags.has(slot); tried++) {
    const tag = `k${tried}`
    if (!tags.has(slotOf(tag))) tags.set(slotOf(tag), tag)
  }
  return `{${tags.get(slot)}}:${nth}`
}

function crc16 (bytes) {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1
    crc &= 0xffff
  }
  return crc
}

/** Fixed by the cluster specification. */
const SLOTS = 16_384

// A tag for every slot seen so far, and how many names were tried to find them.
const tags = new Map()
let tried = 0

module.exports = { SLOTS, keyIn, slotOf }
