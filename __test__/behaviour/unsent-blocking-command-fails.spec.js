'use strict'

// A blocking command is sent over a connection of its own. If that connection ends after it was
// chosen and before the command was sent, nothing has happened yet, and another connection serves.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { createClient } = require('../..')
const { startServer } = require('../support/redis-server')

describe('the connection of a blocking command ends before the command is sent', () => {
  it('and another one takes the command', async t => {
    const { client, admin } = await scene(t)
    loseNext(client, admin, 2)
    await admin.rPush('list', 'element')
    assert.deepEqual(await client.blPop('list', 1), { key: 'list', element: 'element' })
    assert.equal(await admin.lLen('list'), 0)
  })

  it('every time, which ends when the time for a connection is over', async t => {
    const { client, admin } = await scene(t, { acquireTimeout: 300 })
    loseNext(client, admin, Infinity)
    await admin.rPush('list', 'element')
    await assert.rejects(client.blPop('list', 1), error => {
      assert.match(error.kind, /^(?:SESSION_LOST|POOL_TIMEOUT)$/)
      assert.equal(error.applied, 'no')
      return true
    })
    assert.equal(await admin.lLen('list'), 1)
  })
})

/** Kills the connection of each of the next `times` sessions before its caller gets it. */
function loseNext (client, admin, times) {
  const bridge = client._bridge
  const { acquire } = bridge
  // The lane lends it no connection.
  bridge.sessions.borrow = () => null
  let left = times
  bridge.acquire = async (...args) => {
    const session = await acquire.apply(bridge, args)
    if (left-- <= 0) return session
    const ping = () => session.send(PING, 0, 1000, { command: 'PING' }, undefined)
    const id = await session.send(CLIENT_ID, 0, 1000, { command: 'CLIENT' }, undefined)
    await admin.clientKill({ filter: 'ID', id })
    let isLost = false
    while (!isLost) isLost = await ping().then(() => false, ({ kind }) => kind === 'SESSION_LOST')
    return session
  }
}

async function scene (t, pool) {
  const server = await startServer()
  t.after(() => server.stop())
  const client = createClient({ url: server.url, pool })
  const admin = createClient({ url: server.url })
  for (const one of [client, admin]) {
    one.on('error', () => {})
    t.after(() => one.destroy())
    await one.connect()
  }
  return { client, admin }
}

const PING = '*1\r\n$4\r\nPING\r\n'
const CLIENT_ID = '*2\r\n$6\r\nCLIENT\r\n$2\r\nID\r\n'
