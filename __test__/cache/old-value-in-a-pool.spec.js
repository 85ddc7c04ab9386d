'use strict'

// A pool has several lanes, whose commands keep no order. Each of its connections tracks what was
// read over it; there is one table; and the loss of any connection clears it.

const assert = require('node:assert')
const { after, before, beforeEach, describe, it } = require('node:test')

const { createClient, createClientPool, BasicPooledClientSideCache } = require('../..')
const { eventually, heard } = require('../behaviour/eventually')
const { startServer } = require('../support/redis-server')
const { quiet } = require('./scene')

describe('a pool with a cache', () => {
  let server, pool, other, cache
  before(async () => {
    server = await startServer()
    other = quiet(createClient(server.url))
    cache = new BasicPooledClientSideCache()
    pool = quiet(createClientPool({ url: server.url, lanes: 4 },
      { maximum: 8, clientSideCache: cache }))
    assert.strictEqual(pool.clientSideCache, cache)
    await pool.connect()
  })
  after(async () => {
    pool.destroy()
    other.destroy()
    await server.stop()
  })
  beforeEach(async () => {
    await other.flushAll()
    cache.clear()
  })

  const addresses = async () => (await other.clientList())
    .filter(({ flags }) => flags.includes('t')).map(({ id }) => id)

  it('tracks over each of its lanes', async () => {
    await eventually(async () => {
      const reads = []
      // A lane that waits for a reply is passed over.
      for (let n = 0; n < 20; n++) {
        reads.push(pool.get(`warm:${Math.random()}`))
        await new Promise(process.nextTick)
      }
      await Promise.all(reads)
      return (await addresses()).length === 4
    }, 'four connections that track')
  })

  it('finds what it has written, also behind reads that overtake the write', async () => {
    for (let n = 0; n < 300; n++) {
      const value = String(n)
      const reads = []
      const write = pool.set('k', value)
      for (let i = 0; i < 5; i++) reads.push(pool.get('k'))
      await write
      assert.strictEqual(await pool.get('k'), value)
      await Promise.all(reads)
      assert.strictEqual(await pool.get('k'), value)
    }
  })

  it('finds what others have written, once it is told over whichever lane', async () => {
    for (let n = 0; n < 100; n++) {
      await pool.get('k')
      await other.set('k', String(n))
      await eventually(async () => await pool.get('k') === String(n), 'the value')
    }
  })

  it('serves nothing of before once any of its connections is lost', async () => {
    await Promise.all(Array.from({ length: 100 }, (_, n) => pool.get(`k:${n}`)))
    await eventually(() => cache.size() === 100, 'cached values')
    const ids = await addresses()
    const lost = heard(pool, 'reconnecting')
    await other.clientKill({ filter: 'ID', id: ids.at(-1) })
    await lost
    const { missCount } = cache.stats()
    await pool.get('k:1')
    assert.strictEqual(cache.stats().missCount, missCount + 1)
  })
})
