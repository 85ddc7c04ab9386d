'use strict'

// A server that waits for a script refuses SELECT. A session of a client with a database is there
// all the same, to end the script; anything else is refused with the server's words, and never
// runs in another database.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient } = require('../..')
const { startServer } = require('../support/redis-server')
const { until } = require('../support/until')

const DATABASE = 3

describe('while a script holds the server up', () => {
  let server, client, selects
  before(async () => {
    server = await startServer()
    client = createClient({ url: server.url, database: DATABASE })
    await client.set('k', 'in 3')
    selects = /^valkey_version:/m.test(await client.info('server')) &&
      'Valkey selects a database all the same'
    await client.configSet('lua-time-limit', '50')
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  /** Starts an endless script, and resolves to it once the server answers BUSY. */
  async function occupied () {
    const holder = createClient({ url: server.url })
    const script = holder.eval('while true do end').finally(() => holder.destroy())
    script.catch(() => {})
    const asker = createClient({ url: server.url })
    await until('the server is busy', () => asker.session(session => session.get('k'))
      .then(() => false, error => error.code === 'BUSY'))
    asker.destroy()
    return { script }
  }

  for (const [what, first] of [['a new client', true], ['a client that is in use', false]]) {
    it(`a session of ${what} ends the script`, async t => {
      const { script } = await occupied()
      const own = first ? createClient({ url: server.url, database: DATABASE }) : client
      if (first) t.after(() => own.destroy())
      assert.strictEqual(await own.session(session => session.scriptKill()), 'OK')
      await assert.rejects(script, /killed/)
      assert.strictEqual(await own.session(session => session.get('k')), 'in 3')
      assert.strictEqual(await own.get('k'), 'in 3')
    })
  }

  it('a session refuses what it cannot run in its database, as not applied', async t => {
    if (selects) return t.skip(selects)
    const { script } = await occupied()
    const other = createClient({ url: server.url, database: DATABASE })
    try {
      await other.session(async session => {
        for (const call of [
          () => session.get('k'),
          () => session.set('k', 'in 0'),
          () => session.multi().set('k', 'in 0').exec(),
          () => Promise.all([session.scriptKill(), session.set('k', 'in 0')])
        ]) {
          await assert.rejects(call(), { name: 'ErrorReply', code: 'BUSY', applied: 'no',
            retryable: true })
        }
        assert.strictEqual(await session.scriptKill(), 'OK')
        await assert.rejects(script, /killed/)
      })
      await assert.rejects(other.session(session => session.scriptKill()), { code: 'NOTBUSY' })
      assert.strictEqual(await other.get('k'), 'in 3')
      const plain = createClient({ url: server.url })
      assert.strictEqual(await plain.get('k').finally(() => plain.destroy()), null)
    } finally {
      other.destroy()
    }
  })

  it('a lane waits for its database', async t => {
    if (selects) return t.skip(selects)
    const { script } = await occupied()
    const other = createClient({ url: server.url, database: DATABASE })
    t.after(() => other.destroy())
    const value = other.get('k')
    value.catch(() => {})
    await until('a connection stands', async () => other.stats().pool.total > 0)
    assert.strictEqual(await client.session(session => session.scriptKill()), 'OK')
    await assert.rejects(script, /killed/)
    assert.strictEqual(await value, 'in 3')
    assert.strictEqual(other.stats().connects, 1)
  })
})
