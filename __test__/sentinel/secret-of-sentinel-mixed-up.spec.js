'use strict'

// Sentinels and nodes have logins and encryption of their own: neither is sent to the others, and
// none is shown.

const assert = require('node:assert')
const fs = require('node:fs')
const { describe, it } = require('node:test')
const { inspect } = require('node:util')

const { skipBefore7, skipWithoutTls } = require('../support/redis-server')
const { scene } = require('./scene')

const REQUIREPASS = 'canary-of-the-nodes'
const SENTINEL_PASSWORD = 'canary-of-the-sentinels'
const PASSWORDS = { requirepass: REQUIREPASS, sentinelPassword: SENTINEL_PASSWORD }

describe('passwords', { skip: skipBefore7() }, () => {
  it('are those of the nodes for nodes, and those of the sentinels for sentinels', async t => {
    const made = await scene(t, { ...PASSWORDS, sentinels: 2, replicas: 1 })
    const client = await made.connected(options())
    assert.strictEqual(await client.set('k', 'v'), 'OK')
    const shown = inspect(client, { depth: 9, showHidden: true })
    assert.ok(!shown.includes(REQUIREPASS) && !shown.includes(SENTINEL_PASSWORD))
  })

  it('that are wrong are told at once, and not shown', async t => {
    const made = await scene(t, { ...PASSWORDS, sentinels: 2, replicas: 0 })
    const wrong = 'canary-that-is-wrong'
    for (const [kind, code] of [['nodeClientOptions', 'AUTH'], ['sentinelClientOptions', 'AUTH']]) {
      const client = made.client({ ...options(), [kind]: { password: wrong } })
      const started = performance.now()
      const error = await client.connect().then(() => null, error => error)
      assert.notStrictEqual(error, null, kind)
      const codes = []
      for (let one = error; one; one = one.cause) codes.push(one.code)
      assert.ok(codes.includes(code), `${kind}: ${codes}`)
      assert.ok(performance.now() - started < 4_000, `${kind}: at once, not after connectTimeout`)
      assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes('canary'))
      client.destroy()
    }
  })

  it('of sentinels do no harm where the sentinels have none', async t => {
    const made = await scene(t, { sentinels: 2, replicas: 0 })
    const client = await made.connected({ sentinelClientOptions: { password: SENTINEL_PASSWORD } })
    assert.strictEqual(await client.set('k', 'v'), 'OK')
  })

  function options () {
    return {
      nodeClientOptions: { password: REQUIREPASS },
      sentinelClientOptions: { password: SENTINEL_PASSWORD }
    }
  }
})

describe('TLS', { skip: skipBefore7() || skipWithoutTls() }, () => {
  it('is verified for sentinels and nodes, each with its options', async t => {
    const made = await scene(t, { tls: true, sentinels: 1, replicas: 1 })
    const ca = fs.readFileSync(made.set.certificates.ca, 'utf8')
    const secure = { socket: { tls: true, ca } }
    const both = { nodeClientOptions: secure, sentinelClientOptions: secure }
    const client = await made.connected(both)
    assert.strictEqual(await client.set('k', 'v'), 'OK')
    for (const kind of Object.keys(both)) {
      const distrustful = made.client({ ...both, [kind]: { socket: { tls: true } } })
      const error = await distrustful.connect().then(() => null, error => error)
      const codes = []
      for (let one = error; one; one = one.cause) codes.push(one.code)
      assert.ok(codes.some(code => code.startsWith('TLS_')), `${kind}: ${codes}`)
      distrustful.destroy()
    }
    // Each has its own checkServerIdentity too.
    const judged = { nodeClientOptions: 0, sentinelClientOptions: 0 }
    const judging = Object.fromEntries(Object.keys(both).map(kind => {
      const checkServerIdentity = (host, { raw }) => {
        assert.ok(host === '127.0.0.1' && Buffer.isBuffer(raw))
        judged[kind] += 1
      }
      return [kind, { socket: { tls: true, ca, checkServerIdentity } }]
    }))
    const judge = await made.connected(judging)
    assert.strictEqual(await judge.set('k', 'v'), 'OK')
    assert.ok(judged.nodeClientOptions > 0 && judged.sentinelClientOptions > 0)
  })
})
