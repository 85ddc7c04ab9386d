'use strict'

// The option `modules` takes node-redis's command objects: the same bytes for each command of its
// own modules, the same replies, on clients, views, pools, sessions and chains.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { BasicCommandParser } = require('@redis/client/dist/lib/client/parser')
const redis = require('redis')

const oxidis = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { startServer } = require('../support/redis-server')

const theirs = {
  json: require('@redis/json').default,
  ft: require('@redis/search').default,
  ts: require('@redis/time-series').default,
  ...require('@redis/bloom').default
}
const calls = {
  ...require('../commands/modules-calls'),
  ft: require('../commands/modules-search-calls'),
  ts: require('../commands/modules-time-series-calls')
}

describe('the commands of node-redis\'s modules', () => {
  let server
  before(async () => {
    server = await startFakeServer()
    server.on('command', (args, reply) => reply.ok())
  })
  after(() => server.stop())

  for (const [namespace, module] of Object.entries(theirs)) {
    for (const keyPrefix of [undefined, 'p:']) {
      it(`are sent as it sends them: ${namespace}, prefix ${keyPrefix}`, async t => {
        const client = oxidis.createClient({ url: server.url, keyPrefix, modules: theirs })
        t.after(() => client.destroy())
        await client.connect()
        const first = server.commands.length
        const expected = []
        const outcomes = []
        for (const [name, { parseCommand }] of Object.entries(module)) {
          // A method has two names, and the calls are listed under one of them.
          const cases = calls[namespace][name] ?? []
          for (const args of cases) {
            const parser = new BasicCommandParser(keyPrefix)
            parseCommand(parser, ...args)
            expected.push(parser.redisArgs.map(arg => Buffer.from(arg)))
            outcomes.push(client[namespace][name](...args))
          }
        }
        assert.ok(expected.length > 5)
        // What a transform makes of OK is no concern here.
        await Promise.allSettled(outcomes)
        const sent = server.commands.slice(first).map(({ raw }) => raw)
        assert.deepStrictEqual(sent, expected)
      })
    }
  }

  it('stand in for the ones that are built in', async t => {
    const client = oxidis.createClient({ url: server.url, modules: { json: theirs.json } })
    t.after(() => client.destroy())
    assert.strictEqual(client.json.get.length, 0)
    assert.deepStrictEqual(Object.keys(client.json), Object.keys(theirs.json))
    assert.strictEqual(await client.json.SET('k', '$', 1), 'OK')
    assert.strictEqual(client.bf.constructor.name, 'RedisBfCommands')
  })
})

const push = (...words) => (parser, key, ...rest) => {
  parser.push(...words)
  if (key !== undefined) parser.pushKey(key)
  parser.push(...rest)
}
/** Commands of the server, so that there is something to reply. */
const modules = {
  plain: {
    GET: { parseCommand: push('GET') },
    get: { IS_READ_ONLY: true, parseCommand: push('GET'), transformReply: undefined },
    HGETALL: {
      parseCommand: push('HGETALL'),
      transformReply: { 2: reply => ['two', reply], 3: reply => ['three', reply] }
    },
    kept: {
      parseCommand (parser, key, ...more) {
        parser.push('EXISTS')
        parser.pushKeys(key)
        parser.preserve = [more, parser.keys.map(String), String(parser.firstKey)]
      },
      transformReply: (reply, preserved, typeMapping) => ({ reply, preserved, typeMapping })
    },
    wrong: { parseCommand: push('LPUSH') },
    thrower: {
      parseCommand: push('PING'),
      transformReply () { throw new RangeError('own') }
    }
  },
  other: { ECHO: { parseCommand: parser => parser.push('ECHO', 'x') } }
}
const { BLOB_STRING, MAP } = oxidis.RESP_TYPES

for (const [RESP, keyPrefix, typeMapping] of [
  [2], [3], [3, 'pre:'], [2, Buffer.from('ü:')], [3, undefined, { [BLOB_STRING]: Buffer }],
  [3, undefined, { [MAP]: Map }]
]) {
  const mapped = typeMapping ? 'mapped' : 'plain'
  describe(`own commands in RESP${RESP}, prefix ${keyPrefix}, ${mapped} replies`, () => {
    let server, ours, others
    before(async () => {
      server = await startServer()
      const clients = [oxidis, redis].map(({ createClient }) => createClient({
        url: server.url, RESP, keyPrefix, modules, commandOptions: { typeMapping }
      }))
      ;[ours, others] = clients
      await others.connect()
      await ours.set('s', 'v')
      await ours.hSet('h', { f: 'v' })
    })
    after(async () => {
      ours.destroy()
      others.destroy()
      await server.stop()
    })

    const outcome = async promise => {
      try {
        return { reply: await promise }
      } catch (error) {
        return { name: error.constructor.name, error: error.message }
      }
    }
    const CALLS = [['GET', 's'], ['get', 's'], ['get', 'none'], ['get', 'h'], ['HGETALL', 'h'],
      ['kept', 's', 'a', 5], ['kept', ['s', 'h']], ['wrong', 'k'], ['thrower']]
    for (const [name, ...args] of CALLS) {
      it(`${name}(${args.join(', ')})`, async () => {
        const [expected, got] = await Promise.all([others, ours]
          .map(client => outcome(client.plain[name](...args))))
        if (expected.name === 'SimpleError') expected.name = 'ErrorReply'
        assert.deepStrictEqual(got, expected)
      })
    }

    it('chains', async () => {
      const [chained, expected] = await Promise.all([ours, others].map(client => {
        const multi = client.multi()
        assert.strictEqual(multi.plain.HGETALL('h'), multi)
        return multi.plain.kept('s', 'x').get('s').other.ECHO().exec()
      }))
      const { plain, other } = ours
      const alone = [plain.HGETALL('h'), plain.kept('s', 'x'), ours.get('s'), other.ECHO()]
      assert.deepStrictEqual(chained, await Promise.all(alone))
      // Chains of node-redis are decoded without the mapping of the client's options.
      if (typeMapping === undefined) assert.deepStrictEqual(chained, expected)
    })
  })
}

describe('the commands of a module', () => {
  let server, client
  before(async () => {
    server = await startServer()
    client = oxidis.createClient({ url: server.url, modules: { ...modules, blocks: BLOCKING } })
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  it('take a callback', async () => {
    const reply = await new Promise(resolve => {
      assert.strictEqual(client.other.ECHO((error, reply) => resolve(reply)), undefined)
    })
    assert.strictEqual(reply, 'x')
  })

  it('have the options of the view that they are read from', async () => {
    const view = client.withTypeMapping({ [BLOB_STRING]: Buffer })
    assert.deepStrictEqual(await view.other.ECHO(), Buffer.from('x'))
    assert.strictEqual(await client.other.ECHO(), 'x')
    const aborted = client.withAbortSignal(AbortSignal.abort('why'))
    await assert.rejects(aborted.other.ECHO(), { code: 'ABORT_ERR', applied: 'no' })
  })

  it('are there on sessions, pools, copies and pipelines', async t => {
    const pool = client.createPool()
    t.after(() => pool.destroy())
    const copy = client.duplicate()
    t.after(() => copy.destroy())
    assert.strictEqual(await client.session(session => session.other.ECHO()), 'x')
    assert.deepStrictEqual(
      await client.session(session => session.multi().other.ECHO().exec()), ['x'])
    assert.deepStrictEqual(await client.multi().other.ECHO().execAsPipeline(), ['x'])
    assert.strictEqual(await pool.other.ECHO(), 'x')
    assert.strictEqual(await copy.other.ECHO(), 'x')
  })

  it('get a connection of their own if they block', async () => {
    const popped = client.blocks.POP('list')
    assert.strictEqual(await client.set('meanwhile', '1'), 'OK')
    await client.rPush('list', 'element')
    assert.deepStrictEqual(await popped, ['list', 'element'])
  })

  it('are refused where they would change a shared connection', async () => {
    const refused = /^blocks\.WATCH: WATCH needs a connection of its own/
    const shared = client.duplicate({ lanes: 2 })
    await assert.rejects(shared.blocks.WATCH('k'), { name: 'TypeError', message: refused })
    shared.destroy()
    assert.strictEqual(await client.blocks.WATCH('k'), 'OK')
    assert.strictEqual(await client.unwatch(), 'OK')
    assert.strictEqual(await client.session(session => session.blocks.WATCH('k')), 'OK')
    await assert.rejects(client.multi().blocks.WATCH('k').exec(),
      { name: 'TypeError', message: /^blocks\.WATCH: WATCH cannot be part of a transaction/ })
  })

  it('reject wrong arguments, by name', async () => {
    const wrong = { name: 'TypeError', message: /^plain\.GET: argument "parser.pushKey" must be/ }
    const before = client.stats().commands
    await assert.rejects(client.plain.GET(5), wrong)
    await assert.rejects(client.multi().plain.GET(5).exec(), wrong)
    await assert.rejects(client.blocks.NOTHING(),
      { name: 'TypeError', message: 'blocks.NOTHING: parseCommand has pushed no command' })
    assert.strictEqual(client.stats().commands, before)
  })

  it('name the command in errors of the server', async () => {
    await client.set('text', 'v')
    await assert.rejects(client.plain.HGETALL('text'), { code: 'WRONGTYPE', command: 'HGETALL' })
  })
})

const BLOCKING = {
  POP: { parseCommand (parser, key) { push('BLPOP')(parser, key, '0') } },
  WATCH: { parseCommand: push('WATCH') },
  NOTHING: { parseCommand () {} }
}
