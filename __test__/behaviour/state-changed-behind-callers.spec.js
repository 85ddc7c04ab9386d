'use strict'

// A connection that everybody shares cannot be changed by one of them: such commands are refused,
// with the name of the call that does what was meant, and nothing is sent.

const assert = require('node:assert')
const { after, before, it } = require('node:test')

const { createClient } = require('../..')
const { STATE, SUBSCRIBE, flagsOf } = require('../../lib/commands/flags')
const { startServer } = require('../support/redis-server')
const { failure } = require('./session-scene')

/** Commands -> the right call, which the error has to name. */
const REFUSED = [
  [['WATCH', 'k'], /client\.session\(/],
  [['UNWATCH'], /client\.session\(/],
  [['MULTI'], /client\.multi\(\)/],
  [['multi'], /client\.multi\(\)/],
  [[Buffer.from('Multi')], /client\.multi\(\)/],
  [['EXEC'], /client\.multi\(\)/],
  [['DISCARD'], /client\.multi\(\)/],
  [['AUTH', 'secret'], /option username, password or credentialsProvider of createClient/],
  [['HELLO', '2'], /option RESP of createClient/],
  [['CLIENT', 'SETNAME', 'x'], /option name of createClient/],
  [['client', 'setname', 'x'], /option name of createClient/],
  [['CLIENT', 'SETINFO', 'LIB-NAME', 'x'], /option clientInfoTag or disableClientInfo/],
  [['CLIENT', 'REPLY', 'OFF'], /without a reply/],
  [['CLIENT', 'NO-EVICT', 'ON'], /client\.session\(/],
  [['CLIENT', 'TRACKING', 'ON'], /client\.session\(/],
  [['READONLY'], /option readonly of createClient/],
  [['READWRITE'], /option readonly of createClient/],
  [['ASKING'], /client\.session\(/],
  [['RESET'], /client\.close\(\)/],
  [['QUIT'], /client\.close\(\)/],
  [['SCRIPT', 'DEBUG', 'YES'], /client\.session\(/],
  [['SUBSCRIBE', 'c'], /client\.subscribe\(\)/],
  [['PSUBSCRIBE', 'c'], /client\.pSubscribe\(\)/],
  [['SUNSUBSCRIBE', 'c'], /client\.sUnsubscribe\(\)/],
  [['MONITOR'], /client\.monitor\(\)/],
  [['SYNC'], /replication is not supported/]
]

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

for (const [args, right] of REFUSED) {
  it(`${args.join(' ')} is refused on a client`, async () => {
    const { commands } = client.stats()
    for (const send of [client, client.withTypeMapping({})]) {
      const error = await failure(send.sendCommand(args))
      assert.ok(error instanceof TypeError)
      assert.match(error.message, right)
      assert.ok(error.message.startsWith(`sendCommand: ${String(args[0]).toUpperCase()}`))
      assert.ok(!error.message.includes('secret'))
    }
    assert.strictEqual(client.stats().commands, commands)
    assert.strictEqual(await client.echo('as ever'), 'as ever')
  })
}

it('no command that the server lists as changing a connection gets through', async () => {
  const names = await client.sendCommand(['COMMAND', 'LIST'])
  const { commands } = client.stats()
  let refused = 0
  for (const full of names) {
    const [name, sub] = full.toUpperCase().split('|')
    if ((flagsOf(name, sub) & (STATE | SUBSCRIBE)) === 0 || name === 'SELECT') continue
    const error = await failure(client.sendCommand(sub === undefined ? [name] : [name, sub]))
    assert.ok(error instanceof TypeError, full)
    assert.match(error.message, /use client\.|use the option|without a reply|not supported/)
    refused++
  }
  assert.ok(refused > 20)
  assert.strictEqual(client.stats().commands, commands)
})

it('watch() and unwatch() of a client name the session', async () => {
  for (const method of ['watch', 'WATCH', 'unwatch', 'UNWATCH']) {
    const error = await failure(client[method]('k'))
    assert.ok(error instanceof TypeError)
    assert.match(error.message, /^(un)?watch: .*use client\.session\(async session => \.\.\.\)$/)
  }
})

it('commands that only ask about the connection are sent', async () => {
  assert.strictEqual(typeof await client.sendCommand(['CLIENT', 'ID']), 'number')
  assert.strictEqual(await client.sendCommand(['CLIENT', 'GETNAME']), null)
})
