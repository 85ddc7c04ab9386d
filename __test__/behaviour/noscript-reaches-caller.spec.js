'use strict'

// A server that does not know a script (new, restarted, flushed) is told its text by the call that
// finds out: the caller sees the result, and the script has run once.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, createClientPool, defineScript, RESP_TYPES } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { startServer } = require('../support/redis-server')

const NOSCRIPT = 'NOSCRIPT No matching script. Please use EVAL.'

const scripts = {
  add: defineScript({
    SCRIPT: 'return redis.call("INCRBY", KEYS[1], ARGV[1])',
    NUMBER_OF_KEYS: 1,
    parseCommand (parser, key, increment) {
      parser.pushKey(key)
      parser.push(String(increment))
    }
  }),
  store: defineScript({
    SCRIPT: 'redis.call("SET", KEYS[1], ARGV[1]) return #ARGV[1]',
    NUMBER_OF_KEYS: 1,
    parseCommand (parser, key, value) {
      parser.pushKey(key)
      parser.push(value)
    }
  }),
  lie: defineScript({
    SCRIPT: 'return redis.call("SET", "lie", "v")',
    NUMBER_OF_KEYS: 0,
    IS_READ_ONLY: true,
    parseCommand () {}
  }),
  read: defineScript({
    SCRIPT: 'return redis.call("GET", KEYS[1])',
    NUMBER_OF_KEYS: 1,
    IS_READ_ONLY: true,
    parseCommand: (parser, key) => parser.pushKey(key)
  })
}

for (const RESP of [3, 2]) {
  describe(`a script that the server does not know, in RESP${RESP},`, () => {
    let server, client
    before(async () => {
      server = await startServer()
      client = createClient({ url: server.url, RESP, scripts })
    })
    after(async () => {
      client.destroy()
      await server.stop()
    })
    const calls = async name => {
      const stats = await client.info('commandstats')
      return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
    }

    it('runs, and the next time by its digest', async () => {
      assert.strictEqual(await client.add('n', 2), 2)
      assert.strictEqual(await client.add('n', 3), 5)
      assert.deepStrictEqual([await calls('evalsha'), await calls('eval')], [2, 1])
      assert.deepStrictEqual(await client.scriptExists(scripts.add.SHA1), [1])
    })

    it('runs after SCRIPT FLUSH', async () => {
      await client.scriptFlush()
      assert.strictEqual(await client.add('n', 5), 10)
    })

    it('runs after a restart of the server', async () => {
      await server.restart()
      await client.connect()
      assert.strictEqual(await client.add('n', 1), 1)
    })

    it('runs once for each of a thousand callers who find out at once', async () => {
      await client.scriptFlush()
      const replies = await Promise.all(Array.from({ length: 1000 }, () => client.add('many', 1)))
      assert.deepStrictEqual(replies.sort((a, b) => a - b), Array.from(replies, (_, i) => i + 1))
      assert.strictEqual(await client.get('many'), '1000')
    })

    it('is sent in a form for replicas if it only reads', async () => {
      await client.set('k', 'v')
      assert.strictEqual(await client.read('k'), 'v')
      assert.strictEqual(await client.read('k'), 'v')
      assert.deepStrictEqual([await calls('evalsha_ro'), await calls('eval_ro')], [2, 1])
    })

    it('cannot write if it is said to only read, not even the first time', async () => {
      await assert.rejects(client.lie(), /read-only/)
      assert.strictEqual(await client.exists('lie'), 0)
    })

    it('takes large values that the caller changes afterwards', async () => {
      await client.scriptFlush()
      const value = Buffer.alloc(100_000, 'a')
      const stored = client.store('large', value)
      value.fill('b')
      assert.strictEqual(await stored, 100_000)
      assert.strictEqual(await client.get('large'), 'a'.repeat(100_000))
    })

    it('runs on views, with a callback, and for a client that is being closed', async () => {
      await client.scriptFlush()
      await client.set('k', 'v')
      const view = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
      assert.deepStrictEqual(await view.read('k'), Buffer.from('v'))
      await client.scriptFlush()
      assert.deepStrictEqual(
        await new Promise(resolve => client.read('k', (...args) => resolve(args))), [null, 'v'])
      await client.scriptFlush()
      const closing = client.duplicate()
      await closing.connect()
      const last = closing.add('closing', 1)
      await closing.close()
      assert.strictEqual(await last, 1)
      await assert.rejects(closing.add('closing', 1), { code: 'CLOSED', applied: 'no' })
    })

    it('runs on pools and copies of a client', async t => {
      await client.scriptFlush()
      const pool = createClientPool({ url: server.url, RESP, scripts }, { maximum: 4 })
      t.after(() => pool.destroy())
      await Promise.all(Array.from({ length: 50 }, () => pool.add('pool', 1)))
      assert.strictEqual(await client.get('pool'), '50')
      const made = client.createPool()
      t.after(() => made.destroy())
      assert.strictEqual(await made.add('pool', 1), 51)
      const copy = client.duplicate({ keyPrefix: 'pre:' })
      t.after(() => copy.destroy())
      assert.strictEqual(await copy.add('fix', 7), 7)
      assert.strictEqual(await client.get('pre:fix'), '7')
    })
  })
}

describe('the second try of a script', () => {
  let fake, client
  before(async () => {
    fake = await startFakeServer()
    client = createClient({ url: fake.url, scripts })
    await client.connect()
  })
  after(async () => {
    client.destroy()
    await fake.stop()
  })

  // Answers each command with what `answers` has for its name; nothing if there is none.
  const answering = (t, answers) => {
    const seen = []
    const listen = (args, reply) => {
      seen.push(args[0])
      answers[args[0]]?.(reply)
    }
    fake.on('command', listen)
    t.after(() => fake.off('command', listen))
    return seen
  }

  it('is the last one', async t => {
    const refuse = reply => reply.error(NOSCRIPT)
    const seen = answering(t, { EVALSHA: refuse, EVAL: refuse })
    await assert.rejects(client.add('k', 1), { code: 'NOSCRIPT', command: 'EVAL' })
    assert.deepStrictEqual(seen, ['EVALSHA', 'EVAL'])
  })

  for (const text of ['NOSCRIPT No matching script. Please use EVAL.',
    'NOSCRIPT No matching script.']) {
    it(`is found out by "${text}", which servers say`, async t => {
      const seen = answering(t, {
        EVALSHA: reply => reply.error(text), EVAL: reply => reply.integer(7)
      })
      assert.strictEqual(await client.add('k', 1), 7)
      assert.deepStrictEqual(seen, ['EVALSHA', 'EVAL'])
    })
  }

  it('is for NOSCRIPT only', async t => {
    const seen = answering(t, { EVALSHA: reply => reply.error('ERR NOSCRIPT user_script:1') })
    await assert.rejects(client.add('k', 1), { code: 'ERR', command: 'EVALSHA' })
    assert.deepStrictEqual(seen, ['EVALSHA'])
  })

  it('has what is left of the deadline', async t => {
    const patient = client.withCommandOptions({ timeout: 5000 })
    const timeouts = []
    const bridge = client._bridge
    const { send } = bridge
    bridge.send = function (text, mode, timeout, ...rest) {
      timeouts.push(timeout)
      return send.call(this, text, mode, timeout, ...rest)
    }
    t.after(() => { bridge.send = send })
    answering(t, {
      EVALSHA: reply => setTimeout(() => reply.error(NOSCRIPT), 100),
      EVAL: reply => reply.integer(1)
    })
    assert.strictEqual(await patient.add('k', 1), 1)
    const [first, second] = timeouts
    assert.strictEqual(first, 5000)
    // A timer may be a millisecond early.
    assert.ok(Number.isInteger(second) && second <= 4901 && second > 0, String(second))
  })

  it('has no deadline where the first had none', async t => {
    const seen = answering(t, {
      EVALSHA: reply => reply.error(NOSCRIPT), EVAL: reply => reply.integer(1)
    })
    assert.strictEqual(await client.withCommandOptions({ timeout: 0 }).add('k', 1), 1)
    assert.deepStrictEqual(seen, ['EVALSHA', 'EVAL'])
  })

  it('ends by the deadline of the call', async t => {
    answering(t, { EVALSHA: reply => reply.error(NOSCRIPT) })
    await assert.rejects(client.withCommandOptions({ timeout: 500 }).add('k', 1),
      { code: 'TIMEOUT', applied: 'unknown' })
  })

  it('is not made for a caller who has gone', async t => {
    const leaving = new AbortController()
    const seen = answering(t, {
      EVALSHA: reply => {
        reply.error(NOSCRIPT)
        leaving.abort()
      }
    })
    await assert.rejects(client.withAbortSignal(leaving.signal).add('k', 1), { code: 'ABORT_ERR' })
    assert.deepStrictEqual(seen, ['EVALSHA'])
  })
})
