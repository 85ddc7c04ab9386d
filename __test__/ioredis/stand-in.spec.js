'use strict'

// The package that stands in for ioredis is found under its name and its paths.

const assert = require('node:assert')
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, test } = require('node:test')

const { startServer } = require('../support/redis-server')

const root = path.join(__dirname, '..', '..')
let folder, server

before(async () => {
  server = await startServer()
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'oxidis-stand-in-'))
  const modules = path.join(folder, 'node_modules')
  fs.cpSync(path.join(root, 'packages', 'ioredis'), path.join(modules, 'ioredis'),
    { recursive: true })
  fs.symlinkSync(root, path.join(modules, 'oxidis'))
})
after(async () => {
  await server?.stop()
  if (folder !== undefined) fs.rmSync(folder, { recursive: true, force: true })
})

/** Runs code in a project that has it installed, and returns what it prints. */
function run (code, ...flags) {
  return execFileSync(process.execPath, [...flags, '-e', code],
    { cwd: folder, encoding: 'utf8', timeout: 60_000 }).trim()
}

test('a library that requires ioredis gets the class, which works', () => {
  assert.strictEqual(run(`
    const Redis = require('ioredis')
    const { Redis: same, default: again } = require('ioredis')
    const redis = new Redis(${server.port}, '127.0.0.1')
    redis.ping().then(pong => {
      console.log(pong, same === Redis, again === Redis)
      redis.disconnect()
    })`), 'PONG true true')
})

test('an ES module imports the class by default', () => {
  assert.strictEqual(run('import Redis from "ioredis"; console.log(Redis.name, Redis.Redis.name)',
    '--input-type=module'), 'Redis Redis')
})

test('libraries find what they require by paths', () => {
  assert.strictEqual(run(`
    const { CONNECTION_CLOSED_ERROR_MSG, parseURL } = require('ioredis/built/utils')
    const { default: Redis } = require('ioredis/built/Redis')
    console.log(CONNECTION_CLOSED_ERROR_MSG, parseURL('redis://127.0.0.1:1/2').db, Redis.name)`),
  'Connection is closed. 2 Redis')
})

test('its version is in the ranges of ioredis 6, and it names this version of oxidis', () => {
  const stand = require('../../packages/ioredis/package.json')
  assert.match(stand.version, /^6\./)
  assert.strictEqual(stand.dependencies.oxidis, require('../../package.json').version)
})
