'use strict'

// redlock: one of many has the lock, three clients vote, a lock is extended and lost. It goes on
// when two of the three have answered, so what the third shows is waited for.

const assert = require('node:assert')

const Redis = require('ioredis')
const { default: Redlock } = require('redlock')

module.exports = async ({ url }) => {
  const clients = [0, 1, 2].map(db => new Redis(url, { db }))
  const redlock = new Redlock(clients, { retryCount: 1000, retryDelay: 3, retryJitter: 3 })
  const impatient = new Redlock(clients, { retryCount: 0 })
  const lock = await redlock.acquire(['a'], 30_000)
  const votes = await ofAll(clients, client => client.exists('a'), found => found === 1)
  const refused = await impatient.acquire(['a'], 1000).then(() => 'acquired', error => error.name)
  const longer = await lock.extend(60_000)
  await ofAll(clients, client => client.pttl('a'), ttl => ttl > 30_000)
  await longer.release()
  const again = await longer.release().then(() => 'released', error => error.name)
  await clients[0].set('count', 0)
  let busy = 0
  await Promise.all(Array.from({ length: 15 }, () => redlock.using(['b', 'c'], 20_000, async () => {
    assert.strictEqual(++busy, 1)
    const count = Number(await clients[0].get('count'))
    await new Promise(resolve => { setImmediate(resolve) })
    await clients[0].set('count', count + 1)
    busy--
  })))
  const count = await clients[0].get('count')
  // A script that the server has forgotten is sent as a text.
  await clients[1].script('FLUSH')
  const last = await redlock.acquire(['d'], 1000)
  await last.release()
  const left = await ofAll(clients, client => client.dbsize(),
    (keys, client) => keys === (client === clients[0] ? 1 : 0))
  const ended = Promise.all(clients.map(client =>
    new Promise(resolve => { client.once('end', resolve) })))
  await redlock.quit()
  await ended
  return { votes, refused, again, count, left, status: clients.map(({ status }) => status) }
}

/** What `ask` resolves to for each client, once it is as `isDone` says for all. */
async function ofAll (clients, ask, isDone) {
  const end = performance.now() + 20_000
  for (;;) {
    const found = await Promise.all(clients.map(ask))
    if (found.every((one, at) => isDone(one, clients[at]))) return found
    assert.ok(performance.now() < end, `${ask}: ${found}`)
  }
}
