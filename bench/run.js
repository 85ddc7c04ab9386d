'use strict'

// `npm run bench`: oxidis and its peers, measured alternately in one run.
//
//   npm run bench                         everything, about ten minutes; writes bench/results/
//   npm run bench -- --quick              a smoke test below a minute, with what is installed
//   npm run bench -- --only mixed-32      workloads whose name contains the word
//   npm run bench -- --clients oxidis,ioredis
//   npm run bench -- --peers              with --quick: installs the peers as well
//   npm run bench -- --rounds 9 --ms 2000
//   npm run bench -- --compare HEAD~1     this checkout beside another revision (compare.js)
//
// Machines are shared and noisy, so a figure counts only beside its peers': in each round every
// client has its turn, in an order that rotates, and the medians of the rounds are compared. No
// time fails a run; a wrong reply does, and so does a server that counted fewer commands.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseArgs } = require('node:util')

const { ensurePackages, root, runMain, setup } = require('../scripts/setup')
const { CLIENTS, failure, load, locate, version } = require('./clients')
const { Contestant } = require('./contestant')
const { drawChart } = require('./chart')
const compare = require('./compare')
const { measureLimit } = require('./limit')
const { median } = require('./load')
const { printExtras, printHead, printWorkload, progress } = require('./report')
const messages = require('./messages')
const { measureExtras } = require('./startup')
const { WORKLOADS } = require('./workloads')

runMain(async () => {
  const options = parse()
  if (options.clients.some(name => CLIENTS[name]?.package === 'oxidis')) setup()
  if (!options.quick || options.peers) ensurePackages(__dirname)
  const server = await require('../__test__/support/redis-server').startServer()
  try {
    if (options.compare !== undefined) return await measureAgainst(options.compare, server, options)
    const results = await measure(server, options)
    save(results, options)
  } finally {
    await server.stop()
  }
})

function parse () {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      clients: { type: 'string' },
      rounds: { type: 'string' },
      ms: { type: 'string' },
      compare: { type: 'string' }
    }
  })
  const plan = values.compare !== undefined ? COMPARE : values.quick ? QUICK : FULL
  return {
    ...values,
    rounds: Number(values.rounds ?? plan.rounds),
    ms: Number(values.ms ?? plan.ms),
    warmUp: plan.warmUp,
    clients: values.clients?.split(',') ?? Object.keys(CLIENTS),
    // A choice by hand and a smoke test are not results to be kept.
    partial: values.quick || values.only.length > 0 || values.clients !== undefined
  }
}

async function measure (server, options) {
  const clients = options.clients.filter(name => {
    if (!CLIENTS[name]) throw new Error(`no client ${name}, known: ${Object.keys(CLIENTS)}`)
    return locate(CLIENTS[name].package) !== undefined
  })
  const results = { about: await about(server, clients, options), workloads: [] }
  printHead(results.about)
  const { startCluster } = require('../__test__/support/redis-cluster')
  let cluster
  for (const workload of chosen(options)) {
    const names = workload.clients.filter(name => clients.includes(name))
    if (names.length === 0) continue
    if (workload.cluster) cluster ??= await startCluster({ replicas: 0 })
    const figures = await compete(workload, names, workload.cluster ? cluster : server, options)
    results.workloads.push(figures)
    printWorkload(figures)
  }
  await cluster?.stop()
  if (options.only.length === 0 || options.only.some(word => 'messages'.includes(word))) {
    results.messages = await measureMessages(server, clients, options)
  }
  if (options.only.length === 0) {
    results.limit = await measureLimit(server, options.quick)
    results.extras = await measureExtras(server, clients, options.quick)
    printExtras(results)
  }
  return results
}

/** All workloads of this checkout beside those of another revision; keeps no results. */
async function measureAgainst (revision, server, options) {
  const folder = compare.prepare(revision)
  const { startCluster } = require('../__test__/support/redis-cluster')
  let cluster
  compare.printHead(revision)
  try {
    for (const workload of chosen(options)) {
      const client = workload.clients.find(name => CLIENTS[name].package === 'oxidis')
      // A revision that is older than this interface has nothing to compare.
      if (!fs.existsSync(path.join(folder, CLIENTS[client].file ?? 'index.js'))) continue
      if (workload.cluster) cluster ??= await startCluster({ replicas: 0 })
      const target = workload.cluster ? cluster : server
      const admin = await adminOf(target)
      await Promise.all(workload.seed().map(command => admin.send(command)))
      admin.end()
      const { host = '127.0.0.1', port = target.seedPort } = target
      await compare.compareWorkload(workload, client, folder, { host, port }, options)
    }
  } finally {
    await cluster?.stop()
  }
}

/** Pub/Sub: messages per second that one subscriber takes, by each way they come. */
async function measureMessages (server, clients, { rounds, ms }) {
  const names = messages.CLIENTS.filter(name => clients.includes(name))
  const measured = {}
  for (const [way, title] of Object.entries(messages.WAYS)) {
    measured[way] = { title, clients: await messages.compete(way, names, server, { rounds, ms }) }
    messages.print(title, measured[way].clients)
  }
  return measured
}

function chosen ({ only, quick }) {
  if (only.length > 0) return WORKLOADS.filter(({ name }) => only.some(word => name.includes(word)))
  return quick ? WORKLOADS.filter(({ name }) => QUICK.workloads.includes(name)) : WORKLOADS
}

// One workload, all rounds: the medians of each client's figures.
async function compete (workload, names, server, { rounds, ms, warmUp }) {
  const admin = await adminOf(server)
  await Promise.all(workload.seed().map(command => admin.send(command)))
  const contestants = names.map(name => new Contestant(name))
  const { host = '127.0.0.1', port = server.seedPort } = server
  const show = progress(workload.title, contestants.length * (rounds + 1))
  const figures = {}
  try {
    const taking = []
    const attempt = async ({ name }, part) => {
      if (figures[name]) return
      try {
        await part()
      } catch (error) {
        figures[name] = failure(name, error)
      }
      show.step()
    }
    for (const contestant of contestants) {
      const missing = await contestant.open({ host, port }, workload.name)
      if (missing) figures[contestant.name] = { missing }
      else taking.push({ contestant, runs: [] })
    }
    for (const { contestant } of taking) {
      await attempt(contestant, () => contestant.run(warmUp))
    }
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < taking.length; turn++) {
        const { contestant, runs } = taking[(round + turn) % taking.length]
        await attempt(contestant, async () => {
          runs.push(await audited(contestant, ms, workload, admin))
        })
      }
    }
    for (const { contestant: { name }, runs } of taking) figures[name] ??= medians(runs)
  } finally {
    show.end()
    for (const contestant of contestants) contestant.stop()
    admin.end()
  }
  const { name, title, bytes } = workload
  return { name, title, bytes, clients: Object.fromEntries(names.map(one => [one, figures[one]])) }
}

// The medians, and the slowest and fastest round, without which a median cannot be judged.
function medians (runs) {
  const figures = ['ops', 'p50', 'p99', 'loop', 'cpu'].map(figure =>
    [figure, median(runs.map(run => run[figure]))])
  const rates = runs.map(run => run.ops)
  const spread = { slowest: Math.min(...rates), fastest: Math.max(...rates) }
  return { ...Object.fromEntries(figures), ...spread }
}

// Runs one round and holds what the client says against what the server counted. A client that
// answered without asking, or a generator that counts wrongly, would have no other witness.
async function audited (contestant, ms, workload, admin) {
  const before = await admin.commandsProcessed()
  const run = await contestant.run(ms)
  const counted = await admin.commandsProcessed() - before
  if (!CLIENTS[contestant.name].caches && counted < run.issued) {
    throw new Error(`${contestant.name} claims ${run.issued} operations of ${workload.name}, the ` +
      `server counted ${counted} commands`)
  }
  return run
}

/** What the benchmark itself asks of a server, or of all of a cluster. */
async function adminOf (server) {
  const processed = info => Number(/total_commands_processed:(\d+)/.exec(info)[1])
  if (server.primaries !== undefined) {
    return {
      send: command => server.command(server.nodeOf(server.slotOf(command[1])), ...command),
      commandsProcessed: async () => {
        const infos = server.primaries.map(node => server.command(node, 'INFO', 'stats'))
        return (await Promise.all(infos)).map(processed).reduce((sum, count) => sum + count, 0)
      },
      end () {}
    }
  }
  const client = await load('redis').createClient({ url: server.url }).connect()
  return {
    send: command => client.sendCommand(command),
    commandsProcessed: async () => processed(await client.info('stats')),
    end: () => client.destroy()
  }
}

async function about (server, clients, { rounds, ms, quick }) {
  const client = await load('redis').createClient({ url: server.url }).connect()
  const info = await client.info('server')
  await client.close()
  return {
    date: new Date().toISOString(),
    quick,
    rounds,
    ms,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpus: os.cpus().length,
    server: /(?:valkey|redis)_version:(\S+)/.exec(info)?.[1],
    versions: Object.fromEntries(clients.map(name => CLIENTS[name].package)
      .map(name => [name, version(name)]))
  }
}

function save (results, { quick, partial }) {
  const folder = path.join(__dirname, 'results')
  fs.mkdirSync(folder, { recursive: true })
  const text = `${JSON.stringify(results, rounded, 2)}\n`
  if (partial) {
    if (quick) fs.writeFileSync(path.join(folder, 'quick.json'), text)
    return
  }
  for (const name of [`${results.about.date.slice(0, 10)}.json`, 'latest.json', 'chart.svg']) {
    fs.writeFileSync(path.join(folder, name), name.endsWith('svg') ? drawChart(results) : text)
    process.stdout.write(`wrote ${path.relative(root, path.join(folder, name))}\n`)
  }
}

// Four digits say all that a shared machine can know.
function rounded (key, value) {
  const isFraction = typeof value === 'number' && !Number.isInteger(value)
  return isFraction ? Number(value.toPrecision(4)) : value
}

const FULL = { rounds: 5, ms: 800, warmUp: 500 }
// More and shorter rounds: each is a comparison of its own.
const COMPARE = { rounds: 15, ms: 500, warmUp: 500 }
const QUICK = {
  rounds: 3,
  ms: 200,
  warmUp: 200,
  workloads: [
    'mixed-32-1', 'mixed-32-10', 'mixed-32-100', 'mixed-32-1000', 'get-1m-buffer-ascii',
    'hgetall-100', 'pool-1000'
  ]
}
