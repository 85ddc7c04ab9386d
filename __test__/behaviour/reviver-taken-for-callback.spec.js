'use strict'

// Whether a function in the last place is an argument or a Node-style callback is the method's to
// say: a reviver is no callback, and what it throws rejects the call.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient } = require('../..')
const { startFakeServer } = require('../support/fake-server')

describe('a function in the last place', () => {
  let server, client
  before(async () => {
    server = await startFakeServer()
    server.on('command', ([name, ...args], reply) => {
      if (name !== 'JSON.MGET') return reply.bulk(args.join())
      reply.array([...args.slice(0, -1).map(key => JSON.stringify({ key })), null])
    })
    const parse = (parser, text) => parser.push('MINE', text)
    client = createClient({
      url: server.url,
      modules: {
        mine: {
          mapped: {
            parseCommand (parser, text, map) {
              parser.push('MINE', map(text))
              parser.preserve = map
            },
            transformReply: (reply, map) => map(reply)
          },
          optional: {
            TAKES_FUNCTIONS: true,
            parseCommand: (parser, text, map = text => text) => parser.push('MINE', map(text)),
            transformReply: undefined
          },
          plain: { parseCommand: parse, transformReply: undefined }
        }
      }
    })
    await client.connect()
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  const heard = call => new Promise((resolve, reject) => {
    call((error, reply) => error ? reject(error) : resolve(reply))
  })
  const upper = (key, value) => typeof value === 'string' ? value.toUpperCase() : value
  const text = value => value.toUpperCase()

  it('of json.mGet is its reviver', async () => {
    const all = [{ key: 'A' }, { key: 'B' }, null]
    assert.deepStrictEqual(await client.json.mGet(['a', 'b'], '$', upper), all)
    assert.deepStrictEqual(await client.json.MGET(['a', 'b'], '$', upper), all)
    assert.deepStrictEqual(await client.multi().json.mGet('a', '$', upper).execAsPipeline(),
      [[{ key: 'A' }, null]])
    for (const none of [undefined, null]) {
      assert.deepStrictEqual(await client.json.mGet('a', '$', none), [{ key: 'a' }, null])
    }
  })

  it('of json.mGet behind the reviver is a callback', async () => {
    assert.deepStrictEqual(await heard(done => client.json.mGet('a', '$', upper, done)),
      [{ key: 'A' }, null])
    assert.deepStrictEqual(await heard(done => client.json.mGet('a', '$', null, done)),
      [{ key: 'a' }, null])
  })

  it('that throws rejects the call with what it has thrown, and nothing else happens', async () => {
    const mine = new Error('mine')
    await assert.rejects(client.json.mGet('a', '$', () => { throw mine }), error => error === mine)
    await assert.rejects(client.mine.mapped('a', () => { throw mine }), error => error === mine)
    assert.strictEqual(await client.echo('x'), 'x')
  })

  it('of a custom module is an argument where parseCommand has a parameter for it', async () => {
    assert.strictEqual(await client.mine.mapped('a', text), 'A')
    assert.strictEqual(await heard(done => client.mine.mapped('a', text, done)), 'A')
    assert.strictEqual(await client.mine.optional('a', text), 'A')
    assert.strictEqual(await client.mine.optional('a'), 'a')
    assert.strictEqual(await heard(done => client.mine.plain('a', done)), 'a')
  })

  it('of a definition is no number', () => {
    assert.throws(() => createClient({
      modules: { mine: { x: { parseCommand () {}, TAKES_FUNCTIONS: 1 } } }
    }), /"modules.mine.x.TAKES_FUNCTIONS" must be a boolean/)
  })
})
