'use strict'

// The support's own tests, servers. A fault test proves nothing without its fault.

const assert = require('node:assert')
const { execFileSync, spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')
const { after, before, describe, it } = require('node:test')
const tls = require('node:tls')

const { listenAnywhere } = require('./ports')
const { ask } = require('./raw-socket')
const { skipBefore7, skipWithoutTls, startServer } = require('./redis-server')

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

  it('starts on other ports when somebody else takes the chosen ones', async t => {
    const thief = net.createServer()
    const port = await listenAnywhere(thief)
    t.after(() => thief.close())
    for (const [name, cluster] of [['--port', false], ['--port', true], ['--cluster-port', true]]) {
      if (cluster && skipBefore7()) continue
      let attempts = 0
      // The last option counts, so the first attempt finds its port taken.
      const args = () => attempts++ === 0 ? [name, String(port)] : []
      const other = await startServer({ cluster, args })
      assert.strictEqual(attempts, 2)
      assert.strictEqual(await ask(net.connect(other.port, other.host), 'PING\r\n'), '+PONG\r\n')
      await other.stop()
    }
  })

  it('waits for its port when it is started again and somebody else has taken it', async () => {
    const other = await startServer()
    const { port } = other
    await other.kill()
    const thief = net.createServer()
    await once(thief.listen(port, '127.0.0.1'), 'listening')
    const launched = []
    const { launch } = other
    other.launch = function () {
      launched.push(this.port)
      // Not before the first attempt has failed.
      if (launched.length === 2) thief.close()
      return launch.call(this)
    }
    await other.start()
    assert.ok(launched.length >= 2 && launched.every(one => one === port), String(launched))
    assert.strictEqual(await ask(net.connect(port, other.host), 'PING\r\n'), '+PONG\r\n')
    await other.stop()
  })

  it('asks for its password', async () => {
    const locked = await startServer({ requirepass: 'a b' })
    assert.ok(locked.url.includes(':a%20b@'))
    assert.match(await ask(net.connect(locked.port, locked.host), 'PING\r\n'), /^-NOAUTH/)
    await locked.stop()
  })

  it('dies with the process that started it, even by SIGKILL', async () => {
    const support = JSON.stringify(path.join(__dirname, 'redis-server'))
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

const QUIET = { stdio: 'ignore' }
