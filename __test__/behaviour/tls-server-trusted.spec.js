'use strict'

// Every server that node-redis refuses is refused here as well, and the error says why. Each case
// runs with both clients against the same server.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const oxidis = require('../..')
const { skipBefore7, skipWithoutTls } = require('../support/redis-server')
const { makeCertificate } = require('../support/x509')
const { AUTHORITY, LOCAL, root, signed, tlsScene } = require('./tls-scene')

describe('TLS refuses', { skip: skipBefore7() || skipWithoutTls() }, () => {
  const { attempt, refused, serve } = tlsScene()
  const UNKNOWN = ['TLS_UNKNOWN_CA', /no trusted authority/]
  const NAME = ['TLS_HOSTNAME_MISMATCH', /not for localhost, but for /]

  it('a self-signed certificate that is not in ca', async () => {
    for (const ca of [true, false]) {
      const own = makeCertificate({ names: LOCAL, ca })
      await serve(own)
      await refused({ ca: root.cert }, ...UNKNOWN)
    }
    // Of the same name, and even with the same key.
    const own = makeCertificate({ names: LOCAL })
    const twin = makeCertificate({ names: LOCAL, twin: own })
    await serve(twin)
    await refused({ ca: own.cert }, 'TLS_CERT_INVALID', /no authority's/)
    const other = makeCertificate({ names: LOCAL })
    await refused({ ca: other.cert }, 'TLS_CERT_INVALID', /another key/)
  })

  it('a self-signed certificate as its own ca that is for another host, or out of its time',
    async () => {
      for (const ca of [true, false]) {
        for (const [options, ...expected] of [
          [{ names: ['DNS:db.example'] }, 'TLS_HOSTNAME_MISMATCH', /but for DNS:db.example/],
          [{ days: [-9, -2] }, 'TLS_CERT_EXPIRED', /has expired/],
          [{ days: [2, 9] }, 'TLS_CERT_NOT_YET_VALID', /clock/],
          [{ usage: ['keyCertSign'] }, 'TLS_CERT_INVALID', /digitalSignature/],
          [{ purposes: ['clientAuth'] }, 'TLS_CERT_INVALID', /serverAuth/],
          [{ mystery: true }, 'TLS_CERT_INVALID', /critical extension/]
        ]) {
          const own = makeCertificate({ names: LOCAL, ca, ...options })
          await serve(own)
          await refused({ ca: own.cert }, ...expected)
        }
      }
    })

  it('a certificate that somebody signed whose own certificate in ca is no authority\'s',
    async () => {
      const leaf = makeCertificate({ subject: 'leaf', names: LOCAL, ca: false })
      for (const version of [1, 3]) {
        const own = makeCertificate({ issuer: leaf, names: LOCAL, version })
        await serve(own)
        await refused({ ca: leaf.cert }, 'TLS_CERT_INVALID', /CA:TRUE/)
      }
    })

  it('a certificate of version 1, or an authority\'s, that breaks a rule', async () => {
    const impostor = makeCertificate({ subject: 'root', ...AUTHORITY })
    const between = options =>
      makeCertificate({ subject: 'between', issuer: root, ...AUTHORITY, ...options })
    const below = (above, options) => [makeCertificate({ issuer: above, ...options }), [above]]
    const narrow = makeCertificate({ subject: 'narrow', ...AUTHORITY, pathlen: 0 })
    const bounded = makeCertificate({ subject: 'bounded', ...AUTHORITY, permits: 'x.test' })
    const past = makeCertificate({ subject: 'past', ...AUTHORITY, days: [-9, -2] })
    for (const kind of [{ version: 1 }, { ca: true }]) {
      for (const [[own, others = []], trusted, ...expected] of [
        [[makeCertificate({ issuer: impostor, ...kind })], root, 'TLS_CERT_INVALID',
          /another key/],
        [[makeCertificate({ issuer: narrow, ...kind })], root, ...UNKNOWN],
        [[signed({ names: undefined, subject: 'db.example', ...kind })], root, ...NAME],
        [[signed({ names: undefined, days: [-9, -2], ...kind })], root, 'TLS_CERT_EXPIRED',
          /server's certificate has expired/],
        [[signed({ names: undefined, days: [2, 9], ...kind })], root, 'TLS_CERT_NOT_YET_VALID',
          /clock/],
        [[makeCertificate({ issuer: past, ...kind })], past, 'TLS_CERT_EXPIRED', /authority/],
        [below(between({ ca: false }), kind), root, 'TLS_CERT_INVALID', /CA:TRUE/],
        [below(between({ usage: ['digitalSignature'] }), kind), root, 'TLS_CERT_INVALID',
          /keyCertSign/],
        [below(between({ version: 1 }), kind), root, 'TLS_CERT_INVALID', /CA:TRUE/],
        [below(between({ days: [-9, -2] }), kind), root, 'TLS_CERT_EXPIRED', /authority/],
        [below(between({ mystery: true }), kind), root, 'TLS_CERT_INVALID', /critical/],
        [below(between({ purposes: ['clientAuth'] }), kind), root, 'TLS_CERT_INVALID',
          /serverAuth/],
        [below(between({ issuer: narrow }), kind), narrow, 'TLS_CERT_INVALID', /pathlen/]
      ]) {
        await serve(own, { others })
        await refused({ ca: trusted.cert }, ...expected)
      }
      const named = makeCertificate({ issuer: bounded, subject: 'db.example', ...kind })
      const socket = { ca: bounded.cert, servername: 'db.example' }
      await serve(named)
      await refused(socket, 'TLS_CERT_INVALID', /constrains names/)
    }
  })

  it('a certificate for another name, whatever its common name says', async () => {
    const ca = root.cert
    await serve(signed({ names: ['DNS:elsewhere.test'] }))
    await refused({ ca }, ...NAME)
    await serve(signed({ names: undefined, subject: 'db' }))
    await refused({ ca }, ...NAME)
    await serve(signed({ names: undefined, subject: null }))
    await refused({ ca },
      'TLS_HOSTNAME_MISMATCH', /no name at all/)
    await serve(signed({ names: undefined, subject: '127.0.0.1' }))
    await refused({ ca, host: '127.0.0.1' }, 'TLS_HOSTNAME_MISMATCH', /127\.0\.0\.1/)
    await serve(signed({ names: undefined, subject: '*.example' }))
    await refused({ ca, servername: 'db.example' }, 'TLS_HOSTNAME_MISMATCH', /CN=\*/)
  })

  it('a chain that breaks a rule', async () => {
    const past = makeCertificate({ subject: 'past', ...AUTHORITY, days: [-9, -2] })
    const narrow = makeCertificate({ subject: 'narrow', ...AUTHORITY, pathlen: 0 })
    const between = makeCertificate({ subject: 'between', issuer: narrow, ...AUTHORITY })
    const own = issuer => makeCertificate({ issuer, names: LOCAL })
    await serve(own(past))
    await refused({ ca: past.cert }, 'TLS_CERT_EXPIRED', /authority/)
    await serve(own(between), { others: [between] })
    await refused({ ca: narrow.cert }, 'TLS_CERT_INVALID', /pathlen/)
    await refused({ ca: between.cert }, 'TLS_UNKNOWN_CA', /allowPartialTrustChain/)
    await serve(signed({ mystery: true }))
    await refused({ ca: root.cert }, 'TLS_CERT_INVALID', /critical extension/)
    await serve(signed({ purposes: ['clientAuth'] }))
    await refused({ ca: root.cert }, 'TLS_CERT_INVALID', /serverAuth/)
    await serve(signed({ usage: ['dataEncipherment'] }))
    await refused({ ca: root.cert }, 'TLS_CERT_INVALID', /digitalSignature/)
  })

  it('what checkServerIdentity refuses', async () => {
    await serve(signed())
    const checkServerIdentity = () => new Error('not that one')
    await refused({ ca: root.cert, checkServerIdentity }, 'TLS_HOSTNAME_MISMATCH',
      /checkServerIdentity refused the certificate of localhost: not that one/)
    // It is asked about verified certificates only.
    const never = () => assert.fail('asked')
    const other = makeCertificate({ names: LOCAL })
    await serve(other)
    await refused({ ca: root.cert, checkServerIdentity: never },
      ...UNKNOWN)
  })

  it('a server without anything in common', async () => {
    const ca = root.cert
    const words = /has to offer tls 1\.3, or tls 1\.2 with ecdhe/
    await serve(signed(), { protocols: 'TLSv1.2' })
    await refused({ ca, minVersion: 'TLSv1.3' }, 'TLS_VERSION', words)
    await serve(signed(), { protocols: 'TLSv1.3' })
    await refused({ ca, maxVersion: 'TLSv1.2' }, 'TLS_VERSION', words)
    const ciphers = 'ECDHE-ECDSA-AES256-GCM-SHA384'
    await serve(signed(), { protocols: 'TLSv1.2', ciphers })
    await refused({ ca, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }, 'TLS_VERSION', words)
  })

  it('a lookup that fails, or finds nothing', async () => {
    await serve(signed())
    const lookup = (host, options, done) => {
      done(Object.assign(new Error('no such host'), { code: 'ENOTFOUND' }))
    }
    await refused({ host: 'db.test', lookup }, 'ENOTFOUND', /no such host/)
  })

  it('says what a server has to offer that has only what is not supported', async () => {
    for (const ciphers of ['AES128-SHA256', 'ECDHE-RSA-AES128-SHA256', 'AES128-GCM-SHA256']) {
      await serve(signed({ curve: 'rsa' }), { protocols: 'TLSv1.2', ciphers })
      const error = await attempt(oxidis, { ca: root.cert })
      assert.strictEqual(error.code, 'TLS_VERSION', String(error))
      assert.match(error.message, /ecdhe and aes-gcm or chacha20-poly1305 \(tls 1\.1, rsa/)
    }
  })
})
