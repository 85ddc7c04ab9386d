'use strict'

// The support's own tests, ports for servers. A fault test proves nothing without its fault.

const assert = require('node:assert')
const { once } = require('node:events')
const net = require('node:net')
const { describe, it } = require('node:test')

const { BLOCK, freePort, lastingRange } = require('./ports')

describe('a port for a server', () => {
  it('is outside of the range of outgoing connections, wherever that is', async () => {
    assert.deepStrictEqual(lastingRange('32768\t60999\n'), [10_000, 32_768])
    assert.deepStrictEqual(lastingRange('1024\t40000\n'), [40_001, 65_536])
    assert.deepStrictEqual(lastingRange('1024\t65535\n'), [10_000, 65_536])
    const [first, end] = lastingRange()
    const port = await freePort()
    assert.ok(port >= first && port < end, `${port} is not from ${first} to ${end}`)
  })

  it('is given away once, also to those who ask at the same time', async () => {
    const ports = await Promise.all(Array.from({ length: 100 }, freePort))
    assert.strictEqual(new Set(ports).size, 100)
  })

  it('is in a block that this process has to itself, by listening on the first port', async () => {
    const port = await freePort()
    const [lowest] = lastingRange()
    const first = port - (port - lowest) % BLOCK
    const socket = net.connect(first, '127.0.0.1')
    await once(socket, 'connect')
    socket.destroy()
  })
})
