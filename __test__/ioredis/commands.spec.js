'use strict'

// Every command answers as it does in ioredis: the same values, the same errors, in both protocols
// and for Buffers. The calls are those of the first face, encoded and sent by the methods of this
// one; commands that it does not have are called with a few arguments of their own.

const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { after, before, describe, test } = require('node:test')

const { derive } = require('../../scripts/generate-ioredis')
const { commands } = require('../../lib/commands')
const { BLOCKING, flagsOf } = require('../../lib/commands/flags')
const { NAMES } = require('../../lib/ioredis/names')
const { callsOf, isFor, onlyReads } = require('../commands/comparison')
const { dataFor } = require('../commands/data')
const { argv } = require('../commands/encode')
const { startServer } = require('../support/redis-server')
const { FACES, outcomeOf } = require('./pair')

const snapshot = require('../../commands/redis.json').commands

/** Commands that are not compared here, and why. */
const NOT_RUN = {
  bgrewriteaof: 'two in a row meet each other',
  bgsave: 'two in a row meet each other',
  debug: 'it can end the server',
  discard: 'transactions have tests of their own',
  exec: 'transactions have tests of their own',
  failover: 'it changes what the server is',
  latency: 'it tells how long other commands took',
  migrate: 'it needs a second server',
  multi: 'transactions have tests of their own',
  pfdebug: 'it can end the server',
  psubscribe: 'Pub/Sub has tests of its own',
  psync: 'it ends the list of replies; ours refuses it',
  punsubscribe: 'Pub/Sub has tests of its own',
  quit: 'it ends the connection: see life.spec.js',
  replconf: 'it makes the server wait for a replica',
  replicaof: 'it makes the server a replica',
  reset: 'it changes the connection',
  shutdown: 'it ends the server',
  slaveof: 'it makes the server a replica',
  ssubscribe: 'Pub/Sub has tests of its own',
  subscribe: 'Pub/Sub has tests of its own',
  sunsubscribe: 'Pub/Sub has tests of its own',
  sync: 'it ends the list of replies; ours refuses it',
  unsubscribe: 'Pub/Sub has tests of its own'
}

/** The replies tell the time, chance or the connection: only their shape is compared. */
const BY_SHAPE = new Set(['acl genpass', 'acl log', 'client id', 'client info', 'client list',
  'hello', 'hrandfield', 'info', 'lastsave', 'lolwut', 'memory doctor', 'memory malloc-stats',
  'memory stats', 'memory usage', 'object freq', 'object idletime', 'randomkey', 'scan', 'spop',
  'srandmember', 'time', 'xadd', 'xinfo consumers', 'xpending', 'zrandmember', 'vinfo',
  'vrandmember', 'slowlog get', 'command docs', 'role', 'keys', 'client trackinginfo',
  'client kill'])

/** Calls that would end or change what is compared. */
const isHarmful = ([name, first = '', second = '']) => {
  const words = [name, first, second].join(' ').toLowerCase()
  return /^client (kill|reply|no-evict|tracking|pause|setname|setinfo|caching)/.test(words) ||
    /^(script debug|client no-touch|config rewrite|module load|cluster|himport)/.test(words)
}

/** Calls of commands that the first face does not have as they are. */
const OWN = {
  asking: [[]],
  auth: [['wrong'], ['default', 'wrong']],
  client: [['getname'], ['id'], ['nonsense']],
  cluster: [['info'], ['nonsense']],
  echo: [['text'], [Buffer.from([255, 0])]],
  hello: [['9']],
  module: [['list']],
  readonly: [[]],
  readwrite: [[]],
  script: [['load', 'return 1'], ['exists', ['a', 'b']], ['nonsense']],
  select: [['1'], ['0'], ['99'], ['x']],
  sentinel: [['masters']],
  unwatch: [[]],
  wait: [['0', '10']],
  watch: [['k'], []]
}

/** The groups of commands that are about more than data. */
const OF_THE_SERVER = new Set(['cluster', 'connection', 'pubsub', 'sentinel', 'server',
  'transactions'])

const SETTINGS = [
  { name: 'as it comes', options: {} },
  { name: 'RESP2', options: { protocol: 2 } },
  { name: 'resp3 shapes', options: { replyMapping: 'resp3' } },
  { name: 'numbers as strings', options: { stringNumbers: true } }
]

/** Command -> its calls: the arguments, what lays their data, and whether that stays as it is. */
const CALLS = collect()

describe('every command', () => {
  let server, control
  before(async () => {
    server = await startServer()
    control = new FACES.ioredis(server.port, '127.0.0.1')
  })
  after(async () => {
    control?.disconnect()
    await server?.stop()
  })

  for (const { name, options } of SETTINGS) {
    describe(name, () => {
      const clients = {}
      before(() => {
        for (const [face, Redis] of Object.entries(FACES)) {
          clients[face] = new Redis(server.port, '127.0.0.1', options)
        }
      })
      after(() => {
        for (const client of Object.values(clients)) client.disconnect()
      })

      for (const command of NAMES) {
        if (command in NOT_RUN) continue
        test(command, async () => {
          assert.ok(CALLS.get(command).length > 0, 'no call')
          const calls = CALLS.get(command).flatMap(call =>
            [command, `${command}Buffer`].map(method => ({ ...call, method })))
          const seen = {}
          if (isCalledOneByOne(command)) {
            for (const face of Object.keys(clients)) seen[face] = []
            for (const call of calls) {
              for (const [face, client] of Object.entries(clients)) {
                await control.pipeline(call.seed).exec()
                seen[face].push(await outcomeOf(() => client[call.method](...call.args)))
              }
            }
          } else {
            // In one batch, with the data for each call before it: a round trip for each of them
            // would take most of the time.
            for (const [face, client] of Object.entries(clients)) {
              const sent = calls.map(({ method, args, seed, isLaid }, at) => {
                const laid = isLaid && at > 0 && calls[at - 1].seed === seed
                  ? undefined
                  : client.pipeline(seed).exec()
                return Promise.all([outcomeOf(() => client[method](...args)), laid])
              })
              seen[face] = (await Promise.all(sent)).map(([outcome]) => outcome)
            }
          }
          for (const [at, { method, args }] of calls.entries()) {
            const key = [command, args[0]].map(String).join(' ').toLowerCase()
            const isShape = BY_SHAPE.has(command) || BY_SHAPE.has(key)
            const form = options.stringNumbers ? texts : rounded
            const view = command === 'vlinks'
              ? ({ value }) => shape(form(value?.at(-1)))
              : isShape ? outcome => shape(form(outcome)) : form
            assert.deepStrictEqual(view(seen.oxidis[at]), view(seen.ioredis[at]),
              `${method} ${args.map(String).join(' ').slice(0, 200)}`)
          }
        })
      }
    })
  }

  test('has a method, or a reason', () => {
    assert.strictEqual(NAMES.length, 301)
    for (const name of Object.keys(NOT_RUN)) assert.ok(NAMES.includes(name), name)
    const ours = new FACES.oxidis({ lazyConnect: true })
    const theirs = new FACES.ioredis({ lazyConnect: true })
    for (const name of theirs.getBuiltinCommands()) {
      assert.strictEqual(typeof ours[name], 'function', name)
      assert.strictEqual(typeof ours[`${name}Buffer`], 'function', name)
    }
    assert.deepStrictEqual(ours.getBuiltinCommands().toSorted(),
      theirs.getBuiltinCommands().toSorted())
    for (const one of [ours, theirs]) one.disconnect()
  })
})

test('what is generated from the list of commands is up to date', () => {
  const root = path.join(__dirname, '..', '..')
  for (const [file, text] of Object.entries(derive())) {
    assert.strictEqual(fs.readFileSync(path.join(root, file), 'utf8'), text, 'npm run generate')
  }
})

function collect () {
  const all = new Map(NAMES.map(name => [name, []]))
  for (const row of commands) {
    const group = snapshot[row.command[0]]?.group ?? 'generic'
    const { own, other } = seedsFor(group, row.name)
    const isLaid = onlyReads(row)
    const calls = callsOf(row).map(args => ({ args, words: argv(row, args).map(bytes) }))
    // One kind of data after the other: what only reads finds it there.
    for (const seed of [own, other]) {
      for (const { args, words: [name, ...rest] } of calls) {
        const list = all.get(String(name).toLowerCase())
        if (list === undefined || isHarmful([name, ...rest].map(String))) continue
        if (seed === other && (mayWait(String(name)) || !isFor(row, args, 'other'))) continue
        list.push({ args: rest, seed, isLaid })
      }
    }
  }
  const { own: seed } = seedsFor('string', 'get')
  for (const name of NAMES) {
    const list = all.get(name)
    const own = OWN[name] ?? (list.length === 0 ? [[], ['k'], ['k', 'v', '1']] : [])
    for (const args of own) list.push({ args, seed, isLaid: false })
  }
  return all
}

/** What lays the data of a method, and data of another type, as calls for a pipeline of ioredis. */
function seedsFor (group, method) {
  const { clean, lay, other } = dataFor(group, method)
  const calls = data => [...clean, ...data].map(words => ['call', ...words])
  return { own: calls(lay), other: calls(other) }
}

function mayWait (name) {
  return (flagsOf(name, undefined) & BLOCKING) !== 0
}

/** Whether what comes of a command depends on more than what was sent before on its connection. */
function isCalledOneByOne (name) {
  return mayWait(name) || OF_THE_SERVER.has(snapshot[name.toUpperCase()]?.group)
}

/** Text where it is text: ioredis takes either, and errors repeat what was given. */
function bytes (latin1) {
  const buffer = Buffer.from(latin1, 'latin1')
  const text = buffer.toString()
  return Buffer.from(text).equals(buffer) ? text : buffer
}

/** Numbers without the last digits, which ioredis does not always read as JavaScript does. */
function rounded (reply) {
  if (typeof reply === 'number') return Number(reply.toPrecision(14))
  return each(reply, rounded)
}

/**
 * Buffers and numbers as text: with `stringNumbers` ioredis's methods for Buffers give doubles as
 * strings in RESP3 and as Buffers in RESP2, and booleans as numbers in RESP3 and as strings in
 * RESP2. Ours give what ioredis gives in RESP2.
 */
function texts (reply) {
  if (typeof reply === 'number') return String(reply)
  return Buffer.isBuffer(reply) ? reply.latin1Slice() : each(reply, texts)
}

function each (reply, view) {
  if (reply === null || typeof reply !== 'object' || Buffer.isBuffer(reply)) return reply
  if (Array.isArray(reply)) return reply.map(view)
  return Object.fromEntries(Object.entries(reply).map(([name, value]) => [name, view(value)]))
}

/** The types of everything within a reply, without lengths and values. */
function shape (reply) {
  if (reply === null || typeof reply !== 'object') return typeof reply
  if (Buffer.isBuffer(reply)) return 'Buffer'
  if (Array.isArray(reply)) return [...new Set(reply.map(item => JSON.stringify(shape(item))))]
  return Object.fromEntries(Object.keys(reply).sort().map(name => [name, shape(reply[name])]))
}
