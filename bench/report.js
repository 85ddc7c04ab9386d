'use strict'

// What the benchmark prints: a table per workload, with each figure's ratio to the best peer.

const { CLIENTS } = require('./clients')

function printHead ({ node, platform, cpus, server, rounds, ms, versions }) {
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')
  print(`Node ${node} on ${platform}, ${cpus} CPUs, server ${server}; ` +
    `medians of ${rounds} rounds of ${ms} ms\n${list}\n`)
}

function printWorkload ({ title, clients }) {
  print(title)
  print(row(['', 'ops/s', 'slowest-fastest', 'p50 ms', 'p99 ms', 'loop µs/op', 'CPU µs/op']))
  for (const [name, figures] of Object.entries(clients)) {
    print(rowOf(name, figures, ({ ops, slowest, fastest, p50, p99, loop, cpu }) => [
      Math.round(ops).toLocaleString('en'), `${thousands(slowest)}-${thousands(fastest)} k`,
      p50.toFixed(2), p99.toFixed(2), loop.toFixed(2), cpu.toFixed(2)
    ]))
  }
  const ratio = ratios(clients)
  if (ratio) {
    print(`  against the best peer: throughput ${ratio.ops.toFixed(2)}x, p99 ` +
      `${ratio.p99.toFixed(2)}x, event loop ${ratio.loop.toFixed(2)}x`)
    const restless = Object.keys(clients).filter(name => isRestless(clients[name]))
    if (restless.length > 0) {
      print(`  not a result: rounds differ by more than ${RESTLESS}x for ${restless.join(', ')}`)
    }
  }
  print('')
}

/**
 * oxidis's figures over the best peer's, figure by figure: above 1 is better for `ops`, below 1
 * for the others. Undefined without both sides.
 */
function ratios (clients) {
  const entries = Object.entries(clients).filter(([, { ops }]) => ops !== undefined)
  const ours = entries.find(([name]) => name.startsWith('oxidis'))?.[1]
  const peers = entries.filter(([name]) => !name.startsWith('oxidis')).map(([, figures]) => figures)
  if (!ours || peers.length === 0) return undefined
  const best = Object.keys(ours).map(figure => {
    const values = peers.map(peer => peer[figure])
    return [figure, ours[figure] / (figure === 'ops' ? Math.max(...values) : Math.min(...values))]
  })
  return Object.fromEntries(best)
}

// Two processes that take turns run several times faster when they happen to share a core's
// caches, so that rounds fall into two groups and the median is of one or the other by chance.
function isRestless ({ slowest, fastest }) {
  return fastest > RESTLESS * slowest
}

function printExtras ({ limit, extras }) {
  if (limit) {
    print('redis-benchmark (GET, 32 B), several connections being the limit of the server:')
    for (const { connections, pipeline, ops } of limit) {
      const name = `-c ${connections} -P ${pipeline}`
      print(row([name, Math.round(ops).toLocaleString('en')]))
    }
  }
  print('\nrequire and memory')
  print(row(['', 'require ms', 'RSS MiB', '100k in flight']))
  for (const [name, figures] of Object.entries(extras.clients)) {
    print(rowOf(name, figures, ({ require: time, connected, loaded }) =>
      [time.toFixed(1), mebibytes(connected), mebibytes(loaded)]))
  }
  if (extras.sizes) {
    const { addon, package: unpacked, packed } = extras.sizes
    print(`  addon ${mebibytes(addon)} MiB; npm package ${mebibytes(unpacked)} MiB unpacked, ` +
      `${mebibytes(packed)} MiB packed`)
  }
}

/** A line on a terminal that says how far a workload is; nothing elsewhere. */
function progress (title, total) {
  if (!process.stdout.isTTY) return { step () {}, end () {} }
  let done = 0
  const draw = () => process.stdout.write(`\r  ${title}: ${Math.round(done / total * 100)} % `)
  draw()
  return { step () { done++; draw() }, end: () => process.stdout.write('\r\x1b[K') }
}

/** A client's row; with words in place of `cells` where it was not measured. */
function rowOf (name, figures, cells) {
  const { title } = CLIENTS[name]
  if (figures.missing) return `${row([title])} has no ${figures.missing} yet`
  if (figures.failed) return `${row([title])} failed: ${figures.failed}`
  return row([title, ...cells(figures)])
}

function row ([name, ...cells]) {
  return `  ${name.padEnd(NAME_WIDTH)}${cells.map(cell => cell.padStart(CELL_WIDTH)).join('')}`
}

function thousands (value) {
  return (value / 1000).toFixed(value < 10_000 ? 1 : 0)
}

function mebibytes (bytes) {
  return (bytes / 1024 / 1024).toFixed(bytes < 10 * 1024 * 1024 ? 2 : 0)
}

function print (text) {
  process.stdout.write(`${text}\n`)
}

// Twice the slowest round: ordinary noise here stays below 1.5.
const RESTLESS = 2
const NAME_WIDTH = 28
const CELL_WIDTH = 16

module.exports = { printExtras, printHead, printWorkload, progress, ratios }
