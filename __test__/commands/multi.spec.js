'use strict'

// A command gives the same reply within a transaction, by itself, and within a transaction of
// node-redis, on a real server: in RESP2 and RESP3, with type mappings, for every method of the
// table. Errors have the same text.

const assert = require('node:assert')
const { describe, test, before, after } = require('node:test')

const redis = require('redis')

const oxidis = require('../..')
const { commands } = require('../../lib/commands')
const { startServer } = require('../support/redis-server')
const calls = require('./calls')
const {
  Comparison, NOT_RUN, OUR_SETTINGS, SETTINGS, callTheirs, checkNames, nameOf, outcomesOfSides
} = require('./comparison')

/** Left out besides, because ... */
const NOT_WITHIN = { save: 'servers do not allow it within a transaction' }

/** What tells the time, chance or the connection even to the same client: its kind is compared. */
const BY_KIND = new RegExp('^(acl(GenPass|Log)|client(Id|Info|List)|info|lastSave|latency.*|' +
  'lolwut|memory.*|scan|time|v(Info|Links(WithScores)?)|' +
  'x(Add(NoMkStream)?|PendingRange|Info(Consumers|Groups)))$|Rand|sPop|randomKey|' +
  'object(IdleTime|Freq)')

const comparison = new Comparison()
let server
before(async () => { server = await startServer() })
after(() => server?.stop())

for (const setting of [...SETTINGS, ...OUR_SETTINGS]) {
  const { RESP, mapping } = setting
  // node-redis does not map the types of what EXEC returns, but those of a pipeline.
  const theirOnly = mapping === undefined ? only : onlyOfPipeline
  describe(nameOf(setting), () => {
    let ours, theirs, view, theirView
    before(async () => {
      ours = oxidis.createClient({ url: server.url, RESP })
      theirs = await redis.createClient({ url: server.url, RESP }).on('error', () => {}).connect()
      view = mapping === undefined ? ours : ours.withTypeMapping(mapping)
      theirView = mapping === undefined ? theirs : theirs.withTypeMapping(mapping)
    })
    after(() => {
      ours?.destroy()
      theirs?.destroy()
    })

    for (const row of commands) {
      if (row.name in NOT_RUN || row.name in NOT_WITHIN) continue
      test(row.name, async () => {
        const sides = [
          { client: ours, call: args => view[row.name](...args) },
          { client: ours, call: args => only(view.multi()[row.name](...args)) }
        ]
        if (SETTINGS.includes(setting)) {
          const chain = args => callTheirs(theirView.multi(), row, args)
          sides.push({ client: theirs, call: args => theirOnly(chain(args)) })
        }
        const kind = BY_KIND.test(row.name) ? kindOf : comparison.viewOf(row)
        const cases = await outcomesOfSides(row, ['its own'], sides)
        for (const { id, outcomes: [plain, within, theirWithin] } of cases) {
          assert.deepStrictEqual(kind(within), kind(plain))
          if (theirWithin) comparison.compare(row, id, setting, within, theirWithin)
        }
      })
    }
  })
}

test('every method is run within a transaction, or has a reason not to be', t => {
  for (const { name } of commands) assert.ok(calls[name]?.length > 0 || name in NOT_RUN, name)
  checkNames()
  comparison.checkComplete(NOT_WITHIN)
  t.diagnostic(`within multi(): ${comparison}`)
})

/** The one reply of a chain. */
async function only (chain) {
  const [reply] = await chain.exec()
  return reply
}

async function onlyOfPipeline (chain) {
  const [reply] = await chain.execAsPipeline()
  return reply
}

function kindOf ({ value, error }) {
  if (error !== undefined) return 'error'
  return value?.constructor?.name ?? String(value)
}
