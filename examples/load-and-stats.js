'use strict'

// A load, and what the client knows about it: commands per second, latency percentiles, lanes.
//
//   REDIS_URL=redis://localhost:6379 node examples/load-and-stats.js [seconds] [in flight]
//
// Two seconds with 100 commands in flight unless told otherwise. Prints a line every half second,
// checks every reply, and removes what it wrote.

const { createClient } = require('oxidis')

const seconds = Number(process.argv[2] ?? 2)
const inFlight = Number(process.argv[3] ?? 100)
const KEYS = 1000

const client = createClient({
  url: process.env.REDIS_URL ?? 'redis://localhost:6379',
  keyPrefix: `example:load:${process.pid}:`
})

async function main () {
  await client.connect()
  const keys = Array.from({ length: KEYS }, (_, index) => String(index))
  await Promise.all(keys.map(key => client.set(key, `value ${key}`)))

  let isOver = false
  const worker = async first => {
    for (let index = first; !isOver; index = (index + 7) % KEYS) {
      const value = await client.get(keys[index])
      if (value !== `value ${index}`) throw new Error('a reply that belongs to another command')
    }
  }
  const report = setInterval(show, 500)
  setTimeout(() => { isOver = true }, seconds * 1000)
  try {
    await Promise.all(Array.from({ length: inFlight }, (_, index) => worker(index % KEYS)))
  } finally {
    clearInterval(report)
  }

  const { latency, bytesIn, bytesOut, reconnects, timeouts } = client.stats()
  print(`latency p50 ${latency.p50} ms, p99 ${latency.p99} ms, p99.9 ${latency.p999} ms`)
  print(`${bytesOut} bytes out, ${bytesIn} in; ${timeouts} timeouts, ${reconnects} reconnects`)
  await client.unlink(keys)
  await client.close()
}

let last = { at: performance.now(), commands: 0 }

/** One line about the time since the last one. */
function show () {
  const { commands, lanes: [{ inFlight, queued, bytes }] } = client.stats()
  const now = performance.now()
  const rate = (commands - last.commands) / (now - last.at) * 1000
  print(`${Math.round(rate).toLocaleString('en').padStart(9)} commands/s, ` +
    `${inFlight} in flight, ${queued} queued, ${bytes} bytes`)
  last = { at: now, commands }
}

function print (text) {
  process.stdout.write(`${text}\n`)
}

main().catch(error => {
  console.error(`load-and-stats: ${error.message}`)
  client.destroy()
  process.exitCode = 1
})
