'use strict'

// A transaction whose connection ends is run once or not at all, never twice and never in part. If
// the connection ends before EXEC was written, the whole transaction is written again. If it ends
// afterwards, the transaction is rejected, and the error says that it may have been applied.

const assert = require('node:assert')
const { once } = require('node:events')
const { describe, it } = require('node:test')

const { MultiErrorReply } = require('../..')
const { scene, until } = require('./scene')

for (const RESP of [2, 3]) {
  describe(`a transaction whose connection ends, RESP${RESP}`, { concurrency: true }, () => {
    it('before its EXEC was written is written again whole', async t => {
      const { fake, client } = await play(t, RESP)
      const [connection] = fake.connections
      connection.pause()
      const value = Buffer.alloc(LARGE, 'x')
      const replies = client.multi().incr('a').set('large', value).incr('b').exec()
      const behind = client.incr('behind')
      await until(() => client.stats().lanes[0].inFlight > 0, 'the first bytes on the wire')
      connection.reset()
      assert.deepStrictEqual(await replies, [1, 2, 3])
      assert.strictEqual(await behind, 7)
      const names = fake.commands.map(([name]) => name).filter(name => !HANDSHAKE.has(name))
      const whole = ['MULTI', 'INCR', 'SET', 'INCR', 'EXEC', 'INCR']
      assert.deepStrictEqual(names.slice(-6), whole)
      assert.strictEqual(count(fake, 'EXEC'), 1)
      assert.strictEqual(client.stats().retries, 1)
    })

    it('after its EXEC was written may have run, and is not written again', async t => {
      const { set, fake, client } = await play(t, RESP)
      for (const answered of [0, 1, 3]) {
        fake.answers = answered
        const failed = set.failure(client.multi().incr('a').incr('b').exec())
        await fake.next('EXEC')
        const [connection] = fake.connections
        connection.close()
        const error = await failed
        assert.deepStrictEqual([error.code, error.applied, error.retryable],
          ['CONNECTION_LOST', 'unknown', true])
        fake.answers = Infinity
        assert.strictEqual(await client.incr('next'), 7)
      }
      assert.strictEqual(count(fake, 'EXEC'), 3)
    })

    it('when the client is destroyed says whether it may have run', async t => {
      const { set, fake, client } = await play(t, RESP)
      const [connection] = fake.connections
      fake.answers = 0
      const sent = set.failure(client.multi().incr('a').exec())
      await fake.next('EXEC')
      connection.pause()
      const value = Buffer.alloc(LARGE, 'x')
      const cut = set.failure(client.multi().incr('a').set('large', value).exec())
      const queued = set.failure(client.multi().incr('a').exec())
      await until(() => client.stats().lanes[0].inFlight > 1, 'the first bytes on the wire')
      client.destroy()
      // It would not hear of the client's end.
      connection.resume()
      assert.deepStrictEqual((await Promise.all([sent, cut, queued])).map(error => error.applied),
        ['unknown', 'no', 'no'])
    })

    it('behind refused commands has told of them', async t => {
      const { fake, client } = await play(t, RESP)
      fake.refuse = 'SET'
      const error = await client.multi().get('a').set('a', 'b').exec().catch(error => error)
      assert.ok(error instanceof MultiErrorReply)
      assert.deepStrictEqual([error.code, error.applied, error.errorIndexes, error.cause.code],
        ['EXECABORT', 'no', [1], 'ERR'])
    })

    it('again and again, under load, is never doubled and never halved', async t => {
      const set = scene(t)
      const server = await set.server()
      const proxy = await set.proxy(server)
      const client = set.client(proxy, { RESP })
      const oracle = set.oracle(client, { workers: 16, pairs: 16 })
      for (let fault = 0; fault < FAULTS; fault++) {
        await oracle.healed()
        if (fault % 3 === 0) {
          proxy.blackHole({ direction: fault % 2 === 0 ? 'up' : 'down' })
          await once(proxy, 'held')
          proxy.reset()
        } else {
          // Somewhere within a transaction, each time elsewhere.
          const cut = once(proxy, 'disconnection')
          proxy.cutAfter(500 + 37 * fault, { direction: fault % 2 === 0 ? 'up' : 'down' })
          await cut
        }
        proxy.heal()
      }
      await oracle.healed()
      await oracle.stop()
      await oracle.verify(set.client(server))
      assert.ok(oracle.doubtful > 0, 'no fault met a transaction in flight')
    })
  })
}

/** A connected client of a server that counts what it runs: EXEC answers 1, 2 ..., others 7. */
async function play (t, RESP) {
  const set = scene(t)
  const fake = await set.fake()
  fake.answers = Infinity
  fake.refuse = undefined
  fake.on('command', ([name], reply, connection) => {
    if (name === 'MULTI') {
      Object.assign(connection, { queued: 0, refused: false, said: 0 })
    }
    if (connection.said++ >= fake.answers) return
    if (name === 'MULTI') return reply.ok()
    if (connection.queued === undefined) return reply.integer(7)
    if (name === fake.refuse) {
      connection.refused = true
      return reply.error('ERR refused')
    }
    if (name !== 'EXEC') {
      connection.queued++
      return reply.send('+QUEUED\r\n')
    }
    const { queued } = connection
    connection.queued = undefined
    if (connection.refused) return reply.error('EXECABORT Transaction discarded')
    reply.array(Array.from({ length: queued }, (_, index) => index + 1))
  })
  const client = set.client(fake, { RESP })
  await client.connect()
  return { set, fake, client }
}

function count (fake, name) {
  return fake.commands.filter(args => args[0] === name).length
}

const HANDSHAKE = new Set(['HELLO', 'AUTH', 'CLIENT', 'SELECT', 'PING'])
// More than any socket's buffers hold, so that its end is not written for certain.
const LARGE = 16 << 20
const FAULTS = 6
