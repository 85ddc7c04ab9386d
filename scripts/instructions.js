'use strict'

// `npm run bench:instructions`: how many instructions the codec and the command table take for each
// reply or command, beside those that were recorded.
//
//   npm run bench:instructions              compares; more than 5 % more of anything fails
//   npm run bench:instructions -- --write   records what there is now
//
// Times vary from run to run on a shared machine, counts of instructions do not. callgrind counts
// them (https://valgrind.org/docs/manual/cl-manual.html). A count depends on the compiler, so
// counts of another rustc are shown and fail nothing.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { onPath } = require('./ensure-server')
const { root, run, runMain, step } = require('./setup')

runMain(async () => {
  if (!ensureValgrind()) {
    step('skipped: valgrind is not on the PATH and could not be installed')
    return 0
  }
  const program = build()
  const rustc = said('rustc', ['--version']).trim()
  const counts = {}
  for (const name of said(program, []).trim().split('\n')) counts[name] = countOf(program, name)
  const recorded = JSON.parse(fs.readFileSync(RECORD, 'utf8'))
  if (process.argv.includes('--write')) {
    fs.writeFileSync(RECORD, JSON.stringify({ rustc, counts }, null, 2) + '\n')
    step(`wrote ${path.relative(root, RECORD)}`)
  }
  const slower = show(counts, recorded.counts)
  if (recorded.rustc !== rustc) {
    step(`not compared: the record is of ${recorded.rustc}, this is ${rustc}`)
    return 0
  }
  if (slower.length > 0) step(`more than ${MORE * 100} % more instructions: ${slower.join(', ')}`)
  return slower.length > 0 && !process.argv.includes('--write') ? 1 : 0
})

/** Whether valgrind is there. Where root may install packages of Debian, it is installed. */
function ensureValgrind () {
  if (onPath('valgrind')) return true
  if (!onPath('apt-get') || process.getuid?.() !== 0) return false
  step('installing valgrind with apt-get')
  const script = 'apt-get update -q && apt-get install -q -y --no-install-recommends valgrind'
  run('/bin/sh', ['-c', script], { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  return Boolean(onPath('valgrind'))
}

/** Builds the bench as it is measured. Returns the program. */
function build () {
  step('building the bench')
  const args = ['bench', '--no-default-features', '--bench', 'instructions', '--no-run',
    '--message-format=json']
  const lines = said('cargo', args).split('\n').filter(line => line.startsWith('{'))
  const { executable } = lines.map(line => JSON.parse(line))
    .find(({ target, executable }) => executable && target.name === 'instructions')
  return executable
}

/** Instructions per reply or command: the difference of two runs, without what surrounds them. */
function countOf (program, name) {
  const [none, some] = [0, STEPS].map(steps => {
    const { status, stderr } = spawnSync('valgrind',
      ['--tool=callgrind', '--callgrind-out-file=/dev/null', program, name, String(steps)],
      { encoding: 'utf8' })
    const collected = /Collected : (\d+)/.exec(stderr)
    if (status !== 0 || !collected) throw new Error(`callgrind failed for ${name}: ${stderr}`)
    return Number(collected[1])
  })
  return Math.round((some - none) / (STEPS * ITEMS) * 10) / 10
}

/** Prints a line for each case. Returns the names of those that take more than before. */
function show (counts, recorded) {
  const slower = []
  for (const [name, count] of Object.entries(counts)) {
    const ratio = count / recorded[name]
    if (ratio > 1 + MORE) slower.push(name)
    const change = Number.isNaN(ratio) ? 'new' : `${((ratio - 1) * 100).toFixed(1)} %`
    const cells = [count.toFixed(1), change].map(cell => cell.padStart(10))
    process.stdout.write(`${name.padEnd(40)}${cells.join('')}\n`)
  }
  return slower
}

/** What a program prints. Throws with its error output if it fails. */
function said (program, args) {
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 }
  const { status, stdout, stderr, error } = spawnSync(program, args, options)
  if (status === 0) return stdout
  throw error ?? new Error(`${program} ${args.join(' ')}: ${stderr}`)
}

const RECORD = path.join(root, 'bench', 'results', 'instructions.json')
/** How many steps are counted, and how many replies or commands one has, as in benches/. */
const STEPS = 20
const ITEMS = 1000
/** What a compiler's mood or the placing of code does not explain. */
const MORE = 0.05
