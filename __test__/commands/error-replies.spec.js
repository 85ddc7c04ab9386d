'use strict'

// What error replies mean is written once, in scripts/generate/error-replies.js.

const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')

const replies = require('../../lib/error-replies')
const { REPLIES } = require('../../scripts/generate/error-replies')
const { ROOT } = require('../../scripts/generate-commands')

const WORDS = new Set(REPLIES.map(({ word }) => word))

/** Codes that no server gives: those of oxidis, which docs/errors.md lists, and those of Node. */
const OTHER_CODES = new Set([...read('docs/errors.md').matchAll(/`([A-Z_]+)`/g)]
  .map(([, code]) => code).filter(code => !WORDS.has(code))
  .concat('MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND', 'ERR_DLOPEN_DISABLED'))

test('every code that a source file compares is in the table, or is no server\'s', () => {
  const found = new Set()
  for (const file of [...sources('lib', '.js'), ...sources('src', '.rs')]) {
    for (const code of compared(read(file))) {
      assert.ok(WORDS.has(code) || OTHER_CODES.has(code), `${file} compares ${code}`)
      if (WORDS.has(code)) found.add(code)
    }
  }
  assert.ok(found.has('NOSCRIPT') && found.has('UNBLOCKED'), 'comparisons are found')
})

test('no source file has a table of its own', () => {
  const generated = ['lib/error-replies.js', 'src/error_replies/table.rs']
  for (const file of [...sources('lib', '.js'), ...sources('src', '.rs')]) {
    if (generated.includes(file.replaceAll('\\', '/'))) continue
    const literals = new Set([...code(file).matchAll(/b?(['"])([A-Z]+)\1/g)].map(found => found[2]))
    // READONLY and ASK are also names of commands and flags, and one word alone is no table.
    const actedOn = REPLIES.filter(row => row.reason !== undefined && literals.has(row.word))
    assert.ok(actedOn.length < 2, `${file}: ${actedOn.map(({ word }) => word)}`)
  }
})

test('the words are sorted and stand for something', () => {
  const words = REPLIES.map(({ word }) => word)
  assert.deepStrictEqual(words, [...words].sort())
  for (const { word, meaning, reason, remedy } of REPLIES) {
    assert.match(meaning, /^[a-z].*[^.]$/, word)
    assert.ok(remedy === undefined || reason !== undefined, `${word} has a remedy and no reason`)
  }
})

test('every function of the leaf answers as the table says', () => {
  const { isServerText: _isServerText, ...columns } = replies
  for (const [name, is] of Object.entries(columns)) {
    assert.ok(REPLIES.some(row => row[name]), name)
    for (const row of REPLIES) assert.strictEqual(is(row.word), row[name] === true, row.word)
    assert.strictEqual(is('WRONGTYPE'), false)
  }
})

test('the whole text of a server is told from that of a program', () => {
  const { isServerText } = replies
  for (const { word, texts = [] } of REPLIES) {
    assert.strictEqual(isServerText(word), false)
    assert.strictEqual(isServerText(`${word} x`), false)
    for (const text of texts) {
      assert.strictEqual(text.split(' ', 1)[0], word)
      const said = text.replace('*', 'Valkey').replace('#', '3999').replace('@', '127.0.0.1:6381')
      assert.ok(isServerText(said), said)
      assert.ok(isServerText(`${said}\r\n`), said)
      assert.ok(!isServerText(`${said} script: f1, on @user_script:1.`), said)
      assert.ok(!isServerText(said.slice(0, said.lastIndexOf(' '))), said)
    }
  }
  for (const text of ['', '*', 'MOVED on tomorrow', 'MOVED 5 times', 'OOM command not allowed']) {
    assert.strictEqual(isServerText(text), false, text)
  }
})

test('docs/errors.md names the words that are retryable', () => {
  const [, listed] = read('docs/errors.md').match(/`retryable` is set for ([^|]+)\|/)
  const words = [...listed.matchAll(/`([A-Z]+)`/g)].map(([, word]) => word).sort()
  assert.deepStrictEqual(words, [...WORDS].filter(replies.isRetryable).sort())
})

/** The codes that `text` compares with `code === 'X'`, `code() == "X"` or `code() { "X" => ...`. */
function compared (text) {
  return [...text.matchAll(/\bcode(?:\(\))? ?[=!]==? ?['"]([A-Z_]+)['"]/g)].map(([, code]) => code)
}

/** The text of a file without its comments and its unit tests. */
function code (file) {
  return read(file).split('#[cfg(test)]\nmod ')[0]
    .replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')
}

function sources (folder, extension) {
  return fs.readdirSync(path.join(ROOT, folder), { recursive: true })
    .filter(file => file.endsWith(extension) && !/(^|[\\/])tests([\\/]|\.rs$)/.test(file))
    .map(file => path.join(folder, file))
}

function read (file) {
  return fs.readFileSync(path.join(ROOT, file), 'utf8')
}
