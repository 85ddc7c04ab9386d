'use strict'

// The platforms that oxidis has packages for, as package.json tells napi-rs.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { root } = require('../setup')

/** `{ name, triple }` of each: what napi-rs calls it, and what Rust calls it. */
function platforms () {
  const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
  return manifest.napi.targets.map(triple => ({ name: nameOf(triple), triple }))
}

/** linux-x64-gnu for x86_64-unknown-linux-gnu, darwin-arm64 for aarch64-apple-darwin ... */
function nameOf (triple) {
  const [cpu, , system, abi] = triple.split('-')
  const arch = { x86_64: 'x64', aarch64: 'arm64' }[cpu]
  const os = system === 'windows' ? 'win32' : system
  return [os, arch, ...(abi === undefined ? [] : [abi])].join('-')
}

/** What napi-rs calls this system. */
function hostName () {
  const { platform, arch } = process
  if (platform === 'win32') return `win32-${arch}-msvc`
  if (platform !== 'linux') return `${platform}-${arch}`
  const { glibcVersionRuntime } = process.report.getReport().header
  return `linux-${arch}-${glibcVersionRuntime === undefined ? 'musl' : 'gnu'}`
}

/** Runs the build tool of napi-rs in the checkout. */
function napi (...args) {
  const cli = path.join(root, 'node_modules', '@napi-rs', 'cli')
  const { bin } = JSON.parse(fs.readFileSync(path.join(cli, 'package.json'), 'utf8'))
  execFileSync(process.execPath, [path.join(cli, bin.napi), ...args],
    { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] })
}

module.exports = { hostName, napi, platforms }
