'use strict'

/*
 * The error when no native half of oxidis can be loaded.
 *
 * It says for which system one was looked for, what was tried, why each try failed, and what to do
 * about the usual causes. It never names a package that does not exist.
 */

const fs = require('node:fs')
const path = require('node:path')

const VERSION = require('./version')

/**
 * The error for the given tries.
 * @param {string[]} names what may run here, the likeliest first
 * @param {{ what: string, error: Error }[]} tried
 */
function failure (names, tried) {
  const [name] = names
  const known = names.filter(one => PLATFORMS.includes(one))
  // A second name is only noise, unless there is something to say about it.
  const worth = tried.filter(({ what, error }, index) =>
    index === 0 || !isMissing(what, error))
  const { code, text, remedies } = verdict(name, known, worth)
  const lines = [
    `${text} (${runtime()}, ${system()})`,
    ...titled('tried', worth.map(({ what, error }) => `${what}: ${reason(what, error)}`)),
    ...titled('what to do', remedies)
  ]
  // A package that is there and fails is the cause; that one is missing is no news.
  const cause = worth.find(({ what, error }) => !isMissing(what, error)) ?? worth[0]
  return Object.assign(new Error(lines.join('\n'), { cause: cause?.error }), { code })
}

function verdict (name, known, tried) {
  const failed = tried.filter(({ what, error }) => !isMissing(what, error))
  if (failed.some(({ error }) => error.code === 'NATIVE_ADDON_VERSION')) {
    return {
      code: 'NATIVE_ADDON_VERSION',
      text: 'the native part of oxidis is of another version than its JavaScript',
      remedies: failed.map(({ what }) => path.isAbsolute(what)
        ? 'in a checkout: run `npm run build`'
        : `install both again: \`npm install oxidis@${VERSION}\``)
    }
  }
  // That the addon of the other C library does not load says nothing.
  const own = failed.filter(({ what }) => what.includes(name))
  if (own.length > 0) {
    return {
      code: 'NATIVE_ADDON_UNLOADABLE',
      text: `the native part of oxidis for ${name} is installed, but cannot be loaded`,
      remedies: own.map(({ error }) => remedyFor(error))
    }
  }
  const code = 'NATIVE_ADDON_MISSING'
  if (known.length === 0) {
    return {
      code,
      text: `oxidis has no prebuilt addon for ${name}`,
      remedies: [
        `there are prebuilt ones for ${PLATFORMS.join(', ')}`,
        'a Rust toolchain builds one for other systems: `npm run build` in a checkout of oxidis'
      ]
    }
  }
  return {
    code,
    text: `the native part of oxidis for ${known[0]} is not installed`,
    remedies: missingRemedies(known[0])
  }
}

/** The usual causes of a package that is not there, the ones that can be seen first. */
function missingRemedies (name) {
  const install = `npm install ${flags(name)} oxidis@${VERSION}`
  const foreign = installedNames().filter(one => one !== name)
  const seen = foreign.length === 0
    ? []
    : [`there is ${foreign.map(one => `@oxidis/binding-${one}`).join(', ')}, so this folder was ` +
       `filled for another system: \`${install}\``]
  return [
    ...seen,
    'optional packages were left out: install without --omit=optional and --no-optional',
    'the lockfile was written on another system and lacks this one (npm issue 4828): remove ' +
      'node_modules and package-lock.json, and install again',
    'node_modules was copied from another system, into a container for instance: install there, ' +
      `or for it: \`${install}\``,
    'a bundler has left the addon out: docs/bundlers.md in the repository of oxidis says what to ' +
      'write for each',
    'this is a checkout: run `npm run build`, which needs a Rust toolchain'
  ]
}

function remedyFor (error) {
  const text = String(error.message)
  if (error.code === 'ERR_DLOPEN_DISABLED') {
    return 'the permission model keeps addons out: start Node.js with --allow-addons'
  }
  if (/GLIBC_[\d.]+' not found/.test(text)) {
    return `the system's C library is too old: oxidis needs ${OLDEST_GLIBC} or later`
  }
  if (OF_ANOTHER_SYSTEM.test(text)) {
    return 'the file is of another system, or damaged: remove node_modules and install again here'
  }
  return 'install again here; if that does not help, the first line above that tells why is the ' +
    'one to report'
}

/** What makes npm install for the system `name`, wherever it runs. */
function flags (name) {
  const [os, cpu, abi] = name.split('-')
  const libc = { gnu: ' --libc=glibc', musl: ' --libc=musl' }[abi] ?? ''
  return `--os=${os} --cpu=${cpu}${libc}`
}

/** The platforms whose packages lie beside this one. */
function installedNames () {
  try {
    const folder = path.join(__dirname, '..', '..', '@oxidis')
    return fs.readdirSync(folder).map(one => one.replace(/^binding-/, ''))
      .filter(one => PLATFORMS.includes(one))
  } catch {
    return []
  }
}

function isMissing (what, error) {
  const isNotFound = error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND'
  return isNotFound && String(error.message).includes(what)
}

function reason (what, error) {
  if (isMissing(what, error)) return 'not installed'
  return String(error.message).split('\n', 1)[0]
}

function titled (title, lines) {
  if (lines.length === 0) return []
  return [`${title}:`, ...[...new Set(lines)].map(line => `  - ${line}`)]
}

function runtime () {
  const { bun, deno, electron } = process.versions
  if (bun !== undefined) return `Bun ${bun}`
  if (deno !== undefined) return `Deno ${deno}`
  return electron === undefined ? `Node.js ${process.version}` : `Electron ${electron}`
}

function system () {
  const { platform, arch } = process
  if (platform !== 'linux') return `${platform} ${arch}`
  // Deno might ask its user for leave.
  if (process.versions.deno !== undefined) return `${platform} ${arch}`
  let libc
  try {
    const version = glibcVersion()
    libc = version === undefined ? 'musl' : `glibc ${version}`
  } catch {
    libc = 'C library unknown'
  }
  return `${platform} ${arch}, ${libc}`
}

/**
 * The version of glibc that Node runs on; undefined on musl. The network part of the report would
 * look up the host name of every open socket, so it is left out.
 */
function glibcVersion () {
  const before = process.report.excludeNetwork
  process.report.excludeNetwork = true
  try {
    return process.report.getReport().header.glibcVersionRuntime
  } finally {
    process.report.excludeNetwork = before
  }
}

/** What has a package. A test compares the list with the targets in package.json. */
const PLATFORMS = [
  'linux-x64-gnu', 'linux-x64-musl', 'linux-arm64-gnu', 'linux-arm64-musl', 'darwin-x64',
  'darwin-arm64', 'win32-x64-msvc', 'win32-arm64-msvc'
]
/** What the loaders of Windows, Linux and macOS say. */
const OF_ANOTHER_SYSTEM =
  /not a valid Win32|wrong ELF class|invalid ELF header|incompatible architecture/i
/** What the Linux packages are built against. */
const OLDEST_GLIBC = 'glibc 2.17'

module.exports = { PLATFORMS, failure, glibcVersion }
