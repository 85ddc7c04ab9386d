'use strict'

// A reporter for `node --test`: names the test files that took longest, at the end.

const path = require('node:path')

const { root } = require('./setup')

module.exports = async function * slowestFiles (events) {
  const files = []
  for await (const { type, data } of events) {
    // The runner treats each file as a test of its own, whose name is the path.
    if (type !== 'test:complete' || data.nesting !== 0 || data.name !== data.file) continue
    files.push({ name: path.relative(root, data.name), seconds: data.details.duration_ms / 1000 })
  }
  if (files.length < 2) return
  yield `\nslowest of ${files.length} files, in seconds:\n`
  const slowest = files.sort((a, b) => b.seconds - a.seconds).slice(0, SHOWN)
  for (const { name, seconds } of slowest) yield `${seconds.toFixed(1).padStart(6)} ${name}\n`
}

const SHOWN = 10
