#!/usr/bin/env node
'use strict'

// `npx oxidis doctor`. Everything that it does is in lib/doctor/.

const [command, ...words] = process.argv.slice(2)

if (command === 'doctor') {
  let doctor
  try {
    doctor = require('../lib/doctor/command')
  } catch (error) {
    // Without its addon oxidis says what was tried and what to do.
    process.stderr.write(`oxidis doctor: ${error.message}\n`)
    process.exitCode = 2
  }
  doctor?.run(words, process).then(status => { process.exitCode = status })
} else {
  const isAsked = command === '--help' || command === '-h'
  const text = 'usage: oxidis doctor [URL or options as JSON]   (oxidis doctor --help says more)\n'
  const stream = isAsked ? process.stdout : process.stderr
  stream.write(text)
  process.exitCode = isAsked ? 0 : 2
}
