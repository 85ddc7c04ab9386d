'use strict'

/*
 * Methods run on connections that everybody shares: none of them may block such a connection or
 * change it, and an option object that sends a command itself must not mix two commands up.
 */

const assert = require('node:assert/strict')
const { test } = require('node:test')

const { addCommands } = require('../../lib/methods/from-rows')
const { commands } = require('../../lib/commands')
const { BLOCKING, STATE, SUBSCRIBE, flagsOf } = require('../../lib/commands/flags')

test('no method of the table blocks or changes the shared connection', () => {
  const unfit = commands.filter(({ name: method, command: [name, sub], blocks }) => {
    // Without arguments it only asks, and it takes none on a client: see session-commands.spec.js.
    if (method === 'hello') return false
    // A row that says that it may wait goes elsewhere when it does: see blocking.spec.js.
    const harmful = blocks ? STATE | SUBSCRIBE : BLOCKING | STATE | SUBSCRIBE
    return (flagsOf(name, sub) & harmful) !== 0
  })
  assert.deepEqual(unfit.map(row => row.name), [])
})

test('a command sent by the getter of an option does not mix with the outer one', () => {
  const client = recordingClient()
  client.set('outer', 'value', { get NX () { client.get('inner'); return true } })
  // An option may be read more than once.
  assert.deepEqual([...new Set(client.sent)], [
    '*2\r\n$3\r\nGET\r\n$5\r\ninner\r\n',
    '*4\r\n$3\r\nSET\r\n$5\r\nouter\r\n$5\r\nvalue\r\n$2\r\nNX\r\n'
  ])
})

test('a refused command leaves nothing behind for the next one', async () => {
  const client = recordingClient()
  await assert.rejects(client.set('key', {}), TypeError)
  client.get('key')
  assert.deepEqual(client.sent, ['*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n'])
})

function recordingClient () {
  const client = {}
  addCommands(client, commands)
  const sent = []
  client.sent = sent
  client._command = { mode: 0, timeout: 0 }
  client._bridge = { send (encoded) { sent.push(encoded); return Promise.resolve() } }
  return client
}
