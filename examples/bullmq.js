'use strict'

// BullMQ on oxidis: a queue whose jobs fail, are tried again, and depend on each other.
//
//   npm install bullmq
//   REDIS_URL=redis://localhost:6379 node examples/bullmq.js
//
// BullMQ takes instances of `oxidis/ioredis` as it takes those of ioredis. What it makes itself it
// duplicates from them. Without bullmq beside it, in this checkout:
//
//   NODE_PATH=__test__/ecosystem/node_modules node examples/bullmq.js

const { FlowProducer, Queue, QueueEvents, Worker } = require('bullmq')
const Redis = require('oxidis/ioredis')

// Workers wait for jobs for as long as it takes, so nothing may be given up by count.
const connection = new Redis(process.env.REDIS_URL ?? 'redis://localhost:6379', {
  maxRetriesPerRequest: null
})
const name = `example-${process.pid}`

async function main () {
  const queue = new Queue(name, { connection })
  const events = new QueueEvents(name, { connection })
  const flows = new FlowProducer({ connection })
  const worker = new Worker(name, work, { connection, concurrency: 10 })
  worker.on('failed', (job, error) => console.log(`${job.name} failed: ${error.message}`))
  await events.waitUntilReady()

  const sent = new Promise(resolve => {
    let left = 100
    worker.on('completed', () => { if (--left === 0) resolve() })
  })
  await queue.addBulk(Array.from({ length: 100 }, (_, number) => ({
    name: 'mail', data: { number }
  })))
  await sent
  console.log('100 mails sent')

  const flaky = await queue.add('flaky', {}, { attempts: 2 })
  console.log(await flaky.waitUntilFinished(events))

  // The parent runs once its children are done.
  const { job: report } = await flows.add({
    name: 'report',
    queueName: name,
    children: [1, 2, 3].map(number => ({ name: 'mail', queueName: name, data: { number } }))
  })
  console.log(await report.waitUntilFinished(events))

  await Promise.all([worker.close(), events.close(), flows.close()])
  await queue.obliterate({ force: true })
  await queue.close()
  await connection.quit()
}

async function work (job) {
  if (job.name === 'flaky' && job.attemptsMade === 0) throw new Error('the first time')
  if (job.name === 'flaky') return 'worked the second time'
  if (job.name === 'mail') return job.data.number
  const sum = Object.values(await job.getChildrenValues()).reduce((a, b) => a + b, 0)
  return `report on 3 mails: ${sum}`
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
