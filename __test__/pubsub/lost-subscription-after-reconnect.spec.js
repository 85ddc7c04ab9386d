'use strict'

// Subscriptions outlive their connection, each is restored once, and the gap is told.

const assert = require('node:assert')
const { readFileSync } = require('node:fs')
const { describe, it } = require('node:test')

const { skipWithoutTls } = require('../support/redis-server')
const { PROTOCOLS, clientFor, flush, heard, recorder, serverFor } = require('./scene')

for (const RESP of PROTOCOLS) {
  describe(`subscriptions with RESP${RESP}`, { concurrency: true }, () => {
    it('are restored once each after CLIENT KILL', async t => {
      const server = await serverFor(t)
      const admin = clientFor(t, server)
      const client = clientFor(t, server, { RESP })
      const [plain, pattern, shard] = [recorder(), recorder(), recorder()]
      await client.subscribe(['a', 'b', 'c'], plain)
      await client.pSubscribe('p*', pattern)
      await client.sSubscribe('s', shard)
      for (let round = 1; round <= 3; round++) {
        const told = heard(client, 'resubscribed')
        await admin.clientKill({ filter: 'TYPE', type: 'pubsub' })
        const gap = await told
        assert.ok(gap.lostMs >= 0 && gap.lostMs < 10_000, `${gap.lostMs} ms`)
        assert.deepStrictEqual({ ...gap, lostMs: 0 },
          { channels: 3, patterns: 1, shardChannels: 1, lostMs: 0 })
        assert.deepStrictEqual({ ...await admin.pubSubNumSub(['a', 'b', 'c']) },
          { a: 1, b: 1, c: 1 })
        assert.strictEqual(await admin.pubSubNumPat(), 1)
        await admin.publish('b', `b${round}`)
        await admin.publish('pq', `p${round}`)
        await admin.sPublish('s', `s${round}`)
        await Promise.all([plain, pattern, shard].map(listener => listener.until(round)))
      }
      assert.deepStrictEqual(plain.calls, [['b1', 'b'], ['b2', 'b'], ['b3', 'b']])
      assert.deepStrictEqual(pattern.calls, [['p1', 'pq'], ['p2', 'pq'], ['p3', 'pq']])
      assert.deepStrictEqual(shard.calls, [['s1', 's'], ['s2', 's'], ['s3', 's']])
    })

    it('are restored when the server comes back', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      const listener = recorder()
      await client.subscribe('a', listener)
      await server.kill()
      await heard(client, 'reconnecting')
      // Asked for while there is no server: goes the same way.
      const late = client.withCommandOptions({ timeout: 15_000 }).subscribe('late', listener)
      const told = heard(client, 'resubscribed')
      await server.start()
      const { channels } = await told
      await late
      assert.strictEqual(channels, 1)
      await client.publish('a', '1')
      await client.publish('late', '2')
      assert.deepStrictEqual(await listener.until(2), [['1', 'a'], ['2', 'late']])
    })

    it('are restored when killed in the middle of messages', async t => {
      const server = await serverFor(t)
      const admin = clientFor(t, server)
      const client = clientFor(t, server, { RESP })
      const listener = recorder()
      await client.subscribe('a', listener)
      for (let round = 0; round < 5; round++) {
        const told = heard(client, 'resubscribed')
        const sent = Array.from({ length: 200 }, (_, n) => admin.publish('a', `${round}:${n}`))
        await listener.until(calls => calls.some(([message]) => message.startsWith(`${round}:`)))
        await admin.clientKill({ filter: 'TYPE', type: 'pubsub' })
        await Promise.all(sent)
        await told
      }
      const messages = await flush(admin, 'a', listener)
      assert.strictEqual(new Set(messages).size, messages.length, 'a message came twice')
      const order = messages.map(message => message.split(':').map(Number))
      const sorted = order.toSorted(([a, b], [c, d]) => a - c || b - d)
      assert.deepStrictEqual(order, sorted)
    })
  })
}

describe('ten thousand subscriptions', () => {
  it('are restored in few commands', t => restoresMany(t))

  it('are restored in few commands over TLS', { skip: skipWithoutTls() }, t =>
    restoresMany(t, { tls: true }))

  async function restoresMany (t, options) {
    const server = await serverFor(t, options)
    const socket = options?.tls
      ? { tls: true, ca: readFileSync(server.certificates.ca) }
      : undefined
    const admin = clientFor(t, server, { socket })
    const client = clientFor(t, server, { socket })
    const listener = recorder()
    await client.subscribe(Array.from({ length: 10_000 }, (_, n) => `channel:${n}`), listener)
    const told = heard(client, 'resubscribed')
    const calls = async () => Number(/cmdstat_subscribe:calls=(\d+)/
      .exec(await admin.info('commandstats'))[1])
    const before = await calls()
    await admin.clientKill({ filter: 'TYPE', type: 'pubsub' })
    assert.strictEqual((await told).channels, 10_000)
    assert.ok(await calls() - before <= 20)
    await admin.publish('channel:9999', 'x')
    assert.deepStrictEqual(await listener.until(1), [['x', 'channel:9999']])
  }
})
