'use strict'

// Runs test files with Node's runner in the order that is given: `node --test` sorts them by name,
// and a long file that begins last is waited for at the end.
//
//   node scripts/test-files.js <how many at once> <ms that a file may take> <file> ...

const path = require('node:path')
const { compose } = require('node:stream')
const { run } = require('node:test')
const { spec: Spec } = require('node:test/reporters')

const slowestFiles = require('./slowest-files')

const [atOnce, timeout, ...files] = process.argv.slice(2)

const events = run({
  files: files.map(file => path.resolve(file)),
  concurrency: Number(atOnce),
  timeout: Number(timeout)
})
events.on('test:fail', ({ todo }) => {
  if (todo === undefined || todo === false) process.exitCode = 1
})
for (const reporter of [new Spec(), slowestFiles]) compose(events, reporter).pipe(process.stdout)
