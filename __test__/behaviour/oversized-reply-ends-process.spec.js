'use strict'

// A reply of so many values that its tape would not fit into the bound of one reply is read to
// its end and thrown away. Its caller gets an error, and nobody else does. An array of 113 million
// nulls ended the process, because V8 has none of that size.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { createClient } = require('../..')
const { startFakeServer } = require('../support/fake-server')

/** 27 bytes each, 24 of them on the tape: more than 1 GiB. On the wire they take 123 MB. */
const NULLS = 41_000_000

describe('a reply of too many values', () => {
  it('rejects its own command and leaves the connection to the others', async t => {
    const server = await startFakeServer()
    t.after(() => server.stop())
    const some = Buffer.alloc(3_000_000, '_\r\n')
    server.on('command', ([name, key], reply, connection) => {
      if (name !== 'LRANGE') return reply.bulk(key)
      connection.send(`*${NULLS}\r\n`)
      for (let sent = 0; sent < 3 * NULLS; sent += some.length) connection.send(some)
    })
    const client = createClient({ url: server.url, commandOptions: { timeout: 0 } })
    t.after(() => client.destroy())
    await client.connect()
    const before = client.get('before')
    const large = client.lRange('key', 0, -1)
    const behind = client.get('behind')
    assert.strictEqual(await before, 'before')
    await assert.rejects(large, {
      name: 'ProtocolError', code: 'REPLY_TOO_LARGE', command: 'LRANGE', retryable: false
    })
    assert.strictEqual(await behind, 'behind')
    assert.strictEqual(await client.get('later'), 'later')
    assert.strictEqual(server.accepted, 1)
  })
})
