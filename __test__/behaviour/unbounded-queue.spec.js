'use strict'

// What waits for a reply is bounded; beyond the bound a command fails at once, and the client
// recovers.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, QueueFullError } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')

const full = { name: 'QueueFullError', code: 'QUEUE_FULL', applied: 'no', retryable: true }

describe('a full queue', () => {
  let server
  before(async () => { server = await startServer() })
  after(() => server.stop())

  it('refuses commands beyond commandsQueueMaxLength at once, and takes them again later',
    async t => {
      const client = createClient({ url: server.url, commandsQueueMaxLength: 100 })
      t.after(() => client.destroy())
      for (let round = 0; round < 3; round++) {
        const settled = await Promise.allSettled(
          Array.from({ length: 150 }, (_, n) => client.echo(String(n))))
        settled.forEach(({ status, value, reason }, n) => {
          if (n < 100) return assert.deepStrictEqual([status, value], ['fulfilled', String(n)])
          assert.ok(reason instanceof QueueFullError)
          assert.match(reason.message, /commandsQueueMaxLength/)
        })
      }
    })

  it('refuses bytes beyond maxQueuedBytes at once, and takes them again later', async t => {
    const client = createClient({ url: server.url, maxQueuedBytes: 100_000 })
    t.after(() => client.destroy())
    const value = 'x'.repeat(1000)
    for (let round = 0; round < 3; round++) {
      const settled = await Promise.allSettled(
        Array.from({ length: 150 }, () => client.echo(value)))
      const taken = settled.filter(({ status }) => status === 'fulfilled').length
      assert.ok(taken >= 90 && taken < 100, `${taken} of about 97 commands were taken`)
      for (const { status, reason } of settled.slice(taken)) {
        assert.strictEqual(status, 'rejected')
        assert.match(reason.message, /maxQueuedBytes/)
      }
    }
  })

  it('counts large values, and refuses one that alone is too large', async t => {
    const fake = await startFakeServer()
    t.after(() => fake.stop())
    const client = createClient({ url: fake.url, maxQueuedBytes: 100_000 })
    t.after(() => client.destroy())
    for (const value of ['x'.repeat(100_000), 'é'.repeat(50_000), Buffer.alloc(100_000)]) {
      await assert.rejects(client.set('k', value), full)
    }
    const replies = []
    fake.on('command', (args, reply) => replies.push(reply))
    const pending = Array.from({ length: 5 }, () => client.set('k', Buffer.alloc(40_000)))
    for (const refused of pending.slice(2)) await assert.rejects(refused, full)
    while (replies.length < 2) await fake.next('SET')
    replies.forEach(reply => reply.ok())
    assert.deepStrictEqual(await Promise.all(pending.slice(0, 2)), ['OK', 'OK'])
    fake.on('command', (args, reply) => reply.ok())
    assert.strictEqual(await client.set('k', Buffer.alloc(40_000)), 'OK')
  })

  it('counts what was written and is not answered', async t => {
    const fake = await startFakeServer()
    t.after(() => fake.stop())
    const client = createClient({ url: fake.url, maxQueuedBytes: 10_000 })
    t.after(() => client.destroy())
    await client.connect()
    const replies = []
    fake.on('command', (args, reply) => replies.push(reply))
    const value = 'x'.repeat(3000)
    const pending = []
    for (let n = 0; n < 3; n++) {
      const arrives = fake.next('SET')
      pending.push(client.set('k', value))
      await arrives
    }
    await assert.rejects(client.set('k', value), full)
    replies[0].ok()
    await pending[0]
    pending.push(client.set('k', value))
    while (replies.length < 4) await fake.next('SET')
    replies.slice(1).forEach(reply => reply.ok())
    assert.deepStrictEqual(await Promise.all(pending), ['OK', 'OK', 'OK', 'OK'])
  })

  it('bounds what waits for a connection as well', async t => {
    const client = createClient({
      socket: { host: '127.0.0.1', port: 1, reconnectStrategy: 10_000 }, commandsQueueMaxLength: 10
    })
    t.after(() => client.destroy())
    const waiting = Promise.allSettled(Array.from({ length: 10 }, () => client.get('k')))
    await assert.rejects(client.get('k'), full)
    client.destroy()
    assert.ok((await waiting).every(({ reason }) => reason.code === 'CLOSED'))
  })

  it('bounds memory against a server that does not answer', async () => {
    const { stdout, stderr } = await runScript(`
      const { startFakeServer } = require('./__test__/support/fake-server')
      startFakeServer().then(async server => {
        const client = oxidis.createClient({ url: server.url, maxQueuedBytes: 2 ** 24 })
        await client.connect()
        for (const connection of server.connections) connection.pause()
        const value = 'x'.repeat(10_000)
        const rss = () => process.memoryUsage().rss
        let before, refused = 0
        const count = error => { refused += error.code === 'QUEUE_FULL' }
        for (let round = 0; round < 400; round++) {
          if (round === 100) before = rss()
          for (let n = 0; n < 100; n++) client.set('k', value).catch(count)
          await new Promise(setImmediate)
        }
        console.log(JSON.stringify({ refused, grown: rss() - before }))
        client.destroy()
        await server.stop()
      })`)
    const { refused, grown } = JSON.parse(stdout || stderr)
    assert.ok(refused > 35_000, `${refused} of 40,000 commands were refused`)
    // The 300 rounds hand in 300 MB. What grows is garbage that was not collected yet.
    assert.ok(grown < 100e6, `grown by ${grown} bytes`)
  })
})
