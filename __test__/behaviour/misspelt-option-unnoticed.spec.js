'use strict'

// An option that cannot work is a TypeError that names it. One that does not exist is ignored,
// since libraries hand their own options through, but a warning names it.

const assert = require('node:assert')
const { describe, it } = require('node:test')
const { inspect } = require('node:util')

const {
  createClient, createClientPool, createCluster, createSentinel, RESP_TYPES
} = require('../..')
const { startServer } = require('../support/redis-server')

describe('options that are refused', () => {
  const cases = [
    [{ modules: 'x' }, 'modules'],
    [{ scripts: 'return 1' }, 'scripts'],
    [{ strictOptions: 'yes' }, 'strictOptions'],
    [{ emitInvalidate: true }, 'emitInvalidate'],
    [{ clientSideCache: 'on' }, 'clientSideCache'],
    [{ clientSideCache: { ttl: -1 } }, 'clientSideCache.ttl'],

    [{ url: 5 }, 'url'],
    [{ url: new URL('redis://localhost') }, 'url'],
    [{ socket: 'localhost' }, 'socket'],
    [{ pool: 5 }, 'pool'],
    [{ username: 5 }, 'username'],
    [{ password: Buffer.from('x') }, 'password'],
    [{ database: -1 }, 'database'],
    [{ database: '-1' }, 'database'],
    [{ database: '' }, 'database'],
    [{ database: 'two' }, 'database'],
    [{ database: ' 0x1' }, 'database'],
    [{ socket: { port: '' } }, 'socket.port'],
    [{ socket: { port: '65536' } }, 'socket.port'],
    [{ database: 1.5 }, 'database'],
    [{ RESP: 4 }, 'RESP'],
    [{ keyPrefix: 5 }, 'keyPrefix'],
    [{ commandsQueueMaxLength: 0 }, 'commandsQueueMaxLength'],
    [{ maxQueuedBytes: 1 }, 'maxQueuedBytes'],
    [{ disableOfflineQueue: 'yes' }, 'disableOfflineQueue'],
    [{ pingInterval: -1 }, 'pingInterval'],
    [{ pingInterval: NaN }, 'pingInterval'],
    [{ pingInterval: Infinity }, 'pingInterval'],
    [{ lanes: 0 }, 'lanes'],
    [{ lanes: 65 }, 'lanes'],
    [{ lanes: 3, pool: { max: 2 } }, 'lanes'],
    [{ credentialsProvider: {} }, 'credentialsProvider'],
    [{ name: 'two words' }, 'name'],
    [{ clientInfoTag: 'two words' }, 'clientInfo'],
    [{ clientInfoTag: 5 }, 'clientInfoTag'],

    [{ socket: { port: 0 } }, 'socket.port'],
    [{ socket: { port: 65536 } }, 'socket.port'],
    [{ socket: { host: 'a b' } }, 'socket.host'],
    [{ socket: { path: '' } }, 'socket.path'],
    [{ socket: { family: 5 } }, 'socket.family'],
    [{ socket: { connectTimeout: 0 } }, 'socket.connectTimeout'],
    [{ socket: { connectTimeout: 2 ** 31 } }, 'socket.connectTimeout'],
    [{ socket: { reconnectStrategy: -1 } }, 'socket.reconnectStrategy'],
    [{ socket: { reconnectStrategy: true } }, 'socket.reconnectStrategy'],
    [{ socket: { keepAliveInitialDelay: 5 } }, 'socket.keepAliveInitialDelay'],
    [{ socket: { tls: 'yes' } }, 'socket.tls'],
    [{ socket: { ca: 'x' } }, 'socket.ca'],
    [{ socket: { lookup: 'x' } }, 'socket.lookup'],
    [{ socket: { localAddress: 'localhost' } }, 'socket.localAddress'],
    [{ socket: { tls: true, path: '/tmp/x' } }, 'socket.tls.servername'],
    [{ url: 'rediss://localhost', socket: { tls: false } }, 'socket.tls'],

    [{ pool: { min: 2, max: 1 } }, 'pool.min'],
    [{ pool: { max: 0 } }, 'pool.max'],
    [{ pool: { acquireTimeout: 0 } }, 'pool.acquireTimeout'],
    [{ pool: { idleTimeout: -1 } }, 'pool.idleTimeout'],

    [{ commandOptions: { timeout: -1 } }, 'commandOptions.timeout'],
    [{ commandOptions: { timeout: 0.5 } }, 'commandOptions.timeout'],
    [{ commandOptions: { timeout: NaN } }, 'commandOptions.timeout'],
    [{ commandOptions: { abortSignal: {} } }, 'commandOptions.abortSignal'],
    [{ commandOptions: { typeMapping: { 1: Buffer } } }, 'typeMapping'],
    [{ commandOptions: { typeMapping: { [RESP_TYPES.NUMBER]: Buffer } } }, 'typeMapping']
  ]
  for (const [options, name] of cases) {
    it(`${inspect(options, { depth: 1, breakLength: Infinity })} names ${name}`, () => {
      assert.throws(() => createClient(options), error => {
        assert.ok(error instanceof TypeError, inspect(error))
        assert.ok(error.message.includes(name), error.message)
        return true
      })
    })
  }

  it('are refused as a whole when they are no object', () => {
    for (const options of [5, true, Symbol('x'), 1n, () => {}, [], new URL('redis://localhost')]) {
      assert.throws(() => createClient(options), TypeError, inspect(options))
    }
  })

  it('are refused by every way to give them', async t => {
    const client = createClient()
    t.after(() => client.destroy())
    assert.throws(() => client.duplicate({ database: -1 }), /"database" must be/)
    assert.throws(() => client.withCommandOptions({ timeout: -1 }), /"commandOptions.timeout" must/)
    assert.throws(() => client.withCommandOptions('x'), TypeError)
    assert.throws(() => client.withTypeMapping({ 99: String }), /unknown RESP type "99"/)
    assert.throws(() => client.withTypeMapping('x'), TypeError)
    assert.throws(() => client.withAbortSignal('x'), /commandOptions.abortSignal/)
    await assert.rejects(client.sendCommand(['PING'], { timeout: -1 }),
      /"commandOptions.timeout" must/)
    await assert.rejects(client.sendCommand(['PING'], 5), TypeError)
    assert.throws(() => createClientPool({ database: -1 }), /"database" must be/)
    assert.throws(() => createClientPool({}, 'x'), TypeError)
    assert.throws(() => createClientPool({}, { maximum: 0 }), /"pool options.maximum" must be/)
    assert.strictEqual(client.stats().commands, 0)
  })
})

describe('an unknown option', () => {
  const cases = [
    [{ hots: 'secret' }, 'hots', 'socket.host'],
    [{ host: 'secret' }, 'host', 'socket.host'],
    [{ db: 'secret' }, 'db', 'database'],
    [{ ttl: 'secret' }, 'ttl'],
    [{ no_ready_check: 'secret' }, 'no_ready_check'],
    [{ passwrod: 'secret' }, 'passwrod', 'password'],
    [{ socket: { prot: 'secret' } }, 'socket.prot', 'socket.port'],
    [{ pool: { size: 'secret' } }, 'pool.size'],
    [{ commandOptions: { timeOut: 'secret' } }, 'commandOptions.timeOut', 'commandOptions.timeout'],
    [{ socket: { tls: { servernam: 'secret' } } }, 'socket.tls.servernam',
      'socket.tls.servername'],
    [{ ['__proto__']: 'secret' }, '__proto__'],
    [{ constructor: 'secret' }, 'constructor'],
    [{ toString: 'secret' }, 'toString']
  ]

  it('is ignored with one warning of the process, which names it and the nearest one', async () => {
    for (const [options, name, meant] of cases) {
      const warnings = await warningsOf(() => {
        createClient(options).destroy()
        createClient(options).destroy()
      })
      assert.deepStrictEqual(warnings.map(({ name, code }) => [name, code]),
        [['OxidisWarning', 'OXIDIS_UNKNOWN_OPTION']], name)
      const [{ message }] = warnings
      assert.ok(message.includes(`"${name}"`), message)
      assert.ok(!message.includes('secret'), message)
      if (meant !== undefined) assert.ok(message.includes(`is "${meant}"`), message)
      else assert.ok(!message.includes('nearest'), message)
    }
  })

  it('is named together with the others of one call', async () => {
    const [{ message }, ...others] = await warningsOf(() =>
      createClient({ foo1: 1, socket: { foo2: 1 }, name: 'x' }).destroy())
    assert.match(message, /"foo1", "socket\.foo2"/)
    assert.deepStrictEqual(others, [])
  })

  it('is ignored by every way to give it', async t => {
    const client = createClient()
    t.after(() => client.destroy())
    const warnings = await warningsOf(() => {
      client.duplicate({ byDuplicate: 1 }).destroy()
      client.withCommandOptions({ byView: 1 })
      createClientPool({ byPool: 1 }, { ofPool: 1 }).destroy()
      createCluster({ byCluster: 1, rootNodes: [{ url: 'redis://127.0.0.1:1', byRoot: 1 }],
        defaults: { byDefaults: 1 } }).destroy()
      createSentinel({ name: 'x', sentinelRootNodes: [{ host: '127.0.0.1', bySentinel: 1 }],
        nodeClientOptions: { byNode: 1 }, sentinelClientOptions: { bySentinels: 1 } }).destroy()
    })
    const text = warnings.map(({ message }) => message).join('\n')
    for (const name of ['byDuplicate', 'commandOptions.byView', 'byPool', 'pool options.ofPool',
      'byCluster', 'byRoot', 'byDefaults', 'sentinelRootNodes[0].bySentinel', 'byNode',
      'bySentinels']) {
      assert.ok(text.includes(`"${name}"`), `${name} in ${text}`)
    }
  })

  it('of a command is ignored with a warning, and the command is sent', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const client = createClient(server.url)
    t.after(() => client.destroy())
    const warnings = await warningsOf(async () => {
      assert.strictEqual(await client.set('k', 'v', { EX: 100, ttl: 5 }), 'OK')
      assert.strictEqual(await client.set('k', 'v', { ex: 5, ttl: 6, none: undefined }), 'OK')
      assert.deepStrictEqual(await client.multi().set('k', 'v', { multi: 1 }).exec(), ['OK'])
      assert.deepStrictEqual(await client.sendCommand(['PING'], { bySend: 1 }), 'PONG')
    })
    assert.strictEqual(await client.ttl('k'), -1)
    const texts = warnings.map(({ message }) => message)
    assert.strictEqual(texts.length, 4, texts.join('\n'))
    assert.match(texts[0], /"ttl" in argument "options", which takes .*EX/)
    assert.match(texts[1], /"ex" .*the nearest is "EX"/)
    assert.match(texts[2], /"multi"/)
    assert.match(texts[3], /"commandOptions.bySend"/)
  })

  it('is a TypeError with strictOptions: true', async t => {
    for (const [options, name] of cases) {
      assert.throws(() => createClient({ ...options, strictOptions: true }), error => {
        assert.ok(error instanceof TypeError && error.message.includes(`"${name}" is unknown`))
        return !error.message.includes('secret')
      }, name)
    }
    const strictOptions = true
    assert.throws(() => createClientPool({ strictOptions }, { size: 1 }), /size" is unknown/)
    assert.throws(() => createCluster({ strictOptions, hots: 1 }), /"hots" is unknown/)
    assert.throws(() => createCluster({ defaults: { strictOptions }, hots: 1 }), /"hots" is unk/)
    for (const [at, wrong] of [['nodeClientOptions.hots', { nodeClientOptions: { hots: 1 } }],
      ['sentinelClientOptions.hots', { sentinelClientOptions: { hots: 1 } }],
      ['sentinelRootNodes[0].hots', { sentinelRootNodes: [{ host: '127.0.0.1', hots: 1 }] }]]) {
      const good = { name: 'x', sentinelRootNodes: [{ host: '127.0.0.1' }] }
      assert.throws(() => createSentinel({ strictOptions, ...good, ...wrong }), error =>
        error instanceof TypeError && error.message.includes(`"${at}" is unknown`))
    }
    const client = createClient({ strictOptions })
    t.after(() => client.destroy())
    assert.throws(() => client.duplicate({ hots: 1 }), /"hots" is unknown/)
    const view = client.withCommandOptions({ timeout: 5 })
    for (const one of [client, view]) {
      assert.throws(() => one.withCommandOptions({ timeOut: 1 }), /"commandOptions.timeOut" is/)
      await assert.rejects(one.sendCommand(['PING'], { timeOut: 1 }), /timeOut" is unknown/)
      await assert.rejects(one.set('k', 'v', { ttl: 5 }), /unknown option "ttl"/)
      await assert.rejects(one.multi().set('k', 'v', { ttl: 5 }).exec(), /unknown option "ttl"/)
    }
    assert.strictEqual(client.stats().commands, 0)
  })
})

/** The warnings that `run` and what follows from it make the process emit. */
async function warningsOf (run) {
  const warnings = []
  const hear = warning => warnings.push(warning)
  process.on('warning', hear)
  await run()
  // Node emits a warning in the next tick.
  await new Promise(setImmediate)
  process.off('warning', hear)
  return warnings
}

describe('options', () => {
  it('are left as they are, and may be frozen', () => {
    const signal = new AbortController().signal
    const options = deepFreeze({
      url: 'redis://user:secret@127.0.0.1:7000/3',
      socket: { noDelay: true, connectTimeout: 100, tls: undefined },
      pool: { max: 4 },
      commandOptions: { timeout: 5, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
      name: undefined,
      maintNotifications: 'disabled'
    })
    const before = inspect(options, { depth: 9 })
    const client = createClient(options)
    client.duplicate(deepFreeze({ database: 1 })).destroy()
    client.createPool(deepFreeze({ maximum: 5 })).destroy()
    client.withCommandOptions(Object.freeze({ timeout: 1, abortSignal: signal }))
    createClientPool(options, Object.freeze({ minimum: 0 })).destroy()
    client.destroy()
    assert.strictEqual(inspect(options, { depth: 9 }), before)
  })

  it('that are undefined or null are as good as absent', () => {
    for (const none of [undefined, null]) {
      createClient(none).destroy()
      const names = ['url', 'socket', 'username', 'password', 'credentialsProvider', 'name',
        'database', 'RESP', 'keyPrefix', 'commandsQueueMaxLength', 'maxQueuedBytes', 'readonly',
        'disableOfflineQueue', 'pingInterval', 'lanes', 'shared', 'pool', 'commandOptions',
        'disableClientInfo', 'clientInfoTag', 'scripts', 'functions', 'modules', 'strictOptions',
        'clientSideCache', 'unheardOf']
      createClient(Object.fromEntries(names.map(name => [name, none]))).destroy()
      for (const name of ['host', 'port', 'path', 'family', 'tls', 'connectTimeout', 'ca', 'cert',
        'socketTimeout', 'noDelay', 'keepAlive', 'keepAliveInitialDelay', 'reconnectStrategy']) {
        createClient({ socket: { [name]: none } }).destroy()
      }
      createClient({ socket: { tls: { ca: none, key: none, servername: none } } }).destroy()
      for (const name of ['min', 'max', 'acquireTimeout', 'idleTimeout', 'leakThreshold']) {
        createClient({ pool: { [name]: none } }).destroy()
      }
      for (const name of ['timeout', 'typeMapping', 'abortSignal', 'asap']) {
        const client = createClient({ commandOptions: { [name]: none } })
        client.withCommandOptions({ [name]: none })
        client.withCommandOptions(none)
        client.destroy()
      }
      createClientPool(none, none).destroy()
      createClientPool(none, { minimum: none, maximum: none, cleanupDelay: none }).destroy()
      createCluster(none).destroy()
      for (const name of ['rootNodes', 'defaults', 'useReplicas', 'readStrategy',
        'maxCommandRedirections', 'nodeAddressMap', 'minimizeConnections']) {
        createCluster({ [name]: none }).destroy()
      }
      createClient().duplicate(none).destroy()
    }
  })

  it('that are empty texts are as good as absent, where a variable may be empty', () => {
    const client = createClient({ url: '', username: '', password: '', name: '', clientInfoTag: '',
      socket: { host: '' } })
    assert.match(inspect(client), /localhost:6379/)
    client.destroy()
  })

  it('that are numbers may come as strings', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const client = createClient({ database: '2', RESP: '3', lanes: '1', pingInterval: '1000',
      socket: { host: server.host, port: String(server.port), family: '4', connectTimeout: '9000',
        reconnectStrategy: '10' },
      pool: { max: '3' }, commandOptions: { timeout: '4000' } })
    t.after(() => client.destroy())
    assert.match(await client.clientInfo().then(({ db }) => String(db)), /^2$/)
    await client.select('1')
    assert.strictEqual((await client.clientInfo()).db, 1)
    await client.session(async session => {
      await session.select('3')
      assert.strictEqual((await session.clientInfo()).db, 3)
    })
    assert.deepStrictEqual((await client.multi().select('4').clientInfo().exec())[1].db, 4)
    for (const wrong of ['', 'x', '-1', '1.5', ' 1']) {
      await assert.rejects(client.select(wrong), /select: argument "database" must be/)
    }
  })

  it('do not come from the prototype', () => {
    createClient(Object.create({ hots: 1, password: 'x' })).destroy()
  })
})

function deepFreeze (object) {
  for (const value of Object.values(object)) {
    if (value !== null && typeof value === 'object') deepFreeze(value)
  }
  return Object.freeze(object)
}
