'use strict'

// Each caller gets the reply to its own command, however many there are at once.

const assert = require('node:assert')
const { randomUUID } = require('node:crypto')
const { after, before, describe, it } = require('node:test')

const { createClient, createClientPool } = require('../..')
const { startOracle } = require('../support/oracle')
const { startServer } = require('../support/redis-server')

describe('replies', () => {
  let server
  before(async () => { server = await startServer() })
  after(() => server.stop())

  it('reach the one of 300 workers that asked', async t => {
    const client = createClient(server.url)
    t.after(() => client.destroy())
    await Promise.all(Array.from({ length: 300 }, async (_, worker) => {
      for (let round = 0; round < 50; round++) {
        const id = `${worker} ${randomUUID()}`
        const [echo, list] = await Promise.all([
          client.echo(id),
          client.sendCommand(['EVAL', 'return {ARGV[1], {ARGV[2]}}', '0', id, String(round)])
        ])
        assert.strictEqual(echo, id)
        assert.deepStrictEqual(list, [id, [String(round)]])
      }
    }))
  })

  it('stay apart among errors, nulls, and commands that are refused before they are sent',
    async t => {
      const client = createClient(server.url)
      t.after(() => client.destroy())
      await client.set('text', 'no number')
      const settled = await Promise.allSettled(Array.from({ length: 2000 }, (_, n) => {
        if (n % 4 === 0) return client.incr('text')
        if (n % 4 === 1) return client.get('missing')
        if (n % 4 === 2) return client.get(n)
        return client.echo(String(n))
      }))
      settled.forEach(({ status, value, reason }, n) => {
        if (n % 4 === 0) return assert.strictEqual(reason.code, 'ERR')
        if (n % 4 === 1) return assert.strictEqual(value, null)
        if (n % 4 === 2) return assert.ok(reason instanceof TypeError)
        assert.strictEqual(status, 'fulfilled')
        assert.strictEqual(value, String(n))
      })
    })

  it('stay apart between aborted and timed out neighbours', async t => {
    const client = createClient(server.url)
    t.after(() => client.destroy())
    await client.connect()
    const sleep = client.sendCommand(['DEBUG', 'SLEEP', '1'])
    const settled = await Promise.allSettled(Array.from({ length: 900 }, (_, n) => {
      if (n % 3 === 0) return client.withCommandOptions({ timeout: 50 }).echo(`late ${n}`)
      if (n % 3 === 1) return client.withAbortSignal(AbortSignal.timeout(20)).echo(`gone ${n}`)
      return client.echo(`own ${n}`)
    }))
    await sleep
    settled.forEach(({ value, reason }, n) => {
      if (n % 3 === 0) assert.strictEqual(reason.code, 'TIMEOUT')
      else if (n % 3 === 1) assert.strictEqual(reason.code, 'ABORT_ERR')
      else assert.strictEqual(value, `own ${n}`)
    })
    assert.strictEqual(client.stats().lateReplies, 600)
  })

  for (const [name, make] of [
    ['a client', url => createClient(url)],
    ['a client with 4 lanes', url => createClient({ url, lanes: 4 })],
    ['a pool', url => createClientPool(url)]
  ]) {
    it(`are judged right by the oracle on ${name}`, async t => {
      const client = make(server.url)
      t.after(() => client.destroy())
      const oracle = startOracle(client)
      await oracle.healed()
      for (let rounds = 0; rounds < 10; rounds++) await oracle.healed()
      await oracle.stop()
      await oracle.verify()
      assert.strictEqual(oracle.failed, 0)
    })
  }
})
