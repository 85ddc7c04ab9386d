'use strict'

// The support's own tests, the fault proxy. A fault test proves nothing without its fault.

const assert = require('node:assert')
const { once } = require('node:events')
const net = require('node:net')
const { after, before, describe, it } = require('node:test')

const { startFaultProxy } = require('./fault-proxy')
const { ask, read } = require('./raw-socket')

describe('the fault proxy', () => {
  let target, proxy
  before(async () => {
    target = net.createServer({ allowHalfOpen: true }, socket => {
      socket.on('error', () => {}).pipe(socket)
    })
    await once(target.listen(0, '127.0.0.1'), 'listening')
    proxy = await startFaultProxy({ port: target.address().port })
  })
  after(async () => {
    await proxy.stop()
    target.close()
  })

  const connect = () => net.connect({ port: proxy.port, host: proxy.host, noDelay: true })

  it('passes bytes and the end of the stream', async () => {
    const socket = connect()
    socket.end('hello')
    assert.strictEqual(await read(socket, 5), 'hello')
    await once(socket, 'close')
  })

  it('adds latency without changing the order', async () => {
    proxy.latency(30, { jitter: 20 })
    const socket = connect()
    const started = performance.now()
    for (let n = 0; n < 10; n++) socket.write(String(n))
    assert.strictEqual(await read(socket, 10), '0123456789')
    assert.ok(performance.now() - started >= 20, 'at least the shortest way there and back')
    proxy.heal()
    socket.destroy()
  })

  it('slices into single bytes', async () => {
    proxy.slice(1, { direction: 'down' })
    const socket = connect()
    const text = 'x'.repeat(200)
    socket.write(text)
    let chunks = 0
    socket.on('data', () => chunks++)
    assert.strictEqual(await read(socket, text.length), text)
    assert.ok(chunks > 10, `only ${chunks} chunks`)
    proxy.heal()
    socket.destroy()
  })

  it('limits the bandwidth', async () => {
    proxy.bandwidth(10_000, { direction: 'down' })
    const socket = connect()
    const started = performance.now()
    socket.write('x'.repeat(1000))
    await read(socket, 1000)
    assert.ok(performance.now() - started >= 50, '1,000 bytes at 10,000 a second')
    proxy.heal()
    socket.destroy()
  })

  it('holds everything in a black hole until it is healed', async () => {
    const socket = connect()
    await once(socket, 'connect')
    proxy.blackHole()
    socket.write('late')
    let early = true
    const answer = read(socket, 4).then(text => ({ text, early }))
    await ask(net.connect(target.address().port, '127.0.0.1'), 'meanwhile')
    early = false
    proxy.heal()
    assert.deepStrictEqual(await answer, { text: 'late', early: false })
    socket.destroy()
  })

  it('says when a hole holds bytes, so that a reset can lose a reply for certain', async () => {
    const socket = connect()
    await once(socket, 'connect')
    proxy.blackHole({ direction: 'down' })
    socket.write('lost')
    const [direction] = await once(proxy, 'held')
    assert.strictEqual(direction, 'down')
    const closed = assert.rejects(once(socket, 'close'), { code: 'ECONNRESET' })
    proxy.reset()
    await closed
    assert.strictEqual(socket.bytesRead, 0)
    proxy.heal()
  })

  it('cuts after an exact number of bytes', async () => {
    proxy.cutAfter(3)
    const socket = connect()
    socket.write('abcdef')
    let text = ''
    socket.setEncoding('latin1').on('data', piece => { text += piece })
    // libuv reports a reset that comes together with the last bytes as an ordinary end.
    await once(socket, 'close').catch(error => assert.strictEqual(error.code, 'ECONNRESET'))
    assert.strictEqual(text, 'abc')
    proxy.heal()
  })

  it('closes instead of resetting when asked to', async () => {
    proxy.cutAfter(3, { how: 'close' })
    const socket = connect()
    socket.write('abcdef')
    assert.strictEqual(await read(socket, 3), 'abc')
    await once(socket, 'close')
    proxy.heal()
  })

  it('swallows and injects', async () => {
    const socket = connect()
    await ask(socket, 'ready', { keep: true })
    proxy.swallow(3)
    socket.write('abcdef')
    assert.strictEqual(await read(socket, 3), 'def')
    proxy.inject('pushed')
    assert.strictEqual(await read(socket, 6), 'pushed')
    proxy.heal()
    socket.destroy()
  })

  it('refuses connections while it is down, and above its limit', async () => {
    const open = connect()
    await ask(open, 'ready', { keep: true })
    await Promise.all([assert.rejects(once(open, 'close'), { code: 'ECONNRESET' }), proxy.down()])
    await assert.rejects(once(connect(), 'connect'), { code: 'ECONNREFUSED' })
    await proxy.up()
    proxy.limit(0)
    await assert.rejects(ask(connect(), 'x'), /closed|ECONNRESET/)
    proxy.heal()
    assert.strictEqual(await ask(connect(), 'back'), 'back')
  })
})
