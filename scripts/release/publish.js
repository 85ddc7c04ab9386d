'use strict'

// Publishes what pack.js has written, the addons first: whoever installs oxidis finds them all.
//
//   node scripts/release/publish.js [--dry-run]
//
// May be run again after a failure: a version that the registry has already is left out. npm itself
// finds out who publishes, by trusted publishing or by a login (docs/releasing.md).

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { SetupError, npm, runMain, step } = require('../setup')
const { OUTPUT } = require('./pack')
const { platforms } = require('./platforms')
const { standIns, versionOf } = require('./stand-ins')
const { check } = require('./version')

runMain(() => {
  const version = check()
  const dryRun = process.argv.includes('--dry-run') ? ['--dry-run'] : []
  const packages = [
    ...platforms().map(({ name }) => ({ name: `@oxidis/binding-${name}`, version })),
    { name: 'oxidis', version },
    ...standIns().map(name => ({ name: `@oxidis/${name}`, version: versionOf(version) }))
  ]
  const files = packages.map(({ name, version }) =>
    path.join(OUTPUT, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`))
  const lost = files.find(file => !fs.existsSync(file))
  if (lost !== undefined) throw new SetupError(`${lost} is missing: run \`npm run release:pack\``)
  // A version such as 1.0.0-beta.1 must not become what `npm install oxidis` takes.
  const tag = version.includes('-') ? 'next' : 'latest'
  packages.forEach(({ name, version }, index) => {
    if (isPublished(`${name}@${version}`)) return step(`${name}@${version} is published already`)
    step(`publishing ${name}@${version}`)
    const args = ['publish', files[index], '--access', 'public', '--tag', tag, ...dryRun]
    if (npm(args) !== 0) throw new SetupError(`${name} was not published, see above: run it again`)
  })
})

function isPublished (name) {
  const { stdout } = spawnSync('npm', ['view', name, 'version'],
    { encoding: 'utf8', shell: process.platform === 'win32' })
  return stdout.trim() !== ''
}
