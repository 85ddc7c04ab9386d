'use strict'

// Runs one program of libraries/ and prints what came out:
// `node --require ./faces.cjs run.js name '{"url":"redis://127.0.0.1:6379"}'`
//
// A program is a function of `{ url }`, or of `{ rootNodes }` in a cluster. Its result is compared
// as JSON. It has to leave nothing open, because the process has to end by itself. Where a library
// leaves timers, the program says so by `leavesTimers`, a reason; then the process is ended.

const { OUTCOME } = require('./outcome')

const [name, given] = process.argv.slice(2)
process.on('unhandledRejection', error => {
  process.stderr.write(`a rejection that nobody handles: ${error?.stack ?? error}\n`)
  process.exit(1)
})
const program = require(`./libraries/${name}`)
program(JSON.parse(given)).then(outcome => {
  process.stdout.write(`${OUTCOME}${JSON.stringify(outcome)}\n`, () => {
    if (program.leavesTimers) process.exit()
  })
}, error => {
  process.stderr.write(`${error?.stack ?? error}\n`)
  process.exit(1)
})
