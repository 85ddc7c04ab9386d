'use strict'

// From the call of unsubscribe on a listener is not called any more, whatever is under way; the
// server's subscription goes with its last listener.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { startFakeServer } = require('../support/fake-server')
const { PROTOCOLS, clientFor, flush, recorder, serverFor } = require('./scene')

for (const RESP of PROTOCOLS) {
  describe(`unsubscribing with RESP${RESP}`, { concurrency: true }, () => {
    it('takes one listener away, and the subscription with the last', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      const [one, two] = [recorder(), recorder()]
      await client.subscribe('a', one)
      await client.subscribe('a', two)
      await client.unsubscribe('a', one)
      assert.deepStrictEqual(await flush(client, 'a', two), [])
      assert.deepStrictEqual(one.calls, [])
      assert.deepStrictEqual({ ...await client.pubSubNumSub('a') }, { a: 1 })
      await client.unsubscribe('a', two)
      assert.deepStrictEqual({ ...await client.pubSubNumSub('a') }, { a: 0 })
      assert.strictEqual(client.isPubSubActive, false)
    })

    it('holds for messages that have come already', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      const witness = recorder()
      await client.subscribe('a', witness)
      let calls = 0
      await client.subscribe('a', function once () {
        calls++
        client.unsubscribe('a', once)
      })
      await Promise.all(Array.from({ length: 1000 }, (_, n) => client.publish('a', String(n))))
      assert.strictEqual((await flush(client, 'a', witness)).length, 1000)
      assert.strictEqual(calls, 1)
    })

    it('holds for a listener that another one takes away', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      const victim = recorder()
      const witness = recorder()
      await client.subscribe('a', () => { client.unsubscribe('a', victim) })
      await client.subscribe('a', victim)
      await client.subscribe('a', witness)
      await client.publish('a', 'x')
      await witness.until(1)
      assert.deepStrictEqual(victim.calls, [])
    })

    it('from everything of one kind leaves the other kinds', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      const listener = recorder()
      await client.subscribe(['a', 'b'], listener)
      await client.pSubscribe('p*', listener)
      await client.sSubscribe(['s'], listener)
      await client.unsubscribe()
      assert.deepStrictEqual(await client.pubSubChannels(), [])
      assert.strictEqual(await client.pubSubNumPat(), 1)
      await client.pUnsubscribe()
      assert.strictEqual(await client.pubSubNumPat(), 0)
      assert.deepStrictEqual(await client.pubSubShardChannels(), ['s'])
      await client.sUnsubscribe('s')
      assert.deepStrictEqual(await client.pubSubShardChannels(), [])
      await client.unsubscribe()
      await client.unsubscribe('never', listener)
    })

    it('and subscribing in turn, without waiting, ends as asked', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      const listener = recorder()
      const asked = []
      for (let n = 0; n < 101; n++) {
        asked.push(n % 2 === 0
          ? client.subscribe('a', listener)
          : client.unsubscribe('a', listener))
        if (n % 10 === 0) await new Promise(setImmediate)
      }
      await Promise.all(asked)
      assert.deepStrictEqual(await flush(client, 'a', listener), [])
      await client.unsubscribe('a')
      assert.deepStrictEqual(await client.pubSubChannels(), [])
    })

    it('with reset() ends everything', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      await client.subscribe('a', () => {})
      await client.pSubscribe('a', () => {})
      await client.monitor(() => {})
      await client.reset()
      assert.strictEqual(client.stats().pubsub.subscriptions, 0)
      assert.deepStrictEqual(await client.pubSubChannels(), [])
    })
  })
}

describe('a closed client', () => {
  it('calls nobody any more, and refuses subscriptions', async t => {
    const server = await serverFor(t)
    const admin = clientFor(t, server)
    const client = clientFor(t, server)
    const listener = recorder()
    await client.subscribe('a', listener)
    await client.close()
    assert.strictEqual(client.isPubSubActive, false)
    assert.strictEqual(await admin.publish('a', 'x'), 0)
    const closed = { code: 'CLOSED', applied: 'no' }
    for (const method of ['subscribe', 'pSubscribe', 'sSubscribe', 'unsubscribe', 'pUnsubscribe',
      'sUnsubscribe']) {
      await assert.rejects(client[method]('a', listener), closed, method)
    }
    await assert.rejects(client.monitor(listener), closed)
    await assert.rejects(client.reset(), closed)
    await client.connect()
    await client.subscribe('a', listener)
    await admin.publish('a', 'again')
    await listener.until(1)
    assert.deepStrictEqual(listener.calls, [['again', 'a']])
  })

  it('lets an unsubscribe under way end well', async t => {
    const server = await serverFor(t)
    const client = clientFor(t, server)
    await client.subscribe('a', () => {})
    const outcomes = [client.unsubscribe('a'), client.subscribe('b', () => {}), client.close()]
    await Promise.all(outcomes)
  })

  it('that was destroyed rejects what was under way', async t => {
    // One that never confirms: a real server may be faster than destroy().
    const fake = await startFakeServer()
    t.after(() => fake.stop())
    const client = clientFor(t, fake)
    const asked = client.subscribe('b', () => {})
    client.destroy()
    await assert.rejects(asked, { code: 'CLOSED' })
  })
})
