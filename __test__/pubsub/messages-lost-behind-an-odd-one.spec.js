'use strict'

// A message without a text loses none of those that came with it. Servers send a list, or null, to
// `__redis__:invalidate`; a payload may also be longer than any string.

const assert = require('node:assert')
const { constants } = require('node:buffer')
const { describe, it } = require('node:test')

const { Subscriptions } = require('../../lib/boundary/subscriptions')
const { startFakeServer } = require('../support/fake-server')
const { clientFor, recorder } = require('./scene')

const CHANNEL = '__redis__:invalidate'
const message = payload => `*3\r\n$7\r\nmessage\r\n$20\r\n${CHANNEL}\r\n${payload}`

for (const RESP of [2, 3]) {
  describe(`a message without a text in RESP${RESP}`, () => {
    it('reaches all listeners, and so do the others of its batch', async t => {
      const server = await startFakeServer()
      t.after(() => server.stop())
      server.on('command', ([name, channel], reply) => {
        assert.strictEqual(name, 'SUBSCRIBE')
        reply.send(push(`*3\r\n$9\r\nsubscribe\r\n$${channel.length}\r\n${channel}\r\n:1\r\n`))
      })
      const client = clientFor(t, server, { RESP })
      const [strings, buffers] = [recorder(), recorder()]
      await client.subscribe(CHANNEL, strings)
      await client.subscribe(CHANNEL, buffers, true)
      const payloads = ['$5\r\nfirst\r\n', '$-1\r\n', '*2\r\n$1\r\na\r\n$1\r\nb\r\n', ':5\r\n',
        '*0\r\n', '*1\r\n$-1\r\n', '$4\r\nlast\r\n']
      server.send(payloads.map(payload => push(message(payload))).join(''))
      await strings.until(7)
      await buffers.until(7)
      assert.deepStrictEqual(strings.messages(),
        ['first', null, ['a', 'b'], 5, [], [null], 'last'])
      assert.deepStrictEqual(buffers.messages(),
        [Buffer.from('first'), null, [Buffer.from('a'), Buffer.from('b')], 5, [], [null],
          Buffer.from('last')])
    })
  })

  function push (frame) {
    return RESP === 3 ? frame.replace('*', '>') : frame
  }
}

it('a payload that is too long for a string is a Buffer, and the next message comes', () => {
  // A real one would take half a gigabyte.
  const long = Buffer.alloc(1)
  Object.defineProperty(long, 'length', { value: constants.MAX_STRING_LENGTH + 1 })
  const subscriptions = new Subscriptions({ keepAlive: { stay () {} }, core: { subscribe () {} } })
  const [strings, buffers] = [recorder(), recorder()]
  for (const [listener, isBuffer] of [[strings, false], [buffers, true]]) {
    subscriptions.subscribe(0, ['c'], listener, isBuffer, 0)
  }
  const [subscription] = subscriptions.byId.values()
  const token = subscription.token()
  subscriptions.dispatch([token, long, token, Buffer.from('next')])
  assert.deepStrictEqual(buffers.messages(), [long, Buffer.from('next')])
  assert.deepStrictEqual(strings.messages(), [long, 'next'])
})
