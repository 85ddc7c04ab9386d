'use strict'

// The picture of the layers of lib/ stays true: imports go down only, none goes in a circle, and
// what most programs do not need is loaded when it is used. tests/layers.rs does this for src/.

const assert = require('node:assert')
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { describe, it } = require('node:test')

const root = path.join(__dirname, '..')
const lib = path.join(root, 'lib')

/** The root of lib/: leaves, which everybody may use. */
const LEAVES = 'leaves'

/** Each folder of lib/ and the folders that it may use besides itself. Lower ones come first. */
const LAYERS = {
  [LEAVES]: [],
  commands: [LEAVES],
  modules: [LEAVES, 'commands'],
  options: [LEAVES],
  cache: [LEAVES, 'commands', 'options'],
  boundary: [LEAVES, 'cache'],
  observability: [LEAVES, 'commands'],
  'open-telemetry': [LEAVES, 'observability'],
  methods: [LEAVES, 'commands', 'modules', 'cache', 'observability'],
  client: [LEAVES, 'commands', 'modules', 'options', 'cache', 'boundary', 'observability',
    'methods'],
  cluster: [LEAVES, 'commands', 'modules', 'options', 'boundary', 'methods', 'client'],
  sentinel: [LEAVES, 'commands', 'modules', 'options', 'boundary', 'methods', 'client', 'cluster'],
  doctor: [LEAVES, 'options', 'client', 'cluster', 'sentinel'],
  ioredis: [LEAVES, 'commands', 'options', 'boundary', 'methods', 'client', 'cluster', 'sentinel']
}

/** What a program with a client of one server never needs. */
const NEEDLESS = new RegExp('^(cluster|sentinel|doctor|open-telemetry|ioredis)/|^native-failure|' +
  '^client/(legacy|multi|pool|scripts|session)\\b')

/**
 * Files of lib/ that may be loaded by `require`. Each takes a fifth of a millisecond, however small
 * it is, besides what is in it. There are more than 200 of them.
 */
const MOST_LOADED = 75
/** Parts of Node that take as long as a dozen of such files. */
const SLOW = ['crypto', 'dns', 'net', 'tls', 'worker_threads']

/** Files that may import another file when it is used, which would otherwise be a circle. */
const LATE = { 'client/client.js': ['client/pool.js'] }

describe('the imports of lib/', () => {
  const files = sources(lib).map(file => path.relative(lib, file).split(path.sep).join('/'))

  it('go down only', () => {
    const offences = files.flatMap(file => {
      const layer = layerOf(file)
      if (LAYERS[layer] === undefined) return [`${file}: the folder ${layer} is in no layer`]
      return importsOf(file).filter(({ target }) => {
        const used = layerOf(target)
        return used !== layer && !LAYERS[layer].includes(used)
      }).map(({ target }) => `${file} may not use ${target}`)
    })
    assert.deepStrictEqual(offences, [])
  })

  it('do not go in a circle', () => {
    const graph = new Map(files.map(file => [file, importsOf(file).map(({ target }) => target)
      .filter(target => !LATE[file]?.includes(target))]))
    const done = new Set()
    const visit = (file, trail) => {
      assert.ok(!trail.includes(file), `a circle: ${[...trail, file].join(' -> ')}`)
      if (done.has(file)) return
      for (const target of graph.get(file)) visit(target, [...trail, file])
      done.add(file)
    }
    for (const file of files) visit(file, [])
    for (const [file, targets] of Object.entries(LATE)) {
      for (const target of targets) {
        const found = importsOf(file).find(({ target: one }) => one === target)
        assert.ok(found?.isLate, `${file} must import ${target} within a function`)
      }
    }
  })

  it('stand in the first lines of a file, but for what is loaded when it is used', () => {
    const late = files.flatMap(file => importsOf(file).filter(({ isLate }) => isLate)
      .map(({ target }) => `${file} -> ${target}`))
    const rows = /^(modules|commands)\/index\.js -> \1\//
    assert.deepStrictEqual(late.filter(one => !rows.test(one)), [
      'client/chains.js -> client/multi.js', 'client/client.js -> client/scripts.js',
      'client/client.js -> client/caching.js', 'client/client.js -> client/pool.js',
      'client/client.js -> client/legacy.js', 'client/client.js -> client/session.js',
      'ioredis/index.js -> ioredis/cluster.js', 'methods/dispatch.js -> observability/trace.js',
      'native.js -> native-failure.js', 'native.js -> native-failure.js',
      'options/tls.js -> options/tls-settings.js'
    ])
  })

  it('leave the native core to the boundary and to pure questions', () => {
    // native.parseConnectionUrl, parsePfx, slotOfCommand and keysOfCommand only compute.
    const users = files.filter(file => importsOf(file).some(({ target }) => target === 'native.js'))
    assert.deepStrictEqual(users.filter(file => !file.startsWith('boundary/')), [
      'cluster/bridge.js', 'cluster/multi.js', 'cluster/send-by-key.js', 'ioredis/prefix.js',
      'options/tls-identity.js', 'options/url.js'
    ])
    for (const file of files) {
      const isUser = /\bnative\.Core\b/.test(fs.readFileSync(path.join(lib, file), 'utf8'))
      assert.ok(!isUser || file === 'boundary/bridge.js', `${file} makes a native core`)
    }
  })
})

describe('a program with one server', () => {
  it('loads no cluster, no Sentinel, no module and no legacy interface', () => {
    const loaded = loadedBy('require(".").createClient().set')
    assert.ok(loaded.length > 20 && loaded.length <= MOST_LOADED, `${loaded.length} files`)
    const needless = loaded.filter(file => NEEDLESS.test(file) ||
      (file.startsWith('modules/') && !/^modules\/(index|constants)\.js$/.test(file)))
    assert.deepStrictEqual(needless, [])
  })

  it('loads nothing for those who watch, as long as nobody does', () => {
    const loaded = loadedBy('const client = require(".").createClient(); ' +
      'client.get("k").catch(() => {}); client.destroy()')
    assert.ok(!loaded.includes('observability/trace.js'))
  })

  it('loads the rows of a group when one of its methods is called', () => {
    const groups = loaded => loaded.filter(file => /^commands\/(strings|lists|streams)/.test(file))
    const start = 'const client = require(".").createClient()'
    assert.deepStrictEqual(groups(loadedBy(start)), [])
    const call = `${start}; client.get("k").catch(() => {}); client.destroy()`
    assert.deepStrictEqual(groups(loadedBy(call)), ['commands/strings.js'])
  })

  it('loads no part of Node that takes long, nor does the second face', () => {
    const partsOf = (...args) => JSON.parse(execFileSync(process.execPath,
      [path.join(__dirname, 'support', 'loaded-parts.js'), ...args], { encoding: 'utf8' }))
    assert.ok(partsOf().length > 20)
    for (const file of ['index.js', 'ioredis.js']) {
      const parts = partsOf(path.join(root, file))
      assert.deepStrictEqual(SLOW.filter(name => parts.includes(name)), [], file)
    }
  })

  it('loads a namespace when it is read, and the cluster when it is made', () => {
    assert.ok(loadedBy('require(".").createClient().json').includes('modules/json.js'))
    assert.ok(loadedBy('require(".").createCluster({})').includes('cluster/cluster.js'))
  })
})

/** The files of lib/ that are loaded once `code` has run. */
function loadedBy (code) {
  const report = `${code}; console.log(JSON.stringify(Object.keys(require.cache)))`
  const output = execFileSync(process.execPath, ['-e', report], { cwd: root, encoding: 'utf8' })
  return JSON.parse(output).filter(file => file.startsWith(lib + path.sep))
    .map(file => path.relative(lib, file).split(path.sep).join('/'))
}

function layerOf (file) {
  const end = file.indexOf('/')
  return end === -1 ? LEAVES : file.slice(0, end)
}

/** The files of lib/ that `file` imports, and whether it does so only when a function is called. */
function importsOf (file) {
  const text = fs.readFileSync(path.join(lib, file), 'utf8')
  return text.split('\n').flatMap(line => {
    if (/^\s*(\/\/|\*)/.test(line)) return []
    return [...line.matchAll(/require\('(\.[^']*)'\)/g)].map(([, specifier]) => ({
      target: resolved(file, specifier),
      isLate: /^\s/.test(line) && !/^\s+(\.\.\.|\w+: )require\(/.test(line)
    }))
  }).filter(({ target }) => !target.startsWith('..'))
}

function resolved (file, specifier) {
  const found = require.resolve(path.join(lib, path.dirname(file), specifier))
  return path.relative(lib, found).split(path.sep).join('/')
}

function sources (folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const place = path.join(folder, entry.name)
    if (entry.isDirectory()) return sources(place)
    return entry.name.endsWith('.js') ? [place] : []
  }).sort()
}
