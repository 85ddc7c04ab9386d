'use strict'

// What programs do with BullMQ, on connections that the caller makes: jobs of all kinds, events,
// flows, schedules, limits, metrics, a worker of another process, and an end in the middle of work.

const assert = require('node:assert')
const path = require('node:path')

/**
 * Runs all of it. `connect()` resolves to a client, `disconnect(client)` ends one. Resolves to what
 * has been seen, without ids and times.
 */
async function useQueues ({ bullmq, connect, disconnect }) {
  const seen = {}
  for (const [name, use] of Object.entries({
    useJobs, useOrder, useEvents, useFlow, useSchedule, useLimit, useSandbox, useLoad
  })) {
    const connection = await connect()
    const open = []
    const make = (kind, ...args) => {
      const options = typeof args.at(-1) === 'object' ? args.pop() : {}
      const made = new bullmq[kind](...args, { connection, ...options })
      made.on('error', error => { throw error })
      open.push(made)
      return made
    }
    seen[name] = await use(make, connection)
    for (const one of open.toReversed()) await one.close()
    await disconnect(connection)
  }
  return seen
}

/** Jobs that succeed, that fail and are tried again, that fail for good; what is known of them. */
async function useJobs (make) {
  const queue = make('Queue', 'jobs', { defaultJobOptions: { removeOnFail: false } })
  const events = make('QueueEvents', 'jobs')
  await events.waitUntilReady()
  let tries = 0
  const worker = make('Worker', 'jobs', async job => {
    if (job.name === 'fails once' && ++tries === 1) throw new Error('the first time')
    if (job.name === 'fails') throw new Error(`cannot do ${job.data.text}`)
    await job.updateProgress({ percent: 50 })
    await job.log('half done')
    await job.updateData({ ...job.data, seen: true })
    return { text: job.data.text.toUpperCase(), attempt: job.attemptsMade }
  }, { name: 'worker-a', concurrency: 4, metrics: { maxDataPoints: 10 } })
  await worker.waitUntilReady()
  const jobs = [
    await queue.add('works', { text: 'ünï 🎈' }), await queue.add('fails once', { text: 'again' },
      { attempts: 2, backoff: { type: 'fixed', delay: 5 } }),
    await queue.add('works', { text: 'late' }, { delay: 40 }),
    ...await queue.addBulk([1, 2, 3].map(n => ({ name: 'works', data: { text: `bulk ${n}` } }))),
    await queue.add('works', { text: 'same' }, { jobId: 'same' }),
    await queue.add('works', { text: 'other' }, { jobId: 'same' })
  ]
  const results = await Promise.all(jobs.map(job => job.waitUntilFinished(events, PATIENCE)))
  const failing = await queue.add('fails', { text: 'this' }, { attempts: 2 })
  const failed = await failing.waitUntilFinished(events, PATIENCE).catch(({ message }) => message)
  const known = await queue.getJob(jobs[0].id)
  const counts = await queue.getJobCounts('completed', 'failed', 'waiting', 'active', 'delayed')
  const workers = (await queue.getWorkers()).map(({ rawname }) => rawname)
  const [failedJob] = await queue.getFailed()
  const metrics = await queue.getMetrics('completed')
  await failedJob.retry()
  const again = await failing.waitUntilFinished(events, PATIENCE).catch(({ message }) => message)
  // There is nothing left to do, so the worker begins to wait on the server. It is listed once,
  // before and after.
  for (let look = 0; look < 20; look++) {
    const listed = (await queue.getWorkers()).map(({ rawname }) => rawname)
    assert.deepStrictEqual(listed, [workers[0]])
    await pause()
  }
  await worker.close()
  await queue.add('works', { text: 'left' })
  await queue.drain()
  const drained = await queue.getWaitingCount()
  await queue.obliterate({ force: true })
  const left = await queue.getJobCountByTypes()
  assert.strictEqual(results[0].text, 'ÜNÏ 🎈')
  assert.match(workers[0], /^bull:[^:]+:w:worker-a$/)
  return {
    results, failed, counts, workers, again, drained, left,
    completed: metrics.meta.count,
    known: { data: known.data, progress: known.progress, logs: await queue.getJobLogs(known.id) },
    reason: failedJob.failedReason, attempts: failedJob.attemptsMade
  }
}

/** Priorities, last in first out, a pause. */
async function useOrder (make) {
  const queue = make('Queue', 'order')
  await queue.pause()
  for (const [name, options] of [
    ['second', { priority: 2 }], ['last', { priority: 9 }], ['first', { priority: 1 }],
    ['plain'], ['jumps ahead', { lifo: true }]
  ]) await queue.add(name, {}, options)
  const paused = await queue.isPaused()
  const order = []
  const worker = make('Worker', 'order', async job => { order.push(job.name) })
  const all = new Promise(resolve => {
    let count = 0
    worker.on('completed', () => { if (++count === 5) resolve() })
  })
  await worker.waitUntilReady()
  const before = [...order]
  await queue.resume()
  await all
  return { paused, before, order, counts: await queue.getJobCounts('completed', 'prioritized') }
}

/** Events of a queue, in their order, the first one included. */
async function useEvents (make) {
  const events = make('QueueEvents', 'events')
  const heard = []
  for (const name of ['added', 'waiting', 'active', 'progress', 'completed', 'failed']) {
    events.on(name, ({ jobId, returnvalue, data, failedReason }) =>
      heard.push([jobId, name, returnvalue ?? data ?? failedReason ?? null]))
  }
  await events.waitUntilReady()
  const queue = make('Queue', 'events')
  await queue.waitUntilReady()
  // A first read may begin behind the first events, with node-redis as well. Then ask again.
  while (heard.length === 0) {
    await queue.add('probe', {}, { jobId: 'probe' })
    await pause()
    await queue.remove('probe')
  }
  const all = new Promise(resolve => {
    let ended = 0
    const end = ({ jobId }) => { if (jobId !== 'probe' && ++ended === 5) resolve() }
    events.on('completed', end).on('failed', end)
  })
  make('Worker', 'events', async job => {
    await job.updateProgress(10)
    if (job.id === 'job-3') throw new Error('number 3')
    return job.id
  })
  for (let n = 0; n < 5; n++) await queue.add('job', {}, { jobId: `job-${n}` })
  await all
  const of = id => heard.filter(([jobId]) => jobId === id).map(([, ...rest]) => rest)
  return Object.fromEntries(Array.from({ length: 5 }, (_, n) => [n, of(`job-${n}`)]))
}

/** A tree of jobs in three queues: a parent sees its children's values. */
async function useFlow (make) {
  const flow = make('FlowProducer')
  const events = make('QueueEvents', 'parents')
  await events.waitUntilReady()
  make('Worker', 'children', async job => job.data.number * 2, { concurrency: 5 })
  make('Worker', 'grandchildren', async job => `${job.data.text}!`)
  make('Worker', 'parents', async job => {
    const values = Object.values(await job.getChildrenValues())
    return values.toSorted()
  })
  const { job } = await flow.add({
    name: 'parent', queueName: 'parents', data: {},
    children: [
      ...[1, 2, 3].map(number => ({ name: 'child', queueName: 'children', data: { number } })),
      {
        name: 'child', queueName: 'children', data: { number: 4 },
        children: [{ name: 'grandchild', queueName: 'grandchildren', data: { text: 'deep' } }]
      }
    ]
  })
  const result = await job.waitUntilFinished(events, PATIENCE)
  const tree = await flow.getFlow({ id: job.id, queueName: 'parents' })
  assert.deepStrictEqual(result, [2, 4, 6, 8])
  return {
    result, children: tree.children.length, grandchildren: tree.children.flatMap(({ children }) =>
      (children ?? []).map(({ job }) => job.returnvalue))
  }
}

/** A job that comes again and again, and a job that others replace while it waits. */
async function useSchedule (make) {
  const queue = make('Queue', 'schedule')
  let runs = 0
  let done
  const enough = new Promise(resolve => { done = resolve })
  make('Worker', 'schedule', async job => {
    if (job.name === 'again' && ++runs === 3) done()
  })
  await queue.upsertJobScheduler('scheduler', { every: 60 }, { name: 'again', data: {} })
  const schedulers = (await queue.getJobSchedulers())
    .map(({ key, every, name }) => ({ key, every, name }))
  await enough
  const removed = await queue.removeJobScheduler('scheduler')
  const ids = []
  for (let n = 0; n < 3; n++) {
    const job = await queue.add('debounced', { n }, { deduplication: { id: 'one', ttl: 60_000 } })
    ids.push(job.id)
  }
  return { schedulers, removed, left: await queue.getJobSchedulersCount(), ids: new Set(ids).size }
}

/** A worker that may do so many jobs in a while. */
async function useLimit (make) {
  const queue = make('Queue', 'limit')
  const started = performance.now()
  let done = 0
  let finish
  const all = new Promise(resolve => { finish = resolve })
  make('Worker', 'limit', async () => { if (++done === 6) finish() },
    { limiter: { max: 2, duration: 150 }, concurrency: 10 })
  await queue.addBulk(Array.from({ length: 6 }, () => ({ name: 'job', data: {} })))
  await all
  // Six jobs, two in each 150 ms: the last two begin after 300 ms.
  return { done, limited: performance.now() - started > 250 }
}

/** A processor in a process of its own. */
async function useSandbox (make) {
  const queue = make('Queue', 'sandbox')
  const events = make('QueueEvents', 'sandbox')
  await events.waitUntilReady()
  make('Worker', 'sandbox', path.join(__dirname, 'sandboxed.js'))
  const jobs = await queue.addBulk([1, 2].map(number => ({ name: 'job', data: { number } })))
  return Promise.all(jobs.map(job => job.waitUntilFinished(events, PATIENCE)))
}

/** Workers that are closed while they work: every job is done once. */
async function useLoad (make) {
  const queue = make('Queue', 'load')
  const done = new Map()
  let step
  const process = async job => {
    await pause()
    done.set(job.data.n, (done.get(job.data.n) ?? 0) + 1)
    step?.()
  }
  const until = count => new Promise(resolve => {
    step = () => { if (done.size >= count) resolve() }
    step()
  })
  await queue.addBulk(Array.from({ length: 300 }, (_, n) => ({ name: 'job', data: { n } })))
  const first = ['one', 'other'].map(name =>
    make('Worker', 'load', process, { name, concurrency: 10 }))
  await until(60)
  const workers = (await queue.getWorkers()).map(({ rawname }) => rawname).toSorted()
  await Promise.all(first.map(worker => worker.close()))
  const { active } = await queue.getJobCounts('active')
  const last = make('Worker', 'load', process, { concurrency: 20 })
  await until(300)
  await last.close()
  const counts = await queue.getJobCounts('completed', 'failed', 'active', 'waiting')
  const twice = [...done.values()].filter(n => n > 1).length
  return { workers, active, counts, done: done.size, twice }
}

function pause () {
  return new Promise(resolve => { setTimeout(resolve, 5) })
}

/** A bound only; jobs take milliseconds. */
const PATIENCE = 60_000

module.exports = { useQueues }
