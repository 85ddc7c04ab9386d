'use strict'

// The commands that change a connection: sessions have all of them, encoded as node-redis encodes
// them; a client has their names, refuses them with the right call, and sends nothing.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { BasicCommandParser } = require('@redis/client/dist/lib/client/parser')
const theirs = require('@redis/client/dist/lib/commands').default
const redis = require('redis')

const oxidis = require('../..')
const { sessionCommands } = require('../../lib/commands')
const hotkeys = require('../../lib/commands/hotkeys')
const { startServer } = require('../support/redis-server')
const { failure } = require('../behaviour/session-scene')
const { argv } = require('./encode')

const B = Buffer.from([0, 255, 13, 10])

/** method -> argument lists */
const CALLS = {
  asking: [[]],
  auth: [[{ password: 'p' }], [{ username: 'u', password: B }]],
  clientCaching: [[true], [false]],
  clientNoEvict: [[true], [false]],
  clientNoTouch: [[true], [false]],
  clientSetName: [['name']],
  clientTracking: [[true], [false], [true, { REDIRECT: 5, NOLOOP: true }],
    [true, { BCAST: true, PREFIX: 'a' }], [true, { BCAST: true, PREFIX: ['a', B] }],
    [true, { OPTIN: true }], [true, { OPTOUT: true, NOLOOP: true }]],
  hello: [[], [2], [3, { SETNAME: 'n' }], [3, { AUTH: { username: 'u', password: B } }]],
  hImportDiscard: [['set']],
  hImportDiscardAll: [[]],
  hImportPrepare: [['set', 'f'], ['set', ['f', B]]],
  hImportSet: [['k', 'set', 'v'], [B, 'set', ['v', B]]],
  readonly: [[]],
  scriptDebug: [['YES'], ['SYNC'], ['NO']]
}

/** Encoded by methods of node-redis's client, or only here. */
const WITHOUT_ROW = {
  readwrite: [[[], ['READWRITE']]],
  select: [[[5], ['SELECT', '5']]],
  unwatch: [[[], ['UNWATCH']]],
  watch: [[['k'], ['WATCH', 'k']], [[['k', 'l']], ['WATCH', 'k', 'l']]]
}

/** What is on node-redis's client and is no command. */
const NO_COMMANDS = new Set([
  'constructor', 'Multi', 'asap', 'clientSideCache', 'extendPubSubChannelListeners',
  'extendPubSubListeners', 'getPubSubListeners', 'isDirtyWatch', 'isWatching', 'options',
  'reAuthenticate', 'resetIfDirty', 'setDirtyWatch', 'socketEpoch'
])

/** The name spaces of modules, which oxidis does not have. */
const MODULES = new Set(['bf', 'cf', 'cms', 'ft', 'json', 'tDigest', 'topK', 'ts'])

describe('encoding as in node-redis', () => {
  for (const row of sessionCommands) {
    it(row.name, () => {
      for (const prefix of [undefined, 'p:']) {
        for (const args of CALLS[row.name] ?? []) {
          const parser = new BasicCommandParser(prefix)
          theirs[row.name].parseCommand(parser, ...args)
          const expected = parser.redisArgs.map(arg => Buffer.from(arg).latin1Slice())
          assert.deepStrictEqual(argv(row, args, prefix), expected)
          assert.strictEqual(theirs[row.upper], theirs[row.name])
        }
      }
      for (const [args, expected] of WITHOUT_ROW[row.name] ?? []) {
        assert.deepStrictEqual(argv(row, args), expected)
      }
      assert.ok(row.name in CALLS !== row.name in WITHOUT_ROW, row.name)
    })
  }
})

describe('names', () => {
  it('of all commands on the client of node-redis are there', () => {
    const client = oxidis.createClient()
    const missing = Object.keys(theirs).filter(name => typeof client[name] !== 'function')
    assert.deepStrictEqual(missing, [])
    assert.ok(Object.keys(theirs).length > 500)
  })

  it('of all other methods on it that concern commands are there', () => {
    const client = oxidis.createClient()
    const names = new Set()
    let prototype = Object.getPrototypeOf(redis.createClient())
    while (!Object.hasOwn(prototype, 'emit')) {
      for (const name of Object.getOwnPropertyNames(prototype)) names.add(name)
      prototype = Object.getPrototypeOf(prototype)
    }
    const missing = [...names].filter(name => !name.startsWith('_') && !(name in client))
    assert.deepStrictEqual(missing.filter(name => !NO_COMMANDS.has(name) && !MODULES.has(name)), [])
    assert.ok(names.size > 500)
  })
})

describe('on a client with several lanes', () => {
  let server, client
  before(async () => {
    server = await startServer()
    client = await oxidis.createClient({ url: server.url, lanes: 2 }).connect()
  })
  after(async () => {
    client?.destroy()
    await server?.stop()
  })

  for (const row of sessionCommands) {
    if (row.name === 'select' || row.name === 'hello') continue
    it(`${row.name} is refused with the right call`, async () => {
      const { commands } = client.stats()
      const right = /use client\.session\(|use the option (RESP|name|username|readonly)\b/
      for (const view of [client, client.withTypeMapping({})]) {
        for (const name of [row.name, row.upper]) {
          const error = await failure(view[name]('secret'))
          assert.ok(error instanceof TypeError)
          assert.match(error.message, right)
          assert.ok(error.message.startsWith(`${row.name}: `))
          assert.ok(!error.message.includes('secret'))
          const heard = await new Promise(resolve => {
            assert.strictEqual(view[name]('secret', resolve), undefined)
          })
          assert.strictEqual(heard.message, error.message)
        }
      }
      assert.strictEqual(client.stats().commands, commands)
    })
  }

  it('hello asks, and changes nothing', async () => {
    const { commands } = client.stats()
    const error = await failure(client.hello(2))
    assert.match(error.message, /^hello: changes the connection .* use the option RESP/)
    assert.strictEqual(client.stats().commands, commands)
    const reply = await client.hello()
    assert.strictEqual(reply.proto, 3)
    assert.match(reply.server, /^(redis|valkey)$/)
    assert.strictEqual(reply.role, 'master')
  })

  it('HIMPORT by hand is refused as well, since its fieldsets are the connection\'s', async () => {
    for (const sub of ['PREPARE', 'SET', 'DISCARD', 'DISCARDALL']) {
      const error = await failure(client.sendCommand(['HIMPORT', sub, 'x', 'y', 'z']))
      assert.match(error.message, /^sendCommand: HIMPORT [A-Z]+ changes .* client\.session\(/)
    }
  })

  it('QUIT is quit, which is close', async () => {
    const other = await client.duplicate().connect()
    assert.strictEqual(await other.QUIT(), 'OK')
    assert.strictEqual(other.isOpen, false)
  })
})

describe('in a session', () => {
  let server, client
  before(async () => {
    server = await startServer()
    client = await oxidis.createClient(server.url).connect()
  })
  after(async () => {
    client?.destroy()
    await server?.stop()
  })

  it('each method that this server knows changes the connection', async () => {
    await client.session(async session => {
      assert.strictEqual(await session.clientSetName('mine'), 'OK')
      assert.strictEqual(await session.clientGetName(), 'mine')
      assert.strictEqual(await session.clientTracking(true, { OPTIN: true, NOLOOP: true }), 'OK')
      assert.strictEqual(await session.clientCaching(true), 'OK')
      const { flags } = await session.clientTrackingInfo()
      assert.deepStrictEqual([...flags].sort(), ['caching-yes', 'noloop', 'on', 'optin'])
      assert.strictEqual(await session.clientTracking(false), 'OK')
      assert.strictEqual(await session.clientNoEvict(true), 'OK')
      assert.match((await session.clientInfo()).flags, /e/)
    })
  })

  it('what tracking tells is counted, and takes no reply\'s place', async () => {
    await client.session(async session => {
      await session.clientTracking(true)
      await session.get('tracked')
      const { pushesIgnored } = client.stats()
      await client.set('tracked', 'v')
      // The server writes in order: what it tells comes before this reply.
      assert.strictEqual(await session.get('tracked'), 'v')
      assert.strictEqual(client.stats().pushesIgnored, pushesIgnored + 1)
    })
  })

  it('a login is another one, and nobody else gets the connection', async () => {
    await client.aclSetUser('guest', ['on', '>word', '+acl|whoami', '+client|id', '+hello'])
    let id
    await client.session(async session => {
      id = await session.clientId()
      assert.strictEqual(await session.auth({ username: 'guest', password: 'word' }), 'OK')
      assert.strictEqual(await session.aclWhoAmI(), 'guest')
      const error = await failure(session.get('k'))
      assert.strictEqual(error.code, 'NOPERM')
      const wrong = await failure(session.auth({ username: 'guest', password: 'hunter2' }))
      assert.strictEqual(wrong.code, 'WRONGPASS')
      assert.ok(!wrong.message.includes('hunter2'))
    })
    assert.strictEqual(await client.session(session => session.aclWhoAmI()), 'default')
    assert.notStrictEqual(await client.session(session => session.clientId()), id)
  })

  it('the protocol may change, and replies keep their shape', async () => {
    await client.hSet('h', { f: '1', g: '2' })
    await client.zAdd('z', { score: 1.5, value: 'm' })
    let id
    await client.session(async session => {
      const seen = []
      for (const version of [3, 2, 3, 2]) {
        const about = await session.hello(version)
        id = about.id
        assert.strictEqual(about.proto, version)
        assert.strictEqual((await session.hello()).proto, version)
        const transaction = await session.multi().hGetAll('h').zScore('z', 'm').exec()
        seen.push([await session.hGetAll('h'), await session.zScore('z', 'm'),
          await session.zRangeWithScores('z', 0, -1), await session.get('missing'), transaction])
      }
      for (const one of seen) assert.deepStrictEqual(one, seen[0])
    })
    await client.session(async session => {
      const { proto, id: next } = await session.hello()
      assert.strictEqual(proto, 3)
      assert.notStrictEqual(next, id)
    })
  })

  it('wrong arguments reject, and nothing is sent', async () => {
    const secret = 'hunter2'
    await client.session(async session => {
      for (const wrong of [
        () => session.hello(4), () => session.hello(undefined, { SETNAME: 'n' }),
        () => session.hello(3, { AUTH: { password: secret } }), () => session.auth(secret),
        () => session.auth({ pass: secret }), () => session.scriptDebug('maybe'),
        () => session.clientTracking(true, { PREFIX: [5], BCAST: true }),
        () => session.clientSetName()
      ]) {
        const error = await failure(wrong())
        assert.ok(error instanceof TypeError, error.message)
        assert.ok(!error.message.includes(secret))
      }
      assert.strictEqual(await session.clientGetName(), null)
    })
  })

  it('what only a cluster or a later server knows is answered by the server', async () => {
    await client.session(async session => {
      for (const send of [() => session.readonly(), () => session.readwrite(),
        () => session.asking(), () => session.hImportDiscardAll()]) {
        // Valkey lets a connection to a single server be read-only.
        const outcome = await send().catch(error => error)
        assert.ok(outcome instanceof oxidis.ErrorReply || outcome === 'OK', outcome?.message)
      }
    })
  })
})

it('hotkeysGet makes of every form of the reply what node-redis makes of it', () => {
  const { reply } = hotkeys.find(row => row.name === 'hotkeysGet')
  const flat = ['tracking-active', 1, 'sample-ratio', 2, 'selected-slots', [5, [6], [7, 9]],
    'all-commands-all-slots-us', 220, 'total-cpu-time-user-ms', 3, 'by-cpu-time-us', ['x', 104,
      'y', 98], 'by-net-bytes', ['x', 7], 'nonsense', 1]
  const pairs = flat.flatMap((one, i) => i % 2 === 0 ? [[one, flat[i + 1]]] : [])
  const forms = [null, flat, [flat], new Map(pairs), [new Map(pairs)], Object.fromEntries(pairs)]
  for (const form of forms) {
    assert.deepStrictEqual(reply(form), theirs.hotkeysGet.transformReply(form))
  }
})
