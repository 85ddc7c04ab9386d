'use strict'

// `npm run demo`: the product's main job on real input, from a fresh clone.
//
// Reads the documentation of every command from a Redis server, stores it through oxidis (hashes,
// a sorted set, a counter), reads it back and compares, then runs many commands at once and says
// how fast that was, beside node-redis for the same job in the same run. Uses the server at
// REDIS_URL when that is set and leaves nothing behind there; otherwise starts one of its own on
// a free port. `npm run demo -- --cluster` shows a cluster instead: demo-cluster/index.js.

const assert = require('node:assert')
const { randomUUID } = require('node:crypto')
const { inspect } = require('node:util')

const { SetupError, runMain, setup, step } = require('./setup')

runMain(async () => {
  const args = process.argv.slice(2)
  const unknown = args.find(arg => arg !== '--cluster')
  if (unknown !== undefined) throw new SetupError(`unknown option ${unknown}, known is --cluster`)
  setup()
  if (args.length > 0) return require('./demo-cluster').demonstrate()
  const own = process.env.REDIS_URL ? undefined : await startOwnServer()
  const url = process.env.REDIS_URL ?? own.url
  try {
    await demo(url)
  } finally {
    await own?.stop()
  }
})

async function startOwnServer () {
  const server = await require('../__test__/support/redis-server').startServer()
  step(`started a Redis server on port ${server.port}`)
  return server
}

async function demo (url) {
  const { createClient } = require('..')
  const client = await createClient({ url }).connect()
  const prefix = `oxidis-demo:${randomUUID()}:`
  const library = new CommandLibrary(client, prefix)
  try {
    await library.load()
    await library.verify()
    await library.show()
    await race(client, url, prefix)
    print('\nWhat the client knows about itself, client.stats():')
    print(inspect(client.stats(), { depth: 5, breakLength: 100, colors: process.stdout.isTTY }))
  } finally {
    await library.remove()
    await client.close()
  }
}

/** The server's commands as data: a hash per command, one sorted set by arity, one counter. */
class CommandLibrary {
  constructor (client, prefix) {
    this.client = client
    this.prefix = prefix
    this.commands = []
    this.keys = new Set()
  }

  async load () {
    const list = await this.client.sendCommand(['COMMAND'])
    const docs = await this.documentation()
    this.commands = list.map(([name, arity]) => {
      const doc = docs.get(name) ?? {}
      const fields = { arity: String(arity) }
      for (const field of ['summary', 'since', 'group', 'complexity']) {
        if (doc[field] !== undefined) fields[field] = String(doc[field])
      }
      return { name, arity, fields }
    })
    // Nothing here waits for anything else: all of it goes to the server at once.
    const { client } = this
    await Promise.all([
      ...this.commands.map(({ name, fields }) => client.hSet(this.key(`command:${name}`), fields)),
      ...this.commands.map(({ name, arity }) =>
        client.zAdd(this.key('commands:by-arity'), { score: arity, value: name })),
      client.set(this.key('commands:count'), this.commands.length)
    ])
    print(`stored ${this.commands.length} commands in ${this.keys.size} keys`)
  }

  /** Reads everything back and throws where it is not what was stored. */
  async verify () {
    const { client, commands } = this
    const [count, ranked, ...hashes] = await Promise.all([
      client.get(this.key('commands:count')),
      client.zRangeWithScores(this.key('commands:by-arity'), 0, -1),
      ...commands.map(({ name }) => client.hGetAll(this.key(`command:${name}`)))
    ])
    assert.strictEqual(count, String(commands.length))
    commands.forEach(({ name, fields }, index) => {
      assert.deepStrictEqual({ ...hashes[index] }, fields, `the hash of ${name}`)
    })
    const scores = new Map(ranked.map(({ value, score }) => [value, score]))
    assert.deepStrictEqual(scores, new Map(ranked.map(({ value }) =>
      [value, commands.find(({ name }) => name === value)?.arity])))
    assert.strictEqual(scores.size, commands.length)
    print('read all of it back: every field and every score is what was stored')
  }

  async show () {
    const { client } = this
    const most = await client.zRange(this.key('commands:by-arity'), -3, -1)
    print('\nThe commands with the most fixed arguments:')
    for (const name of most.reverse()) {
      const { arity, summary = '' } = await client.hGetAll(this.key(`command:${name}`))
      print(`  ${name.padEnd(12)} ${arity.padStart(3)}  ${summary}`)
    }
  }

  async remove () {
    const keys = [...this.keys]
    if (keys.length > 0) await this.client.unlink(keys)
  }

  key (name) {
    const key = this.prefix + name
    this.keys.add(key)
    return key
  }

  // COMMAND DOCS came with Redis 7; RESP3 sends maps, RESP2 names and values in turn.
  async documentation () {
    try {
      const reply = await this.client.sendCommand(['COMMAND', 'DOCS'])
      return new Map(pairs(reply).map(([name, doc]) => [name, Object.fromEntries(pairs(doc))]))
    } catch (error) {
      print(`this server has no COMMAND DOCS (${error.message}), so summaries are left out`)
      return new Map()
    }
  }
}

function pairs (reply) {
  if (!Array.isArray(reply)) return Object.entries(reply)
  return reply.flatMap((name, index) => index % 2 === 0 ? [[name, reply[index + 1]]] : [])
}

async function race (client, url, prefix) {
  print(`\n${COMMANDS.toLocaleString('en')} GETs and SETs, ${IN_FLIGHT.toLocaleString('en')} ` +
    'in flight, every reply checked:')
  const results = [['oxidis (5 s timeout)', await run('oxidis', client, prefix)]]
  for (const [label, options] of PEERS) {
    const peer = await connectPeer({ url, ...options })
    if (!peer) {
      print('  node-redis is not installed here, nothing to compare with')
      break
    }
    results.push([label, await run('node-redis', peer, prefix)])
    await peer.close()
  }
  await client.unlink(Array.from({ length: KEYS }, (_, index) => `${prefix}race:${index}`))
  const [, first] = results[0]
  for (const [label, rate] of results) {
    const ratio = rate === first ? '' : `   oxidis: ${(first / rate).toFixed(1)}x`
    const rounded = Math.round(rate).toLocaleString('en').padStart(9)
    print(`  ${label.padEnd(27)} ${rounded} ops/s${ratio}`)
  }
}

async function connectPeer (options) {
  let createClient
  try {
    ({ createClient } = require('redis'))
  } catch {
    return undefined
  }
  const peer = createClient(options)
  peer.on('error', () => {}) // node-redis ends the process without a listener
  return peer.connect()
}

// Commands per second. The first part warms the client up and is not counted.
async function run (label, client, prefix) {
  await exchange(client, prefix, COMMANDS / 10, () => {})
  const bar = progress(label, COMMANDS)
  const started = performance.now()
  await exchange(client, prefix, COMMANDS, bar.update)
  const rate = COMMANDS / (performance.now() - started) * 1000
  bar.end()
  return rate
}

async function exchange (client, prefix, count, update) {
  const keys = Array.from({ length: KEYS }, (_, index) => `${prefix}race:${index}`)
  const values = keys.map((_, index) => `value ${index}`)
  await Promise.all(keys.map((key, index) => client.set(key, values[index])))
  let issued = 0
  const worker = async () => {
    while (issued < count) {
      const number = issued++
      const index = number % KEYS
      if (number % 5 === 0) await client.set(keys[index], values[index])
      else assert.ok(await client.get(keys[index]) === values[index], 'a foreign reply')
      if (number % REPORT_EVERY === 0) update(number)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
}

function progress (label, total) {
  if (!process.stdout.isTTY) return { update () {}, end () {} }
  const draw = done => {
    const filled = Math.round(done / total * BAR_WIDTH)
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
    process.stdout.write(`\r  ${label.padEnd(11)} ${bar} ${Math.round(done / total * 100)} %`)
  }
  return { update: draw, end: () => process.stdout.write('\r\x1b[K') }
}

function print (text) {
  process.stdout.write(`${text}\n`)
}

// So many take a second or more: enough for a measurement, and short enough to wait for.
const COMMANDS = 200_000
const IN_FLIGHT = 1000
const KEYS = 1000
const REPORT_EVERY = 5000
const BAR_WIDTH = 40

const PEERS = [
  ['node-redis, as it comes', {}],
  ['node-redis without deadlines', { commandOptions: { timeout: undefined } }]
]
