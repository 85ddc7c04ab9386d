'use strict'

// Worker threads that share one client: four event loops, one connection to the server.
//
//   REDIS_URL=redis://localhost:6379 node examples/worker-threads.js [seconds] [in flight]
//
// One second with 50 commands in flight in each thread unless told otherwise. Every thread checks
// that each reply is its own. Prints what each has done, and the connections that the server sees.

const { Worker, isMainThread, parentPort, threadId, workerData } = require('node:worker_threads')

const { createClient } = require('oxidis')

const THREADS = 4
const seconds = Number(process.argv[2] ?? 1)
const inFlight = Number(process.argv[3] ?? 50)

// The name makes it one client: all threads that give this name use the same connections.
const open = () => createClient({
  url: process.env.REDIS_URL ?? 'redis://localhost:6379',
  name: `example-threads-${process.pid}`,
  shared: 'example'
})

async function main () {
  const client = open()
  await client.connect()
  const { name } = await client.clientInfo()
  const counts = await Promise.all(Array.from({ length: THREADS }, run))
  for (const [index, count] of counts.entries()) {
    const rate = Math.round(count / seconds).toLocaleString('en')
    print(`thread ${index + 1}: ${rate.padStart(9)} commands/s`)
  }
  const connections = (await client.clientList()).filter(entry => entry.name === name)
  print(`connections of all ${THREADS + 1} threads together: ${connections.length}`)
  await client.close()
}

/** Resolves to the number of commands that a thread has had answered. */
function run () {
  const worker = new Worker(__filename, { workerData: { seconds, inFlight } })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', code => reject(new Error(`a thread has ended with ${code}`)))
  })
}

async function work ({ seconds, inFlight }) {
  const client = open()
  const end = performance.now() + seconds * 1000
  let count = 0
  const loop = async index => {
    while (performance.now() < end) {
      const own = `thread ${threadId}, loop ${index}, command ${count++}`
      if (await client.echo(own) !== own) throw new Error('a reply that belongs to another command')
    }
  }
  await Promise.all(Array.from({ length: inFlight }, (_, index) => loop(index)))
  // Ends this thread's part; the others go on.
  await client.close()
  parentPort.postMessage(count)
}

function print (text) {
  process.stdout.write(`${text}\n`)
}

if (isMainThread) {
  main().catch(error => {
    console.error(`worker-threads: ${error.message}`)
    process.exit(1)
  })
} else {
  work(workerData)
}
