'use strict'

// Every method on a real server: oxidis and node-redis resolve to deep-equal values, or reject
// with the same text of the server, in RESP2 and RESP3 and with type mappings.
//
// Each call of calls.js runs twice, once on each client, on data that is laid anew before.

const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test, before, after } = require('node:test')

const redis = require('redis')

const oxidis = require('../..')
const { Bridge } = require('../../lib/bridge')
const { commands } = require('../../lib/commands')
const { startServer } = require('../support/redis-server')
const calls = require('./calls')
const { dataFor, ignoreNoVectorSets, inOrder } = require('./data')

const snapshot = JSON.parse(
  fs.readFileSync(path.join(__dirname, '..', '..', 'commands', 'redis.json'), 'utf8')).commands

const TYPES = oxidis.RESP_TYPES
const SETTINGS = [
  { RESP: 2, mapping: undefined },
  { RESP: 3, mapping: undefined },
  { RESP: 2, mapping: { [TYPES.BLOB_STRING]: Buffer } },
  { RESP: 3, mapping: { [TYPES.BLOB_STRING]: Buffer } },
  { RESP: 3, mapping: { [TYPES.MAP]: Map, [TYPES.SET]: Set, [TYPES.DOUBLE]: String } },
  { RESP: 3, mapping: { [TYPES.MAP]: Array } }
]

/** Not run here, because ... */
const NOT_RUN = {
  bgRewriteAof: 'two in a row meet each other',
  bgSave: 'two in a row meet each other',
  clientKill: 'it would end the clients that are compared',
  latencyHistogram: 'it tells what ran before and how long that took: its own test is below',
  lolwut: 'node-redis has no method of this name',
  migrate: 'it needs a second server',
  restoreAsking: 'node-redis sends no arguments',
  replicaOf: 'it would make the server a replica',
  vLinks: 'how many layers a graph has is chance',
  vLinksWithScores: 'how many layers a graph has is chance',
  save: 'node-redis has no method of this name',
  waitAof: 'node-redis has no method of this name'
}

/** Methods that wait on the server run here once there are connections to wait on. */
const WAITS = typeof Bridge.prototype.sendBlocking === 'function'
  ? false
  : 'there is no connection of its own for a command that blocks yet'

/** The replies tell the time, chance or the connection: only their shape is compared. */
const BY_SHAPE = new Set([
  'aclGenPass', 'aclLog', 'clientId', 'clientInfo', 'clientList', 'hRandField', 'hRandFieldCount',
  'hRandFieldCountWithValues', 'hello', 'info', 'lastSave', 'latencyDoctor', 'latencyGraph',
  'latencyHistory', 'latencyLatest', 'memoryDoctor', 'memoryMallocStats',
  'memoryStats', 'memoryUsage', 'objectIdleTime', 'randomKey', 'sPop', 'sPopCount', 'sRandMember',
  'sRandMemberCount', 'time', 'zRandMember', 'zRandMemberCount', 'zRandMemberCountWithScores',
  'objectFreq', 'scan', 'xAdd', 'xAddNoMkStream', 'xInfoConsumers', 'xPendingRange',
  'vInfo', 'vRandMember'
])

/** What is compared of the others, where it is not all. */
const VIEWS = { keys: inOrder }

/** Where oxidis means to differ: method -> [which settings, why]. */
const DIFFERENCES = {
  aclGetUser: [isMapArray, 'oxidis also maps the selectors'],
  command: [wantsMapOrBuffers, 'words of a command are text, whatever the mapping'],
  commandInfo: [wantsMapOrBuffers, 'words of a command are text, whatever the mapping'],
  geoDist: [({ mapping }) => mapping?.[TYPES.DOUBLE] === String, 'node-redis ignores the mapping'],
  geoPos: [({ RESP }) => RESP === 2, 'node-redis gives numbers in RESP3 and text in RESP2'],
  memoryStats: [({ RESP }) => RESP === 2, 'oxidis turns db.0 into an object, as RESP3 does'],
  role: [wantsMapOrBuffers, 'node-redis compares a Buffer with a word'],
  xInfoConsumers: [({ RESP }) => RESP === 2, 'node-redis adds fields that old servers do not send'],
  xInfoStream: [({ RESP, mapping }) => RESP === 2 && mapping !== undefined,
    'node-redis compares a Buffer with a word'],
  xRead: [isBufferMap, 'node-redis turns names of streams into strings in RESP3 only'],
  xReadGroup: [isBufferMap, 'node-redis turns names of streams into strings in RESP3 only'],
  zRankWithScore: [({ mapping }) => mapping !== undefined, 'node-redis ignores the mapping'],
  zRevRankWithScore: [({ mapping }) => mapping !== undefined, 'node-redis ignores the mapping'],
  zScan: [({ mapping }) => mapping?.[TYPES.DOUBLE] === String, 'node-redis ignores the mapping']
}

const runnable = commands.filter(row => !(row.name in NOT_RUN))
let server, control

before(async () => {
  server = await startServer()
  control = await redis.createClient(address()).connect()
})

after(async () => {
  control?.destroy()
  await server?.stop()
})

for (const setting of SETTINGS) {
  describe(`RESP${setting.RESP}, ${mappingName(setting.mapping)}`, () => {
    let ours, theirs

    before(async () => {
      const options = { ...address(), RESP: setting.RESP }
      ours = await oxidis.createClient(options).connect()
      theirs = await redis.createClient(options).on('error', () => {}).connect()
    })

    after(async () => {
      await ours?.close()
      theirs?.destroy()
    })

    for (const row of runnable) {
      if (DIFFERENCES[row.name]?.[0](setting)) continue
      const skip = row.blocks && row.name !== 'xRead' && row.name !== 'xReadGroup' && WAITS
      test(row.name, { skip }, async () => {
        for (const args of calls[row.name]) {
          if (WAITS !== false && tellsToWait(row, args)) continue
          const [actual, expected] = [await run(ours, row, args), await run(theirs, row, args)]
          const view = VIEWS[row.name] ?? (BY_SHAPE.has(row.name) ? shape : same)
          assert.deepStrictEqual(view(actual), view(expected))
        }
      })
    }

    test('latencyHistogram has calls and buckets', async () => {
      await ours.get('missing')
      const histogram = await ours.latencyHistogram('get', 'nonsense')
      assert.deepStrictEqual(Object.keys(histogram), ['get'])
      assert.deepStrictEqual(Object.keys(histogram.get), ['calls', 'histogram_usec'])
      for (const [name, count] of Object.entries(histogram.get.histogram_usec)) {
        assert.match(name, /^\d+$/)
        assert.strictEqual(typeof count, 'number')
      }
    })

    async function run (client, row, args) {
      await seed(snapshot[row.command[0]]?.group ?? 'generic', row.name)
      const view = setting.mapping ? client.withTypeMapping(setting.mapping) : client
      try {
        return { value: await view[row.name](...args) }
      } catch (error) {
        // Servers repeat the arguments of a command that they do not know; ours leaves them out.
        return { error: error.message.replace(/, with args beginning with: .*$/s, '') }
      }
    }
  })
}

test('a field called __proto__ survives, unlike in node-redis', async () => {
  await control.sendCommand(['HSET', 'proto', '__proto__', 'kept', 'f', 'v'])
  for (const RESP of [2, 3]) {
    const client = await oxidis.createClient({ ...address(), RESP }).connect()
    const hash = await client.hGetAll('proto')
    assert.deepStrictEqual(Object.entries(hash), [['__proto__', 'kept'], ['f', 'v']])
    assert.strictEqual(Object.getPrototypeOf(hash), Object.prototype)
    await client.close()
  }
})

test('what is not run is not run for a reason', () => {
  const names = new Set(commands.map(row => row.name))
  for (const name of [...Object.keys(NOT_RUN), ...Object.keys(DIFFERENCES), ...BY_SHAPE]) {
    assert.ok(names.has(name), name)
  }
})

function address () {
  return { socket: { host: '127.0.0.1', port: server.port } }
}

function tellsToWait (row, args) {
  return row.blocks && args.some(arg => arg?.BLOCK !== undefined)
}

async function seed (group, method) {
  const { clean, lay } = dataFor(group, method)
  for (const commands of [clean, lay]) {
    const pipeline = control.multi()
    for (const command of commands) pipeline.addCommand(command)
    await pipeline.execAsPipeline().catch(ignoreNoVectorSets)
  }
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
  if (reply instanceof Set) return ['Set', ...shape([...reply])]
  return Object.fromEntries(Object.keys(reply).sort().map(name => [name, shape(reply[name])]))
}

function mappingName (mapping) {
  if (mapping === undefined) return 'default types'
  const names = Object.entries(TYPES)
  return Object.entries(mapping)
    .map(([type, target]) => `${names.find(([, number]) => number === Number(type))[0]} ` +
      `as ${target.name}`)
    .join(', ')
}

function isMapArray ({ mapping }) {
  return mapping?.[TYPES.MAP] === Array
}

function isBufferMap ({ RESP, mapping }) {
  return RESP === 3 && mapping?.[TYPES.BLOB_STRING] === Buffer
}

function wantsMapOrBuffers ({ mapping }) {
  return mapping !== undefined
}
