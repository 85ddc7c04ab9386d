'use strict'

// Commands of one client run in the order they were issued, awaited or not.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { startServer } = require('../support/redis-server')
const { heard } = require('./eventually')

const numbers = Array.from({ length: 5000 }, (_, n) => String(n))

describe('the order of commands', () => {
  let server, client
  before(async () => {
    server = await startServer()
    client = createClient(server.url)
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  it('is kept by 5,000 commands of one turn', async () => {
    const lengths = await Promise.all(numbers.map(n => client.rPush('one-turn', n)))
    assert.deepStrictEqual(lengths, numbers.map(n => Number(n) + 1))
    assert.deepStrictEqual(await client.lRange('one-turn', 0, -1), numbers)
  })

  it('is kept across turns, microtasks and timers', async () => {
    const pending = []
    for (const n of numbers) {
      pending.push(client.rPush('turns', n))
      if (n % 100 === 0) await new Promise(resolve => { setImmediate(resolve) })
      if (n % 7 === 0) await Promise.resolve()
    }
    await Promise.all(pending)
    assert.deepStrictEqual(await client.lRange('turns', 0, -1), numbers)
  })

  it('is kept between small and large values, strings and Buffers', async () => {
    const values = Array.from({ length: 400 }, (_, n) => {
      const value = `${n}:${'é'.repeat(n % 5 === 0 ? 20_000 : 5)}${'x'.repeat(n % 3 ? 1 : 17_000)}`
      return n % 2 ? Buffer.from(value) : value
    })
    await Promise.all(values.map(value => client.rPush('sizes', value)))
    const stored = await client.lRange('sizes', 0, -1)
    assert.deepStrictEqual(stored, values.map(String))
  })

  it('is kept between methods, views, sendCommand and callbacks', async () => {
    const view = client.withTypeMapping({})
    const calls = [
      () => client.set('mixed', '0'),
      () => client.incr('mixed'),
      () => view.incr('mixed'),
      () => client.sendCommand(['INCR', 'mixed']),
      () => new Promise(resolve => { client.incr('mixed', (_, n) => resolve(n)) }),
      () => client.withCommandOptions({ timeout: 10_000 }).incr('mixed'),
      () => client.get('mixed')
    ]
    const replies = await Promise.all(calls.map(call => call()))
    assert.deepStrictEqual(replies, ['OK', 1, 2, 3, 4, 5, '5'])
  })

  it('answers 200,000 commands of one Promise.all', async () => {
    const replies = await Promise.all(
      Array.from({ length: 200_000 }, (_, n) => client.echo(String(n))))
    assert.ok(replies.every((reply, n) => reply === String(n)))
  })
})

describe('the order of commands that were never written', () => {
  it('is kept while there is no connection', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const client = createClient({
      socket: { port: server.port, host: server.host, reconnectStrategy: 20 }
    })
    t.after(() => client.destroy())
    await client.connect()
    const lost = heard(client, 'reconnecting')
    await server.kill()
    await lost
    const pending = numbers.map(n => client.rPush('offline', n))
    await server.start()
    await Promise.all(pending)
    assert.deepStrictEqual(await client.lRange('offline', 0, -1), numbers)
  })

  it('is kept behind those that were lost', async t => {
    const server = await startFakeServer()
    t.after(() => server.stop())
    const client = createClient({ url: server.url, socket: { reconnectStrategy: 1 } })
    t.after(() => client.destroy())
    await client.connect()
    const received = []
    server.on('command', (args, reply, connection) => {
      received.push(args[1])
      if (args[1] === 'first') connection.reset()
      else reply.ok()
    })
    const lost = assert.rejects(client.set('first', ''), { applied: 'unknown' })
    await heard(client, 'reconnecting')
    const kept = Promise.all(numbers.map(n => client.set(n, '')))
    await lost
    await kept
    assert.deepStrictEqual(received, ['first', ...numbers])
  })
})
