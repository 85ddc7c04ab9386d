'use strict'

// The support's own tests, Sentinels. A fault test proves nothing without its fault.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { startSentinels } = require('./redis-sentinel')
const { skipBefore7 } = require('./redis-server')
const { remember } = require('./traces')

describe('started Sentinels', { skip: skipBefore7() }, () => {
  let set, everything
  before(async () => {
    set = await startSentinels({ requirepass: 'one', sentinelPassword: 'two' })
    everything = remember([...set.servers, ...set.sentinels])
  })
  after(async () => {
    await set.stop()
    await everything.isGone()
  })

  it('name the primary', async () => {
    assert.strictEqual(set.sentinelRootNodes.length, 3)
    for (const sentinel of set.sentinels) {
      assert.deepStrictEqual(await set.addressFrom(sentinel),
        { host: set.primary.host, port: set.primary.port })
    }
  })

  it('replace a healthy primary by command', async () => {
    const { primary } = set
    const everySentinel = set.sentinels.map(on => set.waitForSwitch({ on }))
    await set.failover()
    const changes = await Promise.all(everySentinel)
    assert.deepStrictEqual(changes.map(({ sentinel }) => sentinel), set.sentinels)
    assert.ok(changes.every(({ server }) => server === set.primary && server !== primary))
  })

  it('replace a primary that was killed, while one of them is dead', async () => {
    const { primary } = set
    await set.kill(set.sentinels[0])
    const change = set.waitForSwitch()
    await set.kill(primary)
    assert.notStrictEqual((await change).server, primary)
    await set.restart(set.sentinels[0])
    await set.restart(primary)
    await set.waitUntilHealthy()
    assert.ok(set.replicas.includes(primary))
  })

  it('do not see at once that a primary was demoted', async () => {
    const { primary } = set
    await set.demote(primary, set.replicas[0])
    assert.strictEqual((await set.command(primary, 'ROLE'))[0], 'slave')
    assert.strictEqual((await set.addressFrom(set.sentinels[0])).port, primary.port)
  })
})
