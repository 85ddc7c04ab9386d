'use strict'

// While the event loop is busy, the oldest messages are dropped and counted. Memory stays bounded,
// and the connection is kept.

const assert = require('node:assert')
const { describe, it } = require('node:test')
const { Worker } = require('node:worker_threads')

const { eventually } = require('../behaviour/eventually')
const { PROTOCOLS, clientFor, flush, recorder, serverFor } = require('./scene')

/** Publishes from another thread, while this one does nothing else than waiting. */
function publishWhileBlocked (client, server, { count, size }) {
  const before = client.stats().pubsub.received
  const worker = new Worker(PUBLISHER, {
    eval: true, workerData: { port: server.port, count, size }
  })
  const pause = new Int32Array(new SharedArrayBuffer(4))
  const end = performance.now() + 30_000
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    // The worker needs this thread to start.
    worker.once('online', () => {
      while (client.stats().pubsub.received < before + count) {
        if (performance.now() > end) return reject(new Error('the messages did not come'))
        Atomics.wait(pause, 0, 0, 5)
      }
      resolve(client.stats().pubsub)
    })
  })
}

const PUBLISHER = `
  const { port, count, size } = require('node:worker_threads').workerData
  const socket = require('node:net').connect(port, '127.0.0.1')
  socket.on('data', () => {}).on('error', () => {})
  let n = 0
  const write = () => {
    let text = ''
    while (n < count && text.length < 1 << 16) {
      const payload = String(n++).padEnd(size, '.')
      text += '*3\\r\\n$7\\r\\nPUBLISH\\r\\n$1\\r\\na\\r\\n$' + payload.length + '\\r\\n'
      text += payload + '\\r\\n'
    }
    if (text !== '') socket.write(text, write)
  }
  socket.once('connect', write)`

for (const RESP of PROTOCOLS) {
  describe(`a subscriber whose event loop stands still, RESP${RESP}`, () => {
    it('keeps the newest 10,000 messages in order', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      const listener = recorder()
      await client.subscribe('a', listener)
      const { dropped } = await publishWhileBlocked(client, server, { count: 25_000, size: 5 })
      assert.strictEqual(dropped, 15_000)
      // As long as all of them wait, one more would cost another one.
      await eventually(() => client.stats().pubsub.queuedBytes === 0, 'delivery')
      const messages = await flush(clientFor(t, server), 'a', listener)
      assert.strictEqual(client.stats().pubsub.dropped, 15_000)
      assert.deepStrictEqual(messages.map(Number),
        Array.from({ length: 10_000 }, (_, n) => n + 15_000))
      assert.strictEqual(client.stats().pubsub.queuedBytes, 0)
      assert.strictEqual(client.stats().reconnects, 0)
    })

    it('keeps 16 MiB at most', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      const listener = recorder()
      await client.subscribe('a', listener)
      const count = 600
      const size = 128 * 1024
      const { queuedBytes, dropped } = await publishWhileBlocked(client, server, { count, size })
      assert.ok(queuedBytes <= 16 * 2 ** 20 && queuedBytes > 12 * 2 ** 20, `${queuedBytes} bytes`)
      const messages = await flush(clientFor(t, server), 'a', listener)
      assert.strictEqual(messages.length, count - dropped)
      assert.deepStrictEqual(messages.map(message => parseInt(message)),
        Array.from({ length: count - dropped }, (_, n) => n + dropped))
      assert.strictEqual(client.stats().reconnects, 0)
    })
  })
}
