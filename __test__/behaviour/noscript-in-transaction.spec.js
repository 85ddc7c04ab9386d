'use strict'

// A script within a transaction cannot fail because the server does not know it: its first call in
// a block carries the text.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, defineScript } = require('../..')
const { startServer } = require('../support/redis-server')

const scripts = {
  add: defineScript({
    SCRIPT: 'return redis.call("INCRBY", KEYS[1], ARGV[1])',
    NUMBER_OF_KEYS: 1,
    parseCommand (parser, key, increment) {
      parser.pushKey(key)
      parser.push(String(increment))
      parser.preserve = key
    },
    transformReply: (reply, key) => `${key} is ${reply}`
  }),
  other: defineScript({
    SCRIPT: 'return #KEYS', IS_READ_ONLY: true, parseCommand: parser => parser.pushKeysLength('k')
  })
}
const functions = {
  library: {
    echo: {
      NUMBER_OF_KEYS: 0,
      parseCommand: (parser, ...args) => parser.push(...args),
      transformReply: reply => reply.join()
    }
  }
}
const LIBRARY = `#!lua name=library
redis.register_function('echo', function(keys, args) return args end)`

const missing = typeof createClient().multi !== 'function' && 'there is no multi() yet'

for (const RESP of [3, 2]) {
  describe(`scripts in a transaction, in RESP${RESP},`, { skip: missing }, () => {
    let server, client
    before(async () => {
      server = await startServer()
      client = createClient({ url: server.url, RESP, scripts, functions, keyPrefix: 'pre:' })
      await client.sendCommand(['FUNCTION', 'LOAD', LIBRARY])
    })
    after(async () => {
      client.destroy()
      await server.stop()
    })
    const ran = async () => {
      const stats = await client.info('commandstats')
      return Object.fromEntries([...stats.matchAll(/cmdstat_(eval\w*):calls=(\d+)/g)]
        .map(([, name, count]) => [name, Number(count)]))
    }

    it('are sent whole once in a block, whatever the server knows', async () => {
      for (const lose of [() => client.scriptFlush(), () => client.ping()]) {
        await lose()
        await client.del('n')
        await client.configResetStat()
        assert.deepStrictEqual(
          await client.multi().add('n', 1).add('n', 2).other().get('n').add('n', 3).exec(),
          ['n is 1', 'n is 3', 1, '3', 'n is 6'])
        assert.deepStrictEqual(await ran(), { eval: 1, evalsha: 2, eval_ro: 1 })
      }
    })

    it('are sent whole once in a pipeline as well', async () => {
      await client.scriptFlush()
      await client.del('n')
      assert.deepStrictEqual(await client.multi().add('n', 1).add('n', 2).execAsPipeline(),
        ['n is 1', 'n is 3'])
    })

    it('stand beside functions', async () => {
      await client.del('n')
      const multi = client.multi()
      assert.strictEqual(multi.library.echo('a', 'b'), multi)
      assert.deepStrictEqual(await multi.add('n', 1).library.echo('c').exec(),
        ['a,b', 'n is 1', 'c'])
    })

    it('refuse wrong arguments before anything is sent', async () => {
      const { commands } = client.stats()
      await assert.rejects(client.multi().set('n', '5').add(5, 1).exec(),
        /^TypeError: add: argument "parser.pushKey"/)
      await assert.rejects(client.multi().library.echo(5).exec(),
        /^TypeError: library.echo: argument "parser.push"/)
      assert.strictEqual(client.stats().commands, commands)
    })
  })
}
