'use strict'

// Commands that wait on the server have connections of their own. However many of them wait, the
// lane has none of their bytes in its queue, and answers as if there were none.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { scene, until } = require('./scene')

describe('a lane beside a hundred blocked commands', { concurrency: true }, () => {
  for (const RESP of [2, 3]) {
    it(`answers everything while all of them wait on the server, RESP${RESP}`, async t => {
      const { client, admin } = await play(t, { RESP, pool: { max: WAITING } })
      const popped = Array.from({ length: WAITING }, (_, n) => client.blPop(`list:${n}`, 0))
      await blocked(admin, WAITING)
      // Each is a connection, and none of these is the lane's.
      const lane = String(await client.clientId())
      const all = (await admin.sendCommand(['CLIENT', 'LIST'])).trim().split('\n')
      const flags = new Map(all.map(line =>
        [/^id=(\d+)/.exec(line)[1], / flags=(\w+)/.exec(line)[1]]))
      assert.strictEqual([...flags.values()].filter(one => one.includes('b')).length, WAITING)
      assert.strictEqual(flags.get(lane), 'N')
      assertEmptyLane(client)
      assert.strictEqual(client.stats().pool.inUse, WAITING)
      await answersAll(client)
      assert.strictEqual(await blocked(admin, WAITING), WAITING)
      await Promise.all(popped.map((_, n) => client.rPush(`list:${n}`, `item ${n}`)))
      assert.deepStrictEqual(await Promise.all(popped), popped.map((_, n) =>
        ({ key: `list:${n}`, element: `item ${n}` })))
    })

    it(`answers everything while most of them wait for a connection, RESP${RESP}`, async t => {
      const { client, admin } = await play(t, { RESP, pool: { max: 10, acquireTimeout: 60_000 } })
      const popped = Array.from({ length: WAITING }, () => client.blPop('list', 0))
      await blocked(admin, 10)
      const { pool } = client.stats()
      assert.deepStrictEqual([pool.inUse, pool.waiting], [10, WAITING - 10])
      assertEmptyLane(client)
      await answersAll(client)
      const items = popped.map((_, n) => `item ${n}`)
      await client.rPush('list', items)
      const elements = (await Promise.all(popped)).map(({ element }) => element)
      assert.deepStrictEqual(elements.toSorted(), items.toSorted())
    })
  }
})

async function play (t, options) {
  const set = scene(t)
  const server = await set.server()
  const admin = set.client(server)
  const client = await set.client(server, options).connect()
  return { admin, client }
}

/** Resolves once the server has `count` blocked clients. */
async function blocked (admin, count) {
  await until(async () => (await admin.info('clients')).includes(`blocked_clients:${count}\r`),
    `${count} blocked clients`)
  return count
}

function assertEmptyLane (client) {
  const { lanes } = client.stats()
  assert.deepStrictEqual(lanes, [{ connected: true, inFlight: 0, queued: 0, bytes: 0 }])
}

async function answersAll (client) {
  for (let round = 0; round < 10; round++) {
    const texts = Array.from({ length: 500 }, (_, n) => `${round}:${n}`)
    assert.deepStrictEqual(await Promise.all(texts.map(text => client.echo(text))), texts)
  }
}

const WAITING = 100
