'use strict'

// `npm run release:try`: builds, packs, installs and runs what a release would bring to its users.
//
//   npm run release:try               all platforms that can be built here, ten minutes or more
//   npm run release:try -- --host     the addon of this checkout, for this system only; CI runs it
//   npm run release:try -- --only=linux-x64-musl
//   npm run release:try -- --only=linux-x64-musl --addons=folder     of addons that are built
//   npm run release:try -- --check    clippy for Windows and macOS
//   npm run release:try -- --host --packed     what is in target/packages, instead of building
//   npm run release:try -- --host --server=redis://127.0.0.1:6379     instead of its own server
//   npm run release:try -- --host --no-server  only loads oxidis, and has a connection refused
//
// Every package is installed by npm into an empty folder, from a registry on 127.0.0.1 that has
// nothing but what was packed. The program that is run there sees nothing else of the checkout.

const { spawn } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const { SetupError, ensurePackages, root, runMain, setup, step } = require('../setup')
const { startServer } = require('../../__test__/support/redis-server')
const cross = require('./cross')
const { OUTPUT, pack } = require('./pack')
const { hostName } = require('./platforms')
const { startRegistry } = require('./registry')
const { WINE, runtimesFor } = require('./runtimes')

const OPTIONS = ['host', 'packed', 'check', 'addons', 'only', 'server', 'no-server']
const ADDONS = path.join(root, 'target', 'addons')
/** An emulator may take a minute for what takes a second. */
const LONGEST = 300_000

runMain(async () => {
  const options = parse(process.argv.slice(2))
  if (options.check) return checkOthers()
  const host = hostName()
  const names = options.host ? [host] : options.only?.split(',') ?? Object.keys(cross.TARGETS)
  if (!options.packed) {
    ensurePackages(root)
    const addons = path.resolve(options.addons ?? ADDONS)
    if (options.host) takeBuilt(host, addons)
    else if (options.addons === undefined) for (const name of names) cross.build(name, addons)
    step('packing')
    pack(addons, names)
  }
  const server = await serverFor(options)
  const results = await tryAll(names, host, server.url).finally(server.stop)
  for (const { text } of results) process.stdout.write(`${text}\n`)
  const isGood = results.every(({ ok }) => ok) && results.some(({ ran }) => ran)
  process.stdout.write(isGood ? 'release:try: everything that could be run works\n'
    : 'release:try: FAILED\n')
  return isGood ? 0 : 1
})

function parse (args) {
  const options = {}
  for (const arg of args) {
    const [, name, value] = /^--([a-z-]+)(?:=(.*))?$/.exec(arg) ?? []
    const isText = ['addons', 'only', 'server'].includes(name)
    if (!OPTIONS.includes(name) || (value !== undefined) !== isText) {
      throw new SetupError(`unknown option ${arg}, known are --${OPTIONS.join(', --')}`)
    }
    options[name] = value ?? true
  }
  return options
}

/** The server that the smoke test uses: `{ url, stop }`. Without a URL there is none. */
async function serverFor (options) {
  const stop = async () => {}
  if (options['no-server']) return { stop }
  if (options.server !== undefined) return { url: options.server, stop }
  const server = await startServer()
  return { url: `redis://127.0.0.1:${server.port}`, stop: () => server.stop() }
}

/** The platforms of which only the code can be checked here, and no addon be made. */
function checkOthers () {
  const failed = ['x86_64-pc-windows-gnu', 'aarch64-apple-darwin'].filter(one => !cross.check(one))
  for (const triple of failed) process.stderr.write(`clippy complains for ${triple}\n`)
  return failed.length === 0 ? 0 : 1
}

/** The addon that `npm run build` has made here; it is built if the sources are newer. */
function takeBuilt (name, addons) {
  setup()
  fs.mkdirSync(addons, { recursive: true })
  const file = `oxidis.${name}.node`
  fs.copyFileSync(path.join(root, file), path.join(addons, file))
}

async function tryAll (names, host, url) {
  const registry = await startRegistry(OUTPUT)
  const results = []
  try {
    for (const name of names) {
      const folder = await install(name, registry.url)
      try {
        const runtimes = runtimesFor(name)
        if (name === host) {
          runtimes.unshift({ name: `Node.js ${process.version}`, command: [process.execPath] })
        }
        for (const runtime of runtimes) {
          results.push(await trial(name, runtime, folder, url))
        }
        if (runtimes.length === 0) {
          results.push({ ok: true, text: `skipped: ${name}: nothing here can run it` })
        }
      } finally {
        fs.rmSync(folder, { recursive: true, force: true })
      }
    }
  } finally {
    registry.close()
  }
  return results
}

/** Installs oxidis for platform `name` into an empty folder, as its users will. */
async function install (name, url) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'oxidis-trial-'))
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
  const [system, cpu, abi] = name.split('-')
  const libc = { gnu: ['--libc=glibc'], musl: ['--libc=musl'] }[abi] ?? []
  // The registry is in this process, so npm must not block it.
  const { status, text } = await run(['npm', 'install', 'oxidis', `--os=${system}`,
    `--cpu=${cpu}`, ...libc, `--registry=${url}`, `--cache=${path.join(folder, '.cache')}`,
    '--no-audit', '--no-fund', '--loglevel=error'], folder)
  if (status !== 0) throw new Error(`npm could not install oxidis for ${name}: ${text}`)
  fs.rmSync(path.join(folder, '.cache'), { recursive: true, force: true })
  const installed = fs.readdirSync(path.join(folder, 'node_modules', '@oxidis'))
  if (installed.join() !== `binding-${name}`) {
    throw new Error(`npm installed ${installed.join(', ') || 'no addon'} for ${name}`)
  }
  fs.copyFileSync(path.join(__dirname, 'smoke.cjs'), path.join(folder, 'smoke.cjs'))
  return folder
}

async function trial (name, runtime, folder, url) {
  const { command, reason } = runtime
  const what = `${name}, ${runtime.name}`
  if (reason !== undefined) return { ok: true, text: `skipped: ${what}: ${reason}` }
  const started = performance.now()
  const output = await run([...command, 'smoke.cjs', ...url === undefined ? [] : [url]], folder)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const ok = output.status === 0 && output.text.includes('smoke: ok')
  const text = ok ? `ok: ${what} (${seconds} s)` : `FAILED: ${what}: ${output.text}`
  return { ok, ran: true, text }
}

/** Runs a program to its end, which has to come by itself. */
function run ([program, ...args], cwd) {
  return new Promise(resolve => {
    const env = { ...process.env, ...WINE, NO_COLOR: '1' }
    // npm is a script on Windows, which only a shell runs.
    const shell = process.platform === 'win32' && program === 'npm'
    // A file, because Node uses sockets in place of pipes, and wine takes none for output.
    const file = path.join(cwd, 'output.txt')
    const output = fs.openSync(file, 'w')
    const child = spawn(program, args, { cwd, env, shell, stdio: ['ignore', output, output] })
    let end = ''
    const timer = setTimeout(() => {
      end = `\nit did not end within ${LONGEST / 1000} s`
      child.kill('SIGKILL')
    }, LONGEST)
    child.once('error', error => { end += error.message })
    child.once('close', status => {
      clearTimeout(timer)
      fs.closeSync(output)
      resolve({ status, text: fs.readFileSync(file, 'utf8') + end })
    })
  })
}
