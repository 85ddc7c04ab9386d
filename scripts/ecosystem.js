'use strict'

// `npm run test:ecosystem`: libraries that use Redis, at their real work on node-redis and on the
// packed oxidis. Their packages are in __test__/ecosystem, with a package.json of their own. Once
// they are installed, nothing needs a network but 127.0.0.1.
//
//   npm run test:ecosystem -- queues      only files whose name contains the word
//
// OXIDIS_TEST_MODULES=/folder names a folder with the .so files of server modules, for the
// libraries that need them.

const fs = require('node:fs')
const path = require('node:path')

const { ensureServer } = require('./ensure-server')
const { installPacked } = require('./release/installed')
const { checkNode, ensurePackages, root, run, runMain, setup } = require('./setup')

const folder = path.join(root, '__test__', 'ecosystem')

runMain(() => {
  const words = process.argv.slice(2).filter(arg => !arg.startsWith('-'))
  const options = process.argv.slice(2).filter(arg => arg.startsWith('-'))
  checkNode()
  setup()
  ensurePackages(folder)
  installPacked(folder)
  const files = fs.readdirSync(folder).filter(file => file.endsWith('.spec.js'))
    .filter(file => words.length === 0 || words.some(word => file.includes(word)))
  return run(process.execPath,
    ['--test', ...options, ...files.map(file => path.join(folder, file))],
    { env: { ...process.env, OXIDIS_TEST_SERVER: ensureServer() } })
})
