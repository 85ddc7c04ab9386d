'use strict'

// What may have been applied is never sent twice, and no reply reaches another request, when
// connections are reset under load. The oracle judges; each test first makes sure that the fault
// met commands in flight, or the verdict would be worth nothing.

const assert = require('node:assert')
const { once } = require('node:events')
const { after, before, describe, it } = require('node:test')

const { createClient } = require('..')
const { startFaultProxy } = require('./support/fault-proxy')
const { startOracle } = require('./support/oracle')
const { startServer } = require('./support/redis-server')

describe('connections reset under load', () => {
  let server, proxy, client, admin
  before(async () => {
    server = await startServer()
    proxy = await startFaultProxy(server)
    client = await createClient({ url: proxy.url }).connect()
    admin = await createClient({ url: server.url }).connect()
  })
  after(async () => {
    client?.destroy()
    admin?.destroy()
    await proxy?.stop()
    await server?.stop()
  })

  for (const [lost, direction] of [['replies', 'down'], ['commands', 'up']]) {
    it(`lose ${lost}, and no INCR is doubled`, async t => {
      const oracle = startOracle(client)
      t.after(() => oracle.stop())
      for (let fault = 0; fault < FAULTS; fault++) {
        await oracle.healed()
        proxy.blackHole({ direction })
        await once(proxy, 'held')
        proxy.reset()
        proxy.heal()
        await oracle.healed()
      }
      // One batch may hold nothing but ECHO and GET, which are rightly tried again in silence.
      assert.ok(oracle.unknown > 0, 'no reset met a write in flight')
      await oracle.stop()
      await oracle.verify(admin)
    })
  }

  it('cut a reply in two, and the rest goes to nobody', async t => {
    const oracle = startOracle(client)
    t.after(() => oracle.stop())
    for (let fault = 0; fault < FAULTS; fault++) {
      await oracle.healed()
      const cut = once(proxy, 'disconnection')
      proxy.cutAfter(777 + fault) // somewhere in a batch of 64 replies, each time elsewhere
      await cut
      proxy.heal()
      await oracle.healed()
    }
    assert.ok(oracle.failed > 0, 'no cut met a write in flight')
    await oracle.stop()
    await oracle.verify(admin)
  })
})

// Each takes some milliseconds and meets another mixture of commands.
const FAULTS = 10
