'use strict'

// Definitions that were written for node-redis mean the same here: the same arguments on the wire,
// the same replies. Both clients run them on one server.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const redis = require('redis')

const oxidis = require('../..')
const { startServer } = require('../support/redis-server')

/** Returns what it was called with. */
const ECHO = 'return { #KEYS, KEYS, ARGV }'
const echo = (parseCommand, more) => ({ SCRIPT: ECHO, parseCommand, ...more })

const definitions = {
  noKeys: echo(parser => parser.push('a', 'b'), { NUMBER_OF_KEYS: 0 }),
  nothing: echo(() => {}, { NUMBER_OF_KEYS: 0 }),
  oneKey: echo(parser => {
    parser.pushKey('k')
    parser.push('a', Buffer.from([0, 255, 13, 10]), '')
  }, { NUMBER_OF_KEYS: 1 }),
  keysAsArguments: echo(parser => parser.push('k', 'l', 'a'), { NUMBER_OF_KEYS: 2 }),
  unprefixed: echo(parser => {
    parser.pushKey('k', false)
    parser.pushKey(Buffer.from('ü'))
  }, { NUMBER_OF_KEYS: 2 }),
  counted: echo(parser => {
    parser.pushKeysLength(['k', Buffer.from('l')])
    parser.pushVariadicWithLength(['a', 'b'])
    parser.pushVariadicWithLength('c')
    parser.pushVariadicNumber([1, -2.5, 1e21])
    parser.pushVariadicNumber(7)
    parser.pushVariadic('d')
    parser.pushVariadic(['e', 'ü'])
  }),
  countedOne: echo(parser => parser.pushKeysLength('k')),
  readOnly: echo(parser => parser.pushKeys(['k', 'l']),
    { NUMBER_OF_KEYS: 2, IS_READ_ONLY: true }),
  ofBytes: {
    SCRIPT: Buffer.from('return "ü" .. ARGV[1]'), NUMBER_OF_KEYS: 0,
    parseCommand: parser => parser.push('ö')
  },
  long: {
    SCRIPT: `-- ${'long '.repeat(5000)}\nreturn ARGV[1]`, NUMBER_OF_KEYS: 0,
    parseCommand: parser => parser.push('x'.repeat(20_000))
  },
  transformed: echo((parser, ...args) => {
    parser.pushKey('k')
    parser.preserve = [args, parser.keys.map(String), String(parser.firstKey)]
  }, {
    NUMBER_OF_KEYS: 1,
    transformReply: (reply, preserved, typeMapping) => ({ reply, preserved, typeMapping })
  }),
  byProtocol: echo(() => {}, {
    NUMBER_OF_KEYS: 0,
    transformReply: { 2: reply => ['two', reply], 3: reply => ['three', reply] }
  }),
  byOneProtocol: echo(() => {}, {
    NUMBER_OF_KEYS: 0, transformReply: { 2: reply => ['two', reply], 3: undefined }
  }),
  map: {
    SCRIPT: 'redis.setresp(3) return { map = { field = "value" } }', NUMBER_OF_KEYS: 0,
    parseCommand () {}
  },
  double: {
    SCRIPT: 'return { double = 1.5 }', NUMBER_OF_KEYS: 0, parseCommand () {}
  },
  nothingAtAll: { SCRIPT: 'return nil', NUMBER_OF_KEYS: 0, parseCommand () {} },
  error: {
    SCRIPT: 'return redis.error_reply("OWN error")', NUMBER_OF_KEYS: 0, parseCommand () {}
  },
  thrown: { SCRIPT: 'return redis.call("GET")', NUMBER_OF_KEYS: 0, parseCommand () {} },
  badTransform: echo(() => {}, {
    NUMBER_OF_KEYS: 0, transformReply () { throw new RangeError('own') }
  })
}

/** The first arguments of each call; none where it is not named. */
const ARGUMENTS = { transformed: ['a', 5] }

const LIBRARY = `#!lua name=library
local echo = function(keys, args) return { #keys, keys, args } end
redis.register_function{ function_name = 'twist', callback = echo }
redis.register_function{ function_name = 'look', callback = echo, flags = { 'no-writes' } }`

const functions = {
  library: {
    twist: {
      NUMBER_OF_KEYS: 1,
      parseCommand (parser, key, ...args) {
        parser.pushKey(key)
        parser.push(...args)
      },
      transformReply: reply => reply.flat(2)
    },
    look: { IS_READ_ONLY: true, parseCommand: parser => parser.pushKeysLength(['a', 'b']) }
  },
  missing: { fn: { NUMBER_OF_KEYS: 0, parseCommand () {} } }
}

const { BLOB_STRING } = oxidis.RESP_TYPES

for (const [RESP, keyPrefix, typeMapping] of [
  [2], [3], [3, 'pre:'], [2, Buffer.from('ü:')], [3, undefined, { [BLOB_STRING]: Buffer }]
]) {
  describe(`in RESP${RESP}, prefix ${keyPrefix}, ${typeMapping ? 'Buffers' : 'strings'}`, () => {
    let server, ours, theirs
    before(async () => {
      server = await startServer()
      const clients = [redis, oxidis].map(({ createClient, defineScript }) => {
        const scripts = Object.fromEntries(Object.entries(definitions)
          .map(([name, definition]) => [name, defineScript(definition)]))
        const options = { url: server.url, RESP, keyPrefix, scripts, functions }
        return createClient({ ...options, commandOptions: { typeMapping } })
      })
      ;[theirs, ours] = clients
      await theirs.connect()
      await ours.sendCommand(['FUNCTION', 'LOAD', LIBRARY])
    })
    after(async () => {
      ours.destroy()
      theirs.destroy()
      await server.stop()
    })

    const outcome = async promise => {
      try {
        return { reply: await promise }
      } catch (error) {
        return { error: error.message }
      }
    }
    const compare = async (name, call) => {
      await ours.scriptFlush()
      const expected = await outcome(call(theirs))
      await ours.scriptFlush()
      const first = await outcome(call(ours))
      assert.deepStrictEqual(first, expected, name)
      assert.deepStrictEqual(await outcome(call(ours)), expected, `${name}, by its digest`)
    }

    for (const name of Object.keys(definitions)) {
      it(name, () => compare(name, client => client[name](...ARGUMENTS[name] ?? [])))
    }

    it('functions', async () => {
      await compare('twist', client => client.library.twist('k', 'a', 'b'))
      await compare('look', client => client.library.look())
      await compare('missing', client => client.missing.fn())
      const view = { [BLOB_STRING]: Buffer }
      const bytes = await ours.withTypeMapping(view).library.look()
      assert.deepStrictEqual(bytes, [2, ['a', 'b'].map(key =>
        Buffer.concat([Buffer.from(keyPrefix ?? ''), Buffer.from(key)])), []])
      assert.deepStrictEqual(await new Promise(resolve => {
        assert.strictEqual(ours.missing.fn(error => resolve(error.code)), undefined)
      }), 'ERR')
    })
  })
}
