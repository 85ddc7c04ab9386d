'use strict'

// An option that is given is sent, or refused by name: 0 and the empty text are values like others.
// An option that is undefined, null or false is none.

const assert = require('node:assert')
const { test } = require('node:test')

const { createClient } = require('../..')
const { commands } = require('../../lib/commands')
const { MODULES } = require('../../lib/modules')
const { startServer } = require('../support/redis-server')
const { encode } = require('./encode')

const CALLS = {
  ...require('./modules-calls'),
  ft: require('./modules-search-calls'),
  ts: require('./modules-time-series-calls')
}
const CALLS_OF_COMMANDS = require('./calls')

/** The names of options are words of commands; others are fields that a program chooses. */
const OPTION = /^[A-Z][A-Z_]+$|^(mode|condition|comparison|policy|strategyModifier|limit|consumer)$/

const counts = { options: 0, refused: 0 }

for (const row of [...commands, ...Object.values(MODULES).flat()]) {
  const { namespace, name } = row
  const calls = (namespace === undefined ? CALLS_OF_COMMANDS : CALLS[namespace])[name]
  const places = calls.flatMap(args => placesIn(args).map(path => [args, path]))
  if (places.length === 0) continue
  test(namespace === undefined ? name : `${namespace}.${name}`, () => {
    for (const [args, path] of places) {
      const about = path.join('.')
      const without = sentOf(row, replaced(args, path, undefined))
      // Some are not sent with the others of the call, because the server would refuse them.
      if (without === sentOf(row, args)) continue
      for (const empty of [0, '']) {
        const sent = sentOf(row, replaced(args, path, empty))
        counts.options++
        if (sent instanceof Error) {
          const isClear = sent instanceof TypeError && /argument "/.test(sent.message)
          assert.ok(isClear, `${about}: ${sent}`)
          counts.refused++
        } else if (!(without instanceof Error)) {
          const shown = empty === 0 ? '0' : "''"
          assert.notDeepStrictEqual(sent, without, `${about}: ${shown} was dropped`)
        }
      }
      if (without instanceof Error) continue
      for (const none of [null, false]) {
        const sent = sentOf(row, replaced(args, path, none))
        assert.deepStrictEqual(sent, without, `${about}: ${none} is not the same as undefined`)
      }
    }
  })
}

test('an empty name of a consumer asks for that consumer, not for all', async t => {
  const server = await startServer()
  t.after(() => server.stop())
  const client = createClient(server.url)
  t.after(() => client.destroy())
  await client.xAdd('s', '1-1', { f: 'v' })
  await client.xGroupCreate('s', 'g', '0')
  await client.xReadGroup('g', 'c', { key: 's', id: '>' })
  const pending = options => client.xPendingRange('s', 'g', '-', '+', 5, options)
  assert.strictEqual((await pending()).length, 1)
  assert.strictEqual((await pending({ consumer: 'c' })).length, 1)
  assert.deepStrictEqual(await pending({ consumer: '' }), [])
  // The server refuses what would be dropped otherwise.
  await assert.rejects(client.scan('0', { COUNT: 0 }), /syntax error/)
  await assert.rejects(client.zmPop('z', 'MIN', { COUNT: 0 }), /count should be greater than 0/)
})

test('options were tried', t => {
  assert.ok(counts.options > 500 && counts.refused > 100)
  t.diagnostic(`${counts.options} empty options: ${counts.refused} refused, all others sent`)
})

/** The paths to the texts and numbers that are fields of an object of options. */
function placesIn (args) {
  const paths = []
  const visit = (v, path) => {
    if (v === null || typeof v !== 'object' || v instanceof Uint8Array || v instanceof Date) return
    for (const [name, value] of Object.entries(v)) {
      const isValue = typeof value === 'string' || typeof value === 'number'
      if (!Array.isArray(v) && isValue && OPTION.test(name)) paths.push([...path, name])
      visit(value, [...path, name])
    }
  }
  visit(args, [])
  return paths
}

/** What is sent, or the error. */
function sentOf (row, args) {
  try {
    return encode(row, args).latin1Slice()
  } catch (error) {
    return error
  }
}

/** A copy of `v` with something else at `path`. */
function replaced (v, [name, ...rest], value) {
  const copy = Array.isArray(v) ? [...v] : { ...v }
  copy[name] = rest.length === 0 ? value : replaced(v[name], rest, value)
  return copy
}
