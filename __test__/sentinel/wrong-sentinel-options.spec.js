'use strict'

// What cannot be right is refused by name, before anything is tried.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { RedisSentinel, createSentinel } = require('../..')

const GOOD = { name: 'mine', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] }

const BAD = {
  name: [{ name: undefined }, { name: '' }, { name: 'a b' }, { name: 1 }],
  sentinelRootNodes: [{ sentinelRootNodes: undefined }, { sentinelRootNodes: [] },
    { sentinelRootNodes: 'redis://x' }],
  'sentinelRootNodes[0]': [{ sentinelRootNodes: ['127.0.0.1:26379'] }],
  'sentinelRootNodes[0].host': [{ sentinelRootNodes: [{ port: 1 }] },
    { sentinelRootNodes: [{ host: '' }] }],
  'sentinelRootNodes[0].port': [{ sentinelRootNodes: [{ host: 'x', port: 0 }] },
    { sentinelRootNodes: [{ host: 'x', port: 'one' }] }],
  'sentinelRootNodes[0].password': [{ sentinelRootNodes: [{ host: 'x', password: 'p' }] }],
  nodeClientOptions: [{ nodeClientOptions: 'x' }],
  'nodeClientOptions.url': [{ nodeClientOptions: { url: 'redis://x' } }],
  'nodeClientOptions.socket.host': [{ nodeClientOptions: { socket: { host: 'x' } } }],
  'nodeClientOptions.socket.path': [{ nodeClientOptions: { socket: { path: '/x' } } }],
  'nodeClientOptions.pasword': [{ nodeClientOptions: { pasword: 'x' } }],
  'sentinelClientOptions.url': [{ sentinelClientOptions: { url: 'redis://x' } }],
  'sentinelClientOptions.socket.port': [{ sentinelClientOptions: { socket: { port: 1 } } }],
  'sentinelClientOptions.password': [{ sentinelClientOptions: { password: 1 } }],
  'sentinelClientOptions.database': [{ sentinelClientOptions: { database: 1 } }],
  'sentinelClientOptions.credentialsProvider': [
    { sentinelClientOptions: { credentialsProvider: () => ({ password: 'x' }) } }],
  url: [{ url: 'redis://x' }],
  socket: [{ socket: {} }],
  lanes: [{ lanes: 2 }, { nodeClientOptions: { lanes: 2 } }],
  masterPoolSize: [{ masterPoolSize: 0 }, { masterPoolSize: 'one' }],
  replicaPoolSize: [{ replicaPoolSize: -1 }],
  readStrategy: [{ readStrategy: 'any' }, { readStrategy: {} }],
  scanInterval: [{ scanInterval: -1 }, { scanInterval: Infinity }],
  maxCommandRediscovers: [{ maxCommandRediscovers: 1.5 }],
  nodeAddressMap: [{ nodeAddressMap: { x: { host: 'y', port: 1 } } },
    { nodeAddressMap: { 'x:1': { host: 'y' } } }, { nodeAddressMap: 'x:1' }],
  passthroughClientErrorEvents: [{ passthroughClientErrorEvents: 1 }],
  reserveClient: [{ reserveClient: 'yes' }],
  clientSideCache: [{ clientSideCache: 1 }],
  rootNodes: [{ rootNodes: [] }]
}

describe('an option of createSentinel', () => {
  it('that is wrong is refused by name', () => {
    for (const [name, cases] of Object.entries(BAD)) {
      for (const wrong of cases) {
        assert.throws(() => createSentinel({ strictOptions: true, ...GOOD, ...wrong }), error => (
          error instanceof TypeError && error.message.includes(`"${name}"`)),
        `${name}: ${JSON.stringify(wrong)}`)
      }
    }
    for (const none of [undefined, null, 'redis://x', []]) {
      assert.throws(() => createSentinel(none), TypeError)
    }
  })

  it('of node-redis is taken', () => {
    const given = Object.freeze({
      ...GOOD,
      RESP: 2,
      masterPoolSize: 4,
      replicaPoolSize: 2,
      scanInterval: 0,
      maxCommandRediscovers: 16,
      passthroughClientErrorEvents: true,
      reserveClient: true,
      keyPrefix: 'app:',
      nodeAddressMap: { '127.0.0.9:6379': { host: '127.0.0.1', port: 1 } },
      commandOptions: { timeout: 100 },
      nodeClientOptions: Object.freeze({ password: 'x', database: 3, socket: { noDelay: true } }),
      sentinelClientOptions: Object.freeze({ username: 'u', password: 'x' })
    })
    const client = createSentinel(given)
    assert.ok(client instanceof RedisSentinel)
    assert.deepStrictEqual([client.isOpen, client.isReady], [false, false])
    assert.deepStrictEqual([client.getMasterNode(), client.getSentinelNode()],
      [undefined, undefined])
    assert.strictEqual(client.getReplicaNodes().size, 0)
    assert.ok(client.duplicate({ scanInterval: 5 }) instanceof RedisSentinel)
    client.destroy()
  })

  it('or a call that belongs to one server is refused with the right one', async () => {
    const client = createSentinel(GOOD)
    await assert.rejects(client.select(1), /option database/)
    assert.throws(() => client.createPool(), /masterPoolSize/)
    await assert.rejects(client.monitor(() => {}), /client of that node/)
    await assert.rejects(client.watch('k'), TypeError)
    client.destroy()
  })
})
