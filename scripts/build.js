'use strict'

// `npm run build` and `npm run build:debug`: the native addon, always built anew (cargo itself
// knows what has changed). Installs the build tool first when it is missing.

const { build, checkNode, ensurePackages, root, runMain } = require('./setup')

runMain(() => {
  const flags = process.argv.slice(2).filter(flag => flag !== '--debug')
  checkNode()
  ensurePackages(root)
  build(process.argv.includes('--debug') ? flags : ['--release', ...flags])
})
