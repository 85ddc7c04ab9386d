'use strict'

// No password, key or value is in an error, a stack, an inspected object or an event.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')
const { inspect } = require('node:util')

const { createClient } = require('../..')
const { skipBefore7, startServer } = require('../support/redis-server')

const secret = 'canary-hunter2'

// Everything that a log could show of a value.
function shown (value) {
  const texts = [inspect(value, { depth: 9, showHidden: true, getters: true }), String(value)]
  try {
    texts.push(JSON.stringify(value))
  } catch {
    // Circular, so nobody logs it that way.
  }
  for (let error = value; error instanceof Error; error = error.cause) {
    texts.push(error.stack, error.message, JSON.stringify(error, Object.getOwnPropertyNames(error)))
  }
  return texts.join('\n')
}

function isSilent (value, canary = secret) {
  assert.ok(!shown(value).includes(canary), shown(value))
}

describe('a URL that is refused', () => {
  const urls = [
    `redis//user:${secret}@localhost`,
    `http://user:${secret}@localhost`,
    `redis://user:${secret}@localhost:99999`,
    `redis://user:${secret}@localhost:port`,
    `redis://user:${secret}@localhost/database`,
    `redis://user:${secret}%zz@localhost`,
    `redis://user:${secret}@[::1`,
    `redis://user:${secret} @localhost`,
    `redis://user:${secret}/x@localhost:1`,
    `unix://user:${secret}@host/path`,
    `unix://user:${secret}@`,
    secret
  ]
  for (const url of urls) {
    it(`is not shown: ${url.replace(secret, '...')}`, () => {
      for (const options of [url, { url }]) {
        assert.throws(() => createClient(options), error => {
          assert.ok(error instanceof TypeError)
          isSilent(error)
          return true
        })
      }
    })
  }
})

describe('an option that is refused', () => {
  it('is named without its value', () => {
    for (const options of [
      { password: Buffer.from(secret) }, { password: { secret } }, { name: `${secret} x` },
      { database: secret }, { socket: { port: secret } }, { socket: { host: `${secret} x` } },
      { socket: { tls: { key: secret } } }, { credentialsProvider: secret }, { RESP: secret },
      { socket: { reconnectStrategy: secret } }, { clientInfoTag: `${secret} x` }
    ]) {
      assert.throws(() => createClient(options), error => {
        isSilent(error)
        return true
      })
    }
  })
})

describe('a client', () => {
  let server
  before(async () => { server = await startServer({ requirepass: secret }) })
  after(() => server.stop())

  it('shows no password, key or value when it is inspected', async t => {
    const client = createClient({
      url: server.url, commandOptions: { timeout: 4000 }, keyPrefix: 'canary-prefix'
    })
    t.after(() => client.destroy())
    await client.set('canary-key', 'canary-value')
    const pending = client.get('canary-key')
    for (const object of [client, client._bridge, client.withTypeMapping({}), client.stats()]) {
      isSilent(object, 'canary')
    }
    await pending
  })

  it('shows no password in the errors of a refused login', async t => {
    for (const credentials of [
      { password: `${secret}-wrong` },
      { username: `${secret}-user`, password: `${secret}-wrong` },
      { username: 'default', password: `${secret}-wrong`, RESP: 2 },
      { credentialsProvider: () => ({ password: `${secret}-wrong` }) },
      { credentialsProvider: () => ({ username: [secret], password: secret }) },
      // What the provider throws is the application's own, and says what the application wants.
      { credentialsProvider: () => { throw new Error('fine') } }
    ]) {
      const client = createClient({
        socket: { host: server.host, port: server.port, connectTimeout: 300 },
        commandOptions: { timeout: 300 },
        ...credentials
      })
      t.after(() => client.destroy())
      const events = []
      client.on('error', error => events.push(error))
      const error = await client.connect({ timeout: 300 })
        .then(() => assert.fail('was let in'), error => error)
      isSilent(error)
      events.forEach(event => isSilent(event))
      isSilent(client)
      isSilent(await client.get('k').catch(error => error))
      client.destroy()
    }
  })

  it('shows no key and no value in the errors of commands', async t => {
    const client = createClient({ url: server.url, strictOptions: true })
    t.after(() => client.destroy())
    await client.set('canary-key', 'canary-value')
    const view = client.withAbortSignal(AbortSignal.abort())
    const slow = client.withCommandOptions({ timeout: 20 })
    const sleep = client.sendCommand(['DEBUG', 'SLEEP', '1'])
    const errors = await Promise.all([
      client.incr('canary-key'),
      client.hSet('canary-key', 'canary-field', 'canary-value'),
      client.sendCommand(['SET', 'canary-key', 'canary-value', 'XX', 'GET', 'EX', 'x']),
      client.set('canary-key', { canary: 'canary' }),
      view.set('canary-key', 'canary-value'),
      slow.set('canary-key', 'canary-value'),
      client.set('canary-key', 'canary-value', { 'canary-option': 1 }).catch(error => {
        // The name of an option is the program's, not the user's.
        assert.match(error.message, /unknown option "canary-option"/)
        throw new Error('fine')
      })
    ].map(promise => promise.then(() => assert.fail('succeeded'), error => error)))
    await sleep
    errors.forEach(error => isSilent(error, 'canary'))
  })

  it('shows no rule of ACL SETUSER, which may be a password', { skip: skipBefore7() }, async t => {
    const client = createClient(server.url)
    t.after(() => client.destroy())
    for (const rule of [`>${secret}`, `<${secret}`, `#${secret}`, `!${secret}`, secret,
      `it's ${secret}': not 'this`, `(${secret}`, `(+get ${secret})`]) {
      const rules = rule.startsWith('>') ? [rule, secret] : [rule]
      for (const call of [
        () => client.aclSetUser('canary', rules),
        () => client.sendCommand(['ACL', 'SETUSER', 'canary', ...rules]),
        () => client.session(session => session.aclSetUser('canary', rules)),
        () => client.multi().aclSetUser('canary', rules).exec(),
        () => client.eval('return redis.call("ACL", "SETUSER", "canary", unpack(ARGV))',
          { arguments: rules })
      ]) {
        await assert.rejects(call(), error => {
          isSilent(error)
          isSilent(error.replies)
          return true
        })
      }
    }
    await assert.rejects(client.aclSetUser('canary', [secret]),
      { message: "ERR Error in ACL SETUSER modifier '***': Syntax error", code: 'ERR' })
  })

  it('names the command in the errors of the server', async t => {
    const client = createClient(server.url)
    t.after(() => client.destroy())
    await client.set('k', 'x')
    await assert.rejects(client.incr('k'), { name: 'ErrorReply', code: 'ERR', command: 'INCR' })
    await assert.rejects(client.lPush('k', 'x'), { code: 'WRONGTYPE', command: 'LPUSH' })
    await assert.rejects(client.sendCommand(['lpush', 'k', 'x']), { command: 'LPUSH' })
    await assert.rejects(client.sendCommand(['no such command']), error => {
      assert.strictEqual(error.command, undefined)
      return true
    })
  })
})
