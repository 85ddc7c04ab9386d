'use strict'

// Gets a checkout ready to run: npm packages, the native addon, nothing else.
//
// It runs before `npm install`, so it uses nothing but Node itself. Each step looks first and does
// only what is missing or stale. A step that cannot succeed throws a SetupError whose message says
// what to do. ensure-server.js is for the Redis server.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const root = path.join(__dirname, '..')

/** A missing prerequisite: the message is for the user, the stack is not. */
class SetupError extends Error {}

/** Brings the checkout's npm packages and its native addon up to date. */
function setup () {
  checkNode()
  ensurePackages(root)
  ensureAddon()
}

function checkNode () {
  const [major] = process.versions.node.split('.')
  if (Number(major) < 20) {
    throw new SetupError(`oxidis needs Node.js 20 or later, this is ${process.version}`)
  }
}

/** Runs `npm ci` unless `folder`/node_modules holds what its lockfile asks for. */
function ensurePackages (folder) {
  if (packagesAreCurrent(folder)) return
  const name = path.relative(root, folder) || 'oxidis'
  step(`installing the npm packages of ${name}`)
  const flags = ['ci', '--no-audit', '--no-fund', '--loglevel', 'error']
  if (npm(flags, { cwd: folder }) !== 0) {
    throw new SetupError(`npm ci failed in ${folder}, its output above says why`)
  }
}

// npm writes what it installed to node_modules/.package-lock.json. Versions are compared, not
// times: a fresh clone gives every file the same time.
function packagesAreCurrent (folder) {
  const wanted = readLock(path.join(folder, 'package-lock.json'))
  const installed = readLock(path.join(folder, 'node_modules', '.package-lock.json'))
  if (!wanted || !installed) return false
  return Object.entries(wanted).every(([place, entry]) =>
    place === '' || entry.optional || entry.peer || installed[place]?.version === entry.version)
}

function readLock (file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}

/** Builds the release addon unless it is newer than everything it is made from. */
function ensureAddon () {
  const built = fs.readdirSync(root).filter(name => /^oxidis\..*\.node$/.test(name))
    .map(name => modified(path.join(root, name)))
  const sources = ['src', 'Cargo.toml', 'Cargo.lock', 'build.rs'].map(name => path.join(root, name))
  if (built.length > 0 && Math.max(...built) >= Math.max(...sources.map(newest))) return
  step('building the native addon (a minute or two the first time)')
  build(['--release'])
}

/** Builds the addon with @napi-rs/cli. Never writes index.js or index.d.ts. */
function build (flags) {
  ensureCargo()
  const cli = path.join(root, 'node_modules', '@napi-rs', 'cli')
  const manifest = JSON.parse(fs.readFileSync(path.join(cli, 'package.json'), 'utf8'))
  const napi = path.join(cli, manifest.bin.napi)
  const made = path.join(root, 'target', 'addon')
  fs.rmSync(made, { recursive: true, force: true })
  const status = run(process.execPath, [
    napi, 'build', '--platform', '--no-js', '--output-dir', made, '--dts', 'binding.d.ts',
    ...flags, '--', '--locked'
  ])
  if (status !== 0) throw new SetupError('the native addon did not build, see the output above')
  // Renamed and never written in place: a process that has the old addon loaded keeps it, and one
  // that starts meanwhile finds either the old one or the new one.
  for (const name of fs.readdirSync(made)) {
    if (name.endsWith('.node')) fs.renameSync(path.join(made, name), path.join(root, name))
  }
}

function ensureCargo () {
  if (hasCargo()) return
  // rustup installs here, and adds it to the PATH of new shells only.
  process.env.PATH += path.delimiter + path.join(os.homedir(), '.cargo', 'bin')
  if (hasCargo()) return
  throw new SetupError(
    'cargo is not on the PATH: oxidis is built with a Rust toolchain (1.85 or later), ' +
    'install it from https://rustup.rs and run this again')
}

function hasCargo () {
  return spawnSync('cargo', ['--version'], { stdio: 'ignore' }).status === 0
}

function newest (place) {
  if (!fs.statSync(place).isDirectory()) return modified(place)
  return Math.max(0, ...fs.readdirSync(place).map(name => newest(path.join(place, name))))
}

function modified (file) {
  return fs.statSync(file).mtimeMs
}

/** Runs npm the way it was started, so that Windows needs no shell. Returns the exit status. */
function npm (args, options) {
  const cli = process.env.npm_execpath
  if (cli && /\.c?js$/.test(cli)) return run(process.execPath, [cli, ...args], options)
  return run('npm', args, { shell: process.platform === 'win32', ...options })
}

/** Runs a program with this terminal as its output. Returns the exit status, never throws. */
function run (program, args, options = {}) {
  const result = spawnSync(program, args, {
    cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options
  })
  if (result.error) process.stderr.write(`${program}: ${result.error.message}\n`)
  return result.status ?? 1
}

/** Prints one line of progress. */
function step (text) {
  process.stdout.write(`> ${text}\n`)
}

/** Runs `main` and ends the process with its exit code; a SetupError ends it with 1. */
function runMain (main) {
  Promise.resolve().then(main).then(code => { process.exitCode = code ?? 0 }, error => {
    process.stderr.write(`${error instanceof SetupError ? error.message : error?.stack}\n`)
    process.exitCode = 1
  })
}

module.exports = {
  SetupError, build, checkNode, ensureCargo, ensurePackages, npm, root, run, runMain, setup, step
}
