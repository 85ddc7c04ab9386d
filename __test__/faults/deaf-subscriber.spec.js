'use strict'

// A subscriber hears what the server says, also over a connection that a session had before. The
// event loop watches the connections that sessions give back to the pool; the I/O thread watches
// those of subscribers.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { createClient } = require('../..')
const { startServer } = require('../support/redis-server')
const { until } = require('./scene')

for (const RESP of [2, 3]) {
  for (const kind of ['TCP', 'a Unix socket']) {
    describe(`a connection that was a session's, over ${kind}, RESP${RESP}`, () => {
      it('tells of messages', async t => {
        const { client, admin, session } = await play(t, RESP, kind)
        const heard = []
        await client.subscribe('news', message => heard.push(message))
        const { id } = (await admin.clientList({ TYPE: 'PUBSUB' }))[0]
        assert.strictEqual(id, session, 'the connection is a new one')
        await admin.publish('news', '1')
        await until(() => heard.length > 0, 'the message')
        assert.deepStrictEqual(heard, ['1'])
      })

      it('tells what MONITOR sees', async t => {
        const { client } = await play(t, RESP, kind)
        const lines = []
        const stop = await client.monitor(line => lines.push(line))
        await client.get('seen')
        await until(() => lines.some(line => line.includes('"seen"')), 'the line')
        await stop()
      })
    })
  }
}

/** A client whose pool has the connection of a former session, and the server's id for that. */
async function play (t, RESP, kind) {
  const server = await startServer({ unixSocket: true })
  t.after(() => server.stop())
  const { unixSocket: path, host, port } = server
  // The pool makes none of its own accord, so there is but one to be had.
  const pool = { min: 0 }
  const client = createClient({ RESP, pool, socket: kind === 'TCP' ? { host, port } : { path } })
  const admin = createClient(server.url)
  for (const one of [client, admin]) t.after(() => one.destroy())
  const session = await client.session(async session => {
    // A clean one would be kept for the next caller of session() for a while.
    await session.watch('key')
    return session.clientId()
  })
  await until(() => client.stats().pool.idle === 1, 'the connection to be back in the pool')
  return { client, admin, session }
}
