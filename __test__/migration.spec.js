'use strict'

// What the documents on migration say: the names in them are there or are not, and the calls of
// their tables do what stands beside them.

const assert = require('node:assert')
const fs = require('node:fs')
const { createRequire } = require('node:module')
const path = require('node:path')
const { after, before, describe, it } = require('node:test')

const redis = require('redis')

const oxidis = require('..')
const { commands } = require('../lib/commands')
const { rowsOf } = require('../lib/modules')
const LINES = require('./support/migration-lines')
const { startServer } = require('./support/redis-server')

const { createClient, defineScript, RESP_TYPES } = oxidis
const read = name => fs.readFileSync(path.join(__dirname, '..', 'docs', name), 'utf8')

describe('what is said to be missing', () => {
  it('is missing', () => {
    const client = createClient()
    for (const name of ['socketEpoch',
      'reAuthenticate', 'hgetall', 'scanStream', 'pipeline', 'defineCommand', 'call']) {
      assert.ok(!(name in client), name)
    }
    for (const name of ['Redis', 'Cluster']) {
      assert.ok(!(name in oxidis), name)
    }
  })

  it('is refused as an option, by name, if options are strict', () => {
    assert.throws(() => createClient({ emitInvalidate: true }), /"emitInvalidate" is not supported/)
    for (const name of ['sentinels', 'reconnectOnError', 'stringNumbers',
      'maxRetriesPerRequest', 'retryStrategy', 'db', 'connectionName']) {
      assert.throws(() => createClient({ [name]: {}, strictOptions: true }), error => (
        error instanceof TypeError && error.message.includes(`"${name}"`)))
    }
  })
})

describe('each line about a difference', () => {
  const text = read('migration-from-node-redis.md')
  const rows = ['Different, and why', 'Clusters', 'Sentinel'].flatMap(heading => (
    text.split(`\n## ${heading}\n`)[1].split('\n## ')[0].split('\n')
      .filter(row => row.startsWith('| ') && !row.startsWith('| node-redis |'))
      .map(row => row.slice(2))))

  it('has a test', () => {
    const untested = rows.filter(row => !LINES.some(([begin]) => row.startsWith(begin)))
    assert.deepStrictEqual(untested, [])
    const gone = LINES.filter(([begin]) => !rows.some(row => row.startsWith(begin)))
    assert.deepStrictEqual(gone, [])
  })

  it('has a test that is about it', () => {
    for (const [begin, file, word] of LINES) {
      const place = file.startsWith('src/') ? path.join('..', file) : `${file}.spec.js`
      const test = fs.readFileSync(path.join(__dirname, place), 'utf8')
      assert.ok(test.includes(word), `${begin}: ${place} has no ${word}`)
    }
  })

  it('on the statistics of ft.info in RESP2: they are there', () => {
    const { reply } = rowsOf('ft').find(row => row.name === 'info')
    const raw = ['index_name', 'i', 'field statistics', [['identifier', 'n']]]
    assert.ok(Array.isArray(reply(raw)['field statistics']))
  })

  it('on aclGetUser in RESP2: the fields have their names, in whatever order', () => {
    const { reply } = commands.find(row => row.name === 'aclGetUser')
    const user = reply(['flags', ['on'], 'databases', 'alldbs', 'commands', '+@all'])
    assert.deepStrictEqual({ ...user },
      { flags: ['on'], databases: 'alldbs', commands: '+@all' })
  })

  it('on setTracer: there is none', () => {
    const sentinel = oxidis.createSentinel({
      name: 'primary', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }]
    })
    assert.ok(!('setTracer' in sentinel) && typeof sentinel.stats === 'function')
  })
})

describe('what node-redis exports', () => {
  const text = read('migration-from-node-redis.md').split('## Not exported')[1].split('## ')[0]
  const told = text.split('\n').filter(row => row.startsWith('| `')).flatMap(row => {
    const [, names, reason] = row.split('|').map(cell => cell.trim())
    assert.ok(reason.length > 0, `no reason for ${names}`)
    return [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name)
  })

  it('can be imported here as well, or is told not to be, with a reason', () => {
    const missing = Object.keys(redis).filter(name => !(name in oxidis))
    assert.deepStrictEqual(missing.sort(), told.filter(name => name in redis).sort())
  })

  it('has the same values, where it is a constant', () => {
    for (const [name, value] of Object.entries(redis)) {
      const isConstant = typeof value !== 'function' && !(NOT_COMPARED.has(name))
      if (isConstant && name in oxidis) assert.deepStrictEqual({ ...oxidis[name] }, { ...value })
    }
    assert.strictEqual(oxidis.DEFAULT_RESP, redis.DEFAULT_RESP)
  })

  it('has the names of its types, or is told not to', () => {
    const types = typesOf(require.resolve('redis'))
    assert.ok(types.has('RedisClientType') && types.has('SetOptions') && types.size > 60)
    const ours = namesIn(fs.readFileSync(path.join(__dirname, '..', 'index.d.ts'), 'utf8'))
    const missing = [...types].filter(name => !ours.has(name))
    assert.deepStrictEqual(missing.sort(), told.filter(name => types.has(name)).sort())
  })

  it('is what is told not to be exported, and nothing else', () => {
    const types = typesOf(require.resolve('redis'))
    assert.deepStrictEqual(told.filter(name => !types.has(name) && !(name in redis)), [])
    assert.strictEqual(new Set(told).size, told.length)
  })

  it('names errors that are instances of the same classes here', async t => {
    const client = createClient({ url: 'redis://127.0.0.1:1', disableOfflineQueue: true })
    t.after(() => client.destroy())
    const pending = client.get('k')
    client.destroy()
    await assert.rejects(pending, error => error instanceof oxidis.ClientOfflineError ||
      error instanceof oxidis.DisconnectsClientError)
    await assert.rejects(client.get('k'), oxidis.ClientClosedError)
    for (const name of ['SimpleError', 'BlobError']) {
      assert.ok(new oxidis.MultiErrorReply([], []) instanceof oxidis[name])
    }
  })
})

describe('what is said to be there', () => {
  it('is there: every method that a table names with client in front', () => {
    const client = createClient()
    for (const file of ['migration-from-node-redis.md', 'migration-from-ioredis.md']) {
      // The left column is the other client's, and so are the rows of what is missing.
      const rows = read(file).split('## Missing')[0].split('\n').filter(row => row[0] === '|')
      for (const row of rows) {
        const right = row.split(' | ').slice(1).join(' | ')
        for (const [, name] of right.matchAll(/\bclient\.(\w+)\(/g)) {
          assert.strictEqual(typeof client[name], 'function', name)
        }
      }
    }
    const same = read('migration-from-node-redis.md').split('## The same')[1].split('## ')[0]
    const exported = new Set(['defineScript', 'digest', 'createClientPool', 'createCluster',
      'RESP_TYPES'])
    const others = new Set(['scripts', 'functions', 'modules', 'WatchError', 'hSet', 'HSET'])
    const multi = client.multi()
    const pool = oxidis.createClientPool()
    const cluster = oxidis.createCluster()
    for (const [, name] of same.matchAll(/`(\w+)`/g)) {
      if (others.has(name)) continue
      const owner = exported.has(name)
        ? oxidis
        : [client, multi, pool, cluster].find(one => name in one)
      assert.ok(owner !== undefined && name in owner, name)
    }
  })
})

describe('the calls of the table for ioredis', () => {
  let server, client
  before(async () => {
    server = await startServer()
    client = createClient({ socket: { host: '127.0.0.1', port: server.port } })
  })
  after(async () => {
    client?.destroy()
    await server?.stop()
  })

  it('work without connect()', async () => {
    const once = { expiration: { type: 'EX', value: 10 }, condition: 'NX' }
    assert.strictEqual(await client.set('k', 1, once), 'OK')
    assert.strictEqual(await client.set('k', 'v', once), null)
    assert.strictEqual(await client.mSet(['a', '1', 'b', '2']), 'OK')
    assert.strictEqual(await client.mSet({ c: '3' }), 'OK')
    assert.strictEqual(await client.del(['a', 'b']), 2)
    assert.strictEqual(await client.sAdd('s', ['a', 'b']), 2)
    assert.strictEqual(await client.lPush('l', '1'), 1)
    await assert.rejects(client.lPush('l', 1), TypeError)
    await assert.rejects(client.set('k', 'v', 'EX', 10), TypeError)
    await client.zAdd('z', { score: 1.5, value: 'm' })
    assert.deepStrictEqual(await client.zRangeWithScores('z', 0, -1), [{ value: 'm', score: 1.5 }])
    const { cursor, keys } = await client.scan('0', { MATCH: 's' })
    assert.strictEqual(typeof cursor, 'string')
    assert.ok(Array.isArray(keys))
    const found = []
    for await (const some of client.scanIterator({ MATCH: 's' })) found.push(...some)
    assert.deepStrictEqual(found, ['s'])
    const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
    assert.deepStrictEqual(await buffers.get('k'), Buffer.from('1'))
    assert.deepStrictEqual(await client.multi().get('k').exec(), ['1'])
    assert.deepStrictEqual(await client.multi().get('k').execAsPipeline(), ['1'])
    const failing = client.multi().incr('s').get('k')
    await assert.rejects(failing.execAsPipeline(), error => (
      error instanceof oxidis.MultiErrorReply && error.replies[1] === '1'))
  })

  it('the numbers of stringNumbers are a type mapping', async () => {
    for (const [type, expected] of [[String, '2'], [BigInt, 2n]]) {
      const view = client.withTypeMapping({ [RESP_TYPES.NUMBER]: type })
      assert.strictEqual(await view.sCard('s'), expected)
    }
  })

  it('scripts are options', async () => {
    const double = defineScript({
      NUMBER_OF_KEYS: 1,
      SCRIPT: 'return redis.call("GET", KEYS[1]) * 2',
      parseCommand (parser, key) { parser.pushKey(key) },
      transformReply: reply => reply
    })
    const scripted = client.duplicate({ scripts: { double } })
    await client.set('n', '21')
    assert.strictEqual(await scripted.double('n'), 42)
    scripted.destroy()
  })

  it('messages come to the client that sends commands', async () => {
    const message = new Promise(resolve => {
      client.subscribe('c', (...heard) => resolve(heard)).then(() => client.publish('c', 'm'))
    })
    assert.deepStrictEqual(await message, ['m', 'c'])
    await client.unsubscribe('c')
  })

  it('legacy() takes words in a row, and callbacks', async () => {
    const reply = await new Promise((resolve, reject) => {
      client.legacy().set('k', 'v', 'EX', '10', (error, reply) => (
        error ? reject(error) : resolve(reply)))
    })
    assert.strictEqual(reply, 'OK')
  })
})

/** Every name that the declarations beside `main` export, types and values. */
function typesOf (main) {
  const file = main.replace(/\.js$/, '.d.ts')
  const text = fs.readFileSync(file, 'utf8')
  const names = namesIn(text)
  for (const [, target] of text.matchAll(/^export \* from '([^']+)'/gm)) {
    const from = createRequire(file).resolve(target)
    for (const name of typesOf(from)) names.add(name)
  }
  return names
}

/** The names that a file of declarations exports itself. */
function namesIn (text) {
  const names = new Set()
  const direct = /^export (?:declare )?(?:type|interface|class|const|function) (\w+)/gm
  for (const [, name] of text.matchAll(direct)) names.add(name)
  for (const [, list] of text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)) {
    for (const item of list.split(',')) {
      const name = item.trim().split(/\s+/).at(-1)
      if (name !== '' && name !== 'default') names.add(name)
    }
  }
  return names
}

/** Not values that a program could depend on. */
const NOT_COMPARED = new Set(['DEFAULT_RESP'])
