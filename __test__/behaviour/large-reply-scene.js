'use strict'

// What the specs of large replies share: a server whose replies are large, and a way to find the
// event loop in the middle of building one.
//
// The clients here are such as threads share. The I/O thread reads for them, also while this event
// loop is kept busy. So a test keeps it busy until everything has arrived, and then all turns that
// follow are those of building.

const { once } = require('node:events')
const { Worker } = require('node:worker_threads')

const { createClient } = require('../..')

/** Short values of a turn: `SLICE` of `src/binding/values/slices.rs`. */
const SLICE = 16384
/** Values of a large reply: enough for several slices. */
const LARGE = 100_000
/** At least so many turns after the first one are needed for a large reply. */
const FEWEST_TURNS = Math.floor(LARGE / SLICE) - 1
/** No reply takes more turns than this, even if each slice is cut in two. */
const MOST_TURNS = 2 * LARGE / SLICE + 10

const bulk = text => `$${Buffer.byteLength(text)}\r\n${text}\r\n`
const listOf = texts => `*${texts.length}\r\n${texts.map(bulk).join('')}`
const namesOf = word => Array.from({ length: LARGE }, (_, n) => `${word} ${n}`)

// On a thread of its own, so that it answers while the event loop is busy.
const SERVER = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { startFakeServer } = require(${JSON.stringify(require.resolve('../support/fake-server'))})
  startFakeServer().then(server => {
    server.on('command', ([name, key], reply, connection) => {
      if (key === 'never') return
      if (key === 'goodbye') return connection.close()
      connection.send(workerData[key] ?? '$' + key.length + '\\r\\n' + key + '\\r\\n')
    })
    parentPort.on('message', () => server.stop().then(() => parentPort.close()))
    parentPort.postMessage(server.url)
  })
`

/**
 * Starts a server that answers each command by its key: with the reply of `replies` that has this
 * name, else with the key. It never answers 'never', and closes the connection at 'goodbye'.
 * @param {Record<string, string>} replies bytes
 */
async function startLargeServer (replies) {
  const worker = new Worker(SERVER, { eval: true, workerData: replies })
  const [url] = await once(worker, 'message')
  return new LargeServer(worker, url, replies)
}

class LargeServer {
  constructor (worker, url, replies) {
    this.worker = worker
    this.url = url
    this.replies = replies
    this.clients = 0
  }

  async stop () {
    this.worker.postMessage('stop')
    await once(this.worker, 'exit')
  }

  /** A client that is connected, and ends with test `t`. */
  async client (t, options) {
    const name = `large-replies-${process.pid}-${this.clients++}`
    const client = createClient({
      url: this.url, shared: name, commandOptions: { timeout: 60_000 }, ...options
    })
    client.on('error', () => {})
    t.after(() => client.destroy())
    await client.connect()
    return client
  }

  /**
   * A function that keeps the event loop busy until the answers to commands with these keys have
   * come, `unanswered` commands still being under way.
   */
  arrival (client, keys, unanswered = 0) {
    const expected = keys.reduce((sum, key) => sum + this.lengthOf(key), 0)
    const { bytesIn } = client.stats()
    return () => {
      while (client.stats().bytesIn < bytesIn + expected) pause(1)
      // What was read last is decoded, and then it is handed over.
      const inFlight = () => client.stats().lanes.reduce((sum, lane) => sum + lane.inFlight, 0)
      while (inFlight() > unanswered) pause(1)
      pause(50)
    }
  }

  lengthOf (key) {
    return (this.replies[key] ?? bulk(key)).length
  }
}

/** Keeps the thread from doing anything for so many milliseconds. */
function pause (ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** Calls `f` in this turn, once the commands of this turn are handed over. */
function afterFlush (f) {
  process.nextTick(() => process.nextTick(f))
}

/** Counts the turns of the event loop until `promise` is settled: `[turns, value]`. */
async function turnsUntil (promise) {
  let turns = 0
  let isOver = false
  const count = () => {
    turns++
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  const value = await promise.finally(() => { isOver = true })
  return [turns, value]
}

module.exports = {
  FEWEST_TURNS, LARGE, MOST_TURNS, afterFlush, bulk, listOf, namesOf, pause, startLargeServer,
  turnsUntil
}
