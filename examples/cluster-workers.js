'use strict'

// Node's cluster module: processes that work off one list of jobs.
//
//   REDIS_URL=redis://localhost:6379 node examples/cluster-workers.js [jobs]
//
// 1,000 jobs unless told otherwise, for two workers. Processes share no memory, so each has a
// client and a connection of its own; Redis is what they have in common. Prints who has done how
// much, and that no job was done twice.

const cluster = require('node:cluster')

const { createClient } = require('oxidis')

const WORKERS = 2
/** Jobs that a worker has under way at a time: their commands go out together. */
const AT_ONCE = 20
const jobs = Number(process.argv[2] ?? 1000)

async function main () {
  const prefix = `example:cluster:${process.pid}:`
  const client = open('primary', prefix)
  await client.connect()
  await client.rPush('waiting', Array.from({ length: jobs }, (_, job) => String(job)))

  const workers = Array.from({ length: WORKERS }, () => cluster.fork({ EXAMPLE_PREFIX: prefix }))
  const done = await Promise.all(workers.map(countOf))
  print('worker      pid    jobs')
  for (const [index, worker] of workers.entries()) {
    print(`${String(index + 1).padStart(6)} ${String(worker.process.pid).padStart(8)} ` +
      String(done[index]).padStart(7))
  }
  const total = done.reduce((sum, count) => sum + count, 0)
  print(`${total} jobs done, ${await client.sCard('done')} of them different`)
  await client.unlink(['waiting', 'done'])
  await client.close()
}

/** Resolves to what a worker says at its end. */
function countOf (worker) {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('exit', code => reject(new Error(`a worker has ended with ${code}`)))
  })
}

async function work () {
  const client = open('worker', process.env.EXAMPLE_PREFIX)
  let count = 0
  const loop = async () => {
    for (;;) {
      const job = await client.lPop('waiting')
      if (job === null) return
      await client.sAdd('done', job)
      count++
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, loop))
  await client.close()
  // The channel to the primary keeps the process alive.
  process.send(count, () => process.disconnect())
}

function open (role, keyPrefix) {
  const url = process.env.REDIS_URL ?? 'redis://localhost:6379'
  return createClient({ url, keyPrefix, name: `example-${role}-${process.pid}` })
}

function print (text) {
  process.stdout.write(`${text}\n`)
}

const run = cluster.isPrimary ? main : work
run().catch(error => {
  console.error(`cluster-workers: ${error.message}`)
  process.exit(1)
})
