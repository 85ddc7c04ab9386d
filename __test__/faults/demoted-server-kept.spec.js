'use strict'

// After a failover the name leads to the new primary, but open connections still lead to the old
// one, which takes no writes any more: no client stays there, whatever it is doing.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { scene, until, timeOf, CANARY } = require('./scene')

// Ten waits between them, of 4 s together on average.
const FAILURES = 12

for (const RESP of [2, 3]) {
  describe(`a server that was demoted behind its name, in RESP${RESP}`, { concurrency: 3 }, () => {
    it('is left by a lane that has reads in flight behind each write', async t => {
      const { failOver, client } = await deployment(t, { RESP })
      await client.set('k', 'v')
      await failOver()
      const outcomes = await rounds(() => client.set('k', 'v2'), () => client.get('w'))
      assert.ok(outcomes.every(code => code === 'READONLY'), outcomes.join())
      assert.ok(outcomes.length <= 3, `${outcomes.length} writes failed`)
      assert.strictEqual(await client.get('k'), 'v2')
    })

    it('is left by sessions, those that are idle too', async t => {
      const { set, failOver, client } = await deployment(t, { RESP })
      // Three sessions at the same time, so that there are three connections.
      let open = 0
      await Promise.all([1, 2, 3].map(n => client.session(async session => {
        await session.set(`s${n}`, '1')
        open++
        await until(() => open === 3, 'three sessions')
      })))
      await failOver()
      const error = await set.failure(client.session(session => session.set('k', 'v')))
      assert.strictEqual(error.code, 'READONLY')
      for (let i = 0; i < 10; i++) await client.session(session => session.set('k', String(i)))
      // The lane is about to leave, too.
      await until(async () => await client.get('k') === '9', 'a lane at the new primary')
    })

    it('is left by lanes that only read, once a session has heard of it', async t => {
      const { set, failOver, client, admin } = await deployment(t, { RESP })
      await client.get('k')
      let before
      await client.session(async session => {
        await session.ping()
        before = client.stats().connects
        await failOver()
        assert.strictEqual((await set.failure(session.set('k', 'v'))).code, 'READONLY')
        // The session's function may go on for long, but the connection is of no use any more.
        assert.strictEqual((await set.failure(session.get('k'))).applied, 'no')
      })
      await until(async () => {
        await client.get('k')
        return client.stats().connects > before
      }, 'another connection of the lane')
      // The old connection has been closed, and nothing failed.
      const listed = () => admin.sendCommand(['CLIENT', 'LIST'])
      await until(async () => !(await listed()).includes('name=reader'), 'the end of the old one')
    })

    it('is left by a blocking command that was ended there', async t => {
      const { set, demote, turnName, client, next, admin } = await deployment(t, { RESP })
      const blocked = set.failure(client.blPop('q', 0))
      await until(async () => (await admin.info('clients')).includes('blocked_clients:1\r'),
        'a blocked command')
      await demote()
      assert.strictEqual((await blocked).code, 'UNBLOCKED')
      // The name still leads there, and each of these connections is as useless as the first.
      for (let i = 0; i < 3; i++) {
        assert.strictEqual((await set.failure(client.blPop('q', 0))).code, 'READONLY')
      }
      turnName()
      const pusher = set.client(next)
      await pusher.rPush('q', 'element')
      const outcomes = await rounds(() => client.blPop('q', 0))
      assert.ok(outcomes.length <= 3, `${outcomes.length} calls failed: ${outcomes}`)
      assert.strictEqual(await pusher.lLen('q'), 0)
    })

    it('does not let a consumer spin while the name still leads there', async t => {
      const { set, demote, client, admin } = await deployment(t, { RESP })
      await client.session(session => session.ping())
      await demote()
      // Each wait between two connections is random, and up to twice as long as the one before, so
      // they take seconds together. A consumer that spins needs one round trip for each failure,
      // whatever that is on this machine.
      const trips = await timeOf(inTurn(FAILURES, () => admin.ping()))
      const failures = await timeOf(inTurn(FAILURES, () => set.failure(client.blPop('q', 1))))
      assert.ok(failures > 3 * trips + 500, `${failures} ms for failures, ${trips} for pings`)
    })
  })
}

/**
 * Two servers and a name, which is a proxy: connections lead to where the name led when they were
 * made. `demote()` makes the first server a replica of the second, `turnName()` lets the name lead
 * to the second, and `failOver()` does both.
 */
async function deployment (t, { RESP }) {
  const set = scene(t)
  const [old, next] = await Promise.all([set.server(), set.server()])
  const name = await set.proxy(old)
  const [admin] = await Promise.all([old, next].map(async server => {
    const client = set.client(server)
    await client.connect()
    return client
  }))
  const client = set.client(name, { RESP, name: 'reader' })
  await client.connect()
  const demote = async () => {
    await admin.configSet('masterauth', CANARY)
    await admin.sendCommand(['REPLICAOF', next.host, String(next.port)])
    await until(async () => (await admin.info('replication')).includes('master_link_status:up'),
      'the replica')
  }
  const turnName = () => { name.target = { host: next.host, port: next.port } }
  const failOver = () => {
    turnName()
    return demote()
  }
  return { set, next, client, admin, demote, turnName, failOver }
}

/** Makes a call so many times, one after the other. */
async function inTurn (times, call) {
  for (let i = 0; i < times; i++) await call()
}

/**
 * Makes `calls`, the first of which writes, together and again and again until that one succeeds.
 * Returns the codes of its failures.
 */
async function rounds (...calls) {
  const codes = []
  for (;;) {
    const [{ status, reason }] = await Promise.allSettled(calls.map(call => call()))
    if (status === 'fulfilled') return codes
    codes.push(reason.code)
    if (codes.length > 100) return codes
  }
}
