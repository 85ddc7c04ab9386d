'use strict'

// The support's own tests, the scripted server. A fault test proves nothing without its fault.

const assert = require('node:assert')
const net = require('node:net')
const { after, before, describe, it } = require('node:test')

const { startFakeServer } = require('./fake-server')
const { ask, command, read } = require('./raw-socket')

describe('the fake server', () => {
  let fake
  before(async () => { fake = await startFakeServer() })
  after(() => fake.stop())

  it('shakes hands in RESP2 and RESP3 by itself', async () => {
    const two = await ask(net.connect(fake.port), command('HELLO', '2'))
    const three = await ask(net.connect(fake.port), command('HELLO', '3'))
    assert.match(two, /^\*14\r\n/)
    assert.match(three, /^%7\r\n/)
  })

  it('hands over commands that arrive byte by byte, in order', async () => {
    const seen = []
    const script = (args, reply) => { seen.push(args); reply.bulk(args[1]) }
    fake.on('command', script)
    const socket = net.connect({ port: fake.port, noDelay: true })
    for (const byte of command('ECHO', 'é') + command('ECHO', '')) socket.write(byte)
    assert.strictEqual(await read(socket, 14), '$2\r\né\r\n$0\r\n\r\n')
    assert.deepStrictEqual(seen.map(args => [...args]), [['ECHO', 'é'], ['ECHO', '']])
    fake.off('command', script)
    socket.destroy()
  })

  it('leaves a command unanswered until the script answers', async () => {
    const socket = net.connect(fake.port)
    const answer = ask(socket, command('GET', 'k'))
    const { args, reply } = await fake.next('get')
    assert.deepStrictEqual([...args], ['GET', 'k'])
    reply.null()
    assert.strictEqual(await answer, '$-1\r\n')
  })

  it('resets a connection', async () => {
    const socket = net.connect(fake.port)
    const answer = ask(socket, command('GET', 'k'))
    const { reply } = await fake.next('GET')
    reply.reset()
    await assert.rejects(answer, { code: 'ECONNRESET' })
  })

  it('knows no HELLO when it plays an old server', async () => {
    const old = await startFakeServer({ hello: false })
    assert.match(await ask(net.connect(old.port), command('HELLO', '3')), /^-ERR unknown/)
    await old.stop()
  })
})
