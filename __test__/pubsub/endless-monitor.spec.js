'use strict'

// MONITOR runs over a connection of its own, goes on after a loss, and ends when told so.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { RESP_TYPES } = require('../..')
const { PROTOCOLS, clientFor, heard, recorder, serverFor } = require('./scene')

const has = text => calls => calls.some(([line]) => String(line).includes(text))

for (const RESP of PROTOCOLS) {
  describe(`monitor() with RESP${RESP}`, { concurrency: true }, () => {
    it('tells every command, and the client goes on as before', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      const listener = recorder()
      const stop = await client.monitor(listener)
      await client.set('key', 'value')
      await listener.until(has('"SET" "key" "value"'))
      const [line] = listener.calls.find(([line]) => line.includes('"SET"'))
      assert.match(line, /^\d+\.\d+ \[0 127\.0\.0\.1:\d+\] "SET" "key" "value"$/)
      assert.strictEqual(listener.calls[0].length, 2)
      assert.strictEqual(listener.calls[0][1], undefined)
      assert.strictEqual(client.stats().pool.inUse, 1)
      await stop()
      await monitorsBecome(client, 0)
      const seen = listener.calls.length
      await client.get('later')
      await new Promise(setImmediate)
      assert.strictEqual(listener.calls.length, seen)
      assert.strictEqual(client.isPubSubActive, false)
    })

    it('begins again after its connection was lost', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      const listener = recorder()
      const stop = await client.monitor(listener)
      const lost = heard(client, 'error')
      const { id } = (await client.clientList()).find(({ flags }) => flags.includes('O'))
      await client.clientKill({ filter: 'ID', id })
      await lost
      await monitorsBecome(client, 1)
      await client.get('after')
      await listener.until(has('"GET" "after"'))
      await stop()
    })

    it('several callbacks share one connection', async t => {
      const server = await serverFor(t)
      const client = clientFor(t, server, { RESP })
      const [one, two] = [recorder(), recorder()]
      const stop = await client.monitor(one)
      const buffers = client.withTypeMapping({ [RESP_TYPES.SIMPLE_STRING]: Buffer })
      await buffers.monitor(two)
      assert.strictEqual(await monitors(client), 1)
      await client.get('x')
      await one.until(has('"GET" "x"'))
      await two.until(has('"GET" "x"'))
      assert.ok(Buffer.isBuffer(two.calls[0][0]))
      await stop()
      await client.get('y')
      await two.until(has('"GET" "y"'))
      assert.ok(!has('"GET" "y"')(one.calls))
      await client.reset()
      await monitorsBecome(client, 0)
    })
  })
}

describe('monitor()', () => {
  it('takes a function only', async t => {
    const client = clientFor(t, { host: '127.0.0.1', port: 1 })
    await assert.rejects(client.monitor(), { name: 'TypeError',
      message: 'monitor: argument "callback" must be a function, not undefined' })
  })
})

/** Waits until this many connections do; the server hears of an end a moment after us. */
async function monitorsBecome (client, count) {
  while (await monitors(client) !== count) await new Promise(setImmediate)
}

/** How many connections monitor the server. */
async function monitors (client) {
  return (await client.clientList()).filter(({ flags }) => flags.includes('O')).length
}
