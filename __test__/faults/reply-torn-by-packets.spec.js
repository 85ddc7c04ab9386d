'use strict'

// Streams that are cut into packets of any size, and replies that only trickle: callers get the
// same replies, and deadlines hold.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { ErrorReply, RESP_TYPES, TimeoutError } = require('../..')
const { scene, timeOf, until, assertAbout } = require('./scene')

describe('packets of one byte, both ways', { concurrency: true }, () => {
  for (const RESP of [3, 2]) {
    it(`change no reply in RESP${RESP}`, async t => {
      const set = scene(t)
      const server = await set.server()
      const proxy = await set.proxy(server)
      proxy.slice(1)
      const client = set.client(proxy, { RESP })
      const euro = '€ über 漢字 😀'
      const outcomes = await Promise.allSettled([
        client.set('text', euro),
        client.get('text'),
        client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).get('text'),
        client.hSet('hash', { a: '1', b: euro }),
        client.hGetAll('hash'),
        client.rPush('text', 'x'),
        client.zAdd('zset', [{ score: 1.5, value: 'a' }, { score: -1, value: 'b' }]),
        client.zRangeWithScores('zset', 0, -1),
        client.mGet(['text', 'none']),
        client.exists('text')
      ])
      const wrong = outcomes[5].reason
      assert.ok(wrong instanceof ErrorReply)
      assert.strictEqual(wrong.code, 'WRONGTYPE')
      assert.deepStrictEqual(outcomes.map(({ value }) => value), [
        'OK', euro, Buffer.from(euro), 2, { a: '1', b: euro }, undefined, 2,
        [{ value: 'b', score: -1 }, { value: 'a', score: 1.5 }], [euro, null], 1
      ])
    })
  }

  it('keep the oracle content', async t => {
    const set = scene(t)
    const server = await set.server()
    const proxy = await set.proxy(server)
    proxy.slice(1)
    const client = set.client(proxy)
    const oracle = set.oracle(client, { workers: 8 })
    await until(() => oracle.completed >= 200, 'two hundred replies')
    await oracle.stop()
    proxy.heal()
    await oracle.verify()
    assert.strictEqual(oracle.failed, 0)
  })
})

describe('a large reply', { concurrency: true }, () => {
  it('in packets of 1,000 bytes is whole', async t => {
    const set = scene(t)
    const server = await set.server()
    const proxy = await set.proxy(server)
    const value = 'abcdefghij'.repeat(MIB / 10 * 4)
    await set.client(server).set('large', value)
    proxy.slice(1000, { direction: 'down' })
    const client = set.client(proxy)
    const [large, neighbour] = await Promise.all([client.get('large'), client.echo('neighbour')])
    assert.ok(large === value, 'the value differs')
    assert.strictEqual(neighbour, 'neighbour')
  })

  it('that trickles costs its caller the deadline, and its neighbour nothing more', async t => {
    const set = scene(t)
    const server = await set.server()
    const proxy = await set.proxy(server)
    await set.client(server).set('large', 'x'.repeat(MIB))
    const client = set.client(proxy)
    await client.connect()
    proxy.bandwidth(20_000, { direction: 'down' })
    const large = client.withCommandOptions({ timeout: 500 }).get('large')
    const neighbour = client.echo('neighbour')
    assertAbout(await timeOf(large), 500)
    const error = await set.failure(large)
    assert.ok(error instanceof TimeoutError)
    // GET has no side effect, but the server may have run it.
    assert.strictEqual(error.applied, 'unknown')
    proxy.heal()
    assert.strictEqual(await neighbour, 'neighbour')
    const { connects, lateReplies } = client.stats()
    assert.deepStrictEqual({ connects, lateReplies }, { connects: 1, lateReplies: 1 })
  })
})

const MIB = 1024 * 1024
