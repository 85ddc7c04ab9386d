'use strict'

// Connections that are taken away under load, by the server or by their age. A killed one costs its
// own commands in flight and nothing else; a retired one costs nothing.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { heard } = require('../behaviour/eventually')
const { scene, until } = require('./scene')

describe('CLIENT KILL of each connection under load', { concurrency: true }, () => {
  for (const lanes of [1, 4]) {
    it(`costs the commands of that connection only, with ${lanes} lanes`, async t => {
      const set = scene(t)
      const server = await set.server()
      const admin = set.client(server)
      const name = `victim-${lanes}`
      const client = set.client(server, { lanes, name })
      await connectAll(client, lanes)
      const oracle = set.oracle(client)
      await oracle.healed()
      let kills = 0
      for (let round = 0; round < 3; round++) {
        for (const id of await idsOf(admin, name)) {
          const { failed } = oracle
          kills += await admin.clientKill({ filter: 'ID', id })
          // The server lists it before it is ready. If it were killed then, it would not count.
          await until(async () => {
            const ids = await idsOf(admin, name)
            return ids.length === lanes && !ids.includes(id) &&
              client.stats().connects >= lanes + kills
          }, 'the replacement')
          // At worst every worker's command was on that connection.
          const cost = oracle.failed - failed
          assert.ok(cost <= oracle.workers.length, `${cost} commands failed for one connection`)
        }
      }
      await oracle.healed()
      await oracle.stop()
      await oracle.verify()
      assert.strictEqual(kills, 3 * lanes)
      assert.strictEqual(client.stats().connects, lanes + kills)
    })
  }

  it('costs an idle client nothing', async t => {
    const set = scene(t)
    const server = await set.server()
    const admin = set.client(server)
    const client = set.client(server, { name: 'victim' })
    for (let round = 1; round <= 5; round++) {
      assert.strictEqual(await client.incr('n'), round)
      const [id] = await idsOf(admin, 'victim')
      const seen = heard(client, 'reconnecting')
      await admin.clientKill({ filter: 'ID', id })
      await seen
    }
  })
})

describe('a lifetime of 500 ms under load', { concurrency: true }, () => {
  for (const lanes of [1, 2]) {
    it(`fails nothing in 5 s, with ${lanes} lanes`, async t => {
      const set = scene(t)
      const server = await set.server()
      const client = set.client(server, { lanes, pool: { maxLifetime: 500 } })
      const errors = []
      client.on('error', error => errors.push(error))
      const oracle = set.oracle(client)
      // Ten lifetimes; slower machines get through fewer in the same time.
      const end = performance.now() + 5000
      await until(() => performance.now() > end, 'five seconds')
      await oracle.stop()
      await oracle.verify()
      assert.strictEqual(oracle.failed, 0)
      assert.deepStrictEqual(errors, [])
      const { connects } = client.stats()
      assert.ok(connects >= 4 * lanes, `only ${connects} connections in all`)
      await until(async () => {
        const { connectedClients } = await clientsOf(client)
        return connectedClients <= lanes + 1
      }, 'retired connections to be closed')
    })
  }
})

async function idsOf (admin, name) {
  return (await admin.clientList()).filter(one => one.name === name).map(({ id }) => id)
}

/** A lane connects with its first command, which it gets while others have more to do. */
async function connectAll (client, lanes) {
  await until(async () => {
    const sets = Array.from({ length: lanes }, async (_, turn) => {
      for (let turns = 0; turns < turn; turns++) await new Promise(setImmediate)
      await client.set('large', Buffer.alloc(1024 * 1024))
    })
    await Promise.all(sets)
    return client.stats().lanes.every(lane => lane.connected)
  }, 'all lanes to be connected')
}

async function clientsOf (client) {
  const info = await client.info('clients')
  return { connectedClients: Number(/^connected_clients:(\d+)/m.exec(info)[1]) }
}
