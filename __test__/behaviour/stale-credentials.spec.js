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
    ['rejects with a text', () => Promise.reject('a text'), /failed/, cause => cause === 'a text'],
    ['gives undefined', () => undefined, /failed/, cause => cause instanceof TypeError],
    ['gives a number as password', () => ({ password: 5 }), /failed/,
      cause => cause instanceof TypeError && /a string as password/.test(cause.message)],
    ['never answers', () => new Promise(() => {}), /did not answer/, cause => cause === undefined]
  ]) {
    it(`that ${name} is the cause of the failure, as it is`, async t => {
      await started(t)
      // What fails at once may fail late on a busy machine; what never answers is waited for.
      const connectTimeout = name === 'never answers' ? 500 : 10_000
      const client = make(t, provider,
        { socket: { connectTimeout }, commandOptions: { timeout: 2500 } })
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

describe('a streaming credentialsProvider', () => {
  // Two users, and a provider whose listener the test holds.
  const scene = async (t, options = {}) => {
    const server = await startServer()
    t.after(() => server.stop())
    const admin = createClient(server.url)
    t.after(() => admin.destroy())
    for (const user of ['jo', 'ann']) {
      await admin.sendCommand(['ACL', 'SETUSER', user, 'on', `>${user}`, '~*', '&*', '+@all'])
    }
    const provider = {
      type: 'streaming-credentials-provider',
      subscribed: 0,
      disposed: 0,
      errors: [],
      async subscribe (listener) {
        this.subscribed++
        this.listener = listener
        return [{ username: 'jo', password: 'jo' }, { dispose: () => { this.disposed++ } }]
      },
      onReAuthenticationError (error) {
        this.errors.push(error)
      }
    }
    const client = createClient({ url: server.url, credentialsProvider: provider,
      name: 'streamed', ...options })
    t.after(() => client.destroy())
    const users = async () => (await admin.clientList())
      .filter(({ name }) => name === 'streamed').map(({ user }) => user)
    return { server, admin, provider, client, users }
  }
  const eventually = async isTrue => {
    while (!await isTrue()) await new Promise(resolve => { setTimeout(resolve, 10) })
  }

  for (const RESP of [3, 2]) {
    it(`logs all connections in again when new ones come, in RESP${RESP}`, async t => {
      const { admin, provider, client, users } = await scene(t, { RESP, pool: { min: 3 } })
      const heard = []
      let gaps = 0
      client.on('resubscribed', () => { gaps++ })
      await client.subscribe('news', message => heard.push(message))
      await client.session(session => session.get('k'))
      // The pool's connections are made in the background.
      await eventually(async () => (await users()).length >= 3)
      const all = await users()
      assert.ok(all.every(user => user === 'jo'), all.join())
      let counted = 0
      const counting = (async () => {
        for (; counted < 300; counted++) await client.incr('n')
      })()
      provider.listener.onNext({ username: 'ann', password: 'ann' })
      // A connection that subscribes in RESP2 can do nothing else, so it keeps its login.
      const kept = RESP === 2 ? 1 : 0
      await eventually(async () => (await users()).filter(user => user === 'jo').length === kept)
      await counting
      assert.strictEqual(await client.get('n'), '300')
      assert.strictEqual(await client.sendCommand(['ACL', 'WHOAMI']), 'ann')
      await client.session(async session => {
        assert.strictEqual(await session.sendCommand(['ACL', 'WHOAMI']), 'ann')
      })
      await admin.publish('news', 'after')
      await eventually(() => heard.length > 0)
      assert.deepStrictEqual([heard, gaps, provider.errors], [['after'], 0, []])
    })
  }

  // A lane tries an old connection's replacement again after 30 s. New credentials end that wait.
  it('hears that new ones are refused, and the client goes on', { timeout: 20_000 }, async t => {
    const { provider, client } = await scene(t)
    await client.connect()
    provider.listener.onNext({ username: 'jo', password: 'wrong' })
    await eventually(() => provider.errors.length > 0)
    assert.strictEqual(provider.errors[0].name, 'CredentialsError')
    assert.strictEqual(await client.sendCommand(['ACL', 'WHOAMI']), 'jo')
    provider.listener.onNext({ username: 'ann', password: 'ann' })
    await eventually(async () => await client.sendCommand(['ACL', 'WHOAMI']) === 'ann')
  })

  it('hears of its own failure, and of what are no credentials', async t => {
    const { provider, client } = await scene(t)
    await client.connect()
    const mine = new Error('no token')
    provider.listener.onError(mine)
    provider.listener.onNext({ password: 5 })
    const [first, second] = provider.errors
    assert.deepStrictEqual([first.name, first.cause],
      ['UnableToObtainNewCredentialsError', mine])
    assert.match(second.message, /must give a string as password/)
    assert.strictEqual(await client.sendCommand(['ACL', 'WHOAMI']), 'jo')
  })

  it('is subscribed to once, disposed of at the end, and subscribed to again', async t => {
    const { provider, client } = await scene(t, { lanes: 2 })
    for (const end of ['close', 'destroy']) {
      await client.connect()
      await Promise.all(Array.from({ length: 8 }, () => client.session(one => one.get('k'))))
      assert.deepStrictEqual([provider.subscribed, provider.disposed], end === 'close'
        ? [1, 0] : [2, 1])
      const { listener } = provider
      await client[end]()
      assert.strictEqual(provider.disposed, provider.subscribed)
      // What comes late changes nothing.
      listener.onNext({ username: 'ann', password: 'ann' })
      listener.onError(new Error('late'))
    }
    assert.deepStrictEqual(provider.errors, [])
  })

  it('that rejects is the cause, and is asked again', async t => {
    const { server } = await scene(t)
    const mine = new RangeError('not now')
    let asked = 0
    const client = createClient({
      socket: { host: server.host, port: server.port, reconnectStrategy: 20 },
      credentialsProvider: {
        type: 'streaming-credentials-provider',
        subscribe: async () => {
          if (asked++ < 2) throw mine
          return [{ username: 'jo', password: 'jo' }, { dispose () {} }]
        },
        onReAuthenticationError () {}
      }
    })
    t.after(() => client.destroy())
    const causes = []
    client.on('error', ({ cause }) => causes.push(cause))
    assert.strictEqual(await client.sendCommand(['ACL', 'WHOAMI']), 'jo')
    assert.deepStrictEqual(causes, [mine, mine])
  })
})
