'use strict'

// `node --require ./scripts/sanitized-children.js <test>`: loaded before a test that runs with
// AddressSanitizer.
//
// LD_PRELOAD brings the sanitizer's library into a process, and processes inherit it from their
// parents. Node processes that load the addon need it. Servers do not bear it. So this file takes
// it out of the environment, and gives it to children that are Node.

const childProcess = require('node:child_process')
const path = require('node:path')

const { LD_PRELOAD: library } = process.env
delete process.env.LD_PRELOAD

if (library !== undefined) {
  const given = { LD_PRELOAD: library, NODE_OPTIONS: `--require ${__filename}` }

  const { spawn } = childProcess.ChildProcess.prototype
  childProcess.ChildProcess.prototype.spawn = function (options) {
    if (isNode(options.file)) {
      const pairs = Object.entries(given).map(([name, value]) => `${name}=${value}`)
      const others = options.envPairs.filter(pair => !(pair.split('=', 1)[0] in given))
      options = { ...options, envPairs: [...others, ...pairs] }
    }
    return spawn.call(this, options)
  }

  const { spawnSync } = childProcess
  childProcess.spawnSync = (file, args, options) => {
    if (!Array.isArray(args)) [args, options] = [[], args]
    if (isNode(file)) options = { ...options, env: { ...process.env, ...options?.env, ...given } }
    return spawnSync(file, args, options)
  }
}

function isNode (file) {
  return path.basename(file) === path.basename(process.execPath)
}
