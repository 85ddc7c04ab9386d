'use strict'

// The licences of the crates that are linked into an addon, for the package that holds it: their
// texts have to go where their code goes.
//
// A crate that may be used under the MIT licence is used so. The texts are those that the crates
// bring; of a crate that brings none, the MIT licence is written with the names of its authors.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { SetupError, root } = require('../setup')

/** The file in a package. */
const NAME = 'THIRD-PARTY-LICENSES.txt'

/**
 * Writes the file into `folder`. Needs cargo, which gets the sources of crates that are not there.
 * @param {string} triple the platform, as Rust calls it
 */
function writeLicences (triple, folder) {
  fs.writeFileSync(path.join(folder, NAME), render(linked(triple)))
}

/** The packages of cargo that are linked into the addon for `triple`, but for oxidis itself. */
function linked (triple) {
  const text = execFileSync('cargo', ['metadata', '--format-version', '1', '--locked',
    '--filter-platform', triple],
  { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 28 })
  const { packages, resolve } = JSON.parse(text)
  const byId = new Map(packages.map(one => [one.id, one]))
  const nodes = new Map(resolve.nodes.map(node => [node.id, node]))
  const found = new Set()
  const visit = id => {
    // What runs while something is compiled is not linked.
    const runsHere = ({ kind }) => kind.includes('proc-macro')
    if (found.has(id) || byId.get(id).targets.some(runsHere)) return
    found.add(id)
    for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps) {
      if (kinds.some(({ kind }) => kind === null)) visit(pkg)
    }
  }
  visit(resolve.root)
  found.delete(resolve.root)
  return [STANDARD_LIBRARY, ...[...found].map(id => byId.get(id))]
    .sort((a, b) => a.name === b.name ? compare(a.version, b.version) : compare(a.name, b.name))
}

/** The file: what is in the addon, and each text once, with the crates that it is for. */
function render (crates) {
  const byText = new Map()
  for (const crate of crates) {
    for (const text of textsOf(crate)) byText.set(text, [...byText.get(text) ?? [], crate])
  }
  const list = crates.map(({ name, version, license, repository }) =>
    `${name} ${version}`.trim() + `: ${license}${repository ? `, ${repository}` : ''}`)
  const texts = [...byText].map(([text, of]) =>
    `${'-'.repeat(80)}\n${of.map(({ name }) => name).join(', ')}\n\n${text}\n`)
  return 'The addon of oxidis contains these libraries, each under its licence. Where there is a ' +
    `choice, it\nis used under the MIT licence.\n\n${list.join('\n')}\n\n${texts.join('\n')}`
}

function textsOf (crate) {
  const { name, license } = crate
  if (!license) throw new SetupError(`the crate ${name} does not say under which licence it is`)
  const folder = crate.manifest_path && path.dirname(crate.manifest_path)
  const files = folder ? fs.readdirSync(folder).filter(file => TEXT.test(file)).sort() : []
  const texts = wanted(files, license).map(file =>
    fs.readFileSync(path.join(folder, file), 'utf8').replace(/\r\n/g, '\n').trim())
  if (texts.length > 0) return texts
  if (/\bMIT\b/.test(license)) return [mit(crate)]
  throw new SetupError(`the crate ${name} brings no text of its licence, ${license}`)
}

/** The file of the licence that is chosen of several; otherwise all files. */
function wanted (files, license) {
  if (!/\bOR\b|\//.test(license) || /\bAND\b/.test(license)) return files
  for (const word of CHOICE) {
    const chosen = files.filter(file => file.toUpperCase().includes(word))
    if (license.toUpperCase().includes(word) && chosen.length > 0) return chosen
  }
  return files
}

function mit ({ name, authors }) {
  const holders = authors.length > 0
    ? authors.map(author => author.replace(/\s*<.*>/, '')).join(', ')
    : `the authors of ${name}`
  return `The MIT License (MIT)\n\nCopyright (c) ${holders}\n\n${MIT}`
}

function compare (a, b) {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Linked as well, and no package of cargo. */
const STANDARD_LIBRARY = {
  name: 'Rust standard library',
  version: '',
  license: 'MIT OR Apache-2.0',
  repository: 'https://github.com/rust-lang/rust',
  authors: ['The Rust Project Contributors']
}

/** Which of several licences is chosen, the first one that there is. */
const CHOICE = ['MIT', 'APACHE', 'BSD', 'ISC', 'ZLIB']
const TEXT = /^(licen[cs]e|copying|notice|copyright|unlicense)/i
/** That of our own licence is the same but for the holder. */
const [, MIT] = fs.readFileSync(path.join(root, 'LICENSE'), 'utf8').split(/\n(?=Permission)/)

module.exports = { NAME, linked, render, writeLicences }
