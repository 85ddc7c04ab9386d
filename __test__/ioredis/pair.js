'use strict'

// What the tests of the second face share: the same program runs on ioredis and on ours, and what
// it has seen is compared.

const assert = require('node:assert')
const { after, afterEach, before, beforeEach } = require('node:test')
const { setTimeout: sleep } = require('node:timers/promises')

const oxidis = require('../../ioredis')
const { startServer } = require('../support/redis-server')

const FACES = { ioredis: require('ioredis'), oxidis }

/** What came of a call: a value, or the class and the text of an error. */
async function outcomeOf (run) {
  try {
    return { value: plain(await run()) }
  } catch (error) {
    return { error: plain(error) }
  }
}

/** A value in a form that can be compared: of errors only what programs may rely on. */
function plain (value) {
  if (value instanceof Error) return told(value)
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value
  if (Array.isArray(value)) return value.map(plain)
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]))
}

function told ({ name, message, command, syscall, address, code, previousErrors }) {
  return {
    name,
    message,
    command: command && { name: command.name, args: command.args },
    ...(syscall && { syscall, address, code }),
    ...(previousErrors && { previousErrors: previousErrors.map(told) })
  }
}

/** The events of an instance, in their order: `[name, detail]`. */
function record (redis, names = STATUSES) {
  const events = []
  for (const name of names) {
    redis.on(name, (...details) => events.push([name, ...details.map(plain)]))
  }
  return events
}

/**
 * Runs `program` on each face, one after the other, and compares what it returns.
 * @param {(face: { Redis: Function, isOurs: boolean }) => Promise<unknown>} program
 * @param {(seen: unknown) => unknown} [view] what is compared of it
 */
async function compare (program, view = seen => seen) {
  const seen = {}
  for (const [name, Redis] of Object.entries(FACES)) {
    // Taken now: what the program has heard may grow while the other one runs.
    seen[name] = plain(await program({ Redis, isOurs: name === 'oxidis' }))
  }
  assert.deepStrictEqual(view(seen.oxidis), view(seen.ioredis))
  return seen.oxidis
}

/**
 * Starts a server for the tests of a file, which each find it empty, and ends the instances that a
 * test has made. Must be called outside of tests.
 * @param {object} [options] of the server
 * @returns {{ server: object, control: object, keep: (redis: object) => object, start: Function }}
 *   the first two are there once the tests run. `control` is an instance of ioredis; `keep` ends an
 *   instance after its test; `start(Redis, options)` makes one that is kept
 */
function scene (options) {
  const open = new Set()
  const made = {
    server: undefined,
    control: undefined,
    keep (redis) {
      open.add(redis)
      return redis
    },
    start: (Redis, given) => made.keep(new Redis(made.server.port, '127.0.0.1', given))
  }
  before(async () => {
    made.server = await startServer(options)
    made.control = new FACES.ioredis(made.server.port, '127.0.0.1')
  })
  after(async () => {
    made.control?.disconnect()
    await made.server?.stop()
  })
  beforeEach(() => made.control.flushall())
  afterEach(() => {
    for (const redis of open) redis.disconnect()
    open.clear()
  })
  return made
}

/** Resolves once an instance is ready. */
function ready (redis) {
  return redis.status === 'ready' ? Promise.resolve() : eventOf(redis, 'ready')
}

/** Resolves with the details of the next event of this name. Other errors do not matter. */
function eventOf (emitter, name) {
  return new Promise(resolve => { emitter.once(name, (...details) => resolve(details)) })
}

/** Waits until `probe` holds, which no event announces. */
async function until (probe) {
  const end = performance.now() + PATIENCE
  while (!await probe()) {
    if (performance.now() > end) throw new Error(`not within ${PATIENCE} ms: ${probe}`)
    await sleep(5)
  }
}

const STATUSES = ['connecting', 'connect', 'ready', 'close', 'reconnecting', 'end', 'error',
  'select']
const PATIENCE = 30_000

module.exports = {
  FACES, STATUSES, compare, eventOf, outcomeOf, plain, ready, record, scene, until
}
