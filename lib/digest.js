'use strict'

/*
 * `digest(value)`: what the server's DIGEST says of a value, for the conditions IFDEQ and IFDNE.
 *
 * Owns XXH3 with 64 bits, the default secret and no seed, after the specification of xxHash
 * (doc/xxhash_spec.md in its repository). Written with BigInt, without any package: it takes some
 * 20 ms of the event loop for each MiB.
 */

const { fail, isText } = require('./arguments')

/**
 * The digest of a value, as 16 hexadecimal digits in lower case.
 * @param {string | Buffer} value
 * @returns {Promise<string>} rejects with a TypeError for anything else
 */
async function digest (value) {
  if (!isText(value)) fail('value', 'a string or a Buffer', value)
  const bytes = Buffer.from(value)
  return hash(bytes).toString(16).padStart(16, '0')
}

/** XXH3 of `b`: by its length, each range is hashed in a way of its own. */
function hash (b) {
  if (b.length > 240) return hashLong(b)
  if (b.length > 128) return hashMiddle(b)
  if (b.length > 16) return hashShort(b)
  if (b.length > 8) return hash9(b)
  if (b.length > 3) return hash4(b)
  return b.length > 0 ? hash1(b) : scatter(secret(56) ^ secret(64))
}

function hash1 (b) {
  const { length } = b
  const whole = (b[0] << 16 | b[length >> 1] << 24 | b[length - 1] | length << 8) >>> 0
  return scatter(BigInt(whole) ^ BigInt((SECRET.readUInt32LE(0) ^ SECRET.readUInt32LE(4)) >>> 0))
}

function hash4 (b) {
  const ends = BigInt(b.readUInt32LE(b.length - 4)) + (BigInt(b.readUInt32LE(0)) << 32n)
  let h = ends ^ secret(8) ^ secret(16)
  h ^= rotate(h, 49n) ^ rotate(h, 24n)
  h = u64(h * MIX_2)
  h = u64((h ^ ((h >> 35n) + BigInt(b.length))) * MIX_2)
  return h ^ (h >> 28n)
}

function hash9 (b) {
  const first = b.readBigUInt64LE(0) ^ secret(24) ^ secret(32)
  const last = b.readBigUInt64LE(b.length - 8) ^ secret(40) ^ secret(48)
  return settle(BigInt(b.length) + swap(first) + last + folded(first, last))
}

/** 17 to 128 bytes: pairs from both ends, towards the middle. */
function hashShort (b) {
  let h = BigInt(b.length) * PRIME_1
  for (let i = (b.length - 1 >> 5); i >= 0; i--) {
    h += mixed(b, 16 * i, 32 * i) + mixed(b, b.length - 16 * (i + 1), 32 * i + 16)
  }
  return settle(h)
}

/** 129 to 240 bytes: eight times 16 bytes, then the rest with the secret shifted by 3. */
function hashMiddle (b) {
  let h = BigInt(b.length) * PRIME_1
  for (let i = 0; i < 8; i++) h += mixed(b, 16 * i, 16 * i)
  h = settle(h)
  for (let i = 8; i < b.length >> 4; i++) h += mixed(b, 16 * i, 16 * (i - 8) + 3)
  return settle(h + mixed(b, b.length - 16, LEAST_SECRET - 17))
}

/** More: stripes of 64 bytes into eight lanes, which are scrambled after each block of 1 KiB. */
function hashLong (b) {
  const lanes = [PRIME_32_3, PRIME_1, PRIME_2, PRIME_3, PRIME_4, PRIME_32_2, PRIME_5, PRIME_32_1]
  const last = SECRET.length - STRIPE
  const stripes = Math.floor((b.length - 1) / STRIPE)
  for (let n = 0; n < stripes; n++) {
    accumulate(lanes, b, n * STRIPE, 8 * (n % STRIPES))
    if (n % STRIPES === STRIPES - 1) scramble(lanes, last)
  }
  accumulate(lanes, b, b.length - STRIPE, last - 7)
  let h = BigInt(b.length) * PRIME_1
  for (let i = 0; i < 4; i++) {
    h += folded(lanes[2 * i] ^ secret(11 + 16 * i), lanes[2 * i + 1] ^ secret(19 + 16 * i))
  }
  return settle(h)
}

function accumulate (lanes, b, at, secretAt) {
  for (let i = 0; i < 8; i++) {
    const value = b.readBigUInt64LE(at + 8 * i)
    const keyed = value ^ secret(secretAt + 8 * i)
    lanes[i ^ 1] = u64(lanes[i ^ 1] + value)
    lanes[i] = u64(lanes[i] + (keyed & LOW) * (keyed >> 32n))
  }
}

function scramble (lanes, secretAt) {
  for (let i = 0; i < 8; i++) {
    lanes[i] = u64((lanes[i] ^ (lanes[i] >> 47n) ^ secret(secretAt + 8 * i)) * PRIME_32_1)
  }
}

/** 16 bytes with 16 of the secret. */
function mixed (b, at, secretAt) {
  return folded(b.readBigUInt64LE(at) ^ secret(secretAt),
    b.readBigUInt64LE(at + 8) ^ secret(secretAt + 8))
}

/** Both halves of the product, one over the other. */
function folded (x, y) {
  const product = x * y
  return u64(product) ^ (product >> 64n)
}

/** The end of most ways. */
function settle (x) {
  let h = u64(x)
  h = u64((h ^ (h >> 37n)) * MIX_1)
  return h ^ (h >> 32n)
}

/** The end of the shortest values' ways: that of XXH64. */
function scatter (x) {
  let h = u64((x ^ (x >> 33n)) * PRIME_2)
  h = u64((h ^ (h >> 29n)) * PRIME_3)
  return h ^ (h >> 32n)
}

function rotate (x, bits) {
  return u64(x << bits) | (x >> (64n - bits))
}

function swap (x) {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(x)
  return bytes.readBigUInt64BE()
}

function secret (at) {
  return SECRET.readBigUInt64LE(at)
}

function u64 (x) {
  return BigInt.asUintN(64, x)
}

/* Constants of the specification. */
const LOW = 0xffffffffn
const PRIME_32_1 = 0x9e3779b1n
const PRIME_32_2 = 0x85ebca77n
const PRIME_32_3 = 0xc2b2ae3dn
const PRIME_1 = 0x9e3779b185ebca87n
const PRIME_2 = 0xc2b2ae3d27d4eb4fn
const PRIME_3 = 0x165667b19e3779f9n
const PRIME_4 = 0x85ebca77c2b2ae63n
const PRIME_5 = 0x27d4eb2f165667c5n
const MIX_1 = 0x165667919e3779f9n
const MIX_2 = 0x9fb21c651e98df25n
/** Bytes that go into the lanes at once, and how often until the secret is used up. */
const STRIPE = 64
const STRIPES = 16
/** The shortest secret that is allowed. */
const LEAST_SECRET = 136
/** The default secret. */
const SECRET = Buffer.from([
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f',
  'cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c',
  '3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8',
  'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364',
  'eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e',
  '2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e'
].join(''), 'hex')

module.exports = { digest }
