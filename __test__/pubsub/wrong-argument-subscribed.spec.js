'use strict'

// Wrong arguments reject with a TypeError that names them, and nothing is sent; the callback style
// works as with commands.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient } = require('../..')
const { startServer } = require('../support/redis-server')

const f = () => {}

describe('arguments of subscribe and its like', () => {
  const client = createClient('redis://127.0.0.1:1')
  after(() => client.destroy())

  const cases = [
    ['subscribe', [undefined, f], 'channels',
      'a string, a Buffer or an array of them, not undefined'],
    ['subscribe', [7, f], 'channels', 'a string, a Buffer or an array of them, not a number'],
    ['sSubscribe', [[], f], 'channels', 'a non-empty array, not an empty array'],
    ['pSubscribe', [['a', {}], f], 'patterns[1]', 'a string or a Buffer, not an object'],
    ['subscribe', ['a'], 'listener', 'a function, not undefined'],
    ['subscribe', ['a', 'b'], 'listener', 'a function, not string'],
    ['subscribe', ['a', f, 'yes'], 'bufferMode', 'a boolean, not string'],
    ['unsubscribe', [null, 1], 'listener', 'a function, not a number'],
    ['unsubscribe', [[1]], 'channels[0]', 'a string or a Buffer, not a number'],
    ['pUnsubscribe', [1], 'patterns', 'a string, a Buffer or an array of them, not a number']
  ]
  for (const [method, args, argument, rest] of cases) {
    it(`${method}: ${argument} must be ${rest}`, async () => {
      const message = `${method}: argument "${argument}" must be ${rest}`
      await assert.rejects(client[method](...args), error => {
        assert.ok(error instanceof TypeError)
        assert.strictEqual(error.message.replace('not a string', 'not string'), message)
        return true
      })
      assert.strictEqual(client.isPubSubActive, false)
    })
  }

  it('sendCommand says what to use', () =>
    assert.rejects(client.sendCommand(['SUBSCRIBE', 'a']), /use client\.subscribe\(\)/))
})

describe('callbacks', () => {
  let server, client
  before(async () => {
    server = await startServer()
    client = createClient(server.url)
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  const call = (method, ...args) => new Promise((resolve, reject) => {
    const result = client[method](...args, (error, reply) => error ? reject(error) : resolve(reply))
    assert.strictEqual(result, undefined)
  })

  it('stand behind the listener', async () => {
    await call('subscribe', ['a', 'b'], f)
    await call('subscribe', 'a', f, true)
    await call('PSUBSCRIBE', 'a*', f)
    assert.strictEqual(client.stats().pubsub.subscriptions, 3)
    await call('unsubscribe', 'a', f, true)
    await call('unsubscribe', 'a', f)
    await call('unsubscribe')
    await call('pUnsubscribe', 'a*', undefined)
    assert.strictEqual(client.isPubSubActive, false)
    const stop = await call('monitor', f)
    await stop()
    await call('reset')
  })

  it('get the error', () =>
    assert.rejects(call('subscribe', 5, f), { name: 'TypeError' }))

  it('have both spellings of every method', () => {
    for (const name of ['subscribe', 'pSubscribe', 'sSubscribe', 'unsubscribe', 'pUnsubscribe',
      'sUnsubscribe', 'monitor', 'reset']) {
      assert.strictEqual(client[name], client[name.toUpperCase()], name)
    }
  })
})
