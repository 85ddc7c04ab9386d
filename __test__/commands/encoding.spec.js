'use strict'

// Every method puts the same arguments on the wire as node-redis does, with and without a prefix.

const assert = require('node:assert')
const { test, describe } = require('node:test')

const { BasicCommandParser } = require('@redis/client/dist/lib/client/parser')
const theirs = require('@redis/client/dist/lib/commands').default

const { commands } = require('../../lib/commands')
const calls = require('./calls')
const { argv } = require('./encode')

/** Where oxidis means to differ: method -> call -> [what goes over the wire, why]. */
const DIFFERENCES = {
  clientKill: {
    '["SKIPME"]': [['CLIENT', 'KILL', 'SKIPME', 'yes'], 'the bare word is a syntax error']
  }
}

/** Methods that node-redis does not have in camel case, or at all. */
const OURS = new Map([
  ['lolwut', args => ['LOLWUT', ...args.length ? ['VERSION', ...args.map(String)] : []]],
  // node-redis's takes no argument, which no server accepts.
  ['restoreAsking', (args, prefix) => (
    ['RESTORE-ASKING', ...sent('restore', args, prefix).slice(1)])],
  ['save', () => ['SAVE']],
  ['waitAof', args => ['WAITAOF', ...args.map(String)]]
])

describe('encoding as in node-redis', () => {
  for (const row of commands) {
    test(row.name, () => {
      const cases = calls[row.name]
      assert.ok(cases?.length > 0, `no call of ${row.name} in calls.js`)
      for (const args of cases) {
        for (const prefix of [undefined, 'p:', Buffer.from('é:')]) {
          assert.deepStrictEqual(argv(row, args, prefix), expected(row, args, prefix))
        }
      }
    })
  }
})

test('names and upper-case names are those of node-redis', () => {
  for (const row of commands) {
    for (const name of [row.name, row.upper, ...row.aliases]) {
      if (OURS.has(row.name) || name === 'CONFIG_RESETSTAT') continue
      assert.ok(name in theirs, name)
      assert.strictEqual(theirs[name], theirs[row.name], `${name} is ${row.name}`)
    }
  }
})

test('calls.js names no unknown method', () => {
  const names = new Set(commands.map(row => row.name))
  for (const name of Object.keys(calls)) assert.ok(names.has(name), name)
})

test('a row takes at most seven arguments, unless it says it takes any number', () => {
  for (const row of commands) assert.ok(row.args.length <= 8, row.name)
})

function expected (row, args, prefix) {
  const ours = OURS.get(row.name)
  if (ours !== undefined) return ours(args, prefix)
  const difference = DIFFERENCES[row.name]?.[JSON.stringify(args)]
  if (difference !== undefined) return difference[0]
  return sent(row.name, args, prefix)
}

/** What node-redis sends. */
function sent (name, args, prefix) {
  const parser = new BasicCommandParser(prefix)
  theirs[name].parseCommand(parser, ...args)
  return parser.redisArgs.map(arg => Buffer.from(arg).latin1Slice())
}
