'use strict'

// `npm run test:environments`: the packed oxidis under test runners, loaders, bundlers and manners
// of running. Their packages are in __test__/environments, with a package.json of their own, since
// nothing else needs them.
//
//   npm run test:environments -- runners      only files whose name contains the word

const fs = require('node:fs')
const path = require('node:path')

const { ensureServer } = require('./ensure-server')
const { installPacked } = require('./release/installed')
const { checkNode, ensurePackages, root, run, runMain, setup } = require('./setup')

const folder = path.join(root, '__test__', 'environments')

runMain(() => {
  const words = process.argv.slice(2).filter(arg => !arg.startsWith('-'))
  const options = process.argv.slice(2).filter(arg => arg.startsWith('-'))
  checkNode()
  setup()
  ensurePackages(folder)
  installPacked(folder)
  const files = fs.readdirSync(folder).filter(file => file.endsWith('.spec.js'))
    .filter(file => words.length === 0 || words.some(word => file.includes(word)))
  const status = run(process.execPath, ['--test', ...options,
    ...files.map(file => path.join(folder, file))],
  { env: { ...process.env, OXIDIS_TEST_SERVER: ensureServer() } })
  fs.rmSync(path.join(folder, 'work'), { recursive: true, force: true })
  return status
})
