'use strict'

/*
 * The hash slot of a key: CRC16 (XMODEM) of its hash tag, or of all of it
 * (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/).
 *
 * The native side computes it too, and decides where a command goes. JavaScript has to know it
 * before it encodes some commands, and a native call for each key would cost more than the hash.
 */

/** Kept, because V8 looks `s.charCodeAt` up on each call once anything has extended `String`. */
const charCodeAt = Function.prototype.call.bind(String.prototype.charCodeAt)

/**
 * The slot of `key`, as it is sent.
 * @param {string | Uint8Array} key
 */
function slotOf (key) {
  return (typeof key === 'string' ? ofText(key) ?? ofBytes(Buffer.from(key)) : ofBytes(key)) % SLOTS
}

/** The CRC of text whose chars are all ASCII, so that they are its bytes; null otherwise. */
function ofText (key) {
  let start = 0
  let end = key.length
  const open = key.indexOf('{')
  if (open !== -1) {
    const close = key.indexOf('}', open + 1)
    if (close > open + 1) [start, end] = [open + 1, close]
  }
  let crc = 0
  for (let i = start; i < end; i++) {
    const code = charCodeAt(key, i)
    if (code > 0x7f) return null
    crc = ((crc << 8) & 0xffff) ^ TABLE[(crc >>> 8) ^ code]
  }
  return crc
}

function ofBytes (key) {
  const open = key.indexOf(0x7b)
  const close = open === -1 ? -1 : key.indexOf(0x7d, open + 1)
  const [start, end] = close > open + 1 ? [open + 1, close] : [0, key.length]
  let crc = 0
  for (let i = start; i < end; i++) {
    crc = ((crc << 8) & 0xffff) ^ TABLE[(crc >>> 8) ^ key[i]]
  }
  return crc
}

/** The remainders of each byte by the polynomial x^16 + x^12 + x^5 + 1. */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc & 0xffff
})

/** Fixed by the specification. */
const SLOTS = 16_384

module.exports = { slotOf }
