'use strict'

// What a program keeps in AsyncLocalStorage is still there after a reply, although replies of many
// callers arrive together.

const assert = require('node:assert')
const { AsyncLocalStorage } = require('node:async_hooks')
const { after, before, describe, it } = require('node:test')

const { createClient } = require('../..')
const { startServer } = require('../support/redis-server')

describe('the asynchronous context', () => {
  const storage = new AsyncLocalStorage()
  let server, client
  before(async () => {
    server = await startServer()
    client = createClient(server.url)
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  const inContexts = call => Promise.all(Array.from({ length: 200 }, (_, n) =>
    storage.run(n, async () => {
      for (let round = 0; round < 5; round++) await call(n)
    })))

  it('is kept over an await', () => inContexts(async n => {
    await client.echo(String(n))
    assert.strictEqual(storage.getStore(), n)
  }))

  it('is kept over a rejection', () => inContexts(async n => {
    await client.sendCommand(['NOSUCH']).catch(() => assert.strictEqual(storage.getStore(), n))
    assert.strictEqual(storage.getStore(), n)
  }))

  it('is kept in a callback', () => inContexts(n => new Promise((resolve, reject) => {
    client.echo('x', () => {
      if (storage.getStore() === n) resolve()
      else reject(new Error(`${storage.getStore()} instead of ${n}`))
    })
  })))
})
