'use strict'

// Credentials that the server refuses: a typed error at once, for every caller, and no storm of
// attempts (the server's log would fill, and an account might be locked).

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { ConnectionError, ErrorReply } = require('../..')
const { scene, timeOf, until, CANARY } = require('./scene')

describe('refused credentials', { concurrency: true }, () => {
  it('reject connect() at once, with the reply as cause', async t => {
    const set = scene(t)
    const server = await set.server()
    const client = set.client(server, { password: `${CANARY}-wrong` })
    const connect = client.connect()
    const took = await timeOf(connect)
    assert.ok(took < QUICK, `took ${took} ms`)
    assertRefused(await set.failure(connect), 'WRONGPASS')
  })

  it('reject every command that waits, and those that come soon after, with few attempts',
    async t => {
      const set = scene(t)
      const server = await set.server()
      const admin = set.client(server)
      const client = set.client(server, { password: `${CANARY}-wrong` })
      const started = performance.now()
      let commands = 0
      while (performance.now() - started < 1500) {
        const gets = Array.from({ length: 20 }, () => client.get('key'))
        commands += gets.length
        for (const error of await set.failures(gets)) assertRefused(error, 'WRONGPASS')
        await new Promise(setImmediate)
      }
      const took = performance.now() - started
      const attempts = Number((await admin.aclLog()).reduce((sum, entry) => sum + entry.count, 0))
      // Promised is at most one a second; a busy machine may be late with the second or third.
      const allowed = Math.ceil(took / 1000) + 1
      assert.ok(attempts >= 1 && attempts <= allowed, `${attempts} for ${commands} commands`)
    })

  it('that are missing are named as such', async t => {
    const set = scene(t)
    const server = await set.server()
    const client = set.client(server, { password: undefined })
    const error = await set.failure(client.connect())
    assertRefused(error, 'NOAUTH')
    assert.match(error.message, /none was given/)
  })

  it('of an ACL user are refused alike, in RESP3 and RESP2', async t => {
    const set = scene(t)
    const server = await set.server()
    const admin = set.client(server)
    await admin.sendCommand(['ACL', 'SETUSER', 'joe', 'on', `>${CANARY}-joe`, '~*', '+@all'])
    for (const RESP of [3, 2]) {
      const right = set.client(server, { username: 'joe', password: `${CANARY}-joe`, RESP })
      assert.strictEqual(await right.sendCommand(['ACL', 'WHOAMI']), 'joe')
      const wrong = set.client(server, { username: 'joe', password: CANARY, RESP })
      assertRefused(await set.failure(wrong.get('key')), 'WRONGPASS')
      const unknown = set.client(server, { username: 'ann', password: CANARY, RESP })
      assertRefused(await set.failure(unknown.get('key')), 'WRONGPASS')
    }
  })

  it('are taken again once the server takes them', async t => {
    const set = scene(t)
    const server = await set.server()
    const admin = set.client(server)
    const client = set.client(server, { password: `${CANARY}-new` })
    assertRefused(await set.failure(client.get('key')), 'WRONGPASS')
    await admin.configSet('requirepass', `${CANARY}-new`)
    await until(() => client.set('key', 'value').then(() => true, () => false), 'a success')
  })
})

describe('a password that is changed while clients are connected', { concurrency: true }, () => {
  it('fails the next connection fast, and heals when it is changed back', async t => {
    const set = scene(t)
    const server = await set.server()
    const admin = set.client(server)
    const client = set.client(server)
    await client.set('key', 'value')
    await admin.configSet('requirepass', `${CANARY}-new`)
    // The server keeps connections that have logged in before.
    assert.strictEqual(await client.get('key'), 'value')
    const id = await client.clientId()
    await admin.clientKill({ filter: 'ID', id })
    const refused = await firstFailure(set, () => client.get('key'))
    assertRefused(refused, 'WRONGPASS')
    const took = await timeOf(client.get('key'))
    assert.ok(took < QUICK, `took ${took} ms`)
    await admin.configSet('requirepass', CANARY)
    await until(() => client.get('key').then(value => value === 'value', () => false), 'a success')
  })

  it('ends the user\'s commands when the user is deleted', async t => {
    const set = scene(t)
    const server = await set.server()
    const admin = set.client(server)
    await admin.sendCommand(['ACL', 'SETUSER', 'joe', 'on', `>${CANARY}`, '~*', '+@all'])
    const client = set.client(server, { username: 'joe' })
    await client.set('key', 'value')
    await admin.sendCommand(['ACL', 'DELUSER', 'joe'])
    const refused = await firstFailure(set, () => client.get('key'))
    assertRefused(refused, 'WRONGPASS')
  })
})

describe('a user without a permission', () => {
  it('gets NOPERM as an error of that command only', async t => {
    const set = scene(t)
    const server = await set.server()
    const admin = set.client(server)
    const rules = ['on', `>${CANARY}`, '~open:*', '+get', '+set']
    await admin.sendCommand(['ACL', 'SETUSER', 'joe', ...rules])
    const client = set.client(server, { username: 'joe' })
    const [set1, denied, incr, get] = await Promise.allSettled([
      client.set('open:1', 'value'), client.get('closed:1'), client.incr('open:2'),
      client.get('open:1')
    ])
    assert.strictEqual(set1.value, 'OK')
    assert.strictEqual(get.value, 'value')
    for (const { reason } of [denied, incr]) {
      set.note(reason)
      assert.ok(reason instanceof ErrorReply)
      assert.strictEqual(reason.code, 'NOPERM')
      assert.strictEqual(reason.retryable, false)
    }
    assert.strictEqual(client.stats().connects, 1)
  })
})

function assertRefused (error, reply) {
  assert.ok(error instanceof ConnectionError, `${error}`)
  assert.strictEqual(error.code, 'AUTH')
  assert.strictEqual(error.retryable, false)
  assert.ok(error.cause instanceof ErrorReply)
  assert.strictEqual(error.cause.code, reply)
}

/** The error that calls of `call` end with, sooner or later, once a connection is gone. */
async function firstFailure (set, call) {
  for (;;) {
    const error = await call().then(() => null, error => error)
    if (error === null || error.kind === 'CONNECTION_LOST') continue
    set.note(error)
    return error
  }
}

// Promised is a second after connecting; a connection on loopback takes milliseconds.
const QUICK = 1500
