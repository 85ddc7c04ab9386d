'use strict'

// When the connection that tracked keys is lost, replaced or silent for 5 s, nothing of what was
// cached is served any more, from the next read on.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { createClient, BasicClientSideCache } = require('../..')
const { eventually, heard } = require('../behaviour/eventually')
const { startFaultProxy } = require('../support/fault-proxy')
const { startServer } = require('../support/redis-server')
const { quiet } = require('./scene')

/** A server, a proxy in front of it, a client with a cache behind the proxy, and another client. */
async function startFaultScene (t, options = {}) {
  const server = await startServer()
  const proxy = await startFaultProxy(server)
  const cache = new BasicClientSideCache()
  const client = quiet(createClient({ url: proxy.url, clientSideCache: cache, ...options }))
  const other = createClient(server.url)
  t.after(async () => {
    client.destroy()
    other.destroy()
    await proxy.stop()
    await server.stop()
  })
  await client.connect()
  await other.set('k', '1')
  assert.strictEqual(await client.get('k'), '1')
  assert.strictEqual(await client.get('k'), '1')
  assert.strictEqual(cache.stats().hitCount, 1)
  return { server, proxy, cache, client, other }
}

describe('what was cached', () => {
  for (const how of ['reset', 'close']) {
    it(`is not served once the process has heard of a ${how}`, async t => {
      const { proxy, client, other } = await startFaultScene(t)
      for (let n = 0; n < 20; n++) {
        if (n % 4 === 3) {
          // A client whose connections do not last waits up to 2 s before the next one.
          client.destroy()
          await client.connect()
          await client.get('k')
          assert.strictEqual(client._bridge.cache.size(), 1)
        }
        // The change is made while nobody can tell of it.
        proxy.blackHole({ direction: 'down' })
        const value = `value ${n}`
        await other.set('k', value)
        const lost = heard(client, 'reconnecting')
        const held = [...proxy.links]
        for (const link of held) link.cut(how)
        await lost
        proxy.heal()
        assert.strictEqual(await client.get('k'), value)
        await eventually(async () => {
          await client.get('k')
          return client._bridge.cache.size() === 1
        }, 'a cached value')
      }
    })
  }

  it('is not served once the server has killed the connection', async t => {
    const { client, other } = await startFaultScene(t)
    const id = await client.clientId()
    const lost = heard(client, 'reconnecting')
    await other.multi().clientKill({ filter: 'ID', id }).set('k', '2').exec()
    await lost
    assert.strictEqual(await client.get('k'), '2')
  })

  it('is not served after 5 s of silence, and is again once the peer answers', async t => {
    const { proxy, cache, client, other } = await startFaultScene(t)
    const { table } = client._bridge
    const silent = performance.now()
    proxy.blackHole()
    await other.set('k', '2')
    await eventually(() => table.cell[0] !== table.generation, 'the end of the trust')
    const waited = performance.now() - silent
    // A busy machine may have slept itself, but trust must not end while the peer may be well.
    assert.ok(waited > 2_000, `${waited} ms`)
    const read = client.withCommandOptions({ timeout: 60_000 }).get('k')
    assert.strictEqual(cache.size(), 0)
    proxy.heal()
    assert.strictEqual(await read, '2')
    await eventually(async () => {
      await client.get('k')
      return cache.size() === 1
    }, 'a cached value')
  })

  it('is served as long as the peer answers, however idle the client is', async t => {
    const { client, cache } = await startFaultScene(t, { pingInterval: 0 })
    const { table } = client._bridge
    const generation = table.cell[0]
    // Two looks at the server.
    const since = performance.now()
    await eventually(() => performance.now() - since > 6_000, 'six seconds')
    assert.strictEqual(table.cell[0], generation)
    const { hitCount } = cache.stats()
    assert.strictEqual(await client.get('k'), '1')
    assert.strictEqual(cache.stats().hitCount, hitCount + 1)
  })

  it('is not served once the connection is replaced because of its age', async t => {
    const { client, cache } = await startFaultScene(t, { pool: { maxLifetime: 300 } })
    const { table } = client._bridge
    const first = await client.withCommandOptions({ cache: false }).clientId()
    await eventually(async () => await client.clientId() !== first, 'another connection')
    table.catchUp()
    const { missCount } = cache.stats()
    await client.get('k')
    assert.strictEqual(cache.stats().missCount, missCount + 1)
  })

  it('is not served once the application has reset the connection', async t => {
    const { client, cache } = await startFaultScene(t)
    await client.reset()
    assert.strictEqual(cache.size(), 0)
    assert.strictEqual(await client.get('k'), '1')
  })
})
