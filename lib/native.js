'use strict'

/*
 * Loads the native half of oxidis: one `.node` file for this platform.
 *
 * Looks beside package.json first (a build of a checkout), then in the package of this platform,
 * which the package manager has installed as an optional dependency. It starts no child process,
 * reads no environment variable and looks nowhere else, so what is loaded depends on the
 * installation alone. Loading starts no thread: the addon's runtime begins with the first
 * connection.
 *
 * Invariant: an addon of another version is never used, for the two halves change together.
 */

const fs = require('node:fs')
const { createRequire } = require('node:module')
const path = require('node:path')

const VERSION = require('./version')

module.exports = load()

function load () {
  const names = candidates()
  const tried = []
  const note = (what, error) => { tried.push({ what, error }) }
  for (const name of names) {
    const addon = localBuild(name, note) ?? installed(name, note)
    if (addon !== undefined) return addon
  }
  throw require('./native-failure').failure(names, tried)
}

/** The build of a checkout. Undefined if there is none. */
function localBuild (name, note) {
  // A bundle in the form of an ES module has no `__dirname`, and no build beside it either.
  if (typeof __dirname !== 'string') return undefined
  const file = path.join(__dirname, '..', `oxidis.${name}.node`)
  if (!isThere(file)) return undefined
  // A `require` of its own hides the path of a checkout from bundlers.
  try { return sameVersion(createRequire(__filename)(file)) } catch (error) { note(file, error) }
}

/**
 * The addon of an installed package. Undefined if that cannot be loaded.
 *
 * Each package has a `require` with its name written out, in a `try` of its own. So file tracing
 * and bundlers find it, and they let a package be missing.
 */
function installed (name, note) {
  const failed = error => note(`@oxidis/binding-${name}`, error)
  switch (name) {
    case 'linux-x64-gnu':
      try {
        return sameVersion(require('@oxidis/binding-linux-x64-gnu'))
      } catch (error) { return failed(error) }
    case 'linux-x64-musl':
      try {
        return sameVersion(require('@oxidis/binding-linux-x64-musl'))
      } catch (error) { return failed(error) }
    case 'linux-arm64-gnu':
      try {
        return sameVersion(require('@oxidis/binding-linux-arm64-gnu'))
      } catch (error) { return failed(error) }
    case 'linux-arm64-musl':
      try {
        return sameVersion(require('@oxidis/binding-linux-arm64-musl'))
      } catch (error) { return failed(error) }
    case 'darwin-x64':
      try {
        return sameVersion(require('@oxidis/binding-darwin-x64'))
      } catch (error) { return failed(error) }
    case 'darwin-arm64':
      try {
        return sameVersion(require('@oxidis/binding-darwin-arm64'))
      } catch (error) { return failed(error) }
    case 'win32-x64-msvc':
      try {
        return sameVersion(require('@oxidis/binding-win32-x64-msvc'))
      } catch (error) { return failed(error) }
    case 'win32-arm64-msvc':
      try {
        return sameVersion(require('@oxidis/binding-win32-arm64-msvc'))
      } catch (error) { return failed(error) }
  }
}

function sameVersion (addon) {
  // Builds that are older than this check have no such function.
  const version = typeof addon.version === 'function' ? addon.version() : 'without a number'
  if (version === VERSION) return addon
  throw Object.assign(new Error(`its version is ${version}, that of oxidis is ${VERSION}`), {
    code: 'NATIVE_ADDON_VERSION'
  })
}

/**
 * The names that napi-rs gives to what may run here, the likeliest first: linux-x64-gnu,
 * darwin-arm64, win32-x64-msvc ...
 */
function candidates () {
  const { platform, arch } = process
  if (platform === 'win32') return [`${platform}-${arch}-msvc`]
  if (platform !== 'linux') return [`${platform}-${arch}`]
  const end = arch === 'arm' ? 'eabihf' : ''
  if (usesMusl()) return [`${platform}-${arch}-musl${end}`]
  // The second one is for systems that keep the loader of musl in an unusual place.
  return [`${platform}-${arch}-gnu${end}`, `${platform}-${arch}-musl${end}`]
}

/**
 * Whether Node runs on musl. Only where the loader of musl is in its usual place is Node's report
 * asked, which takes 2 to 32 ms, and which Deno allows with --allow-sys only.
 */
function usesMusl () {
  const machine = { x64: 'x86_64', arm64: 'aarch64', arm: 'armhf', ia32: 'i386' }[process.arch]
  if (!isThere(`/lib/ld-musl-${machine ?? process.arch}.so.1`)) return false
  try {
    return require('./native-failure').glibcVersion() === undefined
  } catch {
    return false
  }
}

/** A runtime may refuse to look outside of its folders, which is no answer. */
function isThere (file) {
  try {
    return fs.existsSync(file)
  } catch {
    return false
  }
}
