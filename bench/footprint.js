'use strict'

// What a client costs beside its commands: the time to load it, the time to the first reply, the
// memory of one client and of many idle ones, and its size on disk.
//
//   node bench/footprint.js            prints the table of docs/footprint.md
//   node bench/footprint.js --write    writes it there
//   node bench/footprint.js oxidis     one client
//
// Each run is a process of its own, and clients take turns, so that what else the machine does
// meets all of them. Medians. Loading is computing, so its CPU time is given, which other programs
// lengthen less than the time that passes. OXIDIS_BENCH_CHECKOUT measures another checkout.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { ensurePackages, root, runMain, step } = require('../scripts/setup')
const { startServer } = require('../__test__/support/redis-server')
const { CLIENTS, load, locate, version } = require('./clients')
const { median } = require('./load')

const NAMES = ['oxidis', 'node-redis-default', 'oxidis-ioredis', 'ioredis', 'glide']
const ROUNDS = 5
/** So many that one of them weighs more than the noise of a process. */
const IDLE = 100

const [mode, ...rest] = process.argv.slice(2)
if (mode === '--measure') measure(...rest)
else runMain(compare)

async function compare () {
  const names = NAMES.filter(name => process.argv.includes(name))
  const wanted = names.length > 0 ? names : NAMES
  if (wanted.some(name => locate(CLIENTS[name].package) === undefined)) ensurePackages(__dirname)
  const server = await startServer()
  const runs = new Map(wanted.map(name => [name, []]))
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      step(`round ${round} of ${ROUNDS}`)
      for (const [name, results] of runs) results.push(await inProcess(name, server.port))
    }
  } finally {
    await server.stop()
  }
  const text = table(runs)
  process.stdout.write(text)
  if (process.argv.includes('--write')) write(text)
}

async function inProcess (name, port) {
  const args = ['--expose-gc', __filename, '--measure', name, String(port)]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}

/** In a process of its own: prints the figures of one client, in ms and bytes. */
async function measure (name, port) {
  const address = { host: '127.0.0.1', port: Number(port) }
  // What the adapter itself loads is not the client's.
  const before = await used()
  const cpu = process.cpuUsage()
  load(name === 'oxidis-ioredis' ? 'oxidis/ioredis' : CLIENTS[name].package)
  const { user, system } = process.cpuUsage(cpu)
  const loaded = performance.now()
  const first = await CLIENTS[name].open(address)
  await first.get('no such key')
  const answered = performance.now()
  const one = await used()
  const clients = []
  for (let index = 0; index < IDLE; index++) {
    const client = await CLIENTS[name].open(address)
    await client.get('no such key')
    clients.push(client)
  }
  const many = await used()
  const figures = {
    load: (user + system) / 1000,
    first: answered - loaded,
    one: one.rss - before.rss,
    idle: (many.rss - one.rss) / IDLE,
    heap: (many.heap - one.heap) / IDLE
  }
  fs.writeSync(1, JSON.stringify(figures))
  process.exit()
}

/** Memory after everything that can be freed is freed. */
async function used () {
  for (let time = 0; time < 3; time++) {
    globalThis.gc()
    await new Promise(resolve => setImmediate(resolve))
  }
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage()
  return { rss, heap: heapUsed + arrayBuffers }
}

function table (runs) {
  const rows = [...runs].map(([name, results]) => {
    const of = what => median(results.map(result => result[what]))
    const { package: packed, title } = CLIENTS[name]
    const cells = [
      `${title.replace(/,.*/, '')} ${version(packed)}`, `${of('load').toFixed(0)} ms`,
      `${of('first').toFixed(1)} ms`, `${(of('one') / 2 ** 20).toFixed(1)} MiB`,
      `${(of('idle') / 1024).toFixed(0)} KiB`, `${(of('heap') / 1024).toFixed(0)} KiB`
    ]
    return `| ${cells.join(' | ')} |`
  })
  return [
    '| client | CPU time of `require` | connect and first reply | memory after it | ' +
      'each further idle client | of it, JavaScript |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    `Node ${process.version}, ${process.platform} ${process.arch}; medians of ${ROUNDS} ` +
      'alternating runs, each in a process of its own.',
    ''
  ].join('\n')
}

function write (text) {
  const file = path.join(root, 'docs', 'footprint.md')
  const [before, after] = ['<!-- footprint:start -->\n', '<!-- footprint:end -->']
  const page = fs.readFileSync(file, 'utf8')
  const [head, tail] = [page.split(before)[0], page.split(after)[1]]
  fs.writeFileSync(file, `${head}${before}${text}${after}${tail}`)
}
