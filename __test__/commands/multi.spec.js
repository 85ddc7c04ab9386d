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
const { dataFor, ignoreNoVectorSets, inOrder } = require('./data')

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
  'lolwut|memory.*|scan|time|v(Info|Links(WithScores)?)|' +
  'x(Add(NoMkStream)?|PendingRange|Info(Consumers|Groups)))$|Rand|sPop|randomKey|' +
  'object(IdleTime|Freq)')

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
          const all = row.name === 'keys' ? inOrder : outcome => outcome
          const kind = BY_KIND.test(row.name) ? kindOf : all
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

async function seed (client, row) {
  const { clean, lay } = dataFor(snapshot[row.command[0]]?.group, row.name)
  const pipeline = client.multi()
  for (const command of [...clean, ...lay]) pipeline.addCommand(command)
  await pipeline.execAsPipeline().catch(ignoreNoVectorSets)
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
