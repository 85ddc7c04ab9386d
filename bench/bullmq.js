'use strict'

// BullMQ's workers on ioredis and on oxidis/ioredis: jobs per second, and what a job costs.
//
//   node bench/bullmq.js [--rounds 5] [--jobs 4000]
//
// Each round measures each pair of client and concurrency in a process of its own, with a server of
// its own, in turns and in changing order. The jobs do nothing, so what is measured is BullMQ, the
// client and the server. It needs the libraries of __test__/ecosystem (`npm run test:ecosystem`
// installs them), writes bench/results/bullmq.json, and says how busy the machine was.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { performance } = require('node:perf_hooks')
const { parseArgs } = require('node:util')

const { median } = require('./load')
const { runMain } = require('../scripts/setup')

const root = path.join(__dirname, '..')
const BULLMQ = path.join(root, '__test__', 'ecosystem', 'node_modules', 'bullmq')
const RESULTS = path.join(__dirname, 'results', 'bullmq.json')

const FACES = { oxidis: path.join(root, 'ioredis.js'), ioredis: 'ioredis' }
/** How many jobs a worker does at once. */
const CONCURRENCY = [1, 10, 50]
/** Jobs before the measurement, for compiled code and a script that the server knows. */
const WARM_UP = 1000

/** The child: does `jobs` jobs and prints what they cost. */
async function work (face, concurrency, jobs, port) {
  const { Queue, Worker } = require(BULLMQ)
  const Redis = require(FACES[face])
  const connection = new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: null })
  const queue = new Queue('bench', { connection })

  async function run (count) {
    const job = { name: 'nothing', data: {}, opts: { removeOnComplete: true } }
    for (let left = count; left > 0; left -= 500) {
      await queue.addBulk(Array.from({ length: Math.min(500, left) }, () => job))
    }
    const options = { connection, concurrency, autorun: false }
    const worker = new Worker('bench', async () => null, options)
    await worker.waitUntilReady()
    let left = count
    const done = new Promise(resolve => {
      worker.on('completed', () => { if (--left === 0) resolve() })
    })
    const loop = performance.eventLoopUtilization()
    const [cpu, began] = [process.cpuUsage(), performance.now()]
    worker.run()
    await done
    const took = performance.now() - began
    const { user, system } = process.cpuUsage(cpu)
    const { active } = performance.eventLoopUtilization(loop)
    await worker.close()
    return { jobs: count / took * 1000, loop: active * 1000 / count, cpu: (user + system) / count }
  }

  await run(WARM_UP)
  process.stdout.write(JSON.stringify(await run(jobs)))
  await queue.close()
  connection.disconnect()
}

/** The parent: all rounds, and the medians. */
async function measure () {
  const { startServer } = require('../__test__/support/redis-server')
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '5' }, jobs: { type: 'string', default: '4000' } }
  })
  const rounds = Number(values.rounds)
  const busy = [os.loadavg()[0]]
  const all = CONCURRENCY.flatMap(concurrency =>
    Object.keys(FACES).map(face => ({ concurrency, face, runs: [] })))
  for (let round = 0; round < rounds; round++) {
    for (const one of round % 2 ? all.toReversed() : all) {
      const server = await startServer()
      const { stdout, stderr, status } = spawnSync(process.execPath,
        [__filename, 'work', one.face, one.concurrency, values.jobs, server.port],
        { encoding: 'utf8', timeout: 120_000 })
      await server.stop()
      if (status !== 0) throw new Error(`${one.face}: ${stderr}`)
      one.runs.push(JSON.parse(stdout))
    }
    busy.push(os.loadavg()[0])
  }
  const figures = ({ runs }) => Object.fromEntries(
    Object.keys(runs[0]).map(name => [name, median(runs.map(run => run[name]))]))
  const rows = CONCURRENCY.map(concurrency => ({
    concurrency,
    clients: Object.fromEntries(all.filter(one => one.concurrency === concurrency)
      .map(one => [one.face, figures(one)]))
  }))
  const versions = {
    bullmq: require(path.join(BULLMQ, 'package.json')).version,
    oxidis: require('../package.json').version,
    ioredis: require('ioredis/package.json').version
  }
  const about = {
    node: process.version, platform: `${process.platform} ${process.arch}`,
    cpus: os.availableParallelism(), rounds, jobs: Number(values.jobs),
    load: Math.round(median(busy)), versions
  }
  fs.writeFileSync(RESULTS, `${JSON.stringify({ about, rows }, null, 2)}\n`)
  for (const { concurrency, clients } of rows) {
    for (const [face, { jobs, loop, cpu }] of Object.entries(clients)) {
      console.log(`${String(concurrency).padStart(3)} ${face.padEnd(8)} ${Math.round(jobs)} ` +
        `jobs/s, loop ${loop.toFixed(0)} us, CPU ${cpu.toFixed(0)} us per job`)
    }
  }
  return 0
}

if (process.argv[2] === 'work') {
  const [face, ...numbers] = process.argv.slice(3)
  work(face, ...numbers.map(Number)).catch(error => { console.error(error); process.exitCode = 1 })
} else {
  runMain(measure)
}
