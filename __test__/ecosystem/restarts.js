'use strict'

// A Redis that is killed and started again in the middle of BullMQ's work: no job is lost, each is
// done, and only those that were being done may be done again.

const assert = require('node:assert')

const { answerOf } = require('./control')

const JOBS = 200
const CONCURRENCY = 5

/** `connect()` gives what BullMQ takes as a connection, `disconnect` ends it. */
async function useRestarts ({ bullmq, connect, disconnect }) {
  const connection = await connect()
  const make = (kind, ...args) => {
    const options = typeof args.at(-1) === 'object' ? args.pop() : {}
    const made = new bullmq[kind](...args, { connection, ...options })
    // Losses are told to listeners of `error`; that is all they are.
    return made.on('error', () => {})
  }
  const queue = make('Queue', 'restarts')
  const done = new Map()
  let step
  const until = count => new Promise(resolve => {
    step = () => { if (done.size >= count) resolve() }
    step()
  })
  const worker = make('Worker', 'restarts', async job => {
    await new Promise(resolve => { setTimeout(resolve, 5) })
    done.set(job.data.n, (done.get(job.data.n) ?? 0) + 1)
    step?.()
  }, {
    concurrency: CONCURRENCY, lockDuration: 3000, stalledInterval: 1000, maxStalledCount: 10,
    // 15 s by default, after a completion whose outcome is not known.
    runRetryDelay: 500
  })
  await queue.addBulk(Array.from({ length: JOBS }, (_, n) => ({ name: 'job', data: { n } })))
  await until(40)
  await answerOf('kill')
  // What is added meanwhile waits for the server.
  const added = Promise.all(Array.from({ length: 20 }, (_, n) =>
    queue.add('job', { n: JOBS + n }, { jobId: `late ${n}` })))
  await answerOf('start')
  await added
  await until(JOBS + 20)
  await worker.close()
  // A job whose completion was lost with the connection is among the others for a while.
  const { completed, failed, active, waiting } = await queue.getJobCounts()
  const twice = [...done.values()].filter(count => count > 1).length
  assert.ok(twice <= CONCURRENCY, `${twice} jobs were done twice`)
  await queue.close()
  await disconnect(connection)
  const others = failed + active + waiting
  assert.ok(others <= CONCURRENCY, `${failed} failed, ${active} active, ${waiting} waiting`)
  return { known: completed + others, done: done.size }
}

module.exports = { useRestarts }
