'use strict'

// A hit is what the first read was: of the same classes, and nobody else's object.

const assert = require('node:assert')
const { after, before, beforeEach, describe, it } = require('node:test')

const { RESP_TYPES, VerbatimString } = require('../..')
const { copyOf, kindOf, weightOf, UNKNOWN } = require('../../lib/cache/copies')
const { startScene } = require('./scene')

describe('a caller that changes what it got', () => {
  let scene, client, other
  before(async () => {
    scene = await startScene()
    client = scene.client
    other = scene.other
  })
  after(() => scene.stop())
  beforeEach(() => scene.reset())

  const mappings = {
    'as it is': {},
    'with Buffers': { [RESP_TYPES.BLOB_STRING]: Buffer },
    'with a Map': { [RESP_TYPES.MAP]: Map, [RESP_TYPES.SET]: Set }
  }
  for (const [name, mapping] of Object.entries(mappings)) {
    it(`changes nobody else's reply ${name}`, async () => {
      await other.hSet('h', { a: '1', b: '2' })
      await other.sAdd('s', ['x', 'y'])
      await other.set('k', 'abc')
      await other.zAdd('z', [{ value: 'm', score: 1 }])
      const view = client.withTypeMapping(mapping)
      const past = view.withCommandOptions({ cache: false })
      for (const call of [view => view.hGetAll('h'), view => view.sMembers('s'),
        view => view.get('k'), view => view.zRangeWithScores('z', 0, -1),
        view => view.hmGet('h', ['a', 'b'])]) {
        const expected = await call(past)
        const read = () => call(view)
        const first = await read()
        assert.deepStrictEqual(first, expected)
        spoil(first)
        const hit = await read()
        assert.deepStrictEqual(hit, expected)
        spoil(hit)
        assert.deepStrictEqual(await read(), expected)
      }
      assert.ok(scene.cache.stats().hitCount > 0)
    })
  }

  it('does not change that of one who waits for the same miss', async () => {
    await other.hSet('h', { a: '1' })
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => client.hGetAll('h')))
    one.a = 'spoilt'
    two.a = 'spoilt'
    assert.deepStrictEqual(three, { a: '1' })
    assert.deepStrictEqual(await client.hGetAll('h'), { a: '1' })
    assert.strictEqual(scene.cache.stats().loadSuccessCount, 1)
  })

  it('finds a field called __proto__', async () => {
    await other.hSet('h', ['__proto__', 'x', 'constructor', 'y'])
    for (let n = 0; n < 2; n++) {
      const hash = await client.hGetAll('h')
      assert.deepStrictEqual(Object.entries(hash), [['__proto__', 'x'], ['constructor', 'y']])
      assert.strictEqual(Object.getPrototypeOf(hash), Object.prototype)
    }
  })
})

describe('a copy', () => {
  const values = [null, 'text', 1, 1.5, true, 10n, [], ['a', 1, null], [['a'], ['b', ['c']]],
    {}, { a: '1' }, JSON.parse('{"__proto__": "x", "a": {"__proto__": ["y"]}}'),
    Buffer.from([0xff, 0]), [Buffer.from('a')], new Map([['a', Buffer.from('b')], [1, [2]]]),
    new Set(['a', Buffer.from('b')]), new VerbatimString('txt', 'abc'), { a: [{ b: 'c' }] }]

  it('is equal, and shares nothing that can be changed', () => {
    for (const value of values) {
      const copy = copyOf(value, kindOf(value))
      assert.deepStrictEqual(copy, value)
      if (typeof value !== 'object' || value === null) continue
      const expected = copyOf(value, kindOf(value))
      spoil(copy)
      assert.deepStrictEqual(value, expected)
    }
  })

  it('is not made of what the native side does not make', () => {
    for (const value of [new Error('x'), [new Error('x')], { a: new Date() }]) {
      assert.strictEqual(kindOf(value), UNKNOWN)
    }
  })

  it('weighs what its parts weigh', () => {
    assert.strictEqual(weightOf('abc'), 6)
    assert.strictEqual(weightOf(Buffer.alloc(100)), 100)
    assert.strictEqual(weightOf(['abc', null]), 2 * 64 + 6)
    assert.strictEqual(weightOf({ ab: 'abc' }), 64 + 4 + 6)
    assert.strictEqual(weightOf(new Map([['ab', Buffer.alloc(10)]])), 64 + 4 + 10)
    assert.strictEqual(weightOf(new Set(['ab'])), 64 + 4)
    assert.strictEqual(weightOf([[1]]), 2 * 64)
  })
})

/** Changes everything in `value`, however deep, that can be changed. */
function spoil (value) {
  if (Buffer.isBuffer(value)) return value.fill(0x2a)
  if (typeof value !== 'object' || value === null) return
  if (value instanceof Map || value instanceof Set) {
    for (const part of [...value].flat()) spoil(part)
    return value.clear()
  }
  if (value instanceof VerbatimString) {
    value.value = 'spoilt'
    return
  }
  for (const key of Object.keys(value)) {
    spoil(value[key])
    Object.defineProperty(value, key, { value: 'spoilt' })
  }
  if (Array.isArray(value)) value.push('spoilt')
  else value.spoilt = true
}
