'use strict'

// Packages that stand in for other clients: the folders of packages/. Each is what its own
// package.json says, of a version that is made of oxidis's own, and depends on exactly that oxidis.
//
// A folder with paths.json gets a file for each path in it, which exports all that oxidis exports.
// Where a name stands beside the path, it is the default export too.

const fs = require('node:fs')
const path = require('node:path')

const { root } = require('../setup')

const SOURCES = path.join(root, 'packages')

/** The folders of packages/ that are packed. */
function standIns () {
  if (!fs.existsSync(SOURCES)) return []
  return fs.readdirSync(SOURCES).filter(name =>
    fs.existsSync(path.join(SOURCES, name, 'package.json')))
}

/** Writes one into `output` and returns its folder. */
function writeStandIn (name, version, output) {
  const from = path.join(SOURCES, name)
  const folder = path.join(output, `oxidis-${name}`)
  fs.cpSync(from, folder, { recursive: true })
  fs.copyFileSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'))
  const manifest = JSON.parse(fs.readFileSync(path.join(from, 'package.json'), 'utf8'))
  writeJson(path.join(folder, 'package.json'), {
    ...manifest, version: versionOf(version), dependencies: { oxidis: version }
  })
  const paths = path.join(folder, 'paths.json')
  if (fs.existsSync(paths)) {
    const table = JSON.parse(fs.readFileSync(paths, 'utf8'))
    fs.rmSync(paths)
    for (const [place, name] of Object.entries(table)) writePath(path.join(folder, place), name)
  }
  listNames(path.join(folder, manifest.main))
  return folder
}

/**
 * The version of a stand-in: 6.101.0 for oxidis 0.1.0, 6.203.4 for 1.3.4. The first number is that
 * of the API. The second is above all that the package it stands in for will reach, so that a range
 * such as ^6.3.0 accepts it, and grows with oxidis's version.
 */
function versionOf (version) {
  const [, major, minor, rest] = /^(\d+)\.(\d+)\.(.*)$/.exec(version)
  return `6.${100 * (Number(major) + 1) + Number(minor)}.${rest}`
}

// ES modules may import the names that Node.js finds in the text of a CommonJS module. That of a
// stand-in says `module.exports = require('oxidis')` or the like, and the names do not stand there
// one by one either. So they are listed behind it, in an expression that never runs.
function listNames (file) {
  const text = fs.readFileSync(file, 'utf8')
  const [, source] = /^module\.exports = require\('(oxidis[^']*)'\)$/m.exec(text)
  const names = Object.keys(require(source)).filter(name => name !== 'default')
  fs.writeFileSync(file, `${text}\n0 && (module.exports = {\n  ${names.join(',\n  ')}\n})\n`)
}

function writePath (place, name) {
  const types = "export * from 'oxidis'\n"
  if (name === null) {
    write(`${place}.js`, "module.exports = require('oxidis')\n")
    fs.writeFileSync(`${place}.d.ts`, types)
    return
  }
  write(`${place}.js`, [
    "const oxidis = require('oxidis')\n",
    `module.exports = Object.create(oxidis, {`,
    `  __esModule: { value: true }, default: { value: oxidis.${name} }`,
    '})\n'].join('\n'))
  fs.writeFileSync(`${place}.d.ts`, `${types}export { ${name} as default } from 'oxidis'\n`)
}

function write (file, text) {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, `'use strict'\n\n${text}`)
}

function writeJson (file, value) {
  fs.writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`)
}

module.exports = { standIns, versionOf, writeStandIn }
