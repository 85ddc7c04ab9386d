'use strict'

// The slot of a key, computed apart from the client under test; keys for a slot; ranges of slots.
//
// Ranges are `[first, last]`, both included, as servers say them.

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

/** All slots in `parts` ranges of the same size, give or take one. */
function evenly (parts) {
  const start = part => Math.ceil(SLOTS * part / parts)
  return Array.from({ length: parts }, (_, part) => [start(part), start(part + 1) - 1])
}

/** Whether one of the ranges has the slot. */
function covers (ranges, slot) {
  return ranges.some(([first, last]) => first <= slot && slot <= last)
}

/** The ranges without one slot. */
function without (ranges, slot) {
  return ranges.flatMap(([first, last]) => {
    if (slot < first || slot > last) return [[first, last]]
    return [[first, slot - 1], [slot + 1, last]].filter(([from, to]) => from <= to)
  })
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

// Fixed by the cluster specification.
const SLOTS = 16_384

// A tag for every slot seen so far, and how many names were tried to find them.
const tags = new Map()
let tried = 0

module.exports = { covers, evenly, keyIn, slotOf, without }
