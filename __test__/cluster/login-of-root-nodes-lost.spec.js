'use strict'

// Root nodes lend their login and their TLS to all nodes that are found through them: a program
// that gives a password once reaches the whole cluster.

const assert = require('node:assert')
const fs = require('node:fs')
const { after, before, describe, it } = require('node:test')

const { createCluster } = require('../..')
const { startCluster } = require('../support/redis-cluster')
const { skipBefore7, skipWithoutTls } = require('../support/redis-server')

const PASSWORD = 'correct horse'

for (const [kind, tls, skip] of [
  ['a password', false, skipBefore7()],
  ['a password and TLS', true, skipBefore7() || skipWithoutTls()]
]) {
  describe(`a cluster with ${kind}`, { skip }, () => {
    let servers

    before(async () => {
      servers = await startCluster({ requirepass: PASSWORD, tls, replicas: 0 })
    })
    after(() => servers?.stop())

    // Trust stands in `defaults`, the rest only in the root node.
    const trust = () => {
      return tls ? { socket: { tls: { ca: fs.readFileSync(servers.certificates.ca) } } } : {}
    }
    const reachesAll = async (t, options) => {
      const cluster = createCluster(options)
      t.after(() => cluster.destroy())
      const keys = servers.primaries.map(node => servers.keyOn(node))
      assert.deepStrictEqual(await Promise.all(keys.map(key => cluster.set(key, key))),
        ['OK', 'OK', 'OK'])
      for (const node of cluster.masters) {
        assert.strictEqual(await (await cluster.nodeClient(node)).dbSize(), 1)
      }
    }

    it('is reached whole by the URL of one root node', async t => {
      await reachesAll(t, { rootNodes: [{ url: servers.nodes[0].url }], defaults: trust() })
    })

    it('is reached whole by the options of one root node', async t => {
      const { host, port } = servers.nodes[0]
      const socket = { host, port, ...trust().socket }
      await reachesAll(t, { rootNodes: [{ socket, password: PASSWORD }] })
    })

    if (tls) {
      it('has every node judged by checkServerIdentity', async t => {
        const hosts = []
        const checkServerIdentity = host => { hosts.push(host) }
        const defaults = { socket: { tls: { ...trust().socket.tls, checkServerIdentity } } }
        await reachesAll(t, { rootNodes: [{ url: servers.nodes[0].url }], defaults })
        assert.ok(hosts.length >= 3 && hosts.every(host => host === '127.0.0.1'), String(hosts))
      })
    }

    it('says what is wrong when the password is', async t => {
      const { host, port } = servers.nodes[0]
      const socket = { host, port, ...trust().socket }
      const cluster = createCluster({ rootNodes: [{ socket, password: 'wrong' }] })
      t.after(() => cluster.destroy())
      await assert.rejects(cluster.get('k'), error =>
        error.code === 'ROOT_NODES_UNAVAILABLE' && error.cause.code === 'AUTH' &&
        !JSON.stringify(error).includes('wrong') && !error.message.includes('wrong'))
    })
  })
}
