'use strict'

// A script may answer with an error whose first word is that of a refusal (BUSY, READONLY ...),
// after it has written. It must not be run again for that, and its error must not say that it was
// not applied. What the server itself says before it runs anything counts as before.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { ErrorReply, MultiErrorReply, createClient, createCluster, defineScript } = require('../..')
const { startFakeCluster } = require('../support/fake-cluster')
const { startFakeServer } = require('../support/fake-server')
const { startCluster } = require('../support/redis-cluster')
const { skipBefore7, startServer } = require('../support/redis-server')

const TEXTS = ['BUSY doing something', 'TRYAGAIN later', 'LOADING failed', 'READONLY tenant',
  'MASTERDOWN x', 'CLUSTERDOWN x', 'MOVED on', 'ASK me', 'NOAUTH x', 'MISCONF x', 'UNBLOCKED x',
  'NOSCRIPT of mine']

/** Counts in KEYS[1], then answers with ARGV[1] as an error. */
const COUNT = "redis.call('INCR', KEYS[1]) return redis.error_reply(ARGV[1])"
const LIBRARY = `#!lua name=mine
redis.register_function('count', function (KEYS, ARGV)
  redis.call('INCR', KEYS[1]) return redis.error_reply(ARGV[1])
end)`

describe('a script that has written and then answers like a refusing server', () => {
  let server, client
  before(async () => {
    server = await startServer()
    const count = defineScript({
      SCRIPT: COUNT,
      NUMBER_OF_KEYS: 1,
      parseCommand (parser, key, text) {
        parser.pushKey(key)
        parser.push(text)
      }
    })
    client = createClient({ url: server.url, scripts: { count } })
    await client.connect()
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  const calls = {
    'eval': (key, text) => client.eval(COUNT, { keys: [key], arguments: [text] }),
    'sendCommand': (key, text) => client.sendCommand(['eval', COUNT, '1', key, text]),
    'sendCommand with bytes': (key, text) =>
      client.sendCommand(['EVAL', COUNT, '1', key, text].map(word => Buffer.from(word))),
    'a script of the options': (key, text) => client.count(key, text),
    'a session': (key, text) => client.session(session =>
      session.eval(COUNT, { keys: [key], arguments: [text] })),
    'a pipeline': async (key, text) => {
      const error = await client.multi().eval(COUNT, { keys: [key], arguments: [text] })
        .execAsPipeline().catch(error => error)
      assert.ok(error instanceof MultiErrorReply)
      throw error.replies[0]
    },
    'a transaction': async (key, text) => {
      const error = await client.multi().eval(COUNT, { keys: [key], arguments: [text] })
        .exec().catch(error => error)
      assert.ok(error instanceof MultiErrorReply)
      throw error.replies[0]
    }
  }
  for (const [way, call] of Object.entries(calls)) {
    it(`is run once by ${way}`, async () => {
      for (const text of TEXTS) {
        await client.del('n')
        await assert.rejects(call('n', text), error => {
          assert.ok(error instanceof ErrorReply)
          assert.deepStrictEqual([error.code, error.applied, error.message.startsWith(text)],
            [text.split(' ', 1)[0], 'unknown', true])
          return true
        })
        assert.strictEqual(await client.get('n'), '1', text)
      }
    })
  }

  it('is run once as a function', { skip: skipBefore7() }, async () => {
    await client.functionLoad(LIBRARY, { REPLACE: true })
    for (const text of TEXTS) {
      await client.del('n')
      await assert.rejects(client.fCall('count', { keys: ['n'], arguments: [text] }),
        { applied: 'unknown' })
      assert.strictEqual(await client.get('n'), '1', text)
    }
  })

  it('leaves other errors as they were', async () => {
    await assert.rejects(client.eval('return redis.error_reply("MINE x")'), error => {
      assert.deepStrictEqual([error.code, error.applied], ['MINE', undefined])
      return true
    })
    await assert.rejects(client.evalSha('0'.repeat(40)), error => {
      assert.deepStrictEqual([error.code, error.applied], ['NOSCRIPT', undefined])
      return true
    })
  })
})

describe('a script on a server that is scripted itself', () => {
  const SENTENCE = "READONLY You can't write against a read only replica."
  let server, client
  before(async () => {
    server = await startFakeServer()
    client = createClient(server.url)
    await client.connect()
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  /** Sends `args`, which the server answers with `texts`, one after the other, and then with OK. */
  async function answered (args, texts) {
    let runs = 0
    const listen = ([name], reply) => {
      if (name.toUpperCase() !== args[0]) return
      const text = texts[runs++]
      return text === undefined ? reply.ok() : reply.error(text)
    }
    server.on('command', listen)
    const outcome = await client.sendCommand(args).catch(error => error)
    server.off('command', listen)
    return { runs, outcome }
  }

  it('is sent again once the server itself has said that it did not run it', async () => {
    for (const text of [
      'LOADING Redis is loading the dataset in memory',
      'LOADING Valkey is loading the dataset in memory',
      'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
      "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
      'READONLY Can not run script with write flag on readonly replica',
      SENTENCE
    ]) {
      for (const args of [['EVAL', 'x', '0'], ['JSON.SET', 'k', '$', '1']]) {
        assert.deepStrictEqual(await answered(args, [text]), { runs: 2, outcome: 'OK' }, text)
      }
    }
  })

  it('is not sent again in the words of Redis 6 and 7, whose code can be read', async () => {
    for (const text of [
      `${SENTENCE} script: f1, on @user_script:1.`,
      `ERR Error running script (call to f_f1): @user_script:1: @user_script: 1: -${SENTENCE} `,
      `ERR Error running script (call to f_f1): @user_script:1: ${SENTENCE}`
    ]) {
      const accepted = server.accepted
      const { runs, outcome } = await answered(['EVAL', 'x', '0'], [text])
      const { code, applied, retryable } = outcome
      assert.deepStrictEqual({ runs, code, applied, retryable },
        { runs: 1, code: 'READONLY', applied: 'unknown', retryable: true })
      // A server that has become a replica is left.
      assert.deepStrictEqual(await answered(['SET', 'k', 'v'], []), { runs: 1, outcome: 'OK' })
      assert.strictEqual(server.accepted, accepted + 1)
    }
    const { outcome } = await answered(['EVAL', 'x', '0'],
      ['ERR Error running script (call to f_f1): @user_script:1: WRONGTYPE Operation against'])
    assert.deepStrictEqual([outcome.code, outcome.applied], ['WRONGTYPE', undefined])
  })
})

describe('a script of a cluster', { skip: skipBefore7() }, () => {
  let servers, cluster
  before(async () => {
    servers = await startCluster({ replicas: 0 })
    cluster = await createCluster({ rootNodes: servers.rootNodes }).connect()
  })
  after(async () => {
    cluster?.destroy()
    await servers?.stop()
  })

  it('is run once, also with a key in front', async () => {
    for (const text of TEXTS) {
      for (const call of [
        () => cluster.eval(COUNT, { keys: ['n'], arguments: [text] }),
        () => cluster.sendCommand('n', false, ['EVAL', COUNT, '1', 'n', text]),
        // The key is hidden, so that the node is chosen by the one in front.
        () => cluster.sendCommand('n', false, ['EVAL', `local KEYS = {'n'} ${COUNT}`, '0', text])
      ]) {
        await cluster.del('n')
        await assert.rejects(call(), { applied: 'unknown' })
        assert.strictEqual(await cluster.get('n'), '1', text)
      }
    }
  })
})

describe('a transaction of a cluster whose MULTI is refused', () => {
  it('is not sent on, since its commands were run one by one', async t => {
    const servers = await startFakeCluster()
    t.after(() => servers.stop())
    const cluster = createCluster({ rootNodes: servers.rootNodes })
    t.after(() => cluster.destroy())
    await cluster.connect()
    servers.answer({ command: 'MULTI' }, 'NOPERM no transactions')
    servers.answer({ command: 'EVAL' }, 'TRYAGAIN later')
    servers.answer({ command: 'INCR' }, (args, reply) => reply.integer(1))
    servers.answer({ command: 'SET' }, 'TRYAGAIN Multiple keys request during rehashing of slot')
    servers.answer({ command: 'EXEC' }, 'ERR EXEC without MULTI')
    const chains = [
      chain => chain.eval('x', { keys: ['k'], arguments: [] }),
      chain => chain.incr('k').set('k', 'v')
    ]
    for (const add of chains) {
      const before = servers.received({ command: 'MULTI' }).length
      await assert.rejects(add(cluster.multi()).exec(), { code: 'NOPERM', applied: 'unknown' })
      assert.strictEqual(servers.received({ command: 'MULTI' }).length, before + 1)
    }
  })
})
