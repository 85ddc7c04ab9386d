'use strict'

// Whoever cannot reach a server learns why: its name, its address, its port, its protocol.

const assert = require('node:assert')
const dns = require('node:dns/promises')
const http = require('node:http')
const net = require('node:net')
const path = require('node:path')
const { describe, it } = require('node:test')

// No name server is asked. The doctor keeps the function that stands there when it is loaded.
const names = new Map()
dns.lookup = async name => {
  const found = names.get(name)
  if (typeof found === 'string') throw Object.assign(new Error(found), { code: found })
  return found
}

const { diagnose } = require('../../lib/doctor')
const { freePort } = require('../support/ports')
const { startServer } = require('../support/redis-server')
const { finding, listening, scripted, statusOf } = require('./scene')

const V4 = { address: '127.0.0.1', family: 4 }
const V6 = { address: '::1', family: 6 }

describe('a name', () => {
  it('that does not exist is named', async () => {
    names.set('nowhere', 'ENOTFOUND')
    const { text, report } = await finding('redis://nowhere', 'NAME_UNKNOWN')
    assert.match(text, /nowhere/)
    assert.strictEqual(report.status, 2)
    assert.strictEqual(report.findings.length, 1)
  })

  it('that no name server can resolve is told with the reason', async () => {
    names.set('unresolved', 'EAI_AGAIN')
    const { text } = await finding('redis://unresolved', 'NAME_UNRESOLVED')
    assert.match(text, /EAI_AGAIN/)
  })

  it('without an address of the family that is asked for is told', async () => {
    names.set('four', [V4])
    const socket = { host: 'four', family: 6 }
    assert.match((await finding({ socket }, 'NAME_FAMILY')).text, /no IPv6 address/)
  })

  it('of which one address is dead works, with a warning', async t => {
    const server = await scripted(t)
    // The server listens on the other one only.
    names.set('both', [V6, V4])
    const socket = { host: 'both', port: server.port, lookup: undefined }
    const { text, report } = await finding({ socket }, 'ADDRESS_DEAD')
    assert.ok(text.includes(`[::1]:${server.port} (E`), text)
    assert.deepStrictEqual(report.measured.addresses, ['::1', '127.0.0.1'])
  })

  it('that the application resolves is not looked up', async t => {
    const server = await scripted(t)
    const lookup = (host, options, done) => done(null, [V4])
    const socket = { host: '127.0.0.1', port: server.port, lookup }
    const { report } = await finding({ socket }, 'NAME_ASKED')
    assert.strictEqual(statusOf(report), 0)
  })
})

describe('an address', () => {
  it('at which nobody listens is told', async () => {
    const port = await freePort()
    const { text, report } = await finding(`redis://127.0.0.1:${port}`, 'REFUSED')
    assert.ok(text.includes(`127.0.0.1 port ${port}`))
    assert.strictEqual(report.status, 2)
  })

  it('that swallows packets is told', { skip: notLinux() }, async t => {
    // Once its queue is full, the kernel drops what comes for a server that takes no connection.
    const server = await startServer({ args: ['--tcp-backlog', '1'] })
    t.after(() => server.stop())
    server.pause()
    const sockets = Array.from({ length: 8 }, () => net.connect(server.port, server.host))
    for (const socket of sockets) socket.on('error', () => {})
    t.after(() => sockets.forEach(socket => socket.destroy()))
    await finding(server.url, 'SILENT')
  })

  it('that cannot be used from here is told with the reason', async t => {
    const server = await scripted(t)
    const socket = { host: '127.0.0.1', port: server.port, localAddress: '::1' }
    const { text } = await finding({ socket }, 'UNREACHABLE')
    assert.match(text, /EINVAL|EAFNOSUPPORT|EADDRNOTAVAIL/)
  })

  it('that is no file is told', async () => {
    await finding({ socket: { path: path.join(__dirname, 'no.sock') } }, 'NO_SOCKET')
  })

  it('that may not be opened is told', { skip: isRoot() }, async t => {
    const server = await startServer({ unixSocket: true, args: ['--unixsocketperm', '000'] })
    t.after(() => server.stop())
    await finding({ socket: { path: server.unixSocket } }, 'SOCKET_DENIED')
  })

  it('that is a Unix socket is examined like any other', async t => {
    const server = await startServer({ unixSocket: true })
    t.after(() => server.stop())
    const report = await diagnose({ socket: { path: server.unixSocket } })
    assert.ok(report.findings.some(({ check, level }) => check === 'client' && level === 'ok'))
  })
})

describe('a port', () => {
  it('of an HTTP server is told to be that', async t => {
    const port = await listening(t, undefined, http.createServer((request, response) => {
      response.end('welcome')
    }))
    const { text } = await finding(`redis://127.0.0.1:${port}`, 'OTHER_SERVER')
    assert.match(text, /an HTTP server/)
  })

  it('of an SSH server is told to be that', async t => {
    const port = await listening(t, socket => socket.write('SSH-2.0-OpenSSH_9\r\n'))
    assert.match((await finding(`redis://127.0.0.1:${port}`, 'OTHER_SERVER')).text, /SSH/)
  })

  for (const [what, accept, text] of [
    ['that never answers', () => {}, /does not answer PING/],
    ['that hangs up', socket => socket.end(), /closes the connection/],
    ['that speaks something else', socket => socket.write('hello\r\n'), /does not speak RESP/]
  ]) {
    it(`${what} is told`, async t => {
      const port = await listening(t, accept)
      assert.match((await finding(`redis://127.0.0.1:${port}`, 'NO_RESP')).text, text)
    })
  }

  it('whose server is lost in the middle of it is told', async t => {
    const server = await scripted(t, { INFO: reply => reply.reset() })
    await finding(server.url, 'LOST')
  })
})

function notLinux () {
  return process.platform !== 'linux' && 'other systems refuse connections in place of that'
}

function isRoot () {
  return process.getuid?.() === 0 && 'the superuser may open every socket'
}
