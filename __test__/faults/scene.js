'use strict'

// The set of one fault test: servers, proxies and clients that end with it, and a witness.
//
// Every client logs in with the canary, and whatever it says in public (errors, events, the client
// itself) is kept until the end of the test, which fails if the canary shows anywhere. So each
// fault scenario is a test of secrecy as well.

const assert = require('node:assert')
const { inspect } = require('node:util')

const { createClient, createClientPool, OxidisError } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { startFaultProxy } = require('../support/fault-proxy')
const { startOracle } = require('../support/oracle')
const { startServer } = require('../support/redis-server')

/** The password of every server and client of a scene. */
const CANARY = 'canary-7f3a-open-sesame'

/** The scene of test `t`; it is cleared away when `t` ends. */
function scene (t) {
  const scene = new Scene()
  t.after(() => scene.end())
  return scene
}

class Scene {
  constructor () {
    this.ends = []
    this.clients = []
    this.seen = []
  }

  /** A real server, with the canary as its password. */
  async server (options) {
    const server = await startServer({ requirepass: CANARY, ...options })
    this.ends.push(() => server.stop())
    return server
  }

  /** A scripted server. */
  async fake (options) {
    const fake = await startFakeServer(options)
    this.ends.push(() => fake.stop())
    return fake
  }

  /** A proxy that breaks what passes between its clients and `target`. */
  async proxy (target) {
    const proxy = await startFaultProxy(target)
    this.ends.push(() => proxy.stop())
    return proxy
  }

  /** Calls `end` when the scene ends, before what was there earlier ends. */
  defer (end) {
    this.ends.push(end)
  }

  /** A client of `target`, whose `socket` options may be given without host and port. */
  client (target, options) {
    return this.cast(createClient(settings(target, options)))
  }

  /** A client with several lanes. */
  pool (target, options, poolOptions) {
    return this.cast(createClientPool(settings(target, options), poolOptions))
  }

  cast (client) {
    this.clients.push(client)
    client.on('error', error => this.note(error))
    client.on('reconnecting', details => this.note(details))
    this.ends.push(() => client.destroy())
    return client
  }

  /** The oracle's load on `client`; it ends with the scene, whatever becomes of the test. */
  oracle (client, options) {
    const oracle = startOracle(client, options)
    this.ends.push(() => { oracle.stopping = true })
    return oracle
  }

  /** The error that `promise` is rejected with, which must be one of ours. */
  async failure (promise) {
    const outcome = await promise.then(
      value => { throw new Error(`expected a failure, got ${inspect(value)}`) },
      error => error
    )
    assert.ok(outcome instanceof OxidisError, `not an error of oxidis: ${inspect(outcome)}`)
    this.note(outcome)
    return outcome
  }

  /** The errors that all of `promises` are rejected with. */
  failures (promises) {
    return Promise.all(promises.map(promise => this.failure(promise)))
  }

  /** Keeps something that the client said, for the search at the end. */
  note (said) {
    if (this.seen.length < KEPT) this.seen.push(said)
  }

  async end () {
    const shown = [...this.seen, ...this.clients].flatMap(everySight)
    for (const end of this.ends.reverse()) await end()
    for (const text of shown) assert.ok(!text.includes(CANARY), `the password shows in:\n${text}`)
  }
}

// Of the deadlines that a test does not give none may pass, however slow the machine is.
function settings ({ host, port }, { socket, ...options } = {}) {
  return {
    password: CANARY,
    commandOptions: { timeout: PATIENCE },
    ...options,
    socket: { host, port, connectTimeout: PATIENCE / 3, ...socket }
  }
}

/** All that a program might print of `value`. */
function everySight (value) {
  const sights = [
    String(value),
    inspect(value, { depth: 9, showHidden: true }),
    inspect(value, { depth: 9, showHidden: true, customInspect: false }),
    inspect(value, { depth: 9, showHidden: true, getters: true })
  ]
  for (let error = value; error instanceof Error; error = error.cause) {
    sights.push(error.message, String(error.stack), JSON.stringify(error),
      JSON.stringify(error, Object.getOwnPropertyNames(error)))
  }
  return sights
}

/** Resolves when `isTrue()` says so; it is asked every few ms. Rejects when that never comes. */
async function until (isTrue, what) {
  const end = performance.now() + PATIENCE
  while (!await isTrue()) {
    if (performance.now() > end) throw new Error(`waited ${PATIENCE} ms for ${what}`)
    await new Promise(resolve => { setTimeout(resolve, 5) })
  }
}

/** Resolves when nothing of `client` is held, waited for or on its way. */
function atRest (client) {
  return until(() => {
    const { pool, lanes } = client.stats()
    return pool.inUse === 0 && pool.waiting === 0 &&
      lanes.every(({ inFlight, queued, bytes }) => inFlight + queued + bytes === 0)
  }, 'a client at rest')
}

/** Asserts that something took `ms`, give or take what a slow machine adds. */
function assertAbout (took, ms) {
  const late = LATE + 3 * longestDelay
  assert.ok(took > ms - EARLY && took < ms + late,
    `took ${Math.round(took)} ms instead of ${ms}; timers were up to ${longestDelay} ms late`)
}

/** How many ms `promise` takes to settle, either way. */
async function timeOf (promise) {
  const started = performance.now()
  longestDelay = 0
  let last = started
  const look = () => {
    const now = performance.now()
    longestDelay = Math.max(longestDelay, Math.round(now - last - WATCH_INTERVAL))
    last = now
  }
  const watch = setInterval(look, WATCH_INTERVAL)
  await promise.then(() => {}, () => {})
  clearInterval(watch)
  look()
  return performance.now() - started
}

// How late a timer of this process was during the last `timeOf` (ms): a machine that is that busy
// may be as late with everything else.
let longestDelay = 0
const WATCH_INTERVAL = 20

// Of what the clients say: a fault under load makes tens of thousands of errors, which are alike.
const KEPT = 300

// What is waited for (ms) takes seconds at most; a busy machine has needed ten times as long.
const PATIENCE = 60_000

// Timers of two processes and two clocks: Node rounds down to whole milliseconds.
const EARLY = 20

// Promised are 100 ms. A busy machine with two cores needs more now and then, and no deadline that
// another one might be taken for, such as the default of 5 s, is as near.
const LATE = 2000

module.exports = { scene, until, atRest, timeOf, assertAbout, everySight, CANARY, PATIENCE }
