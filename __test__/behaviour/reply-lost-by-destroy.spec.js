'use strict'

// What the sockets have brought before a client is destroyed is settled, and so is everything else.
// Replies of several sessions are delivered together once all ready sockets are read. A client that
// is destroyed between reading and delivering must not take the delivery away.

const assert = require('node:assert')
const { once } = require('node:events')
const net = require('node:net')
const { it, test } = require('node:test')

const { createClient } = require('../..')
const { startServer } = require('../support/redis-server')
const { blocked, failure, overEveryWire } = require('./session-scene')

test('a reply that was read in the turn in which the client is destroyed', async t => {
  const server = await startServer()
  t.after(() => server.stop())
  const witness = createClient(server.url)
  t.after(() => witness.destroy())
  const [pusher, trigger] = await Promise.all([raw(t, server), raw(t, server)])
  for (const ms of [0, 1, 20]) {
    for (let round = 0; round < 20; round++) {
      const client = createClient(server.url)
      t.after(() => client.destroy())
      const popping = ['a', 'b'].map(key => client.blPop(key, 0)
        .then(({ element }) => element, ({ code, applied }) => `${code} ${applied}`))
      await blocked(witness, 2)
      trigger.once('data', () => client.destroy())
      // The event loop finds its sockets in the order in which they became ready: the sessions are
      // read, the client is destroyed, and only then what was read would be delivered.
      pusher.write('RPUSH a 1\r\nRPUSH b 1\r\n')
      stay(ms)
      trigger.write('PING\r\n')
      stay(ms)
      for (const outcome of await within(Promise.all(popping), 10_000)) {
        assert.ok(['1', 'CLOSED unknown'].includes(outcome), outcome)
      }
      await witness.del(['a', 'b'])
    }
  }
})

overEveryWire('the end of everything that is under way', scene => {
  it('comes at once when the client is destroyed', async () => {
    const client = createClient(scene.options)
    await client.ping()
    const session = await client.acquire()
    const pending = [
      client.blPop('q', 0), client.sendCommand(['BLPOP', 'q', '0']), client.get('k'),
      session.get('k'), session.blPop('q', 0), client.acquire(), client.session(() => {}),
      client.subscribe('channel', () => {}), client.multi().get('k').exec()
    ].map(promise => promise.then(() => 'done', ({ code }) => code))
    client.destroy()
    const outcomes = await within(Promise.all(pending), 10_000)
    for (const outcome of outcomes) assert.match(outcome, /^(done|CLOSED|SESSION_OVER)$/)
    assert.strictEqual((await failure(client.get('k'))).code, 'CLOSED')
  })
})

/** A plain connection to the server. */
async function raw (t, { port }) {
  const socket = net.connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  socket.on('data', () => {})
  return socket
}

/** Keeps the event loop busy. */
function stay (ms) {
  const end = performance.now() + ms
  while (performance.now() < end) { /* busy */ }
}

/** Rejects if `promise` takes longer than `ms`. */
function within (promise, ms) {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not settled within ${ms} ms`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
