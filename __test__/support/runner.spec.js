'use strict'

// What runs the test files (scripts/test-files.js) takes no failure for a success: not that of a
// test, of a suite's hook, of an error that nobody has caught, or of a file that does not load.

const assert = require('node:assert')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { describe, it } = require('node:test')

const SCRIPTS = path.join(__dirname, '..', '..', 'scripts')

const HEAD = 'const { describe, it, before, beforeEach, after } = require("node:test")\n' +
  'const wait = () => new Promise(resolve => setTimeout(resolve, 50))\n' +
  'const fail = () => { throw new Error("mine") }\n'

/** name -> the text of a test file that must fail, and what is to be read of it */
const FAILURES = {
  'a test that rejects': ['it("x", async () => { await 1; fail() })', /mine/],
  'a test within suites': [
    'describe("a", () => { describe("b", () => { it("x", fail) }) })', /mine/],
  'a hook': ['describe("a", () => { before(fail); it("x", () => {}) })', /mine/],
  'a last hook': ['describe("a", () => { it("x", () => {}); after(fail) })', /mine/],
  'a rejection that nobody has caught': [
    'it("x", async () => { await 1; Promise.reject(new Error("mine")); await wait() })', /mine/],
  'an exception that nobody has caught': [
    'it("x", async () => { await 1; setTimeout(fail); await wait() })', /mine/],
  'an exception in a suite\'s test, and another test passes': [
    'describe("a", () => { it("x", async () => { await 1; queueMicrotask(fail); await wait() }); ' +
    'it("y", () => {}) })', /mine/],
  'a test that never ends': ['it("x", () => new Promise(() => {}))', /pending|cancelled/],
  'a file that does not load': ['require("./nothing-there")', /nothing-there/],
  'a process that ends': ['it("x", () => process.exit(3))', /✖ \S*one\.spec\.js/]
}

describe('the runner of the test files', () => {
  for (const [name, [text, seen]] of Object.entries(FAILURES)) {
    it(`fails for ${name}`, t => {
      const { status, output } = run(t, { 'one.spec.js': text, 'two.spec.js': 'it("z", () => {})' })
      assert.strictEqual(status, 1, output)
      assert.match(output, seen)
    })
  }

  it('runs hooks and tests where they are declared, and the files in the order given', t => {
    const { status, output } = run(t, {
      'two.spec.js': 'const seen = []\n' +
        'describe("a", () => { before(() => { seen.push("before") })\n' +
        'beforeEach(() => { seen.push("each") })\n' +
        'it("x", async t => { await 1; await t.test("within", () => { seen.push("x") }) })\n' +
        'after(() => { console.log(seen.join()) }) })\nit("outside", () => {})',
      'one.spec.js': 'it("z", () => {})'
    })
    assert.strictEqual(status, 0, output)
    assert.match(output, /before,each,(each,)?x\n/)
    assert.match(output, /▶ a[^]*✔ within[^]*✔ x[^]*✔ outside[^]*✔ z[^]*tests 4/)
  })
})

/** Runs files, one at a time. */
function run (t, files) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'oxidis-runner-'))
  t.after(() => fs.rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    fs.writeFileSync(path.join(folder, name), `${HEAD}${text}\n`)
  }
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env
  const args = ['--require', path.join(SCRIPTS, 'unwatched-promises.js'),
    path.join(SCRIPTS, 'test-files.js'), '1', '60000', ...Object.keys(files)]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: folder, env, encoding: 'utf8'
  })
  return { status, output: stdout + stderr }
}
