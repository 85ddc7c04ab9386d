'use strict'

// What the package is from outside: how it is loaded, and what would be published.

const assert = require('node:assert')
const { execFileSync } = require('node:child_process')
const path = require('node:path')
const { describe, it } = require('node:test')

const { COMMANDS, check } = require('../bench/types')

const root = path.join(__dirname, '..')

describe('the package', () => {
  it('exports the same names to ES modules as to CommonJS, all of them by default', async () => {
    const oxidis = require('oxidis')
    const { default: everything, ...names } = await import('oxidis')
    assert.strictEqual(everything, oxidis)
    assert.deepStrictEqual(Object.keys(names).toSorted(), Object.keys(oxidis).toSorted())
    for (const name of Object.keys(oxidis)) assert.strictEqual(names[name], oxidis[name])
  })

  it('starts no thread when it is loaded', { skip: noProc() }, () => {
    const code = `
      const threads = () => require('node:fs').readdirSync('/proc/self/task').length
      const before = threads()
      require('oxidis')
      console.log(threads() - before)`
    assert.strictEqual(node(code), '0')
  })

  it('leaves the process free to end when it is only loaded', () => {
    assert.strictEqual(node('require("oxidis").createClient(); console.log("end")'), 'end')
  })

  it('has no runtime dependency and no install script', () => {
    const { dependencies = {}, scripts } = require('../package.json')
    assert.deepStrictEqual(dependencies, {})
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) {
      assert.strictEqual(scripts[name], undefined)
    }
  })

  it('publishes the face, and neither sources nor tests nor an addon', () => {
    const files = packed()
    for (const file of ['index.js', 'index.mjs', 'index.d.ts', 'index.d.mts', 'lib/native.js']) {
      assert.ok(files.includes(file), `${file} is missing`)
    }
    const stray = files.filter(file => !/^(index\.|lib\/|package\.json$|[A-Z]+(\.md)?$)/.test(file))
    assert.deepStrictEqual(stray, [])
  })

  it('has a lockfile without addresses of a registry', () => {
    for (const file of ['../package-lock.json', '../bench/package-lock.json']) {
      assert.ok(!JSON.stringify(require(file)).includes('"resolved"'), file)
    }
  })
})

describe('the types', () => {
  it('cost the compiler less than those of node-redis, for the same hundred commands', () => {
    assert.strictEqual(COMMANDS.length, 100)
    for (const skipLibCheck of [true, false]) {
      const [ours, theirs] = ['oxidis', 'redis'].map(name => check(name, { skipLibCheck }))
      for (const what of ['types', 'instantiations']) {
        assert.ok(ours[what] < theirs[what], `${ours[what]} ${what}, redis ${theirs[what]}`)
      }
    }
  })
})

function packed () {
  const text = execFileSync('npm', ['pack', '--dry-run', '--json', '--silent'], {
    cwd: root, encoding: 'utf8', shell: process.platform === 'win32'
  })
  const [{ files }] = Object.values(JSON.parse(text))
  return files.map(file => file.path)
}

function node (code) {
  return execFileSync(process.execPath, ['-e', code], { cwd: root, encoding: 'utf8' }).trim()
}

function noProc () {
  return process.platform !== 'linux' && 'threads are counted in /proc, which only Linux has'
}
