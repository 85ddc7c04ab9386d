'use strict'

// One reply is made of many without losing digits, names or the types that were asked for.

const assert = require('node:assert')
const { test } = require('node:test')

const { merge } = require('../../lib/cluster/replies')
const { MEANINGS, OVERLAY, policyOf } = require('../../scripts/generate/policies')
const snapshot = require('../../commands/redis.json').commands
const table = require('../../lib/commands/policies')

test('sums are exact, and of the type that was mapped to', () => {
  for (const [numbers, expected] of [
    [[1, 2, 3], 6],
    [['1', '2'], '3'],
    [[1n, 2n], 3n],
    [[2 ** 53 - 1, 2], 2n ** 53n + 1n],
    [[9007199254740993n, 1], 9007199254740994n],
    [['9007199254740993', '1'], '9007199254740994']
  ]) assert.strictEqual(merge('agg_sum', numbers), expected)
})

test('the smallest and the logical and are one of the replies each', () => {
  assert.strictEqual(merge('agg_min', [3, 1, 2]), 1)
  assert.strictEqual(merge('agg_min', ['3', '10', '2']), '2')
  assert.deepStrictEqual(merge('agg_min', [[1, 5], [2, 3]]), [1, 3])
  assert.deepStrictEqual(merge('agg_logical_and', [[1, 1, 0], [1, 0, 0]]), [1, 0, 0])
  assert.deepStrictEqual(merge('agg_logical_and', [['1'], ['0']]), ['0'])
})

test('replies of another shape are an error of the server, not of the caller', () => {
  for (const [policy, replies] of [
    ['agg_sum', ['x', 1]], ['agg_sum', [{ toString: 'x' }, 1]], ['agg_logical_and', [null, [1]]],
    ['agg_logical_and', [[1], null]], ['count', [null]], ['union', [[{}]]], ['busy', [null]]
  ]) assert.throws(() => merge(policy, replies), { code: 'REPLY_SHAPE' }, policy)
})

test('lists are joined, names counted, whatever they are called', () => {
  assert.deepStrictEqual(merge('concat', [['a'], [], ['b', 'a']]), ['a', 'b', 'a'])
  assert.deepStrictEqual(merge('union', [['a'], [], ['b', 'a']]), ['a', 'b'])
  const [one, other] = [Buffer.from([255]), Buffer.from([254])]
  assert.deepStrictEqual(merge('union', [[one], [other, Buffer.from([255])]]).length, 2)
  const counts = merge('count', [JSON.parse('{"__proto__":1,"a":2}'), { a: 3, b: 0 }])
  assert.deepStrictEqual(Object.entries(counts), [['__proto__', 1], ['a', 5], ['b', 0]])
})

test('a random key is one that exists, as long as there is one', () => {
  assert.strictEqual(merge('random', [null, 'a', null]), 'a')
  assert.strictEqual(merge('random', [null, null]), null)
})

test('the node that runs a function is the one that tells', () => {
  const idle = { running_script: null, engines: {} }
  const busy = { running_script: { name: 'f' }, engines: {} }
  assert.strictEqual(merge('busy', [idle, busy]), busy)
  assert.strictEqual(merge('busy', [idle, idle]), idle)
  const map = new Map(Object.entries(busy))
  assert.strictEqual(merge('busy', [new Map(Object.entries(idle)), map]), map)
  const list = ['running_script', ['name', 'f'], 'engines', []]
  assert.strictEqual(merge('busy', [['running_script', null, 'engines', []], list]), list)
})

test('every policy has a meaning, and the overlay names commands that exist', () => {
  for (const [name, facts] of Object.entries(snapshot)) {
    const policy = policyOf(name, facts)
    const known = table.policyOf(name.split(' '))
    assert.deepStrictEqual(known && [known.nodes, known.reply], policy, name)
    for (const word of policy ?? []) assert.ok(word in MEANINGS, word)
  }
  for (const name of Object.keys(OVERLAY)) assert.ok(name in snapshot, name)
  assert.strictEqual(table.policyOf(['DEBUG', 'X']), undefined)
  assert.strictEqual(table.policyOf(['DEL', 'DBSIZE']).nodes, 'multi_shard')
})
