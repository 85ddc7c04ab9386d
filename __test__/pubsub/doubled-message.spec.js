'use strict'

// However many listeners a channel has, the server has one subscription, and each listener gets
// each message once, in order.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { PROTOCOLS, clientFor, flush, recorder, serverFor } = require('./scene')

for (const RESP of PROTOCOLS) {
  describe(`listeners with RESP${RESP}`, { concurrency: true }, () => {
    it('of one channel share one subscription', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      const listeners = [recorder(), recorder(), recorder()]
      await Promise.all(listeners.map(listener => client.subscribe('a', listener)))
      await client.withTypeMapping({}).subscribe('a', listeners[0])
      assert.deepStrictEqual({ ...await client.pubSubNumSub('a') }, { a: 1 })
      assert.strictEqual(client.stats().pubsub.subscriptions, 1)
      await client.publish('a', 'x')
      await client.publish('a', 'y')
      for (const listener of listeners) {
        assert.deepStrictEqual(await listener.until(2), [['x', 'a'], ['y', 'a']])
      }
    })

    it('get 20,000 messages once and in order', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      const listener = recorder()
      await client.subscribe('a', listener)
      for (let n = 0; n < 20_000; n += 500) {
        await Promise.all(Array.from({ length: 500 }, (_, i) => client.publish('a', `${n + i}`)))
      }
      const expected = Array.from({ length: 20_000 }, (_, n) => `${n}`)
      assert.deepStrictEqual(await flush(client, 'a', listener), expected)
      const { received, dropped } = client.stats().pubsub
      assert.deepStrictEqual({ received, dropped }, { received: 20_001, dropped: 0 })
    })

    it('of a channel and of a pattern that matches it are two subscriptions', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      const listener = recorder()
      await client.subscribe('abc', listener)
      await client.pSubscribe(['a*', '*c'], listener)
      assert.strictEqual(await client.publish('abc', 'x'), 3)
      assert.deepStrictEqual(await listener.until(3), [['x', 'abc'], ['x', 'abc'], ['x', 'abc']])
    })
  })
}

describe('a listener that is added by another one', () => {
  it('gets the next message first', async t => {
    const server = await serverFor(t)
    const client = clientFor(t, server)
    const late = recorder()
    const first = recorder()
    let added
    await client.subscribe('a', () => { added ??= client.subscribe('a', late) })
    await client.subscribe('a', first)
    await client.publish('a', '1')
    await first.until(1)
    await added
    await client.publish('a', '2')
    await late.until(1)
    assert.deepStrictEqual(late.messages(), ['2'])
  })
})
