'use strict'

// credentialsProvider is asked before each connection, so that a changed password needs no restart.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { createClient } = require('../..')
const { startServer } = require('../support/redis-server')
const { heard } = require('./eventually')

describe('credentialsProvider', () => {
  let server
  const started = async t => {
    server = await startServer()
    t.after(() => server.stop())
    const admin = createClient(server.url)
    t.after(() => admin.destroy())
    await admin.sendCommand(['ACL', 'SETUSER', 'jo', 'on', '>one', '~*', '+@all'])
    return admin
  }
  const make = (t, credentialsProvider, { socket, ...options } = {}) => {
    const client = createClient({
      socket: { host: server.host, port: server.port, reconnectStrategy: 20, ...socket },
      credentialsProvider,
      ...options
    })
    t.after(() => client.destroy())
    return client
  }
  const whoAmI = client => client.sendCommand(['ACL', 'WHOAMI'])

  it('may be a function, synchronous or not, or an object', async t => {
    await started(t)
    const jo = { username: 'jo', password: 'one' }
    for (const provider of [
      () => jo,
      async () => jo,
      () => new Promise(resolve => { setTimeout(resolve, 20, jo) }),
      { credentials: async () => jo },
      { credentials () { return this.kept }, kept: jo }
    ]) {
      assert.strictEqual(await whoAmI(make(t, provider)), 'jo')
    }
  })

  it('may give nothing but undefined: then nobody logs in', async t => {
    await started(t)
    assert.strictEqual(await whoAmI(make(t, () => ({}))), 'default')
    for (const none of [undefined, null, '']) {
      assert.strictEqual(
        await whoAmI(make(t, () => ({ username: none, password: none }))), 'default')
    }
  })

  it('is asked again for the next connection', async t => {
    const admin = await started(t)
    const passwords = ['one', 'two']
    let asked = 0
    const client = make(t, () => ({ username: 'jo', password: passwords[asked++] }))
    await client.connect()
    assert.strictEqual(asked, 1)
    await admin.sendCommand(['ACL', 'SETUSER', 'jo', 'resetpass', '>two'])
    const ready = heard(client, 'ready')
    await admin.sendCommand(['CLIENT', 'KILL', 'USER', 'jo'])
    await ready
    assert.strictEqual(asked, 2)
    assert.strictEqual(await whoAmI(client), 'jo')
  })

  it('is asked once per connection of several lanes', async t => {
    await started(t)
    let asked = 0
    const provider = () => {
      asked++
      return { username: 'jo', password: 'one' }
    }
    const client = make(t, provider, { lanes: 3 })
    await Promise.all(Array.from({ length: 20 }, async () => {
      assert.strictEqual(await whoAmI(client), 'jo')
    }))
    assert.ok(asked >= 1 && asked <= 3, String(asked))
  })

  const mine = new RangeError('no token today')
  for (const [name, provider, text, isCause] of [
    ['rejects', () => Promise.reject(mine), /failed/, cause => cause === mine],
    ['throws', () => { throw mine }, /failed/, cause => cause === mine],
    ['throws a text', () => { throw 'a text' }, /failed/, cause => cause === 'a text'], // oxlint-disable-line no-throw-literal
    ['gives undefined', () => undefined, /failed/, cause => cause instanceof TypeError],
    ['gives a number as password', () => ({ password: 5 }), /failed/,
      cause => cause instanceof TypeError && /a string as password/.test(cause.message)],
    ['never answers', () => new Promise(() => {}), /did not answer/, cause => cause === undefined]
  ]) {
    it(`that ${name} is the cause of the failure, as it is`, async t => {
      await started(t)
      const client = make(t, provider,
        { socket: { connectTimeout: 500 }, commandOptions: { timeout: 1000 } })
      const error = await client.get('k').then(() => assert.fail('was served'), error => error)
      assert.strictEqual(error.code, 'TIMEOUT')
      assert.strictEqual(error.cause.code, 'CREDENTIALS')
      assert.match(error.cause.message, text)
      assert.ok(isCause(error.cause.cause), String(error.cause.cause))
    })
  }

  it('that fails at first is asked again until it succeeds', async t => {
    await started(t)
    let asked = 0
    const client = make(t, async () => {
      if (asked++ < 2) throw new Error('not yet')
      return { username: 'jo', password: 'one' }
    })
    assert.strictEqual(await whoAmI(client), 'jo')
    assert.strictEqual(asked, 3)
  })

  it('with the wrong password fails at once', async t => {
    await started(t)
    const client = make(t, () => ({ username: 'jo', password: 'wrong' }),
      { commandOptions: { timeout: 5000 } })
    const before = performance.now()
    await assert.rejects(client.get('k'), { name: 'ConnectionError', code: 'AUTH' })
    assert.ok(performance.now() - before < 4000)
  })
})
