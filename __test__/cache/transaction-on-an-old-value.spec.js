'use strict'

// Between WATCH and its transaction a client reads what the server has: the transaction would
// otherwise act on a value that was old when it was watched.

const assert = require('node:assert')
const { after, before, beforeEach, describe, it } = require('node:test')

const { eventually } = require('../behaviour/eventually')
const { startScene } = require('./scene')

describe('a read behind WATCH', () => {
  let scene, client, other
  before(async () => {
    scene = await startScene()
    client = scene.client
    other = scene.other
  })
  after(() => scene.stop())
  beforeEach(async () => {
    await scene.reset()
    await client.unwatch()
    await other.set('k', '1')
    await cached()
  })

  /** A change that is told late may have met the read, and then it is not kept. */
  const cached = () => eventually(async () => {
    const { hitCount } = scene.cache.stats()
    await client.get('k')
    return scene.cache.stats().hitCount > hitCount
  }, 'a hit')
  const asked = run => scene.misses(run).then(({ misses }) => misses)
  const isPast = async () => {
    const { hitCount, missCount } = scene.cache.stats()
    await client.get('k')
    const after = scene.cache.stats()
    return hitCount === after.hitCount && missCount === after.missCount
  }

  it('goes to the server, before and behind the reply to WATCH', async () => {
    const watched = client.watch('k')
    assert.ok(await isPast())
    await watched
    assert.ok(await isPast())
    assert.ok(await isPast())
  })

  it('comes from the cache again behind the transaction', async () => {
    await client.watch('k')
    const done = client.multi().set('k', '2').exec()
    assert.strictEqual(await client.get('k'), '2')
    await done
    await cached()
  })

  for (const [name, end] of Object.entries({
    UNWATCH: () => client.unwatch(),
    'UNWATCH by sendCommand': () => client.sendCommand(['UNWATCH']),
    RESET: () => client.reset()
  })) {
    it(`comes from the cache again behind ${name}`, async () => {
      await client.sendCommand(['WATCH', 'k'])
      assert.ok(await isPast())
      await end()
      await cached()
    })
  }

  it('is what the transaction relies on', async () => {
    let tries = 0
    for (let n = 0; n < 50; n++) {
      const changed = other.incr('counter')
      for (;;) {
        tries++
        await client.watch('counter')
        const value = Number(await client.get('counter'))
        try {
          await client.multi().set('counter', String(value + 1)).exec()
          break
        } catch (error) {
          assert.strictEqual(error.code, 'WATCH')
        }
      }
      await changed
    }
    assert.ok(tries >= 50)
    assert.strictEqual(await other.get('counter'), '100')
  })

  it('of a session changes nothing for the client', async () => {
    await client.session(async session => {
      await session.watch('k')
      assert.strictEqual(await asked(() => client.get('k')), 0)
      await client.watch('k')
      await session.multi().set('other', '1').exec()
      assert.ok(await isPast())
    })
  })
})
