'use strict'

// What the types of a method forbid is refused at run time as well: by a TypeError that names the
// method and the argument, on a client and in a chain, and nothing is sent.
//
// Bad calls are made of the realistic ones: an argument is left out, or it, or anything inside of
// it, is replaced by a value of another kind; those are bad that the declared types do not accept.

const assert = require('node:assert')
const { test } = require('node:test')

const { RedisClient } = require('../..')
const { commands } = require('../../lib/commands')
const { MODULES } = require('../../lib/modules')
const { accepts, overloadsOf } = require('./declared-types')

const CALLS = {
  ...require('./modules-calls'),
  ft: require('./modules-search-calls'),
  ts: require('./modules-time-series-calls')
}
const CALLS_OF_COMMANDS = require('./calls')

const SECRET = 'hunter2'

// Nobody looks at the stacks of a hundred thousand errors, and they take most of the time.
Error.stackTraceLimit = 0

/** What takes the place of something good: its name, and a value. */
const JUNK = [
  ['undefined', undefined],
  ['null', null],
  ['true', true],
  ['a number', 5],
  ['a fraction', 1.5],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['a rounded integer', 2 ** 60],
  ['a string', SECRET],
  ['an empty string', ''],
  ['a symbol', Symbol(SECRET)],
  ['a function', () => SECRET],
  ['an object', {}],
  ['an empty array', []],
  ['an array', [SECRET]],
  ['an array of what is no argument', [null, Symbol(SECRET)]],
  ['an invalid date', new Date(NaN)],
  ['a Map', new Map([[SECRET, SECRET]])]
]

/** Methods for which an empty list or object means something: method -> what. */
const MAY_BE_EMPTY = {
  aclSetUser: 'a user without rules',
  bitField: 'no operation, and so no reply',
  bitFieldRo: 'no operation, and so no reply',
  commandInfo: 'all commands',
  geoRadiusByMemberRoWith: 'the members alone',
  geoRadiusByMemberWith: 'the members alone',
  geoRadiusRoWith: 'the members alone',
  geoRadiusWith: 'the members alone',
  geoSearchWith: 'the members alone',
  vSetAttr: 'no attributes',
  'json.arrAppend': 'JSON',
  'json.arrIndex': 'JSON',
  'json.arrInsert': 'JSON',
  'json.merge': 'JSON',
  'json.set': 'JSON'
}

/** A sample may be NaN, unlike other numbers. */
const isSample = (method, path, junk) => Number.isNaN(junk) &&
  ((method === 'ts.add' && path.join() === '2') ||
    (method === 'ts.mAdd' && path.at(-1) === 'value'))

const counts = { methods: 0, calls: 0 }

for (const row of [...commands, ...Object.values(MODULES).flat()]) {
  const method = nameOf(row)
  const overloads = overloadsOf(row)
  if (overloads.every(parameters => parameters.length === 0)) continue
  test(method, async () => {
    const cases = row.namespace === undefined ? CALLS_OF_COMMANDS : CALLS[row.namespace]
    const client = clientThatCounts()
    const seen = new Set()
    for (const args of cases[row.name]) {
      for (const bad of badCalls(row, method, args)) {
        await checkRefused(client, row, method, bad)
        seen.add(bad.title)
        counts.calls++
      }
    }
    assert.ok(seen.size > 0, `no bad call of ${method}`)
    counts.methods++
  })
}

test('every method that takes arguments has refused bad ones', t => {
  const all = [...commands, ...Object.values(MODULES).flat()]
  const without = all.filter(row => overloadsOf(row).every(({ length }) => length === 0))
  assert.strictEqual(counts.methods + without.length, all.length)
  const number = n => n.toLocaleString('en')
  const names = new Set(all.map(nameOf))
  for (const name of Object.keys(MAY_BE_EMPTY)) assert.ok(names.has(name), name)
  t.diagnostic(`bad input: ${counts.methods} methods, ${number(counts.calls)} bad calls on a ` +
    `client and in a chain, all refused, nothing sent (${without.length} methods take no argument)`)
})

/** What errors call a method. */
function nameOf ({ namespace, name }) {
  return namespace === undefined ? name : `${namespace}.${name}`
}

/**
 * Bad calls, made of a realistic one.
 * @returns {Generator<{ args: unknown[], title: string, names: Set<string> }>} `names` are those of
 *   the arguments that may be called wrong
 */
function * badCalls (row, method, good) {
  const mayBeEmpty = method in MAY_BE_EMPTY
  const isFine = args => accepts(row, args, mayBeEmpty)
  // JavaScript programs may use what the types do not offer, such as a sample that is NaN.
  if (!isFine(good)) return
  const overloads = overloadsOf(row)
  const longest = Math.max(...overloads.map(({ length }) => length))
  const namesAt = i => overloads.map(parameters => (
    (parameters[i] ?? parameters.findLast(({ isRest }) => isRest))?.name
  ))
  // An argument that has become another overload's may leave one out that this one needs.
  const namesFrom = (i, args) => new Set([...namesAt(i), ...namesAt(args.length)])
  for (let i = 0; i < good.length; i++) {
    const args = good.slice(0, i)
    if (isFine(args)) continue
    const names = new Set(good.slice(i).flatMap((arg, offset) => namesAt(i + offset)))
    yield { args, title: `without argument ${i}`, names }
  }
  for (const path of placesIn(good, longest)) {
    for (const [kind, junk] of JUNK) {
      const args = replaced(good, path, junk)
      // A function in the last place is a callback.
      if (typeof args.at(-1) === 'function' || isFine(args)) continue
      if (isSample(method, path, junk)) continue
      yield { args, title: `${kind} at ${path.join('.')}`, names: namesFrom(path[0], args) }
    }
  }
  for (let i = 1; i < longest; i++) {
    const given = good[i] ?? {}
    if (i > good.length || namesAt(i)[0] !== 'options' || typeof given !== 'object') continue
    yield {
      args: replaced(good, [i], { ...given, nonsense: SECRET }),
      title: `an unknown option at ${i}`,
      names: new Set(['options'])
    }
  }
}

/** The paths to everything within a call, and to the next argument that it might have. */
function placesIn (args, longest) {
  const paths = []
  function visit (v, path) {
    if (path.length > 0) paths.push(path)
    if (typeof v !== 'object' || v === null || v instanceof Uint8Array || v instanceof Date) return
    for (const name of Object.keys(v)) visit(v[name], [...path, name])
  }
  visit(args, [])
  if (args.length < longest) paths.push([String(args.length)])
  return paths
}

/** A copy of `v` with something else at `path`. */
function replaced (v, [name, ...rest], value) {
  const copy = Array.isArray(v) ? [...v] : { ...v }
  copy[name] = rest.length === 0 ? value : replaced(v[name], rest, value)
  return copy
}

/** A client without a connection, and how often it has sent something. */
function clientThatCounts () {
  const client = new RedisClient({ strictOptions: true })
  client.sent = 0
  const send = async () => { client.sent++ }
  client._bridge = { send, sendLarge: send, sendBlocking: send }
  return client
}

/** Fails unless a call is refused on a client and in a chain, in words that name what is wrong. */
async function checkRefused (client, row, method, { args, title, names }) {
  const target = row.namespace === undefined ? client : client[row.namespace]
  const chain = client.multi()
  const inChain = row.namespace === undefined ? chain : chain[row.namespace]
  const outcomes = [
    () => target[row.name](...args),
    () => { inChain[row.name](...args); return chain.exec() }
  ]
  for (const run of outcomes) {
    const error = await failureOf(run)
    const about = `${method} with ${title}`
    assert.ok(error instanceof TypeError, `${about}: ${error}`)
    const [, name] = error.message.match(/^([\w.]+: argument "\w+)/) ?? []
    const expected = [...names].map(name => `${method}: argument "${name}`)
    assert.ok(expected.includes(name), `${about}: ${error.message}`)
    assert.ok(!error.message.includes(SECRET), `${about}: ${error.message}`)
    assert.strictEqual(client.sent, 0, about)
  }
}

async function failureOf (run) {
  try {
    await run()
  } catch (error) {
    return error
  }
}
