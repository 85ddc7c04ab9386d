'use strict'

// What the server can do: redis-benchmark, a C program without promises, with the same values.
//
// One connection takes turns with the server, so its figures are a peer's, not a limit; only
// several connections keep the server busy all the time. It comes with the server on most
// systems; where it does not, there is nothing to show.

const { execFile } = require('node:child_process')
const path = require('node:path')
const { promisify } = require('node:util')

const { onPath } = require('../scripts/ensure-server')

/** GETs per second: `[{ connections, pipeline, ops }]`, the last being the limit; or undefined. */
async function measureLimit ({ program, port }, quick) {
  const beside = path.join(path.dirname(program), 'redis-benchmark')
  const benchmark = onPath('redis-benchmark') ?? onPath('valkey-benchmark') ?? beside
  const limit = []
  for (const { connections, pipeline, count } of SETTINGS) {
    const args = [
      '-p', port, '-t', 'get', '-d', 32, '-c', connections, '-P', pipeline,
      '-n', count / (quick ? 5 : 1), '-q'
    ]
    try {
      const { stdout } = await promisify(execFile)(benchmark, args.map(String))
      limit.push({ connections, pipeline, ops: Number(RATE.exec(stdout)?.[1]) })
    } catch (error) {
      if (error.code === 'ENOENT') return undefined
      throw error
    }
  }
  return limit
}

// The final line of -q; those before it say how far the run is.
const RATE = /([\d.]+) requests per second/

// Each takes about a second at the rates of an ordinary machine.
const SETTINGS = [
  { connections: 1, pipeline: 1, count: 30_000 },
  { connections: 1, pipeline: 100, count: 1_500_000 },
  { connections: 10, pipeline: 100, count: 2_500_000 }
]

module.exports = { measureLimit }
