'use strict'

// A client of Sentinel serves nothing that the former primary has told it.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { BasicClientSideCache } = require('../..')
const { eventually } = require('../behaviour/eventually')
const { scene } = require('../sentinel/scene')

/** The server that a client of Sentinel sends commands to; null while there is none. */
async function addressOf (client) {
  const info = await client.sendCommand(['CLIENT', 'INFO']).catch(() => '')
  return /laddr=(\S+)/.exec(info)?.[1] ?? null
}

describe('a client of Sentinel with a cache', () => {
  it('is told by the primary, and by the next one after a failover', async t => {
    const s = await scene(t)
    const cache = new BasicClientSideCache()
    const client = await s.connected({ nodeClientOptions: { clientSideCache: cache } })
    const other = await s.connected()
    client.on('error', () => {})
    other.on('error', () => {})
    await other.set('k', '1')
    await eventually(async () => {
      await client.get('k')
      return cache.size() === 1
    }, 'a cached value')
    await other.set('k', '2')
    await eventually(async () => await client.get('k') === '2', 'the new value')
    const former = await addressOf(client)
    const switched = s.set.waitForSwitch()
    await s.set.failover()
    await switched
    // What is written to the former primary until then is lost.
    for (const one of [client, other]) {
      await eventually(async () => ![former, null].includes(await addressOf(one)), 'the switch')
    }
    await other.set('k', '3')
    await eventually(async () => await client.get('k').catch(() => null) === '3', 'the new value')
    await other.set('k', '4')
    await eventually(async () => await client.get('k') === '4', 'the newest value')
    assert.ok(cache.stats().missCount >= 4)
  })

  it('refuses a cache for sentinels, which have no keys', async () => {
    const { createSentinel } = require('../..')
    assert.throws(() => createSentinel({
      name: 'm', sentinelRootNodes: [{ host: '127.0.0.1' }],
      sentinelClientOptions: { clientSideCache: {} }
    }), /sentinelClientOptions.clientSideCache/)
  })
})
