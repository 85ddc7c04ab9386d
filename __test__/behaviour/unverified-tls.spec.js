'use strict'

// TLS verifies the chain and the name, fails at once when they are wrong, and never falls back to
// plain text.

const assert = require('node:assert')
const fs = require('node:fs')
const { after, before, describe, it } = require('node:test')

const { createClient } = require('../..')
const { startFaultProxy } = require('../support/fault-proxy')
const { skipWithoutTls, startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')

describe('TLS', { skip: skipWithoutTls() }, () => {
  let server, mutual, certificates
  const pem = path => fs.readFileSync(path)
  before(async () => {
    [server, mutual] = await Promise.all([
      startServer({ tls: true }), startServer({ tls: { authClients: true } })])
    certificates = server.certificates
  })
  after(() => Promise.all([server.stop(), mutual.stop()]))

  const make = (t, tls, options = {}) => {
    const { socket, to = server, ...rest } = options
    const client = createClient({
      socket: { host: '127.0.0.1', port: to.port, tls, ...socket }, ...rest
    })
    t.after(() => client.destroy())
    return client
  }
  const works = async client => {
    await client.connect()
    assert.strictEqual(await client.set('k', 'v'), 'OK')
  }
  // Rejects long before connectTimeout, also what comes next, and says why.
  const fails = async (client, code) => {
    const started = performance.now()
    await assert.rejects(client.connect(), error => {
      const codes = []
      for (let cause = error; cause; cause = cause.cause) codes.push(cause.code)
      assert.ok(codes.some(found => code.test(found)), `${error}: ${codes}`)
      return true
    })
    await assert.rejects(client.get('k'))
    assert.ok(performance.now() - started < 4000, 'took as long as connectTimeout')
    assert.strictEqual(client.isReady, false)
  }

  it('works with the authority as Buffer, as text, and in an array', async t => {
    const ca = pem(certificates.ca)
    for (const value of [ca, String(ca), [ca], [pem(certificates.selfSigned.cert), String(ca)]]) {
      await works(make(t, { ca: value }))
    }
  })

  it('works with a rediss:// and a valkeys:// URL', async t => {
    const ca = pem(certificates.ca)
    for (const scheme of ['rediss', 'valkeys']) {
      const client = createClient({
        url: `${scheme}://127.0.0.1:${server.port}/2`, socket: { tls: { ca } }
      })
      t.after(() => client.destroy())
      await works(client)
    }
  })

  it('works with node-redis\'s placement: tls: true, and the material beside it', async t => {
    await works(make(t, true, { socket: { ca: pem(certificates.ca) } }))
    const client = createClient({ url: server.url, socket: { ca: pem(certificates.ca) } })
    t.after(() => client.destroy())
    await works(client)
    const { cert, key } = mutual.certificates.client
    await works(make(t, true, {
      to: mutual, socket: { ca: pem(mutual.certificates.ca), cert: pem(cert), key: pem(key) }
    }))
  })

  it('refuses the material without tls', () => {
    assert.throws(() => createClient({ socket: { ca: pem(certificates.ca) } }), TypeError)
  })

  it('refuses a server whose authority is unknown', async t => {
    await fails(make(t, true), /TLS_.*(ISSUER|CA|UNKNOWN)/)
    // An authority of the same name and another key.
    await fails(make(t, { ca: pem(mutual.certificates.ca) }), /TLS_CERT_INVALID|TLS_.*(ISSUER|CA)/)
  })

  it('refuses a server with another name, unless servername says which', async t => {
    const { otherHost } = certificates
    const other = await startServer({
      tls: true, args: ['--tls-cert-file', otherHost.cert, '--tls-key-file', otherHost.key]
    })
    t.after(() => other.stop())
    const ca = pem(certificates.ca)
    await fails(make(t, { ca }, { to: other }), /TLS_.*(NAME|HOST|ALTNAME)/)
    await works(make(t, { ca, servername: 'elsewhere.test' }, { to: other }))
    await fails(make(t, { ca, servername: 'another.test' }), /TLS_.*(NAME|HOST|ALTNAME)/)
  })

  it('refuses an expired certificate', async t => {
    const { expired } = certificates
    const old = await startServer({
      tls: true, args: ['--tls-cert-file', expired.cert, '--tls-key-file', expired.key]
    })
    t.after(() => old.stop())
    await fails(make(t, { ca: pem(certificates.ca) }, { to: old }), /TLS_.*EXPIRED/)
  })

  it('takes any certificate with rejectUnauthorized: false, and only then', async t => {
    await works(make(t, { rejectUnauthorized: false }))
    await works(make(t, true, { socket: { rejectUnauthorized: false } }))
    await works(make(t, { rejectUnauthorized: true, ca: pem(certificates.ca) }))
  })

  it('shows its certificate to a server that asks for one', async t => {
    const ca = pem(mutual.certificates.ca)
    const { cert, key } = mutual.certificates.client
    await works(make(t, { ca, cert: pem(cert), key: pem(key) }, { to: mutual }))
    await works(make(t, { ca, cert: String(pem(cert)), key: String(pem(key)) }, { to: mutual }))
    const without = make(t, { ca }, { to: mutual, commandOptions: { timeout: 500 } })
    await assert.rejects(without.get('k'))
  })

  it('can be held to 1.3', async t => {
    const ca = pem(certificates.ca)
    await works(make(t, { ca, minVersion: 'TLSv1.3' }))
    const old = await startServer({ tls: true, args: ['--tls-protocols', 'TLSv1.2'] })
    t.after(() => old.stop())
    const trust = pem(old.certificates.ca)
    await works(make(t, { ca: trust }, { to: old }))
    const strict = make(t, { ca: trust, minVersion: 'TLSv1.3' },
      { to: old, commandOptions: { timeout: 500 } })
    await assert.rejects(strict.get('k'))
  })

  it('is never left out: a plain server gets no command and no password', async t => {
    const plain = await startServer()
    t.after(() => plain.stop())
    const proxy = await startFaultProxy(plain)
    t.after(() => proxy.stop())
    const client = make(t, { rejectUnauthorized: false }, {
      to: proxy, password: 'secret', commandOptions: { timeout: 500 }
    })
    await assert.rejects(client.set('k', 'v'))
    client.destroy()
    const watcher = createClient(plain.url)
    t.after(() => watcher.destroy())
    assert.strictEqual(await watcher.dbSize(), 0)
    assert.strictEqual(client.isReady, false)
  })

  it('carries large values both ways', async t => {
    const client = make(t, { ca: pem(certificates.ca) })
    const value = Buffer.alloc(8_000_000, 'tls ')
    await Promise.all(Array.from({ length: 4 }, (_, n) => client.set(`large:${n}`, value)))
    const view = client.withTypeMapping({ 36: Buffer })
    const replies = await Promise.all(Array.from({ length: 4 }, (_, n) => view.get(`large:${n}`)))
    assert.ok(replies.every(reply => reply.equals(value)))
  })

  it('is there if the URL asks for it, also beside an undefined option', async t => {
    const client = createClient({
      url: `rediss://127.0.0.1:${server.port}`,
      socket: { tls: undefined, ca: pem(certificates.ca) }
    })
    t.after(() => client.destroy())
    await works(client)
  })

  it('is not there with tls: false, whatever stands beside it', async t => {
    const plain = await startServer()
    t.after(() => plain.stop())
    const socket = { ca: pem(certificates.ca), rejectUnauthorized: false }
    await works(make(t, false, { to: plain, socket }))
  })

  it('heeds NODE_TLS_REJECT_UNAUTHORIZED as Node does, and warns once', async () => {
    const script = `
      const tell = socket => {
        const client = oxidis.createClient({ url: process.argv[1], socket })
        return client.set('k', 'v').then(console.log, error => console.log(error.code))
          .then(() => client.close())
      }
      process.on('warning', ({ message }) => console.log('Warned: ' + message))
      ;(async () => {
        for (const socket of [{}, {}, { rejectUnauthorized: true },
          { rejectUnauthorized: undefined }, { rejectUnauthorized: false }]) await tell(socket)
      })()`
    const args = [`rediss://localhost:${server.port}`]
    const run = value => runScript(script, { args, env: { NODE_TLS_REJECT_UNAUTHORIZED: value } })
    const off = await run('0')
    const lines = off.stdout.trim().split('\n')
    const warnings = lines.filter(line => line.startsWith('Warned'))
    assert.deepStrictEqual(lines.filter(line => !line.startsWith('Warned')),
      ['OK', 'OK', 'TLS_UNKNOWN_CA', 'TLS_UNKNOWN_CA', 'OK'])
    assert.strictEqual(warnings.length, 1, off.stdout)
    assert.match(warnings[0], /NODE_TLS_REJECT_UNAUTHORIZED.* makes TLS connections.* insecure/)
    const on = await run('1')
    assert.strictEqual(on.stdout.split('\n')[0], 'TLS_UNKNOWN_CA')
    assert.ok(!on.stdout.includes('Warned'))
  })

  it('trusts NODE_EXTRA_CA_CERTS as Node does', async () => {
    const script = `
      const client = oxidis.createClient(process.argv[1])
      client.set('k', 'v').then(console.log, error => console.log(error.name))
        .then(() => client.close())`
    const options = { args: [`rediss://localhost:${server.port}`] }
    const trusting = await runScript(script, {
      ...options, env: { NODE_EXTRA_CA_CERTS: certificates.ca }
    })
    assert.deepStrictEqual([trusting.stdout, trusting.stderr], ['OK\n', ''])
    const wary = await runScript(script, options)
    assert.strictEqual(wary.stdout, 'ConnectionError\n')
  })
})
