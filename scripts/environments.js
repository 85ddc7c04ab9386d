'use strict'

// `npm run test:environments`: the packed oxidis under test runners, loaders, bundlers and manners
// of running. Their packages are in __test__/environments, with a package.json of their own, since
// nothing else needs them.
//
//   npm run test:environments -- runners      only files whose name contains the word

const fs = require('node:fs')
const path = require('node:path')

const { ensureServer } = require('./ensure-server')
const { pack } = require('./release/pack')
const { hostName } = require('./release/platforms')
const { checkNode, ensurePackages, root, run, runMain, setup, step } = require('./setup')

const folder = path.join(root, '__test__', 'environments')

runMain(() => {
  const words = process.argv.slice(2).filter(arg => !arg.startsWith('-'))
  const options = process.argv.slice(2).filter(arg => arg.startsWith('-'))
  checkNode()
  setup()
  ensurePackages(folder)
  install()
  const files = fs.readdirSync(folder).filter(file => file.endsWith('.spec.js'))
    .filter(file => words.length === 0 || words.some(word => file.includes(word)))
  const status = run(process.execPath, ['--test', ...options,
    ...files.map(file => path.join(folder, file))],
  { env: { ...process.env, OXIDIS_TEST_SERVER: ensureServer() } })
  fs.rmSync(path.join(folder, 'work'), { recursive: true, force: true })
  return status
})

/** Puts the packages that are packed of this checkout where the programs find them. */
function install () {
  const host = hostName()
  const output = path.join(root, 'target', 'packages-of-environments')
  const addons = path.join(output, 'addons')
  fs.mkdirSync(addons, { recursive: true })
  const addon = `oxidis.${host}.node`
  const built = fs.readFileSync(path.join(root, addon))
  step('packing')
  const packages = path.join(output, 'packages')
  fs.writeFileSync(path.join(addons, addon), built)
  pack(addons, [host], packages)
  const places = { oxidis: 'oxidis', [`bindings/${host}`]: `@oxidis/binding-${host}` }
  for (const [from, to] of Object.entries(places)) {
    const target = path.join(folder, 'node_modules', to)
    fs.rmSync(target, { recursive: true, force: true })
    fs.cpSync(path.join(packages, from), target, { recursive: true })
  }
}
