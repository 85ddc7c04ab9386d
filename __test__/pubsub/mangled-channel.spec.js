'use strict'

// Names and messages are bytes: strings and Buffers mean the same channel, and what a listener gets
// is what node-redis's would.

const assert = require('node:assert')
const { describe, it } = require('node:test')
const redis = require('redis')

const { PROTOCOLS, clientFor, recorder, serverFor } = require('./scene')

const BINARY = Buffer.from([0, 255, 13, 10, 42, 0x80])

for (const RESP of PROTOCOLS) {
  describe(`names with RESP${RESP}`, { concurrency: true }, () => {
    it('are the same channel as strings and as Buffers', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      for (const name of ['plain', 'é', '日本語', '😀', 'a\u0000b', '__proto__', '']) {
        const [string, buffer] = [recorder(), recorder()]
        await client.subscribe(name, string)
        await client.subscribe(Buffer.from(name), buffer, true)
        assert.strictEqual(client.stats().pubsub.subscriptions, 1, name)
        assert.strictEqual(await client.publish(name, 'ü'), 1)
        await string.until(1)
        await buffer.until(1)
        assert.deepStrictEqual(string.calls, [['ü', name]])
        assert.deepStrictEqual(buffer.calls, [[Buffer.from('ü'), Buffer.from(name)]])
        await client.unsubscribe(Buffer.from(name), string)
        await client.unsubscribe(name, buffer, true)
        assert.deepStrictEqual(await client.pubSubChannels(), [])
      }
    })

    it('and messages may hold any bytes', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      const listener = recorder()
      const mutable = Buffer.from(BINARY)
      const subscribed = client.subscribe([mutable, 'other'], listener, true)
      mutable.fill(0)
      await subscribed
      const pattern = Buffer.concat([Buffer.from([0, 255]), Buffer.from('*')])
      await client.pSubscribe(pattern, listener, true)
      assert.strictEqual(await client.publish(BINARY, BINARY), 2)
      await listener.until(2)
      for (const call of listener.calls) assert.deepStrictEqual(call, [BINARY, BINARY])
    })

    it('are not touched by the key prefix', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP, keyPrefix: 'app:' })
      const listener = recorder()
      await client.subscribe('a', listener)
      await client.publish('a', 'x')
      assert.deepStrictEqual(await listener.until(1), [['x', 'a']])
    })

    it('bufferMode is a part of what a listener is', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      const listener = recorder()
      await client.subscribe('a', listener)
      await client.subscribe('a', listener, true)
      await client.publish('a', '1')
      await listener.until(2)
      await client.unsubscribe('a', listener)
      await client.publish('a', '2')
      await listener.until(3)
      assert.deepStrictEqual(listener.messages(), [Buffer.from('1'), '1', Buffer.from('2')])
      await client.subscribe('a', listener)
      await client.unsubscribe('a', listener, true)
      await client.publish('a', '3')
      await listener.until(4)
      assert.strictEqual(listener.messages()[3], '3')
    })

    it('large messages come whole', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      const [string, buffer] = [recorder(), recorder()]
      await client.subscribe('s', string)
      await client.subscribe('b', buffer, true)
      const large = 'é'.repeat(3 * 2 ** 20)
      await client.publish('s', large)
      await client.publish('b', large)
      await string.until(1)
      await buffer.until(1)
      assert.ok(string.messages()[0] === large)
      assert.ok(buffer.messages()[0].equals(Buffer.from(large)))
    })

    it('listeners get what node-redis\'s get', async t => {
      const server = await serverFor(t)
      const ours = clientFor(t, server, { RESP })
      const theirs = redis.createClient({ url: server.url, RESP })
      theirs.on('error', () => {})
      await theirs.connect()
      t.after(() => theirs.destroy())
      const publisher = clientFor(t, server)
      const seen = []
      for (const client of [ours, theirs]) {
        const listener = recorder()
        await client.subscribe('a', listener)
        await client.subscribe(['a', 'b'], listener, true)
        await client.pSubscribe('a*', listener)
        await client.PSUBSCRIBE(['a?'], listener, true)
        await client.sSubscribe('s', listener)
        await client.SSUBSCRIBE('s', listener, true)
        seen.push(listener)
      }
      await publisher.publish('a', 'one')
      await publisher.publish('ab', 'two')
      await publisher.publish('b', 'three')
      await publisher.sPublish('s', 'four')
      for (const listener of seen) await listener.until(8)
      assert.deepStrictEqual(seen[0].calls, seen[1].calls)
    })
  })
}
