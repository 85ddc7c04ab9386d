'use strict'

// WAIT counts the replicas that have the writes of its own connection. Sent over another connection
// than the client's writes, it would call a write safe that no replica has.

const assert = require('node:assert')
const { describe, it, before, after } = require('node:test')

const { createClient } = require('../..')
const { startServer } = require('../support/redis-server')
const { eventually } = require('./eventually')

describe('WAIT behind a write of the client', () => {
  let primary, replica, client
  before(async () => {
    primary = await startServer({ args: ['--repl-diskless-sync-delay', '0'] })
    replica = await startServer({ args: ['--replicaof', '127.0.0.1', String(primary.port)] })
    client = createClient(primary.url)
    await eventually(async () => await client.wait(1, 50) === 1, 'the replica is in step')
  })
  after(async () => {
    client?.destroy()
    if (replica?.pid) process.kill(replica.pid, 'SIGCONT')
    await replica?.stop()
    await primary?.stop()
  })

  const ways = {
    'as a method': () => client.wait(1, 100),
    'by sendCommand': () => client.sendCommand(['WAIT', '1', '100']),
    'in the session that has written': () => client.session(async session => {
      await session.set('k', 'v')
      return session.wait(1, 100)
    })
  }
  for (const [name, wait] of Object.entries(ways)) {
    it(`counts no replica that does not have it, ${name}`, async () => {
      process.kill(replica.pid, 'SIGSTOP')
      try {
        client.set('k', name)
        assert.strictEqual(await wait(), 0)
      } finally {
        process.kill(replica.pid, 'SIGCONT')
      }
      await eventually(async () => await wait() === 1, 'the replica has caught up')
    })
  }

  it('tells nobody anything', async () => {
    const listener = client.duplicate()
    const heard = []
    await listener.pSubscribe('*', (message, channel) => heard.push(channel))
    await client.wait(1, 10)
    await client.publish('last', 'x')
    await eventually(() => heard.length > 0, 'the message')
    listener.destroy()
    assert.deepStrictEqual(heard, ['last'])
  })
})
