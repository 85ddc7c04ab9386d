'use strict'

// Every connection ends every 100 ms, for 10 s, under all kinds of work at once. No item is
// delivered twice, none that was is lost, transactions are whole, subscriptions come back, every
// promise settles, and afterwards all is as it was before.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { Consumers } = require('./consumers')
const { atRest, scene, until } = require('./scene')

const STORMS = {
  'CLIENT KILL': ({ admin }) => Promise.all(['normal', 'pubsub'].map(type =>
    admin.clientKill({ filter: 'TYPE', type }))),
  resets: ({ proxy }) => proxy.reset()
}

describe('a storm', { concurrency: true }, () => {
  for (const [name, strike] of Object.entries(STORMS)) {
    for (const RESP of [2, 3]) {
      it(`of ${name} loses nothing but connections, RESP${RESP}`, async t => {
        const set = scene(t)
        const server = await set.server()
        const proxy = await set.proxy(server)
        // Not through the proxy, and CLIENT KILL spares its caller.
        const admin = set.client(server, { name: 'admin' })
        const client = set.client(proxy, { RESP, name: 'stormy' })
        const oracle = set.oracle(client, { workers: 4, pairs: 4, sessions: 4 })
        const pops = new Consumers(client, 'pops', ['blPop', 'blPop', 'session'], 5)
        const moves = new Consumers(client, 'moves', ['blMove'], 4)
        const news = new News(client)
        await news.subscribe()
        await oracle.healed()

        for (let round = 0; round < STRIKES; round++) {
          await Promise.all([
            // In front of, beside and behind what is on its way.
            pops.push(admin, ITEMS / STRIKES), moves.push(admin, ITEMS / STRIKES),
            news.publish(admin), strike({ admin, proxy })
          ])
          await new Promise(resolve => { setTimeout(resolve, PERIOD) })
        }

        await oracle.healed()
        await oracle.stop()
        await Promise.all([pops.end(admin), moves.end(admin)])
        await oracle.verify(admin)
        await pops.verify(admin)
        await moves.verify(admin)
        assert.ok(pops.failed > 0 && moves.failed > 0, 'no strike met a consumer')
        await news.verify(admin)
        await atRest(client)
        await until(async () => (await connections(admin)) === client.stats().pool.total,
          'the end of all connections but the pool\'s')
        await news.unsubscribe()
        await client.close()
        await until(async () => (await connections(admin)) === 0, 'the end of all connections')
      })
    }
  }
})

/** Numbered messages on a channel and through a pattern. */
class News {
  constructor (client) {
    this.client = client
    this.number = 0
    this.plain = []
    this.pattern = []
    this.listeners = [this.plain, this.pattern].map(list => message => list.push(Number(message)))
  }

  async subscribe () {
    await Promise.all([
      this.client.subscribe('news', this.listeners[0]),
      this.client.pSubscribe('news:*', this.listeners[1])
    ])
  }

  unsubscribe () {
    return Promise.all([this.client.unsubscribe(), this.client.pUnsubscribe()])
  }

  publish (admin) {
    const number = String(++this.number)
    return Promise.all([
      admin.publish('news', number), admin.publish(`news:${this.number % 3}`, number)
    ])
  }

  /** Both subscriptions stand again, once, and what came, came in order and once. */
  async verify (admin) {
    await until(async () => (await this.publish(admin)).every(receivers => receivers === 1),
      'both subscriptions to come back')
    const last = this.number
    const all = [this.plain, this.pattern]
    await until(() => all.every(list => list.at(-1) === last), 'the last message')
    for (const list of all) {
      assert.deepStrictEqual(list, [...new Set(list)].toSorted((a, b) => a - b))
    }
  }
}

/** How many connections of the client the server has. */
async function connections (admin) {
  const list = await admin.clientList()
  return list.filter(({ name }) => name === 'stormy').length
}

const PERIOD = 100
const STRIKES = 100
const ITEMS = 10_000
