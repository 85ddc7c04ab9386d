'use strict'

// `npm test`: everything a contributor can break, from a fresh clone, with one command.
//
//   npm test                       Rust tests, then JavaScript tests
//   npm test -- --js               only JavaScript (--rust: only Rust)
//   npm test -- hash reconnect     only JavaScript tests whose path contains one of the words
//   npm test -- --test-name-pattern=...   further options of `node --test`
//
// Sets up what is missing first: packages, addon, a server program. Tests start their own servers.

const fs = require('node:fs')
const path = require('node:path')

const { ensureServer } = require('./ensure-server')
const { checkNode, ensureCargo, root, run, runMain, setup, step } = require('./setup')

runMain(() => {
  const chosen = parse(process.argv.slice(2))
  const results = []
  checkNode()
  if (chosen.rust) results.push(['rust', testRust()])
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
function testRust () {
  ensureCargo()
  step('cargo test')
  return run('cargo', ['test', '--locked', '--no-default-features'])
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

// A file that hangs must end before the machine that runs it gives up; none needs a minute.
const FILE_TIMEOUT = 300_000
