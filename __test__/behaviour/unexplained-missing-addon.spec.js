'use strict'

// What `require('oxidis')` says where its native half is not there, is not of its version, or does
// not load: for which system, what was tried, why each try failed, and what to do.

const assert = require('node:assert')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, describe, it } = require('node:test')

const { PLATFORMS } = require('../../lib/native-failure')
const manifest = require('../../package.json')
const { platforms } = require('../../scripts/release/platforms')
const { check } = require('../../scripts/release/version')

const root = path.join(__dirname, '..', '..')
const { version } = manifest

describe('require("oxidis") without its native half', () => {
  let folder
  let packages
  let lib

  before(() => {
    // As installed: no build of a checkout beside package.json.
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'oxidis-missing-'))
    packages = path.join(folder, 'node_modules', '@oxidis')
    lib = path.join(folder, 'node_modules', 'oxidis', 'lib')
    for (const file of ['native.js', 'native-failure.js', 'version.js']) {
      fs.cpSync(path.join(root, 'lib', file), path.join(lib, file))
    }
  })

  after(() => fs.rmSync(folder, { recursive: true, force: true }))

  /**
   * What comes of loading the addon on each of `systems`, whose packages are given by their code.
   * One process does it for all of them.
   */
  function outcomes (systems) {
    const program = `
      const fs = require('node:fs')
      const path = require('node:path')
      const [lib, packages] = ${JSON.stringify([lib, packages])}
      const { existsSync } = fs
      const outcome = ({ platform, arch, glibc, musl, installed = {} }) => {
        fs.rmSync(packages, { recursive: true, force: true })
        for (const [name, code] of Object.entries(installed)) {
          const place = path.join(packages, 'binding-' + name)
          fs.mkdirSync(place, { recursive: true })
          fs.writeFileSync(path.join(place, 'index.js'), code)
        }
        fs.existsSync = file => String(file).startsWith('/lib/ld-musl-') ? musl : existsSync(file)
        Object.defineProperty(process, 'platform', { value: platform, configurable: true })
        Object.defineProperty(process, 'arch', { value: arch, configurable: true })
        let asked = 0
        const header = { glibcVersionRuntime: glibc }
        process.report.getReport = () => { asked++; return { header } }
        for (const file of Object.keys(require.cache)) delete require.cache[file]
        try {
          return { loaded: require(path.join(lib, 'native.js')).Core !== undefined, asked }
        } catch ({ message, code, cause }) {
          return { message, code, cause: cause?.message, asked }
        }
      }
      console.log(JSON.stringify(${JSON.stringify(systems)}.map(outcome)))`
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program],
      { cwd: folder, encoding: 'utf8' })
    assert.ok(stdout, stderr)
    return JSON.parse(stdout)
  }

  const failure = (system, installed) => outcomes([{ ...system, installed }])[0]

  const debian = { platform: 'linux', arch: 'x64', glibc: '2.36', musl: false }
  const alpine = { platform: 'linux', arch: 'arm64', musl: true }
  const good = `exports.version = () => '${version}'; exports.Core = class {}`

  it('says what is missing for this system, and the usual causes', () => {
    const { message, code } = failure(debian)
    assert.strictEqual(code, 'NATIVE_ADDON_MISSING')
    const [first] = message.split('\n')
    assert.match(first,
      /linux-x64-gnu is not installed \(Node\.js v[\d.]+, linux x64, glibc 2\.36\)/)
    assert.match(message, /@oxidis\/binding-linux-x64-gnu: not installed/)
    assert.match(message, /--omit=optional/)
    assert.match(message, /npm issue 4828/)
    assert.ok(message.includes(
      `npm install --os=linux --cpu=x64 --libc=glibc oxidis@${version}\``), message)
    // What is for the other C library is no use here.
    assert.doesNotMatch(message, /musl/)
  })

  it('says for which system node_modules was filled', () => {
    const { message } = failure(alpine, { 'darwin-arm64': 'throw new Error("not here")' })
    assert.match(message, /linux-arm64-musl is not installed \(.*linux arm64, musl\)/)
    assert.match(message, /there is @oxidis\/binding-darwin-arm64, .* another system/)
    assert.ok(message.includes('npm install --os=linux --cpu=arm64 --libc=musl oxidis@'), message)
  })

  it('does not take the addon of the other C library for a broken one', () => {
    const { message, code } = failure(debian,
      { 'linux-x64-musl': 'throw new Error("libc.so: invalid ELF header")' })
    assert.strictEqual(code, 'NATIVE_ADDON_MISSING')
    assert.match(message, /there is @oxidis\/binding-linux-x64-musl, .* another system/)
    assert.match(message, /npm install --os=linux --cpu=x64 --libc=glibc/)
  })

  it('names no package that does not exist', () => {
    const systems = [['freebsd', 'x64'], ['linux', 'arm'], ['linux', 'riscv64'], ['win32', 'ia32'],
      ['aix', 'ppc64']].map(([platform, arch]) => ({ platform, arch, glibc: '2.36', musl: false }))
    const failures = outcomes(systems)
    for (const [index, { platform, arch }] of systems.entries()) {
      const { message, code } = failures[index]
      assert.strictEqual(code, 'NATIVE_ADDON_MISSING')
      assert.match(message, new RegExp(`no prebuilt addon for ${platform}-${arch}`))
      assert.ok(PLATFORMS.every(name => message.includes(name)))
      assert.doesNotMatch(message, /@oxidis\//)
    }
  })

  it('says why an installed addon does not load', () => {
    const dlopen = text => `throw Object.assign(new Error(${JSON.stringify(text)}),
      { code: 'ERR_DLOPEN_FAILED' })`
    const old = "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.17' not found (required by x)"
    const { message, code, cause } = failure({ ...debian, glibc: '2.12' },
      { 'linux-x64-gnu': dlopen(old) })
    assert.strictEqual(code, 'NATIVE_ADDON_UNLOADABLE')
    assert.ok(message.includes(`@oxidis/binding-linux-x64-gnu: ${old}`), message)
    assert.match(message, /C library is too old: oxidis needs glibc 2\.17/)
    assert.match(message, /glibc 2\.12/)
    assert.strictEqual(cause, old)

    const copied = failure(debian, { 'linux-x64-gnu': dlopen('x.node: invalid ELF header') })
    assert.match(copied.message, /of another system, or damaged/)
  })

  it('refuses an addon of another version', () => {
    for (const code of ['exports.version = () => "9.9.9"', 'exports.Core = class {}']) {
      const refused = failure(debian, { 'linux-x64-gnu': code })
      assert.strictEqual(refused.code, 'NATIVE_ADDON_VERSION')
      assert.match(refused.message, /its version is (9\.9\.9|without a number), that of oxidis is/)
      assert.ok(refused.message.includes(`npm install oxidis@${version}`), refused.message)
    }
  })

  it('takes the package of each system that has one', () => {
    const systems = PLATFORMS.map(name => {
      const [platform, arch, abi] = name.split('-')
      const musl = abi === 'musl'
      const glibc = musl ? undefined : '2.36'
      return { platform, arch, musl, glibc, installed: { [name]: good } }
    })
    outcomes(systems).forEach(({ loaded }, index) => assert.ok(loaded, PLATFORMS[index]))
  })

  it('asks for Node\'s report only where the loader of musl is installed', () => {
    assert.strictEqual(failure(debian, { 'linux-x64-gnu': good }).asked, 0)
    const debianWithMusl = failure({ ...debian, musl: true },
      { 'linux-x64-gnu': good, 'linux-x64-musl': 'throw new Error("the wrong one")' })
    assert.deepStrictEqual(debianWithMusl, { loaded: true, asked: 1 })
    // No loader in the usual place, as on NixOS: what is installed decides.
    const elsewhere = failure({ ...debian, glibc: undefined }, { 'linux-x64-musl': good })
    assert.deepStrictEqual(elsewhere, { loaded: true, asked: 0 })
  })
})

describe('the packages', () => {
  it('are the same in package.json, in the loader and in its messages', () => {
    const names = platforms().map(({ name }) => name).toSorted()
    assert.deepStrictEqual(PLATFORMS.toSorted(), names)
    const loader = fs.readFileSync(path.join(root, 'lib', 'native.js'), 'utf8')
    const required = [...loader.matchAll(/require\('@oxidis\/binding-([^']*)'\)/g)]
    assert.deepStrictEqual(required.map(([, name]) => name).toSorted(), names)
  })

  it('have the version of package.json everywhere', () => {
    assert.strictEqual(check(), version)
  })
})
