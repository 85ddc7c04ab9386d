'use strict'

// `npm test`: everything a contributor can break, from a fresh clone, with one command.
//
//   npm test                       Rust tests, then JavaScript tests
//   npm test -- --js               only JavaScript (--rust: only Rust)
//   npm test -- hash reconnect     only JavaScript tests whose path contains one of the words
//   npm test -- --test-name-pattern=...   further options of `node --test`
//
// Sets up what is missing first: packages, addon, a server program. Tests start their own servers.

const { spawn } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { ensureServer } = require('./ensure-server')
const { checkNode, ensureCargo, root, run, runMain, setup, step } = require('./setup')

runMain(async () => {
  const chosen = parse(process.argv.slice(2))
  const results = []
  checkNode()
  if (chosen.rust) results.push(['rust', await testRust()])
  if (chosen.js) results.push(['javascript', testJavaScript(chosen)])
  const summary = results.map(([name, status]) => `${name} ${status === 0 ? 'passed' : 'FAILED'}`)
  process.stdout.write(`\nnpm test: ${summary.join(', ')}\n`)
  return results.find(([, status]) => status !== 0)?.[1] ?? 0
})

function parse (args) {
  const words = args.filter(arg => !arg.startsWith('-'))
  const options = args.filter(arg => arg.startsWith('--test-'))
  const unknown = args.find(arg =>
    arg.startsWith('-') && !arg.startsWith('--test-') && arg !== '--js' && arg !== '--rust')
  if (unknown) throw new Error(`unknown option ${unknown}, known are --js, --rust and --test-*`)
  const onlyJs = args.includes('--js') || words.length > 0 || options.length > 0
  return { rust: !onlyJs, js: onlyJs || !args.includes('--rust'), words, options }
}

// Without the N-API feature the crate links without Node, as tests need it to.
async function testRust () {
  ensureCargo()
  step('cargo test')
  const test = ['test', '--locked', '--no-default-features']
  const built = run('cargo', [...test, '--no-run'])
  return built === 0 ? runWithin(RUST_TIMEOUT, 'cargo', test) : built
}

/**
 * Runs a program with this terminal as its output, and ends it with all that it started after
 * `limit` ms. Resolves to the exit status.
 */
function runWithin (limit, program, args) {
  // A group of its own, where there are groups: ending cargo alone leaves the test running.
  const isGroup = process.platform !== 'win32'
  const child = spawn(program, args, {
    cwd: root, stdio: ['ignore', 'inherit', 'inherit'], detached: isGroup
  })
  const end = () => isGroup ? process.kill(-child.pid, 'SIGKILL') : child.kill()
  const timer = setTimeout(() => {
    process.stderr.write(`\n${program} ${args[0]}: not done after ${limit / 1000} s, ended\n`)
    end()
  }, limit)
  const interrupted = signal => { end(); process.exit(signal === 'SIGINT' ? 130 : 143) }
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', status => {
      clearTimeout(timer)
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
      resolve(status ?? 1)
    })
  })
}

function testJavaScript ({ words, options }) {
  setup()
  const server = ensureServer()
  const files = specs(path.join(root, '__test__')).map(file => path.relative(root, file))
    .filter(file => words.length === 0 || words.some(word => file.includes(word)))
  if (files.length === 0) throw new Error(`no test file matches ${words.join(' ')}`)
  step(`node --test, ${files.length} files, with ${server}`)
  const flags = ['--test', '--test-reporter=spec', `--test-timeout=${FILE_TIMEOUT}`, ...options]
  return run(process.execPath, [...flags, ...files], {
    env: { ...process.env, OXIDIS_TEST_SERVER: server }
  })
}

function specs (folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const place = path.join(folder, entry.name)
    if (entry.isDirectory()) return specs(place)
    return entry.name.endsWith('.spec.js') ? [place] : []
  }).sort()
}

// A Rust test that blocks its thread has no other bound; all together need less than a minute.
const RUST_TIMEOUT = 900_000

// A file that hangs must end before the machine that runs it gives up; none needs a minute.
const FILE_TIMEOUT = 300_000
