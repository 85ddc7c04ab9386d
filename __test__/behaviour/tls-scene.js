'use strict'

// A server whose certificate each test chooses, and clients of node-redis and of oxidis beside it.
// A server for each case would take long on a loaded machine.

const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { after, before } = require('node:test')

const redis = require('redis')

const oxidis = require('../..')
const { freePort } = require('../support/ports')
const { startServer } = require('../support/redis-server')
const { makeCertificate } = require('../support/x509')

/** What makes a certificate an authority's. */
const AUTHORITY = { ca: true, usage: ['keyCertSign'] }
/** The names of a server on this machine. */
const LOCAL = ['DNS:localhost', 'IP:127.0.0.1']

const root = makeCertificate({ subject: 'root', ...AUTHORITY })
/** A certificate that `root` has signed. */
const signed = (options = {}) => makeCertificate({ issuer: root, names: LOCAL, ...options })

/** To be called once in a suite: starts the server, and returns what its tests do with it. */
function tlsScene () {
  let server, control
  let files = 0
  before(async () => {
    const plain = await freePort()
    // Redis takes 127.0.0.1 only for a loopback address.
    const args = ['--port', String(plain), '--protected-mode', 'no']
    server = await startServer({ tls: true, args })
    control = oxidis.createClient({ socket: { host: '127.0.0.1', port: plain } })
  })
  after(async () => {
    control.destroy()
    await server.stop()
  })

  const save = text => {
    const file = path.join(server.folder, `case-${++files}.pem`)
    fs.writeFileSync(file, text)
    return file
  }

  /**
   * Gives the server this certificate, and `others` behind it. It asks for client certificates of
   * `clientsOf` if that is given.
   */
  const serve = async (own, { others = [], clientsOf, protocols = '', ciphers = '' } = {}) => {
    const chain = [own, ...others].map(({ cert }) => cert).join('')
    await control.configSet({
      'tls-cert-file': save(chain),
      'tls-key-file': save(own.key),
      'tls-ca-cert-file': save((clientsOf ?? root).cert),
      'tls-auth-clients': clientsOf ? 'yes' : 'no',
      'tls-protocols': protocols,
      'tls-ciphers': ciphers
    })
  }

  /** What comes of a connection by `library`: 'OK', or the error. */
  const attempt = async (library, socket) => {
    const client = library.createClient({
      // Otherwise node-redis looks the host up by itself as well.
      maintNotifications: 'disabled',
      socket: {
        host: 'localhost', port: server.port, tls: true, reconnectStrategy: false, ...socket
      }
    })
    client.on('error', () => {})
    try {
      await client.connect()
      return await client.set('k', 'v')
    } catch (error) {
      return error
    } finally {
      client.destroy()
    }
  }

  /** Both clients connect. */
  const works = async socket => {
    const [theirs, ours] = [
      await attempt(redis, socket), await attempt(oxidis, socket)]
    assert.strictEqual(theirs, 'OK', `node-redis: ${theirs}`)
    assert.strictEqual(ours, 'OK', `oxidis: ${ours}`)
  }

  /** Both clients refuse, and ours says why by this code and these words. */
  const refused = async (socket, code, words) => {
    const [theirs, ours] = [
      await attempt(redis, socket), await attempt(oxidis, socket)]
    assert.ok(theirs instanceof Error, 'node-redis has connected')
    assert.ok(ours instanceof Error, 'oxidis has connected')
    const found = []
    for (let cause = ours; cause; cause = cause.cause) found.push(cause)
    const told = found.filter(cause => cause.code === code)
    assert.ok(told.some(({ message }) => words.test(message)),
      `${found.map(cause => `${cause.code} ${cause.message}`)}, not ${code} ${words}`)
    // Rust's debug texts have parentheses of their own kind.
    for (const { message } of told) assert.doesNotMatch(message, /[A-Za-z]\([a-z{]|\{|::/)
  }

  return { attempt, port: () => server.port, refused, save, serve, works }
}

module.exports = { AUTHORITY, LOCAL, root, signed, tlsScene }
