'use strict'

// A chain that writes reads what it has written, from the primary, also where other reads go to
// replicas. A replica may not have the value yet.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { skipBefore7 } = require('../support/redis-server')
const { until } = require('../support/until')
const { scene } = require('./scene')

const ROUNDS = 100

describe('with reads from replicas', { skip: skipBefore7() }, () => {
  it('a pipeline that writes never reads an older value', async t => {
    const made = await scene(t, { replicas: 1, sentinels: 1, quorum: 1 })
    const client = await made.connected({ readStrategy: 'replica' })
    const [replica] = made.set.replicas
    const isRead = async () => /cmdstat_strlen:/.test(
      await made.set.command(replica, 'INFO', 'commandstats'))
    await until('the replica serves reads', async () => {
      await client.multi().strLen('k').strLen('k').execAsPipeline()
      return isRead()
    })
    const older = []
    for (let i = 0; i < ROUNDS; i++) {
      const [, value] = await client.multi().set('k', String(i)).get('k').execAsPipeline()
      if (value !== String(i)) older.push([i, value])
    }
    assert.deepStrictEqual(older, [])
  })
})
