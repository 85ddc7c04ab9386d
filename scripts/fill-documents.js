'use strict'

// Fills the parts of documents that follow from code and results, between their marks:
//
//   docs/options.md, README.md      all options, and ten of them (lib/options/client.js)
//   docs/cluster.md                 a cluster's options (lib/cluster/options.js)
//   docs/benchmarks.md, README.md   all workloads, and six of them (bench/results/latest.json)
//   docs/benchmarks.md, README.md   BullMQ's workers (bench/results/bullmq.json)
//
//   node scripts/fill-documents.js
//
// __test__/documents.spec.js fails when a document is not what this writes.

const fs = require('node:fs')
const path = require('node:path')

const { CLIENTS } = require('../bench/clients')
const { ratios } = require('../bench/report')

const root = path.join(__dirname, '..')
/** Those that most programs set. */
const FIRST_OPTIONS = new Set([
  'url', 'credentialsProvider', 'database', 'keyPrefix', 'shared', 'socket.tls',
  'socket.connectTimeout', 'socket.reconnectStrategy', 'pool.max', 'commandOptions.timeout'
])

/** From one command at a time to a thousand, two kinds of large replies, and a cluster. */
const FIRST_ROWS = new Set([
  'mixed-32-1', 'mixed-32-10', 'mixed-32-1000', 'get-1m-buffer-ascii', 'hgetall-100',
  'cluster-mixed-32-1000'
])

/** Marks a row whose rounds differ too much. */
const RESTLESS = '†'

const RESULTS = path.join(root, 'bench', 'results', 'latest.json')
const BULLMQ = path.join(root, 'bench', 'results', 'bullmq.json')

/** `text` with its marked parts filled: name of the mark -> lines. */
function fill (text, parts) {
  for (const [name, body] of Object.entries(parts)) {
    const marks = new RegExp(`(<!-- ${name}:start -->\n)[^]*?(<!-- ${name}:end -->)`)
    if (!marks.test(text)) throw new Error(`the document has no marks for ${name}`)
    text = text.replace(marks, (_, start, end) => `${start}${body}${end}`)
  }
  return text
}

/** The parts of each document as they should be now: file -> name of the mark -> lines. */
function parts () {
  const { documentedCluster } = require('../lib/cluster/options')
  const { documented } = require('../lib/options/client')
  const results = fs.existsSync(RESULTS) ? JSON.parse(fs.readFileSync(RESULTS, 'utf8')) : undefined
  return {
    'README.md': {
      options: optionsTable(picked(documented(), FIRST_OPTIONS)),
      bench: benchmark(results && { ...results, workloads: picked(results.workloads, FIRST_ROWS) }),
      bullmq: bullmq()
    },
    'docs/benchmarks.md': { bench: benchmark(results, '../'), bullmq: bullmq() },
    'docs/options.md': { options: optionsTable(documented()) },
    'docs/cluster.md': { options: optionsTable(documentedCluster()) }
  }
}

/** Those of `list` that have one of the names. */
function picked (list, names) {
  return list.filter(({ name }) => names.has(name))
}

function optionsTable (options) {
  const rows = options.map(({ name, default: value, meaning }) =>
    `| \`${name}\` | ${shown(value)} | ${meaning} |`)
  return table(['option', 'default', 'meaning'], rows)
}

/** A default as it would stand in JavaScript. */
function shown (value) {
  if (value === undefined) return '-'
  if (typeof value === 'string') return `\`'${value}'\``
  // From five digits on, groups of three are easier to read, and still a literal.
  const text = String(value)
  return `\`${text.length > 4 ? text.replace(/\B(?=(\d{3})+$)/g, '_') : text}\``
}

/** The benchmark's chart and table, or a hint if there is no result. `up` leads to the root. */
function benchmark (results, up = '') {
  if (results === undefined) {
    return 'No full run is recorded in this checkout yet: `npm run bench` makes one in about ten ' +
      'minutes.\n'
  }
  const { about, workloads } = results
  const rows = workloads.map(row).filter(Boolean)
  const versions = Object.entries(about.versions).map(pair => pair.join(' ')).join(', ')
  const heads = ['workload', 'oxidis, ops/s', 'best peer, ops/s', 'throughput', 'p99', 'event loop']
  const chart = `${up}bench/results/chart.svg`
  return `![Throughput and event-loop time by commands in flight](${chart})\n\n` +
    table(heads, rows) +
    '\nThe last three columns divide oxidis\'s figure by the best peer\'s: above 1 is better for ' +
    'throughput, below 1 for latency and event-loop time per command.' +
    (rows.some(text => text.includes(RESTLESS)) ? ` ${RESTLESS}: the rounds of one of the ` +
      'clients differ by more than a factor of two, so the row is no result.' : '') +
    `\n\nNode ${about.node}, ${about.platform}, ${about.cpus} CPUs shared by client and server ` +
    `${about.server}; medians of ${about.rounds} alternating rounds; ${versions}.\n`
}

/** The table of BullMQ's workers. */
function bullmq () {
  const { about, rows } = JSON.parse(fs.readFileSync(BULLMQ, 'utf8'))
  const lines = rows.map(({ concurrency, clients: { oxidis, ioredis } }) => {
    const both = (name, unit) => `${rate(oxidis[name])}${unit} (${rate(ioredis[name])}${unit})`
    const ratio = name => `${(oxidis[name] / ioredis[name]).toFixed(2)}x`
    return `| ${concurrency} | ${both('jobs', '')} | ${ratio('jobs')} | ${both('loop', ' µs')} | ` +
      `${ratio('loop')} | ${ratio('cpu')} |`
  })
  const heads = ['jobs at once', 'jobs/s (ioredis)', 'throughput', 'event loop per job (ioredis)',
    'event loop', 'CPU']
  const versions = Object.entries(about.versions).map(pair => pair.join(' ')).join(', ')
  return table(heads, lines) +
    `\nNode ${about.node}, ${about.platform}, ${about.cpus} CPUs shared with the server and with ` +
    `other work (load average ${about.load}); medians of ${about.rounds} alternating rounds of ` +
    `${rate(about.jobs)} jobs that do nothing; ${versions}.\n`
}

function row ({ title, clients }) {
  const ratio = ratios(clients)
  if (ratio === undefined) return undefined
  const measured = Object.entries(clients).filter(([, { missing }]) => !missing)
  const [, ours] = measured.find(([name]) => name.startsWith('oxidis'))
  const [best, theirs] = measured.filter(([name]) => !name.startsWith('oxidis'))
    .sort(([, a], [, b]) => b.ops - a.ops)[0]
  const mark = measured.some(([, figures]) => isRestless(figures)) ? ` ${RESTLESS}` : ''
  return `| ${title}${mark} | ${rate(ours.ops)} | ${rate(theirs.ops)} (${CLIENTS[best].title}) | ` +
    `${ratio.ops.toFixed(2)}x | ${ratio.p99.toFixed(2)}x | ${ratio.loop.toFixed(2)}x |`
}

// bench/report.js has the same rule.
function isRestless ({ slowest, fastest }) {
  return fastest > 2 * slowest
}

function rate (ops) {
  return Math.round(ops).toLocaleString('en')
}

function table (heads, rows) {
  const rule = heads.map(() => '---').join('|')
  return [`| ${heads.join(' | ')} |`, `|${rule}|`, ...rows, ''].join('\n')
}

if (require.main === module) {
  for (const [name, filled] of Object.entries(parts())) {
    const file = path.join(root, name)
    fs.writeFileSync(file, fill(fs.readFileSync(file, 'utf8'), filled))
    process.stdout.write(`wrote ${name}\n`)
  }
}

module.exports = { benchmark, fill, parts, shown }
