'use strict'

// The screen of the cluster demo: what has happened, line by line, and below it a table of the
// nodes. On a terminal the table is drawn again in place; elsewhere it is printed at each event.

const { stdout } = process

class Screen {
  /** @param {() => string[]} table the lines of the table, as they are now */
  constructor (table) {
    this.table = table
    this.started = performance.now()
    this.drawn = 0
    this.timer = undefined
  }

  /** Keeps the table up to date, where it can be drawn over. */
  start () {
    if (!stdout.isTTY) return
    this.timer = setInterval(() => this.draw(), INTERVAL)
  }

  /** Leaves the table as it is now. */
  stop () {
    clearInterval(this.timer)
    this.drawn = 0
  }

  /** Prints a line with the time that has passed, and the table. */
  event (text) {
    const seconds = ((performance.now() - this.started) / 1000).toFixed(1)
    this.erase()
    stdout.write(`${seconds.padStart(5)} s  ${text}\n`)
    this.draw()
  }

  /** Prints lines, without the table. */
  print (...lines) {
    this.erase()
    stdout.write(lines.map(line => `${line}\n`).join(''))
  }

  draw () {
    const width = stdout.isTTY ? stdout.columns || 80 : Infinity
    // A line that the terminal wraps could not be drawn over.
    const lines = ['', ...this.table(), ''].map(line => line.slice(0, width - 1))
    this.erase()
    stdout.write(lines.map(line => `${line}\n`).join(''))
    this.drawn = lines.length
  }

  erase () {
    if (stdout.isTTY && this.drawn > 0) stdout.write(`\x1b[${this.drawn}A\x1b[J`)
    this.drawn = 0
  }
}

/** The table of nodes: a row for each server that was started, as the client sees it. */
class NodeTable {
  constructor (servers, cluster, load) {
    this.servers = servers
    this.cluster = cluster
    this.load = load
    /** What is happening to a server: shown instead of `up`. */
    this.notes = new Map()
    this.before = { at: performance.now(), answered: new Map() }
    this.rates = new Map()
  }

  lines () {
    this.measure()
    const rows = this.servers.nodes.map(server => this.row(server))
    const cells = [HEADS, ...rows]
    const widths = HEADS.map((_, column) => Math.max(...cells.map(row => row[column].length)))
    const lines = cells.map(row => '  ' + row.map((cell, column) =>
      column < TEXTS ? cell.padEnd(widths[column]) : cell.padStart(widths[column])).join('   '))
    return [...lines, '', `  ${this.total()}`]
  }

  row (server) {
    const { cluster, load } = this
    const address = `${server.host}:${server.port}`
    const node = cluster.nodeByAddress.get(address)
    const shard = cluster.shards.find(({ master, replicas }) =>
      master === node || replicas.includes(node))
    const isPrimary = shard !== undefined && shard.master === node
    return [
      address,
      isPrimary ? 'primary' : this.replicaOf(server, shard),
      this.notes.get(server) ?? (server.pid ? 'up' : 'killed'),
      isPrimary ? grouped(cluster.slots.filter(one => one === shard).length) : '-',
      isPrimary ? grouped(this.rates.get(address) ?? 0) : '-',
      grouped(load.failed.get(address) ?? 0)
    ]
  }

  // The client learns of a new replica with its next look around. The servers know it already.
  replicaOf (server, shard) {
    const primary = shard?.master ?? (server.pid && server.primary)
    return primary ? `replica of ${primary.port}` : '-'
  }

  total () {
    const { cluster, load: { commands, errors, failed } } = this
    const whose = errors > 0 ? `, for slots of ${[...failed.keys()].join(' and ')}` : ''
    return `${grouped(commands)} commands, ${grouped(cluster.stats().redirects)} redirects, ` +
      `${grouped(errors)} errors${whose}`
  }

  // Commands per second since the table was made last, unless that was just now.
  measure () {
    const { before, load: { answered } } = this
    const now = performance.now()
    if (now - before.at < INTERVAL) return
    for (const [address, count] of answered) {
      const done = count - (before.answered.get(address) ?? 0)
      this.rates.set(address, Math.round(done / (now - before.at) * 1000))
    }
    this.before = { at: now, answered: new Map(answered) }
  }
}

/** 12,345 */
function grouped (number) {
  return number.toLocaleString('en')
}

const HEADS = ['node', 'role', 'state', 'slots', 'commands/s', 'errors']
// The first columns are texts, the others numbers.
const TEXTS = 3

// ms: fast enough to look alive, slow enough to read.
const INTERVAL = 250

module.exports = { NodeTable, Screen, grouped }
