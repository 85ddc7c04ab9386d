'use strict'

// A request to subscribe settles, whatever the server says or does not say; and one that fails
// leaves no listener behind, and nothing of others.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { startFakeServer } = require('../support/fake-server')
const { PROTOCOLS, clientFor, heard, recorder, serverFor } = require('./scene')

for (const RESP of PROTOCOLS) {
  describe(`a request with RESP${RESP}`, { concurrency: true }, () => {
    it('that the server refuses fails alone', async t => {
      const server = await serverFor(t)
      const admin = clientFor(t, server)
      await admin.sendCommand(['ACL', 'SETUSER', 'u', 'on', '>p', '+@all', '~*', '&ok*'])
      const client = clientFor(t, server, { RESP, username: 'u', password: 'p' })
      const listener = recorder()
      const outcomes = await Promise.allSettled([
        client.subscribe('ok:1', listener),
        client.subscribe(['ok:2', 'no'], listener),
        client.subscribe(['no', 'ok:3'], listener),
        client.pSubscribe('no*', listener),
        client.subscribe('ok:3', listener)
      ])
      assert.deepStrictEqual(outcomes.map(({ status, reason }) => reason?.code ?? status),
        ['fulfilled', 'NOPERM', 'NOPERM', 'NOPERM', 'fulfilled'])
      assert.strictEqual(outcomes[1].reason.name, 'ErrorReply')
      assert.strictEqual(outcomes[1].reason.command, 'SUBSCRIBE')
      assert.strictEqual(outcomes[3].reason.command, 'PSUBSCRIBE')
      await client.subscribe('ok:4', listener)
      assert.deepStrictEqual((await admin.pubSubChannels()).sort(), ['ok:1', 'ok:3', 'ok:4'])
      assert.strictEqual(client.stats().pubsub.subscriptions, 3)
      // Allowed later, it works.
      await admin.sendCommand(['ACL', 'SETUSER', 'u', '&no'])
      await client.subscribe('no', listener)
      await admin.publish('no', 'x')
      assert.deepStrictEqual(await listener.until(1), [['x', 'no']])
    })

    it('that is never answered fails at its deadline, and is taken back', async t => {
      const fake = await startFakeServer()
      t.after(() => fake.stop())
      // Time enough to connect first, also on a busy machine.
      const client = clientFor(t, fake, { RESP, commandOptions: { timeout: 1500 } })
      const taken = fake.next('UNSUBSCRIBE')
      const asked = fake.next('SUBSCRIBE')
      const outcome = assert.rejects(client.subscribe('a', () => {}),
        { name: 'TimeoutError', applied: 'unknown' })
      const { connection, args } = await asked
      await outcome
      assert.strictEqual(client.isPubSubActive, false)
      const mark = RESP === 3 ? '>' : '*'
      connection.send(`${mark}3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n`)
      assert.deepStrictEqual([...(await taken).args], ['UNSUBSCRIBE', 'a'])
      assert.deepStrictEqual([...args], ['SUBSCRIBE', 'a'])
    })
  })
}

describe('a request without a server', () => {
  it('fails at its deadline with the cause', async t => {
    const client = clientFor(t, { host: '127.0.0.1', port: 1 },
      { commandOptions: { timeout: 150 } })
    const error = await client.subscribe('a', () => {}).catch(error => error)
    assert.strictEqual(error.name, 'TimeoutError')
    assert.strictEqual(error.applied, 'no')
    assert.strictEqual(error.cause.name, 'ConnectionError')
    assert.strictEqual(client.isPubSubActive, false)
  })

  it('fails at once when trying cannot help', async t => {
    const server = await serverFor(t, { requirepass: 'right' })
    const client = clientFor(t, server, { password: 'wrong' })
    await assert.rejects(client.subscribe('a', () => {}), { name: 'ConnectionError', code: 'AUTH' })
  })
})

describe('a subscription that the server refuses after a reconnect', () => {
  it('is told as an error, and wanted all the same', async t => {
    const server = await serverFor(t)
    const admin = clientFor(t, server)
    await admin.sendCommand(['ACL', 'SETUSER', 'u', 'on', '>p', '+@all', '~*', '&*'])
    const client = clientFor(t, server, { username: 'u', password: 'p' })
    const listener = recorder()
    await client.subscribe(['a', 'b'], listener)
    const refused = new Promise(resolve => {
      client.on('error', error => { if (error.code === 'NOPERM') resolve() })
    })
    const told = heard(client, 'resubscribed')
    // Redis itself closes connections that are subscribed to what is not allowed any more.
    await admin.sendCommand(['ACL', 'SETUSER', 'u', 'resetchannels', '&b'])
    await refused
    assert.strictEqual((await told).channels, 1)
    await admin.sendCommand(['ACL', 'SETUSER', 'u', '&a'])
    const again = heard(client, 'resubscribed')
    await admin.clientKill({ filter: 'TYPE', type: 'pubsub' })
    await again
    await client.subscribe('a', listener)
    await admin.publish('a', 'x')
    assert.deepStrictEqual(await listener.until(1), [['x', 'a']])
  })
})
