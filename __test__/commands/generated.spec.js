'use strict'

// The generated files follow from their sources, and the command table agrees with a real server.

const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { test, before, after } = require('node:test')

const { commands } = require('../../lib/commands')
const table = require('../../lib/commands/flags')
const { MODULES } = require('../../lib/modules')
const { BITS, MEANINGS, flagsOf, ...lists } = require('../../scripts/generate/flags')
const { newer } = require('../../scripts/generate/newer')
const { derive, ROOT } = require('../../scripts/generate-commands')
const { read } = require('../../scripts/generate/snapshot')
const { startServer } = require('../support/redis-server')

const snapshot = JSON.parse(fs.readFileSync(path.join(ROOT, 'commands', 'redis.json'), 'utf8'))

for (const [file, text] of Object.entries(derive())) {
  test(`${file} is what npm run generate writes`, () => {
    assert.ok(fs.readFileSync(path.join(ROOT, file), 'utf8') === text, 'run npm run generate')
  })
}

test('the flags of Rust have the same bits', () => {
  const source = fs.readFileSync(path.join(ROOT, 'src', 'command', 'mod.rs'), 'utf8')
  const found = {}
  for (const [, name, shift] of source.matchAll(/pub const (\w+): Flags = Flags\(1 << (\d+)\);/g)) {
    found[name] = 1 << shift
  }
  assert.deepStrictEqual(found, BITS)
  assert.deepStrictEqual(Object.keys(MEANINGS), Object.keys(BITS))
})

test('the overlay names no command that does not exist', () => {
  for (const names of Object.values(lists)) {
    for (const name of names) assert.ok(name in snapshot.commands || name in newer, name)
  }
})

test('flagsOf finds commands and subcommands in any case', () => {
  const { CONTAINER, OPAQUE, READONLY, REPEATABLE, STATE } = table
  assert.strictEqual(table.flagsOf('get'), READONLY | REPEATABLE)
  assert.strictEqual(table.flagsOf(Buffer.from('Config'), Buffer.from('get')), REPEATABLE)
  assert.strictEqual(table.flagsOf('CLIENT', 'REPLY'), STATE)
  assert.strictEqual(table.flagsOf('CLIENT'), CONTAINER)
  assert.strictEqual(table.flagsOf('CLIENT', 'frobnicate'), CONTAINER | OPAQUE | STATE)
  assert.strictEqual(table.flagsOf('CONFIG', 'frobnicate'), CONTAINER | OPAQUE)
  assert.strictEqual(table.flagsOf(Uint8Array.from(Buffer.from('client')), 'Capa\0'), STATE)
  assert.strictEqual(table.flagsOf('GET', 'CONFIG'), READONLY | REPEATABLE)
  assert.strictEqual(table.flagsOf('toString'), OPAQUE)
  for (const [name, facts] of Object.entries(snapshot.commands)) {
    const bits = flagsOf(name, facts).reduce((sum, flag) => sum | BITS[flag], 0)
    assert.strictEqual(table.flagsOf(...name.split(' ')), bits, name)
  }
})

test('what is written by hand about newer commands is not in the snapshot', () => {
  const superfluous = Object.keys(newer).filter(name => name in snapshot.commands)
  assert.deepStrictEqual(superfluous, [])
})

test('every row is documented, by the snapshot or by itself', () => {
  for (const row of commands) {
    const known = row.command.some((_, i) => (
      snapshot.commands[row.command.slice(0, i + 1).join(' ')]?.summary !== undefined))
    assert.ok(known !== (row.docs !== undefined), row.name)
  }
})

test('every row of a module is documented, and named as its server command', () => {
  for (const [namespace, rows] of Object.entries(MODULES)) {
    for (const row of rows) {
      assert.strictEqual(row.namespace, namespace)
      assert.match(row.command[0], new RegExp(`^${namespace}\\.[A-Z_]+$`, 'i'), row.name)
      assert.ok(row.docs?.summary?.length > 0, `${namespace}.${row.name} has no summary`)
    }
  }
})

let server
before(async () => { server = await startServer() })
after(() => server.stop())

test('no command that the server calls writing or blocking is harmless in the table', async t => {
  const found = JSON.parse(await read({ port: server.port }))
  assert.ok(Object.keys(found.commands).length > 300)
  const unknown = []
  for (const [name, { flags }] of Object.entries(found.commands)) {
    const ours = snapshot.commands[name]
    // A newer server's commands can be sent, and are never retried: nothing to compare.
    if (ours === undefined) unknown.push(name)
    else if (flags.includes('write')) assert.ok(ours.flags.includes('write'), name)
    else if (flags.includes('blocking')) assert.ok(ours.flags.includes('blocking'), name)
  }
  t.diagnostic(`server ${found.server}, not in the table: ${unknown.join(', ') || 'none'}`)
})
