'use strict'

// Loads the native half of oxidis: one `.node` file for this platform.
//
// Looks beside package.json first (a build of this checkout), then in the prebuilt package of
// this platform. It never starts a child process, never reads an environment variable and never
// looks anywhere else, so what is loaded depends on the installation alone. Loading starts no
// thread: the addon's runtime begins with the first connection.

const fs = require('node:fs')
const path = require('node:path')

const platform = platformName()
const local = path.join(__dirname, '..', `oxidis.${platform}.node`)
const prebuilt = `@oxidis/binding-${platform}`

module.exports = fs.existsSync(local) ? require(local) : loadPrebuilt()

function loadPrebuilt () {
  try {
    return require(prebuilt)
  } catch (cause) {
    // Anything but "the package is not there" is the addon's own failure (a missing system
    // library, say): its message is the useful one.
    if (cause.code !== 'MODULE_NOT_FOUND' || !cause.message.includes(prebuilt)) throw cause
    const error = new Error(
      `the native part of oxidis for ${platform} is missing: run \`npm run build\` in ` +
      `${path.dirname(local)} (needs a Rust toolchain, https://rustup.rs), or install ${prebuilt}`,
      { cause }
    )
    error.code = 'NATIVE_ADDON_MISSING'
    throw error
  }
}

// The names that napi-rs gives its artifacts: linux-x64-gnu, darwin-arm64, win32-x64-msvc ...
function platformName () {
  const { platform, arch } = process
  if (platform === 'win32') return `${platform}-${arch}-msvc`
  if (platform !== 'linux') return `${platform}-${arch}`
  const abi = usesMusl() ? 'musl' : 'gnu'
  return arch === 'arm' ? `${platform}-${arch}-${abi}eabihf` : `${platform}-${arch}-${abi}`
}

// Node reports the version of glibc it runs on; on musl there is none to report. The network
// part of the report would look up every open socket's host name, so it is left out.
function usesMusl () {
  const before = process.report.excludeNetwork
  process.report.excludeNetwork = true
  try {
    return process.report.getReport().header.glibcVersionRuntime === undefined
  } finally {
    process.report.excludeNetwork = before
  }
}
