'use strict'

// `maxCommandRedirections` and `nodeAddressMap` hold for every command, also for those that are
// sent over a connection of their own or to the node of a key that the caller names.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { MaxCommandRedirectionsError } = require('../..')
const { scene } = require('./scene')

/** Each sends one command, called `name`, that belongs to the slot of `key`. */
const WAYS = {
  'blocking command': { name: 'BLPOP', send: (client, key) => client.blPop(key, 1) },
  'command with a key in front': {
    name: 'MY.POP', send: (client, key) => client.sendCommand(key, false, ['MY.POP', 'x', key])
  }
}

for (const [way, { name, send }] of Object.entries(WAYS)) {
  describe(`a ${way}`, { concurrency: true }, () => {
    for (const maxCommandRedirections of [0, 1, 7]) {
      it(`is sent on ${maxCommandRedirections} times at most, if the option says so`, async t => {
        const set = scene(t)
        const cluster = await set.fakeCluster({ nodes: 2 })
        const [one, two] = cluster.primaries
        const client = set.clusterClient(cluster, {
          maxCommandRedirections, commandOptions: { timeout: 30_000 }
        })
        await client.connect()
        cluster.answer({ node: one, command: name }, two.ask(0))
        cluster.answer({ node: two, command: name }, one.ask(0))
        const error = await set.failure(send(client, cluster.keyIn(0)))
        assert.ok(error instanceof MaxCommandRedirectionsError, error.stack)
        assert.strictEqual(error.code, 'MAX_REDIRECTIONS')
        assert.strictEqual(error.applied, 'no')
        assert.match(error.message, new RegExp(`on ${maxCommandRedirections} times.*127.0.0.1`))
        assert.strictEqual(error.cause.code, 'ASK')
        const count = cluster.received({ command: name }).length
        assert.strictEqual(count, maxCommandRedirections + 1)
      })
    }

    it('follows an ASK to where nodeAddressMap leads', async t => {
      const set = scene(t)
      const cluster = await set.fakeCluster({ nodes: 2 })
      const [from, to] = cluster.primaries
      // The nodes name each other by addresses where nobody listens.
      const nodeAddressMap = {}
      const named = node => ({ host: '127.0.3.1', port: node.port })
      for (const node of cluster.nodes) {
        nodeAddressMap[`127.0.3.1:${node.port}`] = { host: node.host, port: node.port }
      }
      const slots = cluster.primaries.map(node =>
        [...node.slots[0], [named(node).host, node.port, node.id, []]])
      cluster.answer({ command: 'CLUSTER SLOTS' }, (args, reply) => reply.array(slots))
      const client = set.clusterClient(cluster, { nodeAddressMap })
      await client.connect()
      cluster.answer({ node: from, command: name }, `ASK 0 127.0.3.1:${to.port}`)
      cluster.answer({ node: to, command: name }, (args, reply, { isAsking }) =>
        isAsking && reply.array(['key', 'value']))
      await send(client, cluster.keyIn(0))
      assert.strictEqual(cluster.received({ node: from, command: name }).length, 1)
      assert.strictEqual(cluster.received({ node: to, command: name }).length, 1)
    })
  })
}
