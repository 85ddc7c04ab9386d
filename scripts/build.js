'use strict'

// `npm run build` and `npm run build:debug` build the native addon. They always call cargo, which
// knows what has changed. They install the build tool first if it is missing.

const { build, checkNode, ensurePackages, root, runMain } = require('./setup')

runMain(() => {
  const flags = process.argv.slice(2).filter(flag => flag !== '--debug')
  checkNode()
  ensurePackages(root)
  build(process.argv.includes('--debug') ? flags : ['--release', ...flags])
})
