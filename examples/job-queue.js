'use strict'

// A reliable queue: a worker moves a job to a list of its own, and removes it there when the job is
// done. If the worker dies, its successor puts back what is on that list.
//
//   REDIS_URL=redis://localhost:6379 node examples/job-queue.js
//
// Five jobs are queued; the worker crashes over the third, is started again, and does the rest.

const { createClient } = require('oxidis')

const client = createClient({
  url: process.env.REDIS_URL ?? 'redis://localhost:6379',
  keyPrefix: `example:queue:${process.pid}:`
})

const WAITING = 'waiting'

class Worker {
  constructor (name) {
    this.taken = `taken by ${name}`
  }

  /** Puts back the jobs that an earlier worker of this name did not finish, the oldest in front. */
  async recover () {
    let count = 0
    while (await client.lMove(this.taken, WAITING, 'LEFT', 'RIGHT') !== null) count++
    return count
  }

  /** Does jobs until none has come for `patience` seconds. */
  async run (work, patience) {
    for (;;) {
      // It waits on a connection of its own, so other commands of this client do not wait.
      const job = await client.blMove(WAITING, this.taken, 'RIGHT', 'LEFT', patience)
      if (job === null) return
      await work(job)
      await client.lRem(this.taken, 1, job)
    }
  }
}

async function main () {
  await client.connect()
  for (const job of ['a', 'b', 'c', 'd', 'e']) await client.lPush(WAITING, `job ${job}`)

  let isFirstTime = true
  const work = async job => {
    if (job === 'job c' && isFirstTime) {
      isFirstTime = false
      throw new Error(`crashed over ${job}`)
    }
    print(`done: ${job}`)
  }
  await new Worker('one').run(work, 0.2).catch(error => print(error.message))

  const successor = new Worker('one')
  print(`put back: ${await successor.recover()}`)
  await successor.run(work, 0.2)
  print(`left: ${await client.lLen(WAITING)} waiting, ${await client.lLen(successor.taken)} taken`)

  await client.unlink([WAITING, successor.taken])
  await client.close()
}

function print (text) {
  process.stdout.write(`${text}\n`)
}

main().catch(error => {
  console.error(`job-queue: ${error.message}`)
  client.destroy()
  process.exitCode = 1
})
