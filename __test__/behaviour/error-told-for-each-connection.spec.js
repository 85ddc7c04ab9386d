'use strict'

// A server that closes all connections of a client is one loss, and so it is one `error`.

const assert = require('node:assert')
const { after, before, it } = require('node:test')

const { createClient, createClientPool } = require('../..')
const { startServer } = require('../support/redis-server')
const { eventually } = require('./eventually')

let server, admin
before(async () => {
  server = await startServer()
  admin = await createClient(server.url).connect()
})
after(async () => {
  admin?.destroy()
  await server?.stop()
})

for (const [what, make] of Object.entries({
  'a pool': url => createClientPool({ url }, { minimum: 4 }),
  'a client with four lanes': url => createClient({ url, lanes: 4, pool: { min: 6 } })
})) {
  it(`${what} tells of one loss`, async t => {
    const client = make(server.url)
    t.after(() => client.destroy())
    const errors = []
    client.on('error', error => errors.push(error.message))
    await client.connect()
    const get = () => client.get('k').catch(() => {})
    const used = () => Promise.all(Array.from({ length: 50 }, get))
    await used()
    const { connects, lanes } = client.stats()
    const up = lanes.filter(({ connected }) => connected).length
    await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    // Each lane that had a connection has another one, so all losses are known.
    await eventually(async () => {
      await used()
      return client.stats().connects >= connects + up
    }, 'other connections')
    assert.deepStrictEqual(errors, ['Socket closed unexpectedly'])
  })
}
