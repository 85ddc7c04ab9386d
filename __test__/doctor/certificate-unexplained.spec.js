'use strict'

// Whoever is refused by TLS learns which rule is broken, and what to write.

const assert = require('node:assert')
const fs = require('node:fs')
const tls = require('node:tls')
const { after, before, describe, it } = require('node:test')

const { diagnose } = require('../../lib/doctor')
const { startServer } = require('../support/redis-server')
const { makeCertificate } = require('../support/x509')
const { finding, listening, scripted, statusOf } = require('./scene')

const AUTHORITY = { ca: true, usage: ['keyCertSign'] }
const LOCAL = ['DNS:localhost', 'IP:127.0.0.1']
const root = makeCertificate({ subject: 'the root', ...AUTHORITY })
const signed = (options = {}) => makeCertificate({ issuer: root, names: LOCAL, ...options })

/** A TLS server with this certificate, in front of a scripted server. */
async function served (t, own, options = {}) {
  const redis = await scripted(t)
  const server = tls.createServer({ cert: own.cert, key: own.key, ...options }, socket => {
    redis.accept(socket)
    // A fake server shuts its sockets down as plain ones.
    socket.resetAndDestroy = socket.destroy
  })
  server.on('tlsClientError', () => {})
  const port = await listening(t, undefined, server)
  return { port, url: `rediss://127.0.0.1:${port}`, redis }
}

describe('a certificate', () => {
  it('that is all right is told: protocol, cipher, issuer, end', async t => {
    const { url } = await served(t, signed({ subject: 'the server' }))
    const report = await diagnose({ url, socket: { ca: root.cert } })
    assert.strictEqual(statusOf(report), 0, JSON.stringify(report.findings))
    const texts = report.findings.filter(({ check }) => check === 'tls').map(({ text }) => text)
    assert.match(texts[0], /^TLSv1\.[23], \w+/)
    assert.match(texts[1], /the server was issued by the root and ends on \d{4}-\d\d-\d\d/)
    assert.strictEqual(report.measured.tls.chain[0].subject, 'the server')
    assert.deepStrictEqual(report.measured.tls.chain[0].names,
      ['DNS:localhost', 'IP Address:127.0.0.1'])
  })

  for (const [what, code, own, options, text] of [
    ['that is signed by itself', 'TLS_SELF_SIGNED', makeCertificate({ names: LOCAL }), {},
      /signed by itself/],
    ['whose issuer is not known', 'TLS_UNKNOWN_ISSUER', signed(), {}, /the root/],
    ['that has ended', 'TLS_EXPIRED', signed({ days: [-30, -2] }), { ca: root.cert },
      /ended on \d/],
    ['that has not begun', 'TLS_NOT_YET', signed({ days: [2, 30] }), { ca: root.cert },
      /begins on \d/],
    ['for another host', 'TLS_WRONG_NAME', signed({ names: ['DNS:elsewhere'] }), { ca: root.cert },
      /not for 127\.0\.0\.1; it is for DNS:elsewhere/],
    ['that may be used for nothing that a server does', 'TLS_REFUSED',
      signed({ purposes: ['clientAuth'] }), { ca: root.cert }, /INVALID_PURPOSE/]
  ]) {
    it(`${what} is told to be that, and the password stays here`, async t => {
      const { url, redis } = await served(t, own)
      const found = await finding({ url, password: 'canary-hunter2', socket: options }, code)
      assert.match(found.text, text)
      assert.strictEqual(found.report.status, 2)
      assert.deepStrictEqual(redis.commands, [])
      assert.ok(found.remedy)
    })
  }

  it('with others above it is told with its chain', async t => {
    const between = signed({ subject: 'in between', names: undefined, ...AUTHORITY })
    const own = makeCertificate({ subject: 'the server', issuer: between, names: LOCAL })
    const { url } = await served(t, { cert: own.cert + between.cert, key: own.key })
    const report = await diagnose({ url, socket: { ca: root.cert } })
    assert.strictEqual(statusOf(report), 0, JSON.stringify(report.findings))
    const { text } = report.findings.find(({ text }) => text.startsWith('the chain'))
    assert.match(text, /^the chain: the server, then in between, then the root/)
  })

  it('that breaks two rules is told with both', async t => {
    const { url } = await served(t, signed({ days: [-30, -2], names: ['DNS:elsewhere'] }))
    const { report } = await finding({ url, socket: { ca: root.cert } }, 'TLS_EXPIRED')
    assert.ok(report.findings.some(({ code }) => code === 'TLS_WRONG_NAME'))
  })

  it('that names another host is accepted under that name, as the remedy says', async t => {
    const { url } = await served(t, signed({ names: ['DNS:elsewhere'] }))
    const { remedy } = await finding({ url, socket: { ca: root.cert } }, 'TLS_WRONG_NAME')
    assert.match(remedy, /servername: 'elsewhere'/)
    const report = await diagnose({ url, socket: { ca: root.cert, servername: 'elsewhere' } })
    assert.strictEqual(statusOf(report), 0, JSON.stringify(report.findings))
  })

  it('that ends soon gives a warning', async t => {
    const { url } = await served(t, signed({ days: [-30, 5] }))
    const { text } = await finding({ url, socket: { ca: root.cert } }, 'TLS_ENDS_SOON')
    assert.match(text, /in [45] days/)
  })

  it('that is not looked at gives a warning', async t => {
    const { url } = await served(t, makeCertificate({ names: LOCAL }))
    const { report } = await finding({ url, socket: { rejectUnauthorized: false } },
      'TLS_UNVERIFIED')
    assert.strictEqual(statusOf(report), 1)
  })
})

describe('a server', () => {
  let secure
  before(async () => { secure = await startServer({ tls: true }) })
  after(() => secure.stop())

  it('that wants TLS is told to somebody who speaks plain', async () => {
    const { remedy } = await finding(`redis://127.0.0.1:${secure.port}`, 'PLAIN_TO_TLS')
    assert.match(remedy, /rediss:/)
  })

  it('that speaks plain is told to somebody who speaks TLS', async t => {
    const plain = await startServer()
    t.after(() => plain.stop())
    const { remedy } = await finding(`rediss://127.0.0.1:${plain.port}`, 'TLS_TO_PLAIN')
    assert.match(remedy, /redis:/)
  })

  it('that speaks TLS is told to be all right with its authority', async () => {
    const ca = fs.readFileSync(secure.certificates.ca)
    const report = await diagnose({ url: secure.url, socket: { ca } })
    assert.ok(report.status < 2, JSON.stringify(report.findings))
    assert.ok(report.findings.some(({ check, level }) => check === 'client' && level === 'ok'))
  })

  it('that wants a certificate of the client is told', async t => {
    const strict = await startServer({ tls: { authClients: true } })
    t.after(() => strict.stop())
    const ca = fs.readFileSync(strict.certificates.ca)
    const { remedy } = await finding({ url: strict.url, socket: { ca } }, 'TLS_CLIENT_CERTIFICATE')
    assert.match(remedy, /cert: .*key: /)
    const { cert, key } = strict.certificates.client
    const own = { cert: fs.readFileSync(cert), key: fs.readFileSync(key) }
    assert.ok((await diagnose({ url: strict.url, socket: { ca, ...own } })).status < 2)
  })

  it('with another version of TLS is told', async t => {
    const { url } = await served(t, signed(), { maxVersion: 'TLSv1.2' })
    const socket = { tls: { ca: root.cert, minVersion: 'TLSv1.3' } }
    await finding({ url, socket }, 'TLS_VERSION')
  })

  it('that hangs up in the handshake is told', async t => {
    const port = await listening(t, socket => socket.once('data', () => socket.destroy()))
    await finding(`rediss://127.0.0.1:${port}`, 'TLS_FAILED')
  })

  it('that takes TLS and then says nothing is told', async t => {
    const { cert, key } = signed()
    const port = await listening(t, undefined, tls.createServer({ cert, key }))
    const url = `rediss://127.0.0.1:${port}`
    await finding({ url, socket: { ca: root.cert } }, 'NO_RESP')
  })
})
