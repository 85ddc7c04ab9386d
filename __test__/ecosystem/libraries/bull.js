'use strict'

// Bull 4: jobs, failures, delays, priorities, repeats, progress, events of all queues, a pause, a
// processor in its own process, an end in the middle of work.

const assert = require('node:assert')
const path = require('node:path')

const Bull = require('bull')

module.exports = async ({ url }) => {
  const seen = {}
  const make = (name, options) => new Bull(name, url, options)

  const queue = make('jobs')
  let tries = 0
  queue.process('*', 4, async job => {
    if (job.name === 'fails once' && ++tries === 1) throw new Error('the first time')
    if (job.name === 'fails') throw new Error(`cannot do ${job.data.text}`)
    await job.progress(50)
    await job.log('half done')
    return job.data.text.toUpperCase()
  })
  const heard = []
  for (const event of ['global:progress', 'global:completed', 'global:failed']) {
    queue.on(event, id => heard.push(`${event} ${id}`))
  }
  await queue.isReady()
  const jobs = [
    await queue.add('works', { text: 'ünï' }, { jobId: 'one' }),
    await queue.add('fails once', { text: 'again' }, { jobId: 'two', attempts: 2, backoff: 5 }),
    await queue.add('works', { text: 'late' }, { jobId: 'three', delay: 40 }),
    ...await queue.addBulk([1, 2, 3].map(n =>
      ({ name: 'works', data: { text: `bulk ${n}` }, opts: { jobId: `bulk ${n}` } })))
  ]
  seen.results = await Promise.all(jobs.map(job => job.finished()))
  assert.strictEqual(seen.results[0], 'ÜNÏ')
  const failing = await queue.add('fails', { text: 'this' }, { jobId: 'bad' })
  seen.failed = await failing.finished().catch(({ message }) => message)
  while (!heard.includes('global:failed bad')) await pause()
  seen.heard = heard.toSorted()
  seen.counts = await queue.getJobCounts()
  seen.logs = (await queue.getJobLogs('one')).logs
  seen.attempts = (await queue.getJob('two')).attemptsMade
  await queue.close()

  const order = make('order')
  await order.pause()
  for (const [name, options] of Object.entries({
    second: { priority: 2 }, first: { priority: 1 }, last: {}
  })) await order.add({ name }, { ...options, removeOnComplete: true })
  seen.order = []
  const all = new Promise(resolve => {
    order.process(job => {
      seen.order.push(job.data.name)
      if (seen.order.length === 3) setImmediate(resolve)
    })
  })
  await order.resume()
  await all
  await order.close()

  const repeated = make('repeated')
  let runs = 0
  const enough = new Promise(resolve => {
    repeated.process(async () => { if (++runs === 2) resolve() })
  })
  await repeated.add({}, { repeat: { every: 100 } })
  await enough
  seen.repeatable = (await repeated.getRepeatableJobs()).map(({ every }) => every)
  await repeated.removeRepeatable({ every: 100 })
  seen.left = await repeated.getRepeatableCount()
  await repeated.close()

  const sandbox = make('sandbox')
  sandbox.process(path.join(__dirname, '..', 'sandboxed.js'))
  seen.sandbox = await (await sandbox.add({ number: 1 })).finished()
  await sandbox.close()

  const done = new Map()
  const work = async job => {
    await pause()
    done.set(job.data.n, (done.get(job.data.n) ?? 0) + 1)
  }
  // Bull may leave a job behind that it has fetched while it is closed. The next one recovers it,
  // once its lock has gone.
  const settings = { lockDuration: 4000, stalledInterval: 1000 }
  const first = make('load', { settings })
  first.process(10, work)
  await first.addBulk(Array.from({ length: 200 }, (_, n) => ({ data: { n } })))
  while (done.size < 40) await pause()
  await first.close()
  const last = make('load', { settings })
  last.process(20, work)
  while (done.size < 200) await pause()
  await last.whenCurrentJobsFinished()
  const { completed, failed, active } = await last.getJobCounts()
  await last.empty()
  await last.close()
  seen.load = { completed, failed, active, twice: [...done.values()].filter(n => n > 1).length }
  return seen
}

function pause () {
  return new Promise(resolve => { setTimeout(resolve, 5) })
}
