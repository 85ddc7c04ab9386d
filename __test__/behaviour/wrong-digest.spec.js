'use strict'

// `digest` gives what xxHash's own library gives: XXH3, 64 bits, for every length up to 700 bytes,
// and so for each of the ways that a length is hashed in.

const assert = require('node:assert')
const { createHash } = require('node:crypto')
const { describe, it } = require('node:test')

const { digest } = require('../..')

/** From libxxhash 0.8.1, for the bytes of `sample`. */
const KNOWN = [
  [0, '2d06800538d394c2'],
  [1, '4c5cca45d0f4811f'],
  [3, 'de31dc6f857de05c'],
  [8, 'a2531ca9bc96d2f3'],
  [9, 'fd45db1f8beffbad'],
  [16, '50e5d20d0066ad51'],
  [17, 'e28b350a8b61b646'],
  [128, '6832bd6b262805b1'],
  [129, 'daecea5ce4072cb9'],
  [240, 'be2cebc36ce55687'],
  [241, 'f611c3046d586e93'],
  [1024, '9de7f57ae046252a'],
  [1025, '329b1a67787c4b26'],
  [5000, '4fa794e4bdd0cfc4']
]
/** SHA-256 of all digests of 0 to 699 bytes, one behind the other. */
const ALL = '40c9492f4fb9f46556034167f16e68a5dbf9f44a3ed2cd65417851e1e643c0e1'

describe('digest', () => {
  for (const [length, expected] of KNOWN) {
    it(`of ${length} bytes`, async () => assert.strictEqual(await digest(sample(length)), expected))
  }

  it('of every length up to 700', async () => {
    const all = createHash('sha256')
    for (let length = 0; length < 700; length++) all.update(await digest(sample(length)))
    assert.strictEqual(all.digest('hex'), ALL)
  })

  it('of a text is that of its UTF-8 bytes', async () => {
    // The example of the server's documentation.
    assert.strictEqual(await digest('Hello world'), 'b6acb9d84a38ff74')
    assert.strictEqual(await digest('ü🎈'), await digest(Buffer.from('ü🎈')))
    assert.strictEqual(await digest(new Uint8Array([97])), await digest('a'))
  })

  it('rejects what is no value', async () => {
    for (const value of [5, null, undefined, {}, ['a']]) {
      await assert.rejects(digest(value), { name: 'TypeError', message: /^argument "value" must/ })
    }
  })
})

function sample (length) {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 131 + length * 7 + (i >> 3)) & 255))
}
