'use strict'

// A server, or a broken proxy, may answer a command with the reply to another one. Whatever comes,
// the call ends within its deadline: with the reply as it is, or with an error of oxidis that has a
// code. A TypeError would say that the arguments were wrong and that nothing was sent.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, ErrorReply, OxidisError, ProtocolError, RESP_TYPES } = require('../..')
const { commands } = require('../../lib/commands')
const { MODULES } = require('../../lib/modules')
const { startFakeServer } = require('../support/fake-server')
const CALLS_OF_COMMANDS = require('./calls')
const CALLS = {
  ...require('./modules-calls'),
  ft: require('./modules-search-calls'),
  ts: require('./modules-time-series-calls')
}

/** What no command is answered with, or only some; by its name. */
const REPLIES = {
  'a simple string': '+OK\r\n',
  'an empty bulk string': '$0\r\n\r\n',
  'a bulk string': '$3\r\nfoo\r\n',
  'a text of digits': '$2\r\n42\r\n',
  'JSON': '$7\r\n{"a":1}\r\n',
  'bytes that are no UTF-8': '$2\r\n\xff\xfe\r\n',
  'an integer': ':42\r\n',
  'an integer below zero': ':-1\r\n',
  'an integer beyond 2^53': ':9223372036854775807\r\n',
  'a big number': '(123456789012345678901234567890\r\n',
  'a double': ',1.5\r\n',
  'an infinite double': ',inf\r\n',
  'a double that is no number': ',nan\r\n',
  'null': '_\r\n',
  'a null of RESP2': '$-1\r\n',
  'a null list of RESP2': '*-1\r\n',
  'true': '#t\r\n',
  'false': '#f\r\n',
  'a verbatim string': '=7\r\ntxt:foo\r\n',
  'an error': '-ERR no\r\n',
  'a bulk error': '!6\r\nERR no\r\n',
  'an empty list': '*0\r\n',
  'a list of null': '*1\r\n_\r\n',
  'a list of three texts': '*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n',
  'a list of numbers': '*4\r\n:1\r\n:2\r\n:3\r\n:4\r\n',
  'a list with an error': '*2\r\n-ERR no\r\n$1\r\na\r\n',
  'a list of empty lists': '*2\r\n*0\r\n*0\r\n',
  'a list of lists and nulls': '*3\r\n*2\r\n$1\r\na\r\n:1\r\n_\r\n*1\r\n_\r\n',
  'a list of maps': '*2\r\n%1\r\n$1\r\na\r\n:1\r\n%1\r\n$6\r\nlength\r\n:4000000000\r\n',
  'a cursor without a page': '*2\r\n$1\r\n0\r\n_\r\n',
  'a cursor that is a map': '*2\r\n%1\r\n$8\r\ntoString\r\n$1\r\nx\r\n*0\r\n',
  'deep lists': '*1\r\n'.repeat(100) + '_\r\n',
  'an empty set': '~0\r\n',
  'a set': '~3\r\n$1\r\na\r\n:1\r\n_\r\n',
  'an empty map': '%0\r\n',
  'a map with a length': '%1\r\n$6\r\nlength\r\n:4000000000\r\n',
  'a map that has no text':
    '%2\r\n$8\r\ntoString\r\n$1\r\nx\r\n$7\r\nvalueOf\r\n$1\r\ny\r\n',
  'a map of maps': '%1\r\n$1\r\na\r\n%1\r\n$6\r\nlength\r\n:4000000000\r\n',
  'a map whose key is a map': '%1\r\n%1\r\n$8\r\ntoString\r\n$1\r\nx\r\n$1\r\nv\r\n',
  'a map whose key is a list': '%1\r\n*1\r\n*1\r\n_\r\n:1\r\n'
}

const rows = [...commands, ...Object.values(MODULES).flat()]
const MAPPINGS = {
  'default types': undefined,
  'Buffers and Maps': {
    [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.MAP]: Map, [RESP_TYPES.SET]: Set
  },
  'texts and lists': {
    [RESP_TYPES.NUMBER]: String, [RESP_TYPES.DOUBLE]: String, [RESP_TYPES.MAP]: Array
  }
}

for (const [types, mapping] of Object.entries(MAPPINGS)) {
  describe(`with ${types}, every method`, () => {
    let server, client, view, bytes
    before(async () => {
      server = await startFakeServer()
      server.on('command', (args, reply) => {
        // The messages that WAIT needs are no call of the test.
        if (/^S?PUBLISH$/.test(args[0]) && args[1] === 'oxidis:wait') return reply.integer(0)
        reply.send(bytes)
      })
      client = createClient({ url: server.url, commandOptions: { timeout: 30_000 } })
      view = client.withTypeMapping(mapping)
    })
    after(async () => {
      client.destroy()
      await server.stop()
    })

    for (const [name, sent] of Object.entries(REPLIES)) {
      it(`settles when it is answered with ${name}`, async () => {
        bytes = sent
        const outcomes = await Promise.allSettled(rows.map(row => call(view, row)))
        const wrong = outcomes.flatMap(({ status, reason, value }, index) => {
          const method = nameOf(rows[index])
          if (status === 'fulfilled') return isMade(rows[index], value) ? [] : [`${method}: NaN`]
          const isOurs = reason instanceof ProtocolError ? reason.code.startsWith('REPLY_')
            : reason instanceof ErrorReply && /\berror\b/.test(name)
          return isOurs && typeof reason.command === 'string'
            ? []
            : [`${method}: ${reason instanceof OxidisError ? reason.code : reason?.stack}`]
        })
        assert.deepStrictEqual(wrong, [])
      })
    }

    it('is fine afterwards', async () => {
      bytes = '+PONG\r\n'
      assert.strictEqual(String(await view.ping()), 'PONG')
      assert.strictEqual(await client.session(session => session.ping()), 'PONG')
      assert.strictEqual(client.stats().errors?.PROTOCOL, undefined)
    })
  })
}

it('there are about five hundred methods', () => {
  assert.ok(rows.length > 450, String(rows.length))
})

/** Calls the method of `row` with the first arguments that the encoding tests know. */
function call (client, row) {
  const cases = row.namespace === undefined ? CALLS_OF_COMMANDS : CALLS[row.namespace]
  const target = row.namespace === undefined ? client : client[row.namespace]
  return target[row.name](...cases[row.name][0])
}

/** False if a transform has made an object with NaN in it of a reply that had none. */
function isMade (row, value) {
  if (row.reply === undefined || value === null || typeof value !== 'object') return true
  return !hasNaN(value)
}

function hasNaN (value) {
  if (Number.isNaN(value)) return true
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return false
  const inner = value instanceof Map || value instanceof Set ? [...value] : Object.values(value)
  return inner.some(hasNaN)
}

function nameOf (row) {
  return row.namespace === undefined ? row.name : `${row.namespace}.${row.name}`
}
