'use strict'

// `npm run bench -- --compare REV`: this checkout beside another revision of it, in one run.
//
// The other revision is checked out and built below target/compare, and stays there for the next
// time. Both take turns in each round, so a noisy minute of the machine hits both. What counts is
// the ratio of the two in one round: its median over all rounds, and on which side of 1 the rounds
// are. A difference is told only if nearly all rounds agree on its direction.

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
async function compareWorkload (workload, client, folder, server, { rounds, ms, warmUp }) {
  const pair = [new Contestant(client), new Contestant(client, folder)]
  try {
    for (const one of pair) await one.open(server, workload.name)
    for (const one of pair) await one.run(warmUp)
    const ratios = []
    for (let round = 0; round < rounds; round++) {
      const figures = []
      for (const turn of round % 2 === 0 ? [0, 1] : [1, 0]) figures[turn] = await pair[turn].run(ms)
      const [here, there] = figures
      ratios.push(Object.fromEntries(FIGURES.map(name => [name, here[name] / there[name]])))
    }
    const outcome = Object.fromEntries(FIGURES.map(name =>
      [name, verdict(ratios.map(ratio => ratio[name]))]))
    const cells = FIGURES.map(name => shown(outcome[name]).padStart(CELL_WIDTH))
    const rates = ratios.map(({ ops }) => ops)
    const spread = `${Math.min(...rates).toFixed(2)}-${Math.max(...rates).toFixed(2)}`
    process.stdout.write(`${workload.title.padEnd(TITLE_WIDTH)}${cells.join('')}   ${spread}\n`)
    return outcome
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
  process.stdout.write(`this checkout divided by ${revision}; * nearly all rounds agree, and the ` +
    `difference is above ${SMALLEST_DIFFERENCE * 100} %\n\n` +
    `${''.padEnd(TITLE_WIDTH)}${cells.join('')}   throughput of rounds\n`)
}

const FIGURES = ['ops', 'p99', 'loop', 'cpu']
const TITLES = ['throughput', 'p99', 'event loop', 'CPU']
/** The part of the rounds that must agree: by chance 4 of 5 do in one of three cases, 9 of 10 in
 * one of fifty. */
const AGREEING = 0.9
/** What is less than this is not worth a look; runs of one build differ by as much. */
const SMALLEST_DIFFERENCE = 0.02
const TITLE_WIDTH = 58
const CELL_WIDTH = 13

module.exports = { compareWorkload, prepare, printHead }
