'use strict'

// What docs/aliasing.md says, tried with npm, pnpm and Yarn: libraries that require `redis`,
// `@redis/client` or `ioredis` by name get oxidis, and no package manager complains.
//
// Everything is installed from a registry on 127.0.0.1, which has the packed packages and libraries
// that are made up here.

const assert = require('node:assert')
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { after, before, describe, it } = require('node:test')

const { startRegistry } = require('../../scripts/release/registry')
const { bin, here, project, run, serve } = require('./support')

const PACKED = path.join(here, '..', '..', 'target', 'packages-of-environments', 'packages')

/** Libraries as there are many: with a peer range, with files of the client, with an older one. */
const LIBRARIES = {
  'takes-redis': {
    manifest: { peerDependencies: { redis: '>=5' } },
    text: "module.exports = require('redis')"
  },
  'takes-client': {
    manifest: { dependencies: { '@redis/client': '^6.2.0', '@redis/search': '^6.0.0' } },
    text: `
      const client = require('@redis/client')
      const { SCHEMA_FIELD_TYPE } = require('@redis/search')
      const { default: RedisClient } = require('@redis/client/dist/lib/client')
      const { WatchError } = require('@redis/client/dist/lib/errors')
      const { RESP_TYPES } = require('@redis/client/dist/lib/RESP/decoder')
      module.exports = { client, RedisClient, WatchError, RESP_TYPES, SCHEMA_FIELD_TYPE }`
  },
  'takes-ioredis': {
    manifest: { dependencies: { ioredis: '^5.4.1' } },
    text: "module.exports = [require('ioredis'), require('ioredis/built/utils')]"
  }
}

/** The libraries use the module that the program calls `redis` or `oxidis`. */
const PROGRAM = `
const assert = require('node:assert')
const oxidis = require('oxidis')
const redis = require('redis')
const { client, RedisClient, ...names } = require('takes-client')
assert.strictEqual(redis, oxidis)
assert.strictEqual(require('takes-redis'), oxidis)
assert.strictEqual(client, oxidis)
assert.strictEqual(RedisClient, oxidis.RedisClient)
for (const name of Object.keys(names)) assert.strictEqual(names[name], oxidis[name], name)
assert.match(require('redis/package.json').version, /^6\\./)
const [Redis, { CONNECTION_CLOSED_ERROR_MSG }] = require('takes-ioredis')
assert.strictEqual(Redis, require('oxidis/ioredis'))
assert.strictEqual(CONNECTION_CLOSED_ERROR_MSG, 'Connection is closed.')
async function main () {
  const { createClient, RESP_TYPES } = await import('redis')
  assert.strictEqual(RESP_TYPES, oxidis.RESP_TYPES)
  const { default: same, Cluster } = await import('ioredis')
  assert.strictEqual(same, Redis)
  assert.strictEqual(Cluster, Redis.Cluster)
  const one = createClient({ url: process.env.REDIS_URL })
  assert.ok(one instanceof RedisClient)
  assert.strictEqual(await one.ping(), 'PONG')
  await one.close()
  console.log('used')
}
main()
`

const PARTS = Object.fromEntries(['client', 'bloom', 'json', 'search', 'time-series']
  .map(part => [`@redis/${part}`, 'npm:@oxidis/redis@6']))
const STAND_INS = { redis: 'npm:@oxidis/redis@6', ioredis: 'npm:@oxidis/ioredis@6' }
const OVERRIDES = { ...STAND_INS, ...PARTS }
const DEPENDENCIES = {
  ...STAND_INS, ...Object.fromEntries(Object.keys(LIBRARIES).map(name => [name, '1.0.0']))
}

/** What each package manager is told, and how it installs. */
const MANAGERS = {
  npm: {
    // npm wants what is a dependency as well to be named by it.
    manifest: { overrides: { redis: '$redis', ioredis: '$ioredis', ...PARTS } },
    command: () => ['npm', ['install', '--no-audit', '--no-fund']]
  },
  pnpm: {
    files: {
      'pnpm-workspace.yaml': Object.entries(OVERRIDES)
        .reduce((text, [name, to]) => `${text}  '${name}': '${to}'\n`, 'overrides:\n')
    },
    command: () => [process.execPath, [bin('pnpm'), 'install', '--strict-peer-dependencies']]
  },
  yarn: {
    manifest: { resolutions: OVERRIDES },
    command: () => [process.execPath, [bin('@yarnpkg/cli-dist', 'yarn'), 'install']]
  }
}

describe('@oxidis/redis and @oxidis/ioredis in place of redis and ioredis', () => {
  let server
  let registry

  before(async () => {
    server = await serve()
    registry = await startRegistry(PACKED, Object.keys(LIBRARIES).map(packLibrary))
  })

  after(async () => {
    registry.close()
    await server.stop()
  })

  for (const [manager, { manifest, files, command }] of Object.entries(MANAGERS)) {
    it(`are what libraries get, by ${manager}`, async () => {
      const cwd = projectWith(`alias-${manager}`,
        { dependencies: DEPENDENCIES, ...manifest }, files)
      const [program, args] = command()
      const said = await run(args, cwd, { program, env: surroundings(cwd) })
      assert.doesNotMatch(said, /ERESOLVE|unmet peer|YN0060|YN0002|incorrect/i)
      assert.match(await run(['use.js'], cwd, { url: server.url }), /used/)
    })
  }

  // Its version is too low for the peer ranges of libraries as long as it is below 5.
  for (const [manager, complaint] of Object.entries({
    npm: /ERESOLVE/, pnpm: /unmet peer redis@>=5: found 0/, yarn: /YN0060/
  })) {
    it(`are needed: ${manager} complains about oxidis itself as redis 5 or later`, async () => {
      const { version } = require('../../package.json')
      const cwd = projectWith(`alias-of-oxidis-${manager}`, {
        dependencies: { redis: `npm:oxidis@${version}`, 'takes-redis': '1.0.0' }
      })
      const [program, args] = MANAGERS[manager].command()
      const said = await run(args, cwd, { program, env: surroundings(cwd) })
        .catch(({ message }) => message)
      assert.match(said, complaint)
    })
  }

  function projectWith (name, manifest, files = {}) {
    const { version } = require('../../package.json')
    return project(name, {
      'package.json': JSON.stringify({
        name, version: '1.0.0', private: true, ...manifest,
        dependencies: { oxidis: version, ...manifest.dependencies }
      }),
      'use.js': PROGRAM,
      '.npmrc': `registry=${registry.url}\nstore-dir=store\ncache=cache\n`,
      '.yarnrc.yml': [
        `npmRegistryServer: '${registry.url.replace(/\/$/, '')}'`,
        "unsafeHttpWhitelist: ['127.0.0.1']",
        'nodeLinker: node-modules', 'enableTelemetry: false', 'enableGlobalCache: false', ''
      ].join('\n'),
      // So that Yarn takes the folder for a project of its own.
      'yarn.lock': '',
      ...files
    })
  }

  /** Nothing of the user's home, and nothing of the npm that runs the tests. */
  function surroundings (cwd) {
    const inherited = Object.keys(process.env).filter(name => /^npm_/i.test(name))
    return {
      ...Object.fromEntries(inherited.map(name => [name, undefined])),
      YARN_GLOBAL_FOLDER: path.join(cwd, 'yarn'), YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
      XDG_CACHE_HOME: path.join(cwd, 'caches'), XDG_STATE_HOME: path.join(cwd, 'state'),
      XDG_DATA_HOME: path.join(cwd, 'data')
    }
  }
})

/** Packs a library. Returns what the registry has to know of it. */
function packLibrary (name) {
  const { manifest: more, text } = LIBRARIES[name]
  const manifest = { name, version: '1.0.0', main: 'index.js', ...more }
  const folder = project(`library-${name}`, {
    'package.json': JSON.stringify(manifest), 'index.js': text
  })
  execFileSync('npm', ['pack', '--silent'],
    { cwd: folder, shell: process.platform === 'win32', stdio: 'ignore' })
  const file = path.join(folder, `${name}-1.0.0.tgz`)
  assert.ok(fs.existsSync(file))
  return { manifest, file }
}
