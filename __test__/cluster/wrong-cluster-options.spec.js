'use strict'

// What cannot work in a cluster is a TypeError that names it, before anything is connected to.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { RedisCluster, createCluster } = require('../..')

describe('options of a cluster that are refused', () => {
  const node = { socket: { host: 'a', port: 7001 } }
  const cases = [
    ['redis://localhost', 'options of a cluster'],
    [[], 'options of a cluster'],
    [{ rootNodes: 'redis://localhost' }, '"rootNodes"'],
    [{ rootNodes: [5] }, '"rootNodes[0]"'],
    [{ rootNodes: [node, null] }, '"rootNodes[1]"'],
    [{ rootNodes: ['http://localhost'] }, ''],
    [{ rootNodes: [{ url: 'redis://localhost/3' }] }, '"database"'],
    [{ rootNodes: [node], database: 1 }, '"database"'],
    [{ rootNodes: [{ socket: { path: '/tmp/redis.sock' } }] }, '"socket.path"'],
    [{ rootNodes: [node], lanes: 2 }, '"lanes"'],
    [{ rootNodes: [node], defaults: 5 }, '"defaults"'],
    [{ rootNodes: [node], useReplicas: 'yes' }, '"useReplicas"'],
    [{ rootNodes: [node], readStrategy: 'random' }, '"readStrategy"'],
    [{ rootNodes: [node], readStrategy: { zone: '' } }, '"readStrategy"'],
    [{ rootNodes: [node], maxCommandRedirections: -1 }, '"maxCommandRedirections"'],
    [{ rootNodes: [node], maxCommandRedirections: 1.5 }, '"maxCommandRedirections"'],
    [{ rootNodes: [node], nodeAddressMap: 'a:1' }, '"nodeAddressMap"'],
    [{ rootNodes: [node], nodeAddressMap: { a: { host: 'b', port: 1 } } }, '"nodeAddressMap"'],
    [{ rootNodes: [node], nodeAddressMap: { 'a:1': { host: 'b' } } }, '"nodeAddressMap"'],
    [{ rootNodes: [node], nodeAddressMap: { 'a:1': { host: 'b', port: 0 } } }, '"nodeAddressMap"'],
    [{ rootNodes: [node], minimizeConnections: 1 }, '"minimizeConnections"'],
    [{ rootNodes: [node], commandOptions: { timeout: -1 } }, 'commandOptions.timeout'],
    [{ rootNodes: [{ ...node, password: 'one' }, { ...node, password: 'two' }] },
      '"password" of rootNodes[1]'],
    [{ rootNodes: [{ ...node, username: 'u', password: 'p' }, { ...node, password: 'p' }] },
      '"username" of rootNodes[1]'],
    [{ rootNodes: ['redis://h:1', 'rediss://h:2'] }, '"socket.tls" of rootNodes[1]']
  ]

  for (const [options, named] of cases) {
    it(`${JSON.stringify(options)}`, () => {
      for (const make of [createCluster, given => new RedisCluster(given)]) {
        assert.throws(() => make(options), error => {
          assert.ok(error instanceof TypeError, String(error))
          assert.ok(error.message.includes(named), error.message)
          for (const secret of ['one', 'two']) assert.ok(!error.message.includes(`${secret}'`))
          return true
        })
      }
    })
  }

  it('are unknown ones, where they are strict', () => {
    for (const [options, named] of [[{ rootNode: [] }, '"rootNode"'],
      [{ rootNodes: [{ ...node, hots: 'x' }] }, '"hots"'],
      [{ rootNodes: [node], defaults: { hots: 'x' } }, '"hots"'],
      [{ rootNodes: [node], commandOptions: { timeOut: 1 } }, 'commandOptions.timeOut']]) {
      assert.throws(() => createCluster({ ...options, strictOptions: true }), error =>
        error instanceof TypeError && error.message.includes(named))
    }
  })

  it('are none of those that make sense', () => {
    for (const options of [undefined, null, {}, { rootNodes: [] },
      { rootNodes: [node], nodeAddressMap: () => undefined },
      { rootNodes: ['redis://u:p@a:1', 'redis://u:p@b:1'] },
      { rootNodes: ['redis://a:1', { socket: { host: 'b' } }], defaults: { password: 'p' } },
      { rootNodes: [node], nodeAddressMap: { '[::1]:1': { host: 'b', port: 2 } } },
      { rootNodes: [node], useReplicas: true, minimizeConnections: true,
        topologyRefreshOnReconnectionAttemptStrategy: 100 },
      { rootNodes: [node], maxCommandRedirections: 16, readStrategy: { zone: 'a' } }]) {
      const frozen = options && Object.freeze({ ...options })
      assert.strictEqual(createCluster(frozen).isOpen, false)
    }
  })
})

describe('arguments that are refused', () => {
  const client = createCluster({ rootNodes: ['redis://127.0.0.1:1'] })
  const refused = [
    ['session', [], '"key"'], ['session', [async () => {}], '"key"'], ['session', ['k'], '"run"'],
    ['session', ['k', 5], '"run"'], ['session', [5, async () => {}], '"key"'],
    ['acquire', [], '"key"'], ['acquire', [null], '"key"'],
    ['getNodeClientForKey', [], '"key"'], ['nodeClient', [], '"node"'],
    ['nodeClient', ['a:1'], '"node"'], ['nodeClient', [{ host: 'a' }], '"node"'],
    ['select', [1], 'select'], ['watch', ['k'], 'watch']
  ]
  for (const [method, args, named] of refused) {
    it(`${method}(${args.map(arg => typeof arg === 'function' ? 'fn' : JSON.stringify(arg))})`,
      async () => {
        await assert.rejects(client[method](...args), error =>
          error instanceof TypeError && error.message.includes(named) &&
          error.message.startsWith(`${method}: `))
        assert.strictEqual(client.isOpen, false, 'nothing was sent')
      })
  }

  it('createPool()', () => {
    assert.throws(() => client.createPool(), TypeError)
  })
})
