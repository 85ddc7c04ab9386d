'use strict'

// A command gives the same reply within a transaction and by itself, on a real server: in RESP2
// and RESP3, with type mappings, for every method of the table. Errors have the same text.

const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { describe, test, before, after } = require('node:test')

const oxidis = require('../..')
const { commands } = require('../../lib/commands')
const { startServer } = require('../support/redis-server')
const calls = require('./calls')

const snapshot = JSON.parse(
  fs.readFileSync(path.join(__dirname, '..', '..', 'commands', 'redis.json'), 'utf8')).commands

const TYPES = oxidis.RESP_TYPES
const MAPS = { [TYPES.MAP]: Map, [TYPES.SET]: Set, [TYPES.DOUBLE]: String }
const SETTINGS = [
  ['RESP2', 2, undefined],
  ['RESP3', 3, undefined],
  ['RESP2 with Buffers and Maps', 2, { [TYPES.BLOB_STRING]: Buffer, ...MAPS }],
  ['RESP3 with Buffers and Maps', 3, { [TYPES.BLOB_STRING]: Buffer, ...MAPS }],
  ['RESP2 with maps as arrays', 2, { [TYPES.MAP]: Array }],
  ['RESP3 with maps as arrays', 3, { [TYPES.MAP]: Array }]
]

/** Not compared, because ... */
const LEFT_OUT = {
  bgRewriteAof: 'two in a row meet each other',
  bgSave: 'two in a row meet each other',
  clientKill: 'it would end the clients that are compared',
  latencyHistogram: 'it tells what ran before',
  migrate: 'it needs a second server',
  replicaOf: 'it would make the server a replica',
  save: 'servers do not allow it within a transaction'
}

/** The replies tell the time, chance or the connection: only their kind is compared. */
const BY_KIND = new RegExp('^(acl(GenPass|Log)|client(Id|Info|List)|info|lastSave|latency.*|' +
  'lolwut|memory.*|time)$|Rand|sPop|randomKey|object(IdleTime|Freq)')

/** The type of key `k`, by the group of the command. */
const DATA = {
  string: ['SET k 10', 'SET a 1', 'SET b 2'],
  hash: ['HSET k f 5 g 1.5 h text', 'HSET {k}1 f 1'],
  list: ['RPUSH k 3 1 2 1', 'RPUSH {k}1 a b c'],
  set: ['SADD k a b c d', 'SADD {k}1 a b m'],
  'sorted-set': ['ZADD k 1 a 2.5 m -inf low inf high', 'ZADD {k}1 1 a 2 b', 'ZADD {k}2 3 b 4 c'],
  hyperloglog: ['PFADD k a b', 'PFADD {k}1 a b c']
}

let server
before(async () => { server = await startServer() })
after(() => server?.stop())

for (const [name, RESP, typeMapping] of SETTINGS) {
  describe(name, () => {
    let client, view
    before(() => {
      client = oxidis.createClient({ url: server.url, RESP })
      view = typeMapping === undefined ? client : client.withTypeMapping(typeMapping)
    })
    after(() => client?.destroy())

    for (const row of commands) {
      if (row.name in LEFT_OUT || calls[row.name] === undefined) continue
      test(row.name, async () => {
        for (const args of calls[row.name]) {
          await seed(client, row)
          const plain = await outcome(() => view[row.name](...args))
          await seed(client, row)
          const within = await outcome(async () => {
            const [reply] = await view.multi()[row.name](...args).exec()
            return reply
          })
          const kind = BY_KIND.test(row.name) ? kindOf : outcome => outcome
          assert.deepStrictEqual(kind(within), kind(plain))
        }
      })
    }
  })
}

test('what is left out exists', () => {
  const names = new Set(commands.map(row => row.name))
  for (const name of Object.keys(LEFT_OUT)) assert.ok(names.has(name), name)
})

function seed (client, row) {
  const group = row.name.startsWith('sort') ? 'list' : snapshot[row.command[0]]?.group
  const pipeline = client.multi().addCommand(['FLUSHALL']).addCommand(['ACL', 'DELUSER', 'u'])
  for (const command of DATA[group] ?? DATA.string) pipeline.addCommand(command.split(' '))
  return pipeline.execAsPipeline()
}

/** What came: a value, or the text of the command's own error. */
async function outcome (run) {
  try {
    return { value: await run() }
  } catch (error) {
    if (!(error instanceof oxidis.MultiErrorReply)) return { error: error.message }
    const [inner] = error.errors()
    return { error: inner.message }
  }
}

function kindOf ({ value, error }) {
  if (error !== undefined) return 'error'
  return value?.constructor?.name ?? String(value)
}
