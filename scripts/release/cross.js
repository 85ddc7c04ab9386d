'use strict'

// Builds the addon for other systems than this one, with zig as the linker and C compiler.
//
//   node scripts/release/cross.js linux-arm64-musl folder     writes the addon into the folder
//
// Needs rustup and Python 3 with venv, nothing else: zig comes from PyPI. A release builds its
// Linux addons so; its macOS and Windows addons are built on such systems.

const { execFileSync, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { SetupError, root, runMain, step } = require('../setup')

const TOOLS = path.join(root, 'target', 'cross-tools')
// Versions that have built all of the targets below.
const PYTHON_PACKAGES = ['ziglang==0.15.2', 'cargo-zigbuild==0.24.1']

/**
 * How each platform is built here. glibc 2.17 is that of RHEL 7; everything that Node 20 runs on
 * has that or a later one. Windows: the addon that is published is of MSVC; that of MinGW shows
 * that the code works there, and can be built anywhere.
 */
const TARGETS = {
  'linux-x64-gnu': { triple: 'x86_64-unknown-linux-gnu', suffix: '.2.17', made: 'liboxidis.so' },
  'linux-x64-musl': { triple: 'x86_64-unknown-linux-musl', made: 'liboxidis.so' },
  'linux-arm64-gnu': { triple: 'aarch64-unknown-linux-gnu', suffix: '.2.17', made: 'liboxidis.so' },
  'linux-arm64-musl': { triple: 'aarch64-unknown-linux-musl', made: 'liboxidis.so' },
  'win32-x64-msvc': { triple: 'x86_64-pc-windows-gnu', made: 'oxidis.dll' }
}

/** Builds the addon of platform `name` into `folder`. Returns its path. */
function build (name, folder) {
  if (TARGETS[name] === undefined) {
    throw new SetupError(`${name} is not built here, only ${Object.keys(TARGETS).join(', ')}`)
  }
  const { triple, suffix = '', made } = TARGETS[name]
  const env = environment()
  step(`building ${name} (${triple}${suffix})`)
  if (triple.endsWith('windows-gnu')) env.LIBNODE_PATH = stubOfLibnode(env)
  const args = ['zigbuild', '--release', '--locked', '--target', triple + suffix]
  const { status } = spawnSync('cargo-zigbuild', args,
    { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new SetupError(`the addon for ${name} did not build, see above`)
  const target = path.join(root, 'target', triple, 'release', made)
  const addon = path.join(folder, `oxidis.${name}.node`)
  fs.mkdirSync(folder, { recursive: true })
  fs.copyFileSync(target, addon)
  if (suffix !== '') refuseNewer(addon, suffix.slice(1))
  return addon
}

/** Checks what the Windows and macOS addons are compiled from, as far as no linker is needed. */
function check (triple) {
  step(`checking ${triple}`)
  const env = environment()
  if (triple.endsWith('windows-gnu')) env.LIBNODE_PATH = stubOfLibnode(env)
  addTarget(triple)
  const args = ['clippy', '--locked', '--target', triple, '--', '-D', 'warnings']
  return spawnSync('cargo-zigbuild', args,
    { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0
}

/** The environment in which cargo finds zig, and has what all targets need. */
function environment () {
  const bin = path.join(TOOLS, 'bin')
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` }
  delete env.CARGO_BUILD_TARGET
  if (!fs.existsSync(path.join(bin, 'cargo-zigbuild'))) {
    step('installing zig and cargo-zigbuild')
    execFileSync('python3', ['-m', 'venv', TOOLS], { stdio: 'inherit' })
    execFileSync(path.join(bin, 'pip'), ['install', '--quiet', ...PYTHON_PACKAGES],
      { stdio: 'inherit' })
  }
  for (const { triple } of Object.values(TARGETS)) addTarget(triple)
  return env
}

function addTarget (triple) {
  const installed = execFileSync('rustup', ['target', 'list', '--installed'], { encoding: 'utf8' })
  if (installed.split('\n').includes(triple)) return
  execFileSync('rustup', ['target', 'add', triple], { stdio: 'inherit' })
}

/**
 * MinGW's linker wants a libnode to link with, and napi-rs's build script looks for its DLL. The
 * addon finds the functions of Node-API at run time, in the program that loads it, so an empty
 * library will do.
 */
function stubOfLibnode (env) {
  const folder = path.join(TOOLS, 'libnode')
  const library = path.join(folder, 'libnode.a')
  if (fs.existsSync(library)) return folder
  fs.mkdirSync(folder, { recursive: true })
  const [source, object] = ['libnode.c', 'libnode.o'].map(file => path.join(folder, file))
  fs.writeFileSync(source, 'int oxidis_stub;\n')
  fs.writeFileSync(path.join(folder, 'libnode.dll'), '')
  const zig = (...args) =>
    execFileSync('python3', ['-m', 'ziglang', ...args], { env, stdio: 'inherit' })
  zig('cc', '-target', 'x86_64-windows-gnu', '-c', '-o', object, source)
  zig('ar', 'rc', library, object)
  return folder
}

/** Fails if an addon needs a later glibc than it was built for. */
function refuseNewer (addon, wanted) {
  const found = fs.readFileSync(addon, 'latin1').match(/GLIBC_2\.\d+/g) ?? []
  const [, newest] = wanted.split('.').map(Number)
  const later = found.find(version => Number(version.split('.')[1]) > newest)
  if (later !== undefined) throw new SetupError(`${addon} needs ${later}, not ${wanted} alone`)
}

module.exports = { TARGETS, build, check }

if (require.main === module) {
  runMain(() => { build(process.argv[2], path.resolve(process.argv[3] ?? 'artifacts')) })
}
