'use strict'

// What commands that wait on the server cost those that do not.
//
//   node bench/blocked.js [--waiting 100] [--in-flight 100] [--rounds 9] [--ms 800]
//
// One client under full load (GET and SET, 80/20, 32 B), by turns beside no blocked command and
// beside `waiting` of them. Medians of the rounds are compared; a wrong reply ends the benchmark.

const { parseArgs } = require('node:util')

const { median } = require('./load')

/** One round: operations per second and latencies in ms. */
async function measure (client, inFlight, ms) {
  const latencies = []
  const end = performance.now() + ms
  const started = performance.now()
  await Promise.all(Array.from({ length: inFlight }, async (_, n) => {
    const key = `bench:blocked:${n}`
    const value = key.padEnd(32, '-')
    await client.set(key, value)
    for (let round = 0; ; round++) {
      const before = performance.now()
      if (before > end) return
      const reply = round % 5 === 0 ? await client.set(key, value) : await client.get(key)
      if (reply !== (round % 5 === 0 ? 'OK' : value)) throw new Error('a wrong reply')
      latencies.push(performance.now() - before)
    }
  }))
  const took = performance.now() - started
  latencies.sort((a, b) => a - b)
  const at = part => latencies[Math.floor(latencies.length * part)]
  return { ops: latencies.length / took * 1000, p50: at(0.5), p99: at(0.99) }
}

/** Runs `work` while `count` commands wait on the server, none of which ever gets an element. */
async function beside (client, count, work) {
  const controller = new AbortController()
  const view = client.withAbortSignal(controller.signal)
  const waiting = Array.from({ length: count }, () => view.blPop('bench:never', 0).catch(() => {}))
  const isBlocked = async () =>
    (await client.info('clients')).includes(`blocked_clients:${count}\r`)
  while (!await isBlocked()) await new Promise(setImmediate)
  const result = await work()
  controller.abort()
  await Promise.all(waiting)
  return result
}

async function main () {
  const { values } = parseArgs({
    options: {
      waiting: { type: 'string', default: '100' },
      'in-flight': { type: 'string', default: '100' },
      rounds: { type: 'string', default: '9' },
      ms: { type: 'string', default: '800' }
    }
  })
  const [count, inFlight, rounds, ms] =
    ['waiting', 'in-flight', 'rounds', 'ms'].map(name => Number(values[name]))
  const { createClient } = require('..')
  const server = await require('../__test__/support/redis-server').startServer()
  const client = createClient({ url: server.url, pool: { max: Math.max(count, 1) } })
  const runs = { 0: [], [count]: [] }
  try {
    await measure(client, inFlight, ms)
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? [0, count] : [count, 0]
      for (const waiting of order) {
        runs[waiting].push(await beside(client, waiting, () => measure(client, inFlight, ms)))
      }
    }
  } finally {
    client.destroy()
    await server.stop()
  }
  const of = (waiting, figure) => median(runs[waiting].map(run => run[figure]))
  for (const figure of ['ops', 'p50', 'p99']) {
    const [alone, blocked] = [of(0, figure), of(count, figure)]
    process.stdout.write(`${figure.padEnd(4)} alone ${alone.toPrecision(4)}, beside ${count} ` +
      `blocked commands ${blocked.toPrecision(4)}: ${(blocked / alone).toFixed(2)}x\n`)
  }
}

main()
