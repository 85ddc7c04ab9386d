'use strict'

// What the package is from outside: how it is loaded, and what would be published.

const assert = require('node:assert')
const { execFileSync, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { after, before, describe, it } = require('node:test')
const { gzipSync } = require('node:zlib')

const { COMMANDS, check } = require('../bench/types')
const { pack } = require('../scripts/release/pack')
const { platforms } = require('../scripts/release/platforms')
const { standIns, versionOf } = require('../scripts/release/stand-ins')

const root = path.join(__dirname, '..')

/** The files that a package holds. */
const PUBLISHED =
  /^((index|ioredis|doctor)\.|lib\/|bin\/oxidis\.js$|package\.json$|[A-Z]+(\.md)?$)/

describe('the package', () => {
  it('exports the same names to ES modules as to CommonJS, all of them by default', async () => {
    const oxidis = require('oxidis')
    const { default: everything, ...names } = await import('oxidis')
    assert.strictEqual(everything, oxidis)
    assert.deepStrictEqual(Object.keys(names).toSorted(), Object.keys(oxidis).toSorted())
    for (const name of Object.keys(oxidis)) assert.strictEqual(names[name], oxidis[name])
  })

  it('has the interface of ioredis, for ES modules too', async () => {
    const Redis = require('oxidis/ioredis')
    const { default: same, ...names } = await import('oxidis/ioredis')
    assert.strictEqual(same, Redis)
    for (const [name, value] of Object.entries(names)) assert.strictEqual(Redis[name], value, name)
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
    const files = filesToPack()
    for (const file of ['index.js', 'index.mjs', 'index.d.ts', 'index.d.mts', 'ioredis.js',
      'ioredis.mjs', 'ioredis.d.ts', 'ioredis.d.mts', 'lib/native.js']) {
      assert.ok(files.includes(file), `${file} is missing`)
    }
    const stray = files.filter(file => !PUBLISHED.test(file))
    assert.deepStrictEqual(stray, [])
  })

  it('is not published from a checkout, which names no package with an addon', () => {
    const { status, stderr } = spawnSync('npm', ['publish', '--dry-run'],
      { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' })
    assert.notStrictEqual(status, 0)
    assert.match(stderr, /a checkout is not published: `npm run release:pack`/)
  })

  it('has a lockfile without addresses of a registry', () => {
    for (const file of ['../package-lock.json', '../bench/package-lock.json',
      './ecosystem/package-lock.json', './environments/package-lock.json']) {
      assert.ok(!JSON.stringify(require(file)).includes('"resolved"'), file)
    }
  })
})

describe('the packages of a release', () => {
  const names = platforms().map(({ name }) => name)
  // npm takes a second to pack one.
  const packed = ['linux-arm64-musl', 'win32-x64-msvc']
  const output = path.join(root, 'target', `packages-of-test-${process.pid}`)
  const addons = path.join(output, 'addons')
  const packages = path.join(output, 'packages')
  let tarballs

  before(() => {
    // What is in an addon does not matter to npm.
    for (const name of packed) {
      fs.mkdirSync(path.join(addons, name), { recursive: true })
      fs.writeFileSync(path.join(addons, name, `oxidis.${name}.node`), name)
    }
    tarballs = pack(addons, packed, packages)
  })

  after(() => fs.rmSync(output, { recursive: true, force: true }))

  it('name each other by the same exact version', () => {
    const { version } = require('../package.json')
    const main = read('oxidis/package.json')
    assert.deepStrictEqual(main.optionalDependencies,
      Object.fromEntries(names.map(name => [`@oxidis/binding-${name}`, version])))
    for (const name of names) {
      assert.strictEqual(read(`bindings/${name}/package.json`).version, version)
    }
    assert.strictEqual(tarballs.length, packed.length + standIns().length + 1)
    for (const file of tarballs) {
      const isStandIn = standIns().some(name => path.basename(file).startsWith(`oxidis-${name}-`))
      const own = isStandIn ? versionOf(version) : version
      assert.ok(file.endsWith(`-${own}.tgz`) && fs.existsSync(file), file)
    }
  })

  it('are public, run nothing when they are installed, and have no dependency but these', () => {
    for (const manifest of ['oxidis', ...names.map(name => `bindings/${name}`)]
      .map(folder => read(`${folder}/package.json`))) {
      assert.strictEqual(manifest.private, undefined)
      assert.deepStrictEqual(manifest.publishConfig, { access: 'public' })
      assert.match(manifest.repository.url, /^git\+https:/)
      for (const field of ['scripts', 'dependencies', 'devDependencies', 'overrides', 'napi']) {
        assert.strictEqual(manifest[field], undefined, `${manifest.name}: ${field}`)
      }
    }
  })

  it('that stand in for others depend on this oxidis, and are accepted by ranges of 6', () => {
    const { version } = require('../package.json')
    assert.ok(standIns().includes('redis'))
    for (const name of standIns()) {
      const manifest = read(`stand-ins/oxidis-${name}/package.json`)
      assert.strictEqual(manifest.name, `@oxidis/${name}`)
      assert.deepStrictEqual(manifest.dependencies, { oxidis: version })
      assert.strictEqual(manifest.version, versionOf(version))
      assert.strictEqual(manifest.scripts, undefined)
    }
    assert.deepStrictEqual(['0.1.0', '0.12.3', '1.0.0', '2.3.4', '1.0.0-beta.1'].map(versionOf),
      ['6.101.0', '6.112.3', '6.200.0', '6.303.4', '6.200.0-beta.1'])
  })

  it('bring the licences of all that is linked into the addon', () => {
    for (const name of packed) {
      const text = fs.readFileSync(path.join(packages, 'bindings', name,
        'THIRD-PARTY-LICENSES.txt'), 'utf8')
      // Those that have no choice, which no other text covers, and one that brings no text itself.
      for (const part of [/^ring \d\S*: Apache-2\.0 AND ISC/m, /^rustls \d/m, /^tokio \d/m,
        /^flagset \d\S*: Apache-2\.0,/m, /^napi \d/m, /Apache License\s+Version 2\.0/,
        /OpenSSL|BoringSSL/, /The Rust Project Contributors/]) {
        assert.match(text, part, name)
      }
      // Only what systems of that kind need, and nothing that only builds or tests.
      assert.strictEqual(/^windows-sys \d/m.test(text), name.startsWith('win32'), name)
      assert.doesNotMatch(text, /^(syn|criterion|proptest|napi-derive|napi-build|oxidis) \d/m)
      const { files } = read(`bindings/${name}/package.json`)
      assert.deepStrictEqual(files, [`oxidis.${name}.node`, 'THIRD-PARTY-LICENSES.txt'])
    }
  })

  it('are installed on their own system only', () => {
    const { os, cpu, libc, main } = read('bindings/linux-arm64-musl/package.json')
    assert.deepStrictEqual({ os, cpu, libc, main }, {
      os: ['linux'], cpu: ['arm64'], libc: ['musl'], main: 'oxidis.linux-arm64-musl.node'
    })
    assert.deepStrictEqual(read('bindings/win32-x64-msvc/package.json').os, ['win32'])
  })

  it('link to what they contain, and to the repository for everything else', () => {
    const text = fs.readFileSync(path.join(packages, 'oxidis', 'README.md'), 'utf8')
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link)
    assert.ok(links.some(link => link.includes('/blob/v')))
    for (const link of links) {
      if (/^(https?:|#)/.test(link)) continue
      assert.ok(fs.existsSync(path.join(packages, 'oxidis', link.split('#')[0])), link)
    }
  })

  it('are small: JavaScript takes less than 300 KB to download, with types less than 500', () => {
    const folder = path.join(packages, 'oxidis')
    const sources = fs.readdirSync(folder, { recursive: true })
      .filter(name => /\.m?js$/.test(name)).map(name => fs.readFileSync(path.join(folder, name)))
    const { length } = gzipSync(Buffer.concat(sources), { level: 9 })
    assert.ok(sources.length > 100 && length < 300_000, `${length} bytes of JavaScript`)
    const { size } = fs.statSync(tarballs.at(-1))
    assert.ok(size < 500_000, `${size} bytes`)
  })

  it('are not made unless all addons are there', () => {
    assert.throws(() => pack(addons, names, packages),
      { message: new RegExp(`oxidis.${names[0]}.node is not in`) })
  })

  function read (file) {
    return JSON.parse(fs.readFileSync(path.join(packages, file), 'utf8'))
  }
})

describe('the types', () => {
  it('cost a program less than those of node-redis, for the same hundred commands', () => {
    assert.strictEqual(COMMANDS.length, 100)
    const most = { types: 1, instantiations: 1 }
    compare({ skipLibCheck: true }, most)
    // All of index.d.ts is checked then. The check that the replies of a chain are `out`, which
    // TypeScript 5.0 cannot do without, makes most of that, and takes no time that can be seen
    // (3.8 s with and without it, TypeScript 5.9).
    compare({ skipLibCheck: false }, { types: 1.1, instantiations: 2.5 })
  })

  function compare (options, most) {
    const [ours, theirs] = ['oxidis', 'redis'].map(name => check(name, options))
    for (const [what, ratio] of Object.entries(most)) {
      const figures = `${ours[what]} ${what}, redis ${theirs[what]}`
      assert.ok(ours[what] < theirs[what] * ratio, figures)
    }
  }
})

function filesToPack () {
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
