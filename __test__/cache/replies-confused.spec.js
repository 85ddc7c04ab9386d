'use strict'

// What is cached for one read is served for the same read only: not for another key, another
// method, another argument, another type mapping, another database or another prefix.

const assert = require('node:assert')
const { after, before, beforeEach, describe, it } = require('node:test')

const { RESP_TYPES } = require('../..')
const { hearsOf, startScene } = require('./scene')

describe('a read that resembles a cached one', () => {
  let scene, client, other
  before(async () => {
    scene = await startScene()
    client = scene.client
    other = scene.other
  })
  after(() => scene.stop())
  beforeEach(() => scene.reset())

  /** Reads twice: from the server, and from the cache. */
  async function twice (read) {
    const { result, misses } = await scene.misses(async () => [await read(), await read()])
    assert.strictEqual(misses, 1)
    assert.deepStrictEqual(result[0], result[1])
    return result[1]
  }

  it('has keys of its own, also where bytes are no UTF-8', async () => {
    const keys = [[0xff], [0xfe], [0xc3, 0x28], [0xef, 0xbf, 0xbd]].map(bytes => Buffer.from(bytes))
    for (const [n, key] of keys.entries()) await other.set(key, String(n))
    for (const [n, key] of keys.entries()) {
      assert.strictEqual(await twice(() => client.get(key)), String(n))
    }
    const told = hearsOf(scene.cache, keys[1])
    await other.set(keys[1], 'x')
    await told
    assert.strictEqual(await client.get(keys[1]), 'x')
    assert.strictEqual(await client.get(keys[0]), '0')
  })

  it('finds the key that was given as text or as bytes', async () => {
    await other.set('clé', '1')
    assert.strictEqual(await client.get('clé'), '1')
    assert.strictEqual(await client.get(Buffer.from('clé')), '1')
    await scene.told('clé', () => other.set('clé', '2'))
    assert.strictEqual(await client.get('clé'), '2')
    assert.strictEqual(await client.get(Buffer.from('clé')), '2')
  })

  it('has the arguments of its own', async () => {
    await other.hSet('h', { a: '1', b: '2' })
    assert.strictEqual(await twice(() => client.hGet('h', 'a')), '1')
    assert.strictEqual(await twice(() => client.hGet('h', 'b')), '2')
    await other.set('s', 'abc')
    assert.strictEqual(await twice(() => client.getRange('s', 0, 1)), 'ab')
    assert.strictEqual(await twice(() => client.getRange('s', 0, 2)), 'abc')
    assert.deepStrictEqual(await twice(() => client.mGet(['s', 'x'])), ['abc', null])
    assert.deepStrictEqual(await twice(() => client.mGet(['x', 's'])), [null, 'abc'])
  })

  it('has the method of its own', async () => {
    await other.zAdd('z', [{ value: 'a', score: 1 }, { value: 'b', score: 2 }])
    assert.deepStrictEqual(await twice(() => client.zRange('z', 0, -1)), ['a', 'b'])
    assert.deepStrictEqual(await twice(() => client.zRangeWithScores('z', 0, -1)),
      [{ value: 'a', score: 1 }, { value: 'b', score: 2 }])
    await other.set('k', '1')
    assert.strictEqual(await twice(() => client.get('k')), '1')
    assert.strictEqual(await twice(() => client.exists('k')), 1)
    assert.strictEqual(await twice(() => client.type('k')), 'string')
  })

  it('has the type mapping of its own', async () => {
    await other.hSet('h', { a: '1' })
    const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
    const maps = client.withTypeMapping({ [RESP_TYPES.MAP]: Map })
    assert.strictEqual(await twice(() => client.hGet('h', 'a')), '1')
    assert.deepStrictEqual(await twice(() => buffers.hGet('h', 'a')), Buffer.from('1'))
    assert.deepStrictEqual(await twice(() => client.hGetAll('h')), { a: '1' })
    assert.deepStrictEqual(await twice(() => maps.hGetAll('h')), new Map([['a', '1']]))
    await other.geoAdd('g', { longitude: 1, latitude: 2, member: 'm' })
    assert.deepStrictEqual(await twice(() => client.geoPos('g', 'm')), await other.geoPos('g', 'm'))
  })

  it('has the database of its own', async () => {
    await other.set('k', '0')
    await twice(() => client.get('k'))
    const [, read] = await Promise.all([client.select(1), client.get('k')])
    assert.strictEqual(read, null)
    assert.strictEqual(await client.get('k'), null)
    const [, back] = await Promise.all([client.select(0), client.get('k')])
    assert.strictEqual(back, '0')
  })

  it('sees databases swapped by its own client', async () => {
    await other.set('k', '0')
    await twice(() => client.get('k'))
    const [, read] =
      await Promise.all([client.sendCommand(['SWAPDB', '0', '1']), client.get('k')])
    assert.strictEqual(read, null)
    await client.sendCommand(['SWAPDB', '0', '1'])
    assert.strictEqual(await client.get('k'), '0')
  })

  it('stays in the database whose SELECT was refused', async () => {
    await other.set('k', '0')
    const selected = client.select(12345)
    const read = client.get('k')
    await assert.rejects(selected)
    assert.strictEqual(await read, '0')
    assert.strictEqual(await client.get('k'), '0')
  })

  for (const keyPrefix of ['p:', Buffer.from([0xff])]) {
    it(`has the prefix of its client: ${typeof keyPrefix}`, async () => {
      const prefixed = scene.add({ keyPrefix })
      const whole = Buffer.concat([Buffer.from(keyPrefix), Buffer.from('k')])
      await other.set('k', 'plain')
      await other.set(whole, 'prefixed')
      assert.strictEqual(await twice(() => prefixed.get('k')), 'prefixed')
      await scene.told(whole, () => other.set(whole, 'new'))
      assert.strictEqual(await prefixed.get('k'), 'new')
      await Promise.all([prefixed.set('k', 'own'), prefixed.get('k')])
      assert.strictEqual(await prefixed.get('k'), 'own')
    })
  }
})
