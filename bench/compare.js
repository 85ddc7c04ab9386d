'use strict'

// `npm run bench -- --compare REV`: this checkout beside another revision of it, in one run.
//
// The other revision is checked out and built below target/compare, and stays there for the next
// time. Both take turns in each round, so a noisy minute of the machine hits both.
//
// A process keeps its luck for all of its life: where its memory lies, and what V8 has inlined. One
// and the same build differed by 4 % in all rounds of one pair of processes. So every few rounds a
// fresh pair takes over. What counts is the median ratio of each pair: their median, and on which
// side of 1 they are. A difference is told only if nearly all pairs agree on its direction.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { root, run, step } = require('../scripts/setup')
const { Contestant } = require('./contestant')
const { median } = require('./load')

/**
 * Checks `revision` out and builds it. Returns the folder.
 * @param {string} revision anything that git knows
 */
function prepare (revision) {
  const commit = git('rev-parse', '--verify', `${revision}^{commit}`)
  const folder = path.join(root, 'target', 'compare', commit.slice(0, 12))
  if (!fs.existsSync(folder)) {
    step(`checking ${revision} out`)
    git('worktree', 'prune')
    git('worktree', 'add', '--detach', '--quiet', folder, commit)
  }
  if (!fs.readdirSync(folder).some(name => name.endsWith('.node'))) {
    step(`building ${revision}`)
    const status = run(process.execPath, [path.join(folder, 'scripts', 'build.js')],
      { cwd: folder })
    if (status !== 0) throw new Error(`${revision} did not build, see the output above`)
  }
  return folder
}

function git (...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
}

/**
 * Runs one workload with both. Prints a line, and returns the medians of the ratios.
 * @param {object} workload
 * @param {string} client which of oxidis's clients, see clients/index.js
 * @param {string} folder the other revision's
 * @param {{ host: string, port: number }} server
 * @param {{ rounds: number, ms: number, warmUp: number }} plan
 */
async function compareWorkload (workload, client, folder, server, plan) {
  const pairs = []
  for (let done = 0; done < plan.rounds; done += ROUNDS_OF_A_PAIR) {
    const rounds = Math.min(ROUNDS_OF_A_PAIR, plan.rounds - done)
    const ratios = await comparePair(workload, client, folder, server, { ...plan, rounds },
      pairs.length % 2)
    if (typeof ratios === 'string') {
      process.stdout.write(`${workload.title.padEnd(TITLE_WIDTH)}   not there: ${ratios}\n`)
      return undefined
    }
    pairs.push(Object.fromEntries(FIGURES.map(name =>
      [name, median(ratios.map(ratio => ratio[name]))])))
  }
  const outcome = Object.fromEntries(FIGURES.map(name =>
    [name, verdict(pairs.map(pair => pair[name]))]))
  const cells = FIGURES.map(name => shown(outcome[name]).padStart(CELL_WIDTH))
  const rates = pairs.map(({ ops }) => ops)
  const spread = `${Math.min(...rates).toFixed(2)}-${Math.max(...rates).toFixed(2)}`
  process.stdout.write(`${workload.title.padEnd(TITLE_WIDTH)}${cells.join('')}   ${spread}\n`)
  return outcome
}

/**
 * Some rounds with one pair of processes; `first` (0 or 1) has the first turn. Resolves to their
 * ratios, or to the reason why the other revision cannot run this workload.
 */
async function comparePair (workload, client, folder, server, { rounds, ms, warmUp }, first) {
  const pair = [new Contestant(client), new Contestant(client, folder)]
  try {
    const order = [first, 1 - first]
    for (const turn of order) {
      const reason = await pair[turn].open(server, workload.name)
        .then(missing => missing && `no ${missing}`, error => error.message.split('\n', 1)[0])
      // A revision that is older than an option or a method has nothing to compare.
      if (reason !== undefined && turn === 1) return reason
      if (reason !== undefined) throw new Error(`${workload.name}: ${reason}`)
    }
    for (const turn of order) await pair[turn].run(warmUp)
    const ratios = []
    for (let round = 0; round < rounds; round++) {
      const figures = []
      for (const turn of round % 2 === 0 ? order : order.toReversed()) {
        figures[turn] = await pair[turn].run(ms)
      }
      const [here, there] = figures
      ratios.push(Object.fromEntries(FIGURES.map(name => [name, here[name] / there[name]])))
    }
    return ratios
  } finally {
    for (const one of pair) one.stop()
  }
}

/** The median of ratios, and whether nearly all of them are on the same side of 1. */
function verdict (ratios) {
  const above = ratios.filter(ratio => ratio > 1).length
  const isClear = Math.max(above, ratios.length - above) >= Math.ceil(ratios.length * AGREEING)
  const middle = median(ratios)
  return { ratio: middle, differs: isClear && Math.abs(middle - 1) > SMALLEST_DIFFERENCE }
}

function shown ({ ratio, differs }) {
  return `${ratio.toFixed(3)}${differs ? ' *' : '  '}`
}

function printHead (revision) {
  const cells = TITLES.map(name => name.padStart(CELL_WIDTH))
  process.stdout.write(`this checkout divided by ${revision}; * nearly all pairs agree, and the ` +
    `difference is above ${SMALLEST_DIFFERENCE * 100} %\n\n` +
    `${''.padEnd(TITLE_WIDTH)}${cells.join('')}   throughput of pairs\n`)
}

const FIGURES = ['ops', 'p99', 'loop', 'cpu']
const TITLES = ['throughput', 'p99', 'event loop', 'CPU']
const ROUNDS_OF_A_PAIR = 3
/** The part of the pairs that must agree: by chance 4 of 5 do in one of three cases, 5 of 5 in one
 * of sixteen, 9 of 10 in one of fifty. */
const AGREEING = 0.9
/** What is less than this is not worth a look; runs of one build differ by as much. */
const SMALLEST_DIFFERENCE = 0.02
const TITLE_WIDTH = 58
const CELL_WIDTH = 13

module.exports = { compareWorkload, prepare, printHead }
