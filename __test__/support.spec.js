'use strict'

// The test support's own tests: a fault test proves nothing when the fault never happened.

const assert = require('node:assert')
const { execFileSync, spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')
const { after, before, describe, it } = require('node:test')
const tls = require('node:tls')

const { startFakeServer } = require('./support/fake-server')
const { startFaultProxy } = require('./support/fault-proxy')
const { startOracle } = require('./support/oracle')
const { skipWithoutTls, startServer } = require('./support/redis-server')

describe('a started server', () => {
  let server
  before(async () => { server = await startServer({ unixSocket: true }) })
  after(() => server.stop())

  it('answers on its port and on its Unix socket', async () => {
    assert.strictEqual(await ask(net.connect(server.port, server.host), 'PING\r\n'), '+PONG\r\n')
    assert.strictEqual(await ask(net.connect(server.unixSocket), 'PING\r\n'), '+PONG\r\n')
  })

  it('restarts on the same port with no data', async () => {
    const { port, pid } = server
    await ask(net.connect(port, server.host), 'SET k v\r\n')
    await server.restart()
    assert.notStrictEqual(server.pid, pid)
    assert.strictEqual(server.port, port)
    assert.strictEqual(await ask(net.connect(port, server.host), 'GET k\r\n'), '$-1\r\n')
  })

  it('answers after a pause what it was asked during it', async () => {
    server.pause()
    const socket = net.connect(server.port, server.host)
    const answer = ask(socket, 'PING\r\n')
    await once(socket, 'connect')
    server.resume()
    assert.strictEqual(await answer, '+PONG\r\n')
  })

  it('asks for its password', async () => {
    const locked = await startServer({ requirepass: 'a b' })
    assert.ok(locked.url.includes(':a%20b@'))
    assert.match(await ask(net.connect(locked.port, locked.host), 'PING\r\n'), /^-NOAUTH/)
    await locked.stop()
  })

  it('dies with the process that started it, even by SIGKILL', async () => {
    const support = JSON.stringify(path.join(__dirname, 'support', 'redis-server'))
    const child = spawn(process.execPath, ['-e', `
      require(${support}).startServer().then(({ port }) => {
        console.log(port)
        setInterval(() => {}, 1000)
      })`], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(child.stdout, 'data')
    const socket = net.connect(Number(line), '127.0.0.1')
    await once(socket, 'connect')
    child.kill('SIGKILL')
    socket.resume()
    await once(socket, 'close').catch(error => assert.strictEqual(error.code, 'ECONNRESET'))
  })

  it('names the reason when it cannot start', async () => {
    await assert.rejects(startServer({ args: ['--no-such-option', '1'] }), /no-such-option/)
  })
})

describe('a server with TLS', { skip: skipWithoutTls() }, () => {
  let server
  before(async () => { server = await startServer({ tls: { authClients: true } }) })
  after(() => server.stop())

  const read = file => fs.readFileSync(file)
  const connect = pair => tls.connect({
    host: 'localhost',
    port: server.port,
    ca: read(server.certificates.ca),
    cert: pair && read(pair.cert),
    key: pair && read(pair.key)
  })

  it('is trusted by its authority and takes the client certificate', async () => {
    const socket = connect(server.certificates.client)
    assert.strictEqual(await ask(socket, 'PING\r\n'), '+PONG\r\n')
  })

  it('refuses a client without a certificate', async () => {
    await assert.rejects(ask(connect(), 'PING\r\n'))
  })

  it('comes with an expired certificate', () => {
    const { cert } = server.certificates.expired
    assert.throws(() => execFileSync('openssl', ['x509', '-checkend', '0', '-in', cert], QUIET))
  })
})

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

describe('the oracle', () => {
  // A client that is right, on a Map; each test bends one of its commands.
  function honestClient () {
    const data = new Map()
    const turn = value => new Promise(resolve => { setImmediate(resolve, value) })
    return {
      data,
      incr: key => turn(data.set(key, (data.get(key) ?? 0) + 1).get(key)),
      echo: text => turn(text),
      get: key => turn(data.get(key) ?? null),
      set: (key, value) => { data.set(key, value); return turn('OK') }
    }
  }

  async function judge (client, options) {
    const oracle = startOracle(client, { workers: 4 })
    await oracle.healed()
    await oracle.stop()
    return oracle.verify(client, options)
  }

  it('is content with a client that is right', () => judge(honestClient()))

  it('finds a reply that belongs to somebody else', async () => {
    const client = honestClient()
    let previous = 'nobody'
    client.echo = async text => [previous, previous = text][0]
    await assert.rejects(judge(client), /ECHO of/)
  })

  it('finds a doubled INCR', async () => {
    const client = honestClient()
    const { incr } = client
    client.incr = key => { incr(key); return incr(key) }
    await assert.rejects(judge(client), /at most 1 was asked for/)
  })

  it('finds a lost write, unless the server was emptied', async () => {
    const client = honestClient()
    client.get = async () => null
    await assert.rejects(judge(client), /was missing/)
    await judge(client, { emptied: true })
  })

  it('counts a failure as unknown, unless the error says that nothing was applied', async () => {
    const client = honestClient()
    const { incr } = client
    let calls = 0
    client.incr = key => {
      const kind = calls++ % 3
      if (kind === 0) return incr(key).then(() => { throw new Error('lost on the way back') })
      if (kind === 1) throw Object.assign(new Error('never sent'), { applied: 'no' })
      return incr(key)
    }
    await judge(client)
  })

  it('names a promise that never settles', async () => {
    const client = honestClient()
    client.echo = () => new Promise(() => {})
    const oracle = startOracle(client, { workers: 2 })
    await assert.rejects(oracle.stop({ within: 50 }), /2 promises never settled: ECHO of worker 0/)
  })
})

function command (...args) {
  const bulks = args.map(arg => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`)
  return `*${args.length}\r\n${bulks.join('')}`
}

// Sends text and resolves with the first bytes that come back.
async function ask (socket, text, { keep = false } = {}) {
  const answer = read(socket, 1)
  socket.write(text)
  try {
    return await answer
  } finally {
    if (!keep) socket.destroy()
  }
}

// Resolves once at least `count` bytes have come, with all of them.
function read (socket, count) {
  return new Promise((resolve, reject) => {
    const chunks = []
    let length = 0
    const stop = () => socket.off('data', receive).off('error', reject).off('close', closed)
    const closed = () => reject(new Error('the connection was closed'))
    const receive = chunk => {
      chunks.push(chunk)
      length += chunk.length
      if (length < count) return
      stop()
      resolve(Buffer.concat(chunks).toString())
    }
    socket.on('data', receive).on('error', reject).on('close', closed)
  })
}

const QUIET = { stdio: 'ignore' }
