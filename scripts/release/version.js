'use strict'

// The version of oxidis stands in several files. package.json decides.
//
//   npm version 0.2.0          sets it in package.json, and runs this to set it in the others
//   require('./version')       `check()` throws if one of them has another version

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { SetupError, root, runMain } = require('../setup')

/** Where the version stands, beside package.json and its lockfile, which npm writes. */
const PLACES = [
  { file: 'Cargo.toml', pattern: /(\[package\]\nname = "oxidis"\nversion = ")([^"]*)/ },
  { file: 'Cargo.lock', pattern: /(\[\[package\]\]\nname = "oxidis"\nversion = ")([^"]*)/ },
  { file: 'lib/version.js', pattern: /(module\.exports = ')([^']*)/ }
]

/** The version, if all files agree on it. */
function check () {
  const { version } = JSON.parse(read('package.json'))
  for (const { file, pattern } of PLACES) {
    const found = pattern.exec(read(file))?.[2]
    if (found !== version) {
      throw new SetupError(`${file} has version ${found}, package.json has ${version}: run ` +
        '`node scripts/release/version.js`')
    }
  }
  return version
}

function write () {
  const { version } = JSON.parse(read('package.json'))
  for (const { file, pattern } of PLACES) {
    const text = read(file)
    if (!pattern.test(text)) throw new SetupError(`${file} has no place for the version`)
    fs.writeFileSync(path.join(root, file), text.replace(pattern, `$1${version}`))
  }
  // `npm version` commits what is staged.
  execFileSync('git', ['add', ...PLACES.map(({ file }) => file)], { cwd: root, stdio: 'inherit' })
}

function read (file) {
  return fs.readFileSync(path.join(root, file), 'utf8')
}

module.exports = { check }

if (require.main === module) runMain(write)
