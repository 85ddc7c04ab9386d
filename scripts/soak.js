'use strict'

// `npm run soak`: load and random faults for as long as asked, and a report with a picture.
//
//   npm run soak                          10 minutes
//   npm run soak -- --minutes 1           CI runs this
//   npm run soak -- --seed 7              the same faults at the same times again
//   npm run soak -- --only cluster        one scene; known are server, cluster, sentinel
//   npm run soak -- --report folder       where the report goes; default target/soak
//
// Three scenes run side by side: one server behind a proxy that breaks connections, a cluster of
// six, and a primary with two replicas and three sentinels. In each of them the oracle's workers
// count, echo and verify at half load, and a random fault comes every few seconds. The run fails on
// a reply of somebody else, on an acknowledged write that is lost or doubled, on a promise that
// does not settle, on a scene that does not serve again after a fault, and on memory or
// descriptors that grow.

const path = require('node:path')
const { spawnSync } = require('node:child_process')
const { parseArgs } = require('node:util')

const { root, runMain, setup, step } = require('./setup')

runMain(async () => {
  setup()
  // Without a collection on demand, memory that may be collected could not be told from a leak.
  if (typeof globalThis.gc !== 'function') return again()
  const options = parse()
  const { soak } = require('./soak/run')
  return await soak(options)
})

/** Runs this program again with the garbage collector within reach. */
function again () {
  const args = ['--expose-gc', __filename, ...process.argv.slice(2)]
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1
}

function parse () {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      report: { type: 'string', default: path.join(root, 'target', 'soak') }
    }
  })
  const minutes = Number(values.minutes)
  if (!(minutes > 0)) throw new Error('--minutes must be a number above 0')
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed)
  step(`soaking for ${minutes} minutes, --seed ${seed}`)
  return { ...values, minutes, seed }
}
