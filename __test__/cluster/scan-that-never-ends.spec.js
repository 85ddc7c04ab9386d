'use strict'

// `scanIterator` asks each node which slots it has. An answer that makes no sense ends the
// iteration with an error that says so. It is no loop over four thousand million slots, and no
// TypeError.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { createCluster, ProtocolError } = require('../..')
const { startFakeCluster } = require('../support/fake-cluster')

const line = slots => `0123 127.0.0.1:1@2 myself,master - 0 0 1 connected ${slots}\n`
const ANSWERS = {
  'a slot that does not exist': (args, reply) => reply.bulk(line('0-4000000000')),
  'no numbers': (args, reply) => reply.bulk(line('0-x')),
  'the same slots again and again': (args, reply) => reply.bulk(line('0-16383 '.repeat(100_000))),
  'a map': (args, reply) => reply.send('%1\r\n$6\r\nlength\r\n:4000000000\r\n'),
  null: (args, reply) => reply.null()
}

describe('scanIterator of a cluster whose node answers CLUSTER NODES with', () => {
  for (const [name, answer] of Object.entries(ANSWERS)) {
    it(name, async t => {
      const fake = await startFakeCluster({ nodes: 1 })
      const client = createCluster({ rootNodes: fake.rootNodes })
      t.after(async () => {
        client.destroy()
        await fake.stop()
      })
      await client.connect()
      fake.answer({ command: 'CLUSTER NODES' }, answer)
      const error = await client.scanIterator().next().then(assert.fail, error => error)
      assert.ok(error instanceof ProtocolError, error)
      assert.strictEqual(error.code, 'REPLY_SHAPE')
    })
  }
})
