'use strict'

// When no sentinel can be reached, a new primary cannot be found, but the known one is still used.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { RootNodesUnavailableError, TimeoutError, createSentinel } = require('../..')
const { freePort } = require('../support/ports')
const { skipBefore7 } = require('../support/redis-server')
const { until } = require('../support/until')
const { scene } = require('./scene')

describe('without any sentinel', { skip: skipBefore7() }, () => {
  it('a client goes on with the primary that it has, also over a new connection', async t => {
    const made = await scene(t, { sentinels: 2 })
    const { set } = made
    const client = await made.connected({ scanInterval: 100 })
    const errors = []
    client.on('error', error => errors.push(error))
    await client.set('k', 'v')
    await Promise.all(set.sentinels.map(sentinel => set.kill(sentinel)))
    await until('somebody has missed them', async () => errors.length > 0)
    assert.strictEqual(await client.get('k'), 'v')
    // Its own connections, but not the one that asks for it.
    await set.command(set.primary, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    assert.strictEqual(await client.set('k', 'w'), 'OK')
    assert.strictEqual(client.getSentinelNode(), undefined)
    assert.ok(errors.every(error => error instanceof RootNodesUnavailableError))
  })

  it('a new client says what each of them has done', async () => {
    const ports = [await freePort(), await freePort()]
    const client = createSentinel({
      name: 'mine',
      sentinelRootNodes: ports.map(port => ({ host: '127.0.0.1', port })),
      nodeClientOptions: { socket: { connectTimeout: 500 } }
    })
    try {
      await assert.rejects(client.connect(), error => {
        assert.ok(error instanceof RootNodesUnavailableError)
        for (const port of ports) assert.ok(error.message.includes(`127.0.0.1:${port}: `), error)
        return true
      })
      const waiting = client.withCommandOptions({ timeout: 300 }).get('k')
      await assert.rejects(waiting, error => {
        assert.ok(error instanceof TimeoutError && error.applied === 'no' && error.retryable)
        assert.ok(error.cause instanceof RootNodesUnavailableError)
        return true
      })
    } finally {
      client.destroy()
    }
  })

  it('others are found through one, and used when it is gone', async t => {
    const made = await scene(t)
    const { set } = made
    const [first, ...others] = set.sentinels
    const client = await made.connected({
      sentinelRootNodes: [{ host: first.host, port: first.port }],
      commandOptions: { timeout: 15_000 }
    })
    await set.kill(first)
    await until('another one is listened to', async () => (
      others.some(({ port }) => port === client.getSentinelNode()?.port)))
    const switched = set.waitForSwitch()
    await set.kill(set.primary)
    const { port } = await switched
    await client.set('k', 'v')
    assert.strictEqual(client.getMasterNode().port, port)
  })

  it('a name that they do not know is told at once', async t => {
    const { set, ...made } = await scene(t, { replicas: 0, sentinels: 1 })
    assert.ok(made)
    const { sentinelRootNodes } = set
    const client = createSentinel({ name: 'other', sentinelRootNodes })
    try {
      await assert.rejects(client.connect(), error => (
        error instanceof RootNodesUnavailableError &&
        error.message.includes('watches over no primary of this name')))
    } finally {
      client.destroy()
    }
  })
})
