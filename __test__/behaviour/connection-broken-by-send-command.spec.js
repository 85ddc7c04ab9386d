'use strict'

// sendCommand takes any command, but none that would change, hold up or steal the connection that
// all commands of the client share.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient } = require('../..')
const { startServer } = require('../support/redis-server')

describe('sendCommand', () => {
  let server, client
  before(async () => {
    server = await startServer()
    // With one lane it does some of them: see changes-lost-on-reconnect.spec.js.
    client = createClient({ url: server.url, lanes: 2 })
    await client.connect()
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  const served = [
    [['PING'], 'PONG'],
    [['SET', 'k', 'v'], 'OK'],
    [['get', 'k'], 'v'],
    [[Buffer.from('GET'), Buffer.from('k')], 'v'],
    [['SET', 'bin', Buffer.from([0, 255, 13, 10])], 'OK'],
    [['STRLEN', 'bin'], 4],
    [['GET', 'missing'], null],
    [['RPUSH', 'list', 'a', 'b'], 2],
    [['LRANGE', 'list', '0', '-1'], ['a', 'b']],
    [['HSET', 'hash', 'f', 'v'], 1],
    [['HGETALL', 'hash'], { f: 'v' }],
    [['ZADD', 'zset', '1.5', 'm'], 1],
    [['ZSCORE', 'zset', 'm'], 1.5],
    [['ZRANGE', 'zset', '0', '-1', 'WITHSCORES'], [['m', 1.5]]],
    [['SADD', 'set', 'm'], 1],
    [['SMEMBERS', 'set'], ['m']],
    [['EVAL', 'return {1, "two", false, {3}}', '0'], [1, 'two', null, [3]]],
    [['CONFIG', 'GET', 'maxclients'], { maxclients: '10000' }],
    [['XADD', 'stream', '1-1', 'f', 'v'], '1-1'],
    [['XREAD', 'STREAMS', 'stream', '0'], { stream: [['1-1', ['f', 'v']]] }],
    [['CLIENT', 'GETNAME'], null],
    [['COMMAND', 'COUNT'], 'number'],
    [['DEBUG', 'SLEEP', '0'], 'OK'],
    [['EXISTS', ''], 0],
    [['ECHO', ''], '']
  ]
  for (const [args, expected] of served) {
    it(`sends ${args.map(arg => JSON.stringify(String(arg))).join(' ')}`, async () => {
      const reply = await client.sendCommand(args)
      if (expected === 'number') assert.strictEqual(typeof reply, 'number')
      else assert.deepStrictEqual(reply, expected)
    })
  }

  const failing = [
    [['NOSUCH'], 'ERR'],
    [['GET'], 'ERR'],
    [['GET', 'list'], 'WRONGTYPE'],
    [['INCR', 'k'], 'ERR'],
    [['EVALSHA', '0'.repeat(40), '0'], 'NOSCRIPT'],
    [['EVAL', 'return redis.error_reply("MINE of the script")', '0'], 'MINE'],
    [['a\r\nPING\r\n'], 'ERR'],
    [[''], 'ERR']
  ]
  for (const [args, code] of failing) {
    it(`rejects with ${code} for ${args.map(arg => JSON.stringify(arg)).join(' ')}`, async () => {
      await assert.rejects(client.sendCommand(args), { name: 'ErrorReply', code })
    })
  }

  const refused = [
    [['SUBSCRIBE', 'channel'], /SUBSCRIBE .*client\.subscribe/],
    [['psubscribe', 'x*'], /client\.pSubscribe/],
    [['SSUBSCRIBE', 'channel'], /client\.sSubscribe/],
    [['UNSUBSCRIBE'], /client\.unsubscribe/],
    [['MONITOR'], /client\.monitor/],
    [['SYNC'], /SYNC/],
    [['PSYNC', '?', '-1'], /PSYNC/],
    [['MULTI'], /MULTI .*client\.multi/],
    [['EXEC'], /EXEC .*client\.multi/],
    [['DISCARD'], /DISCARD .*client\.multi/],
    [['WATCH', 'k'], /WATCH .*client\.session/],
    [['UNWATCH'], /UNWATCH .*client\.session/],
    [['SELECT', 'x'], /database/],
    [['AUTH', 'canary'], /AUTH .*credentialsProvider/],
    [['HELLO', '2'], /HELLO .*RESP/],
    [['RESET'], /RESET .*client\.close/],
    [['QUIT'], /QUIT .*client\.close/],
    [['CLIENT', 'REPLY', 'OFF'], /CLIENT REPLY .*reply/],
    [['CLIENT', 'reply', 'SKIP'], /CLIENT REPLY .*reply/],
    [['CLIENT', 'SETNAME', 'x'], /option name/],
    [['CLIENT', 'TRACKING', 'ON'], /CLIENT .*connection/],
    [['CLIENT', 'NO-EVICT', 'ON'], /CLIENT .*connection/],
    [['READONLY'], /READONLY .*option readonly/],
    [['ASKING'], /ASKING .*connection/]
  ]
  for (const [args, pattern] of refused) {
    it(`refuses ${args.map(String).join(' ')} without sending it`, async () => {
      const { commands } = client.stats()
      await assert.rejects(client.sendCommand(args), error => {
        assert.ok(error instanceof TypeError)
        assert.match(error.message, pattern)
        assert.ok(!error.message.includes('canary'))
        return true
      })
      assert.strictEqual(client.stats().commands, commands)
    })
  }

  it('leaves the connection as it was', async () => {
    assert.strictEqual(await client.echo('x'), 'x')
    assert.ok(client.stats().connects <= 2)
    assert.strictEqual(await client.sendCommand(['CLIENT', 'GETNAME']), null)
  })
})
