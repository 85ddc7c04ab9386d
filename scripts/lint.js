'use strict'

// `npm run lint`: oxlint for mistakes, and the few rules of layout that it does not know.
//
// Layout: 100 columns, no tabs, no blanks at the end of a line, no semicolons. A file has 600 lines
// at most, one in __test__ has 800. Generated files say so in their first line and are left alone.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { root, run, runMain } = require('./setup')

runMain(() => {
  const oxlint = path.join(root, 'node_modules', 'oxlint', 'bin', 'oxlint')
  const status = run(process.execPath, [oxlint, '--deny-warnings'])
  const complaints = sources().flatMap(check)
  for (const complaint of complaints) process.stdout.write(`${complaint}\n`)
  process.stdout.write(complaints.length === 0 ? 'layout: nothing to complain about\n' : '\n')
  return status || (complaints.length === 0 ? 0 : 1)
})

// What git knows or would add: node_modules and build results are in .gitignore.
function sources () {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  return execFileSync('git', list, { cwd: root, encoding: 'utf8' }).split('\0')
    .filter(file => /\.(c|m)?js$/.test(file) && fs.existsSync(path.join(root, file)))
}

function check (file) {
  const lines = fs.readFileSync(path.join(root, file), 'utf8').split('\n')
  if (/generated/i.test(lines[0])) return []
  const complaints = []
  const complain = (index, text) => complaints.push(`${file}:${index + 1}: ${text}`)
  const most = file.startsWith('__test__/') ? MAX_LINES_OF_TESTS : MAX_LINES
  // The text ends with a line end, behind which there is no line.
  if (lines.length - 1 > most) complain(most, `more than ${most} lines`)
  let inTemplate = false
  lines.forEach((line, index) => {
    if (line.length > MAX_COLUMNS) complain(index, `more than ${MAX_COLUMNS} columns`)
    if (line.includes('\t')) complain(index, 'a tab')
    if (/\s$/.test(line)) complain(index, 'blanks at the end')
    const isCode = !inTemplate && !/^\s*(\/\/|\*)/.test(line)
    if (isCode && line.endsWith(';')) complain(index, 'a semicolon at the end')
    // Text in backquotes may be another language, where a semicolon has its place.
    if ((line.replace(/\\`/g, '').match(/`/g) ?? []).length % 2 === 1) inTemplate = !inTemplate
  })
  return complaints
}

const MAX_COLUMNS = 100
// A longer file has several nouns, and a reader does not find them. Tests are read one by one.
const MAX_LINES = 600
const MAX_LINES_OF_TESTS = 800
