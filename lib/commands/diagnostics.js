'use strict'

/*
 * Rows of the LATENCY and MEMORY commands. See index.js for what a row is.
 */

const { isGiven } = require('../arguments')
const { none } = require('./forms')
const { double, map } = require('./replies')

module.exports = [
  {
    name: 'latencyDoctor',
    upper: 'LATENCY_DOCTOR',
    command: ['LATENCY', 'DOCTOR'],
    args: none,
    ts: '(): Promise<T>'
  },
  {
    name: 'latencyGraph',
    upper: 'LATENCY_GRAPH',
    command: ['LATENCY', 'GRAPH'],
    args: event,
    ts: '(event: LatencyEvent): Promise<T>'
  },
  {
    name: 'latencyHistogram',
    upper: 'LATENCY_HISTOGRAM',
    command: ['LATENCY', 'HISTOGRAM'],
    variadic: true,
    args (w, ...commands) {
      w.anyArgs(commands, 'commands')
    },
    reply: (reply, mapping) => map(reply, mapping, (command, histogram) => (
      map(histogram, mapping, (name, value) => (
        name === 'histogram_usec' ? map(value, mapping) : value
      ))
    )),
    ts: '(...commands: RedisArgument[]): ' +
      'Promise<Record<string, { calls: number; histogram_usec: Record<string, number> }>>'
  },
  {
    name: 'latencyHistory',
    upper: 'LATENCY_HISTORY',
    command: ['LATENCY', 'HISTORY'],
    args: event,
    ts: '(event: LatencyEvent): Promise<[timestamp: number, latency: number][]>'
  },
  {
    name: 'latencyLatest',
    upper: 'LATENCY_LATEST',
    command: ['LATENCY', 'LATEST'],
    args: none,
    ts: '(): Promise<[name: T, timestamp: number, latestLatency: number, ' +
      'allTimeLatency: number][]>'
  },
  {
    name: 'latencyReset',
    upper: 'LATENCY_RESET',
    command: ['LATENCY', 'RESET'],
    variadic: true,
    args (w, ...events) {
      w.anyArgs(events, 'events')
    },
    ts: '(...events: LatencyEvent[]): Promise<number>'
  },
  {
    name: 'memoryDoctor',
    upper: 'MEMORY_DOCTOR',
    command: ['MEMORY', 'DOCTOR'],
    args: none,
    ts: '(): Promise<T>'
  },
  {
    name: 'memoryMallocStats',
    upper: 'MEMORY_MALLOC-STATS',
    command: ['MEMORY', 'MALLOC-STATS'],
    args: none,
    ts: '(): Promise<T>'
  },
  {
    name: 'memoryPurge',
    upper: 'MEMORY_PURGE',
    command: ['MEMORY', 'PURGE'],
    args: none,
    ts: "(): Promise<'OK'>"
  },
  {
    name: 'memoryStats',
    upper: 'MEMORY_STATS',
    command: ['MEMORY', 'STATS'],
    args: none,
    reply: (reply, mapping) => map(reply, mapping, (name, value) => (
      isDouble(name) ? double(value, mapping) : nested(value, mapping)
    )),
    ts: '(): Promise<MemoryStats>'
  },
  {
    name: 'memoryUsage',
    upper: 'MEMORY_USAGE',
    command: ['MEMORY', 'USAGE'],
    args (w, key, options) {
      w.key(key, 'key')
      const o = w.options(options, 'options', USAGE_OPTIONS)
      if (!isGiven(o?.SAMPLES)) return
      w.token('SAMPLES')
      w.int(o.SAMPLES, 'options.SAMPLES')
    },
    ts: '(key: RedisArgument, options?: { SAMPLES?: RedisInteger }): Promise<number | null>'
  }
]

function event (w, event) {
  w.arg(event, 'event')
}

/** MEMORY STATS: percentages, ratios and `fragmentation` are doubles, all else integers. */
function isDouble (name) {
  return name === 'fragmentation' || name.endsWith('.ratio') || name.endsWith('.percentage')
}

/** MEMORY STATS: `db.0` holds a map of its own. */
function nested (value, mapping) {
  return Array.isArray(value) ? map(value, mapping) : value
}

const USAGE_OPTIONS = new Set(['SAMPLES'])
