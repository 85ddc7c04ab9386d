'use strict'

// `npm test`: everything a contributor can break, from a fresh clone, with one command.
//
//   npm test                       Rust tests, then JavaScript tests
//   npm test -- --js               only JavaScript (--rust: only Rust)
//   npm test -- --quick            without faults, clusters, builds: `npm run test:quick`
//   npm test -- hash reconnect     only JavaScript tests whose path contains one of the words
//   npm test -- --test-name-pattern=...   further options of `node --test`
//
// Sets up what is missing first: packages, addon, a server program. Tests start their own servers.

const { spawn } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const { ensureServer } = require('./ensure-server')
const { checkNode, ensureCargo, root, run, runMain, setup, step } = require('./setup')

runMain(async () => {
  const chosen = parse(process.argv.slice(2))
  const results = []
  checkNode()
  if (chosen.rust) results.push(await timed('rust', testRust))
  if (chosen.js) results.push(await timed('javascript', () => testJavaScript(chosen)))
  const summary = results.map(({ name, status, seconds }) =>
    `${name} ${status === 0 ? 'passed' : 'FAILED'} in ${seconds} s`)
  process.stdout.write(`\nnpm test: ${summary.join(', ')}\n`)
  return results.find(({ status }) => status !== 0)?.status ?? 0
})

function parse (args) {
  const words = args.filter(arg => !arg.startsWith('-'))
  const options = args.filter(arg => arg.startsWith('--test-'))
  const unknown = args.find(arg =>
    arg.startsWith('-') && !arg.startsWith('--test-') && !OWN_OPTIONS.includes(arg))
  if (unknown) {
    throw new Error(`unknown option ${unknown}, known are ${OWN_OPTIONS.join(', ')} and --test-*`)
  }
  const onlyJs = args.includes('--js') || words.length > 0 || options.length > 0
  return {
    rust: !onlyJs, js: onlyJs || !args.includes('--rust'), quick: args.includes('--quick'),
    words, options
  }
}

async function timed (name, test) {
  const started = performance.now()
  const status = await test()
  return { name, status, seconds: Math.round((performance.now() - started) / 1000) }
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

function testJavaScript ({ words, options, quick }) {
  setup()
  const server = ensureServer()
  const all = specs(path.join(root, '__test__')).map(file => path.relative(root, file))
    .filter(file => words.length === 0 || words.some(word => file.includes(word)))
  const files = quick ? all.filter(file => !needsFaultOrCluster(file)) : all
  if (files.length === 0) throw new Error(`no test file matches ${words.join(' ')}`)
  const atOnce = filesAtOnce()
  step(`node:test, ${files.length} files, ${atOnce} at once, with ${server}`)
  const leftOut = all.filter(file => !files.includes(file))
  if (quick) process.stdout.write(describeLeftOut(leftOut))
  const runner = options.length === 0
    ? [path.join(__dirname, 'test-files.js'), atOnce, FILE_TIMEOUT, ...longestFirst(files)]
    : ['--test', ...flags(atOnce, options), ...files]
  const status = run(process.execPath, ['--require', UNWATCHED, ...runner.map(String)], {
    env: { ...process.env, OXIDIS_TEST_SERVER: server }
  })
  if (leftOut.length > 0) {
    process.stdout.write(`left out: ${leftOut.length} files: a fault, a cluster or a build\n`)
  }
  return status
}

function specs (folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const place = path.join(folder, entry.name)
    // A folder with packages of its own has a command of its own (`npm run test:environments`).
    if (entry.isDirectory()) {
      return fs.existsSync(path.join(place, 'package.json')) ? [] : specs(place)
    }
    return entry.name.endsWith('.spec.js') ? [place] : []
  }).sort()
}

/** Whether a quick run leaves a test file out. */
function needsFaultOrCluster (file) {
  const [, folder] = file.split(path.sep)
  if (FAULTS_AND_CLUSTERS.folders.includes(folder)) return true
  const text = fs.readFileSync(path.join(root, file), 'utf8')
  return FAULTS_AND_CLUSTERS.modules.some(name => text.includes(`/${name}')`)) ||
    FAULTS_AND_CLUSTERS.files.includes(path.basename(file))
}

function describeLeftOut (files) {
  const counts = FAULTS_AND_CLUSTERS.folders.flatMap(folder => {
    const count = files.filter(file => file.split(path.sep)[1] === folder).length
    return count === 0 ? [] : [`  __test__/${folder}/, ${count} files\n`]
  })
  const others = files.filter(file =>
    !FAULTS_AND_CLUSTERS.folders.includes(file.split(path.sep)[1]))
  return ['left out, because it needs a fault, a cluster or a build:\n', ...counts,
    ...others.map(file => `  ${file}\n`)].join('')
}

/** So that no long file is still under way when all others are done. */
function longestFirst (files) {
  const long = LONGEST.map(name => path.join('__test__', ...name.split('/')))
  const gone = long.filter(file => !fs.existsSync(path.join(root, file)))
  if (gone.length > 0) throw new Error(`LONGEST in scripts/test.js names ${gone}, which are gone`)
  const others = files.filter(file => !long.includes(file))
  return [...long.filter(file => files.includes(file)), ...others]
}

/** The options of `node --test`; later ones overrule earlier ones. */
function flags (atOnce, options) {
  const own = [`--test-timeout=${FILE_TIMEOUT}`]
  if (knowsConcurrency()) own.push(`--test-concurrency=${atOnce}`)
  // Whoever chooses a reporter gets that one alone.
  if (options.some(option => option.startsWith('--test-reporter'))) return [...own, ...options]
  const reporters = ['spec', path.join(__dirname, 'slowest-files.js')]
  return [...own, ...reporters.flatMap(reporter =>
    [`--test-reporter=${reporter}`, '--test-reporter-destination=stdout']), ...options]
}

/** Node 20.10 brought the option. Before, a core less than there are is used. */
function knowsConcurrency () {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return major > 20 || minor >= 10
}

/**
 * How many test files run at the same time. Most of them wait, for servers, deadlines and processes
 * that end, more than they compute.
 */
function filesAtOnce () {
  return os.availableParallelism() + 4
}

const OWN_OPTIONS = ['--js', '--rust', '--quick']

// What a quick run leaves out: folders, files that use one of these support modules, and files of
// which nothing else tells. The first of those starts a cluster for the examples of the documents,
// the others end threads and processes in the middle of a load.
const FAULTS_AND_CLUSTERS = {
  folders: ['cluster', 'faults', 'sentinel'],
  modules: ['fault-proxy', 'redis-cluster', 'redis-sentinel'],
  // Faults and clusters of their own making, files that are made of the whole tree, and a build.
  files: [
    'adding-a-command.spec.js', 'documents.spec.js', 'exit-crashes-process.spec.js',
    'old-value-after-a-loss.spec.js', 'old-value-in-a-cluster.spec.js', 'package.spec.js',
    'stale-counter.spec.js', 'terminated-worker-harms-others.spec.js',
    'unreachable-unexplained.spec.js', 'worker-termination-crashes.spec.js'
  ]
}

// What a test file may load first, to compute less.
const UNWATCHED = path.join(__dirname, 'unwatched-promises.js')

// The test files that take longest: the first of them wait, the others compute.
const LONGEST = [
  'faults/half-applied-session.spec.js', 'behaviour/stale-credentials.spec.js',
  'behaviour/exit-crashes-process.spec.js', 'faults/demoted-server-kept.spec.js',
  'sentinel/write-sent-to-replica.spec.js', 'sentinel/caller-stranded-by-failover.spec.js',
  'sentinel/doubled-incr-on-failover.spec.js', 'cache/old-value-after-a-loss.spec.js',
  'cluster/errors-while-slots-move.spec.js', 'doubled-incr-on-reset.spec.js',
  'behaviour/terminated-worker-harms-others.spec.js', 'ioredis/commands.spec.js',
  'commands/differential.spec.js', 'commands/multi.spec.js',
  'behaviour/foreign-reply-in-worker.spec.js', 'behaviour/foreign-reply-between-slices.spec.js',
  'commands/adding-a-command.spec.js', 'package.spec.js', 'documents.spec.js'
]

// A Rust test that blocks its thread has no other bound; all together need less than a minute.
const RUST_TIMEOUT = 900_000

// A file that hangs must end before the machine that runs it gives up. None needs a minute but the
// one that builds the addon, which took five where eight other processes wanted each core.
const FILE_TIMEOUT = 900_000
