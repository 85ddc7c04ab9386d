'use strict'

// Between a transaction's MULTI and EXEC the server receives no other command, whatever else is
// sent and however the network cuts the bytes. Each command gets its own reply.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, createClientPool } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { startFaultProxy } = require('../support/fault-proxy')
const { startOracle } = require('../support/oracle')
const { startServer } = require('../support/redis-server')

for (const RESP of [2, 3]) {
  describe(`transactions among other commands, RESP${RESP}`, () => {
    let server, proxy
    before(async () => {
      server = await startServer()
      proxy = await startFaultProxy(server)
    })
    after(async () => {
      await proxy?.stop()
      await server?.stop()
    })

    it('reach the server in one piece', async t => {
      const fake = await startFakeServer()
      const mixed = transactional(fake)
      const torn = await startFaultProxy(fake)
      torn.slice(7)
      const client = createClientPool({
        url: torn.url, RESP, lanes: 3, commandOptions: { timeout: PATIENCE }
      })
      t.after(async () => {
        client.destroy()
        await torn.stop()
        await fake.stop()
      })
      const large = 'x'.repeat(20_000)
      await Promise.all(Array.from({ length: 40 }, async (_, worker) => {
        for (let round = 0; round < 10; round++) {
          const id = `${worker}:${round}`
          // A few: in pieces of 7 bytes each of them is thousands of packets.
          const second = round === 5 && worker % 8 === 0 ? large : 'b'
          const chain = client.multi().echo(id).echo(second).echo(`end of ${id}`)
          const [before, replies, after] = await Promise.all([
            client.echo('before'), chain.exec(), client.echo('after')
          ])
          assert.deepStrictEqual(replies, [id, second, `end of ${id}`])
          assert.deepStrictEqual([before, after], ['before', 'after'])
        }
      }))
      assert.deepStrictEqual(mixed.blocks, 400)
      assert.deepStrictEqual(mixed.foreign, [])
    })

    it('keep what belongs together together, beside the oracle', async t => {
      const client = createClient({
        url: proxy.url, RESP, commandOptions: { timeout: PATIENCE }
      })
      t.after(() => client.destroy())
      proxy.slice(97)
      const oracle = startOracle(client, { workers: 16 })
      t.after(() => { oracle.stopping = true })
      await Promise.all(Array.from({ length: 16 }, async (_, worker) => {
        const [left, right] = [`left:${worker}`, `right:${worker}`]
        for (let round = 1; round <= 30; round++) {
          const replies = await client.multi().incr(left).mGet([left, right]).incr(right).exec()
          const before = round > 1 ? String(round - 1) : null
          assert.deepStrictEqual(replies, [round, [String(round), before], round])
        }
      }))
      await oracle.stop()
      await oracle.verify()
    })

    it('keep their order among the commands of a client', async t => {
      const client = createClient({ url: server.url, RESP })
      t.after(() => client.destroy())
      const calls = []
      for (let n = 0; n < 300; n += 3) {
        calls.push(client.rPush('order', String(n)))
        calls.push(client.multi().rPush('order', String(n + 1)).exec())
        calls.push(client.multi().rPush('order', String(n + 2)).execAsPipeline())
      }
      await Promise.all(calls)
      const expected = Array.from({ length: 300 }, (_, n) => String(n))
      assert.deepStrictEqual(await client.lRange('order', 0, -1), expected)
      await client.del('order')
    })
  })
}

describe('pipelines', () => {
  it('keep their order over one of many lanes, large values or not', async t => {
    const server = await startServer()
    const pool = createClientPool({ url: server.url, lanes: 4 })
    t.after(async () => {
      pool.destroy()
      await server.stop()
    })
    await pool.connect()
    const large = Buffer.alloc(200_000, 'x')
    await Promise.all(Array.from({ length: 50 }, async (_, n) => {
      const key = `list:${n}`
      const replies = await pool.multi()
        .rPush(key, 'a').rPush(key, large).rPush(key, 'b').rPush(key, [large, large]).lLen(key)
        .execAsPipeline()
      assert.deepStrictEqual(replies, [1, 2, 3, 5, 5])
    }))
    const controller = new AbortController()
    const aborted = pool.withAbortSignal(controller.signal)
      .multi().set('large', large).get('large').execAsPipeline()
    controller.abort()
    await assert.rejects(aborted, ({ replies, errorIndexes }) =>
      errorIndexes.length === 2 && replies.every(({ code }) => code === 'ABORT_ERR'))
  })

  it('find room together or not at all', async t => {
    const fake = await startFakeServer()
    const client = createClient({ url: fake.url, commandsQueueMaxLength: 3 })
    t.after(async () => {
      client.destroy()
      await fake.stop()
    })
    fake.on('command', (args, reply) => reply.ok())
    const large = Buffer.alloc(20_000)
    const full = client.multi().set('a', large).set('b', large).set('c', large).set('d', large)
    await assert.rejects(full.execAsPipeline(), ({ replies }) =>
      replies.every(({ code, applied }) => code === 'QUEUE_FULL' && applied === 'no'))
    const fits = client.multi().set('a', large).set('b', '1').set('c', large)
    assert.deepStrictEqual(await fits.execAsPipeline(), ['OK', 'OK', 'OK'])
  })
})

/** Makes a fake server run transactions of ECHOs, and notes what gets in between. */
function transactional (fake) {
  const seen = { blocks: 0, foreign: [] }
  fake.on('command', (args, reply, connection) => {
    const name = args[0]
    if (name === 'MULTI') {
      connection.queued = []
      return reply.ok()
    }
    if (name === 'EXEC') {
      const { queued } = connection
      connection.queued = undefined
      const [first, , last] = queued
      if (queued.length !== 3 || last !== `end of ${first}`) seen.foreign.push(queued)
      seen.blocks++
      return reply.array(queued)
    }
    if (connection.queued === undefined) return reply.bulk(args[1])
    connection.queued.push(args[1])
    reply.send('+QUEUED\r\n')
  })
  return seen
}

// No deadline is what is tested here: commands may take as long as a busy machine needs.
const PATIENCE = 60_000
