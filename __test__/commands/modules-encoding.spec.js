'use strict'

// Every method of a module puts the same arguments on the wire as node-redis does, with and without
// a prefix. Wrong arguments are refused by name, and never shown.

const assert = require('node:assert')
const { describe, test } = require('node:test')

const { BasicCommandParser } = require('@redis/client/dist/lib/client/parser')
const theirs = { json: require('@redis/json').default, ...require('@redis/bloom').default }

const { MODULES } = require('../../lib/modules')
const { createClient } = require('../..')
const { argv } = require('./encode')
const calls = require('./modules-calls')

const PREFIXES = [undefined, 'p:', Buffer.from('é:')]

for (const [namespace, methods] of Object.entries(calls)) {
  describe(`encoding of ${namespace} as in node-redis`, () => {
    for (const row of MODULES[namespace]) {
      test(row.name, () => {
        const cases = methods[row.name]
        assert.ok(cases?.length > 0, `no call of ${namespace}.${row.name} in modules-calls.js`)
        for (const args of cases) {
          for (const prefix of PREFIXES) {
            assert.deepStrictEqual(argv(row, args, prefix), expected(row, args, prefix))
          }
        }
      })
    }
  })

  test(`names and upper-case names of ${namespace} are those of node-redis`, () => {
    const names = MODULES[namespace].flatMap(row => [row.name, row.upper, ...row.aliases])
    assert.deepStrictEqual(names.sort(), Object.keys(theirs[namespace]).sort())
    for (const row of MODULES[namespace]) {
      assert.strictEqual(theirs[namespace][row.upper], theirs[namespace][row.name], row.name)
    }
    assert.deepStrictEqual(Object.keys(methods).filter(name => !names.includes(name)), [])
  })
}

test('a row takes at most seven arguments, unless it says it takes any number', () => {
  for (const row of Object.values(MODULES).flat()) assert.ok(row.args.length <= 8, row.name)
})

test('sketches that are merged are keys, and get the prefix', () => {
  const merge = MODULES.cms.find(({ name }) => name === 'merge')
  assert.deepStrictEqual(argv(merge, ['d', ['s', 't']], 'p:'),
    ['CMS.MERGE', 'p:d', '2', 'p:s', 'p:t'])
  assert.deepStrictEqual(argv(merge, ['d', [{ name: 's', weight: 2 }]], 'p:'),
    ['CMS.MERGE', 'p:d', '1', 'p:s', 'WEIGHTS', '2'])
})

test('an infinite number is written as servers read it', () => {
  const add = MODULES.tDigest.find(({ name }) => name === 'add')
  assert.deepStrictEqual(argv(add, ['k', [Infinity, -Infinity]]),
    ['TDIGEST.ADD', 'k', '+inf', '-inf'])
})

const cyclic = { secret: 'hunter2' }
cyclic.cyclic = cyclic

/** [namespace, method, arguments, what the message begins with, after both names] */
const WRONG = [
  ['json', 'get', [5], 'argument "key" must be'],
  ['json', 'get', ['k', '$'], 'argument "options" must be an object'],
  ['json', 'get', ['k', { paths: '$' }], 'argument "options" has an unknown option "paths"'],
  ['json', 'get', ['k', { path: [1] }], 'argument "options.path[0]" must be'],
  ['json', 'get', ['k', { reviver: 1 }], 'argument "options.reviver" must be a function'],
  ['json', 'mGet', [[], '$'], 'argument "keys" must be a non-empty array'],
  ['json', 'mGet', [['k']], 'argument "path" must be'],
  ['json', 'mSet', [[]], 'argument "items" must be a non-empty array'],
  ['json', 'mSet', [[null]], 'argument "items[0].key" must be'],
  ['json', 'mSet', [[{ key: 'k', path: '$' }]], 'argument "items[0].value" must be JSON'],
  ['json', 'set', ['k', '$'], 'argument "json" must be JSON, not undefined'],
  ['json', 'set', ['k', '$', Symbol('s')], 'argument "json" must be JSON, not symbol'],
  ['json', 'set', ['k', '$', 5n], 'argument "json" must be JSON: without cycles'],
  ['json', 'set', ['k', '$', cyclic], 'argument "json" must be JSON: without cycles'],
  ['json', 'set', ['k', '$', 1, { condition: 'GT' }], 'argument "options.condition" must be one'],
  ['json', 'set', ['k', '$', 1, { fpha: 'FP8' }], 'argument "options.fpha" must be one of'],
  ['json', 'arrAppend', ['k', '$', 1, undefined], 'argument "jsons[0]" must be JSON'],
  ['json', 'arrIndex', ['k', '$', 1, { range: {} }], 'argument "options.range.start" must be'],
  ['json', 'arrInsert', ['k', '$', 0.5, 1], 'argument "index" must be'],
  ['json', 'arrPop', ['k', { index: 1 }], 'argument "options.index" needs "options.path"'],
  ['json', 'arrTrim', ['k', '$', 0], 'argument "stop" must be'],
  ['json', 'numIncrBy', ['k', '$', NaN], 'argument "by" must be'],
  ['bf', 'add', ['k', 5], 'argument "item" must be'],
  ['bf', 'mAdd', ['k', []], 'argument "items" must be a non-empty array'],
  ['bf', 'insert', ['k', ['i'], { ERROR: 'x' }], 'argument "options.ERROR" must be'],
  ['bf', 'reserve', ['k', 0.1, 0.5], 'argument "capacity" must be'],
  ['bf', 'loadChunk', ['k', 1], 'argument "chunk" must be'],
  ['cf', 'reserve', ['k', 5, { BUCKETS: 1 }], 'argument "options" has an unknown option "BUCKETS"'],
  ['cf', 'insertNX', ['k', [null]], 'argument "items[0]" must be'],
  ['cms', 'incrBy', ['k', []], 'argument "items" must be a non-empty array'],
  ['cms', 'incrBy', ['k', 'i'], 'argument "items" must be an object'],
  ['cms', 'incrBy', ['k', [{ item: 'i' }]], 'argument "items[0].incrementBy" must be'],
  ['cms', 'merge', ['d', []], 'argument "source" must be a non-empty array'],
  ['cms', 'merge', ['d', [{ name: 's' }]], 'argument "source[0].weight" must be'],
  ['cms', 'merge', ['d', [null]], 'argument "source[0].name" must be'],
  ['topK', 'reserve', ['k', 5, { width: 8 }], 'argument "options.depth" must be'],
  ['tDigest', 'add', ['k', 5], 'argument "values" must be a non-empty array'],
  ['tDigest', 'quantile', ['k', [0.5, 'x']], 'argument "quantiles[1]" must be'],
  ['tDigest', 'merge', ['d', []], 'argument "source" must be a non-empty array']
]

describe('a wrong argument of a module\'s command', () => {
  for (const [namespace, method, args, message] of WRONG) {
    test(`is refused: ${namespace}.${method}: ${message}`, async () => {
      const client = createClient({ strictOptions: true })
      const outcomes = [
        client[namespace][method](...args),
        client.multi()[namespace][method](...args).exec(),
        new Promise((resolve, reject) => {
          // A function in the place of the reviver of json.mGet would be one.
          const whole = `${namespace}.${method}` === 'json.mGet' ? [args[0], args[1], null] : args
          client[namespace][method](...whole, error => error ? reject(error) : resolve())
        })
      ]
      for (const outcome of outcomes) {
        await assert.rejects(outcome, error => {
          assert.ok(error instanceof TypeError)
          assert.ok(error.message.startsWith(`${namespace}.${method}: ${message}`), error.message)
          assert.ok(!error.message.includes('hunter2') && error.cause === undefined)
          return true
        })
      }
      assert.strictEqual(client.stats().commands, 0)
      client.destroy()
    })
  }
})

function expected (row, args, prefix) {
  const parser = new BasicCommandParser(prefix)
  theirs[row.namespace][row.name].parseCommand(parser, ...args)
  const sent = parser.redisArgs.map(arg => Buffer.from(arg).latin1Slice())
  // node-redis forgets the prefix of these keys: see the test of its own.
  if (row.namespace === 'cms' && row.name === 'merge' && prefix !== undefined) {
    const first = 3
    for (let i = first; i < first + args[1].length; i++) {
      sent[i] = Buffer.from(prefix).latin1Slice() + sent[i]
    }
  }
  return sent
}
