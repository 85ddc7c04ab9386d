'use strict'

// oxidis asks idle connections for a PING. Within a transaction that was begun by hand it would be
// queued, and EXEC would answer with one reply too many.

const assert = require('node:assert')
const { after, before, test } = require('node:test')

const native = require('../../lib/native')
const Redis = require('../../ioredis')
const { startServer } = require('../support/redis-server')
const { ready, until } = require('./pair')

/** Instead of 30 s. */
const INTERVAL = 20

const { Core } = native
let server
before(async () => {
  native.Core = function (options, face) {
    return new Core({ ...options, pingInterval: INTERVAL }, face)
  }
  server = await startServer()
})
after(async () => {
  native.Core = Core
  await server?.stop()
})

for (const end of ['exec', 'discard']) {
  test(`a transaction that idles up to ${end}() has no PING in it`, async t => {
    const [redis, other] = [1, 2].map(() => new Redis(server.port, '127.0.0.1'))
    t.after(() => { redis.disconnect(); other.disconnect() })
    await Promise.all([redis, other].map(ready))
    /** Waits until the server has answered so many pings. */
    const pings = async count => {
      const answered = async () =>
        Number(/cmdstat_ping:calls=(\d+)/.exec(await other.info('commandstats'))?.[1] ?? 0)
      const began = await answered()
      // Idle again, so that it is asked as well.
      await until(async () => {
        await new Promise(resolve => setTimeout(resolve, 2 * INTERVAL))
        return await answered() >= began + count
      })
    }
    await redis.multi({ pipeline: false })
    assert.strictEqual(await redis.set('k', 'v'), 'QUEUED')
    await pings(5)
    if (end === 'exec') assert.deepStrictEqual(await redis.exec(), [[null, 'OK']])
    else assert.strictEqual(await redis.discard(), 'OK')
    // It goes on afterwards.
    const list = await other.client('LIST')
    const [line] = list.split('\n').filter(one => !/cmd=client/.test(one))
    const id = /^id=\d+ /.exec(line)[0]
    await until(async () => (await other.client('LIST')).split('\n')
      .some(one => one.startsWith(id) && /cmd=ping/.test(one)))
  })
}
