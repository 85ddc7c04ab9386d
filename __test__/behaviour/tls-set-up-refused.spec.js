'use strict'

// Every TLS set-up that node-redis connects with works here as well. Each runs with both clients
// against the same server.

const assert = require('node:assert')
const { execFileSync } = require('node:child_process')
const { describe, it } = require('node:test')

const redis = require('redis')

const oxidis = require('../..')
const { skipBefore7, skipWithoutTls } = require('../support/redis-server')
const { makeCertificate } = require('../support/x509')
const { AUTHORITY, LOCAL, root, signed, tlsScene } = require('./tls-scene')

describe('TLS works with', { skip: skipBefore7() || skipWithoutTls() }, () => {
  const { attempt, port, save, serve, works } = tlsScene()

  it('a certificate that a root has signed', async () => {
    await serve(signed())
    await works({ ca: root.cert })
    await works({ ca: Buffer.from(root.cert), host: '127.0.0.1' })
  })

  it('several authorities, in a string and in an array', async () => {
    const other = makeCertificate({ subject: 'other', ...AUTHORITY })
    await serve(signed())
    await works({ ca: other.cert + root.cert })
    await works({ ca: [other.cert, Buffer.from(root.cert)] })
    await works({ ca: `a comment\r\n${other.cert}\n${root.cert}`.replace(/\n/g, '\r\n') })
  })

  it('a self-signed certificate as its own ca, an authority\'s or not', async () => {
    for (const ca of [true, false, undefined]) {
      const own = makeCertificate({ names: LOCAL, ca })
      await serve(own)
      await works({ ca: own.cert })
    }
  })

  it('a self-signed certificate of version 1 as its own ca', async () => {
    const own = makeCertificate({ version: 1 })
    await serve(own)
    await works({ ca: own.cert })
  })

  it('a server\'s certificate that has a common name only', async () => {
    await serve(signed({ names: undefined }))
    await works({ ca: root.cert })
    const wild = signed({ names: undefined, subject: '*.db.example' })
    await serve(wild)
    await works({ ca: root.cert, servername: 'one.db.example' })
  })

  it('a server\'s certificate of version 1', async () => {
    for (const curve of ['prime256v1', 'rsa', 'secp521r1']) {
      await serve(signed({ version: 1, curve }))
      await works({ ca: root.cert })
    }
  })

  it('a server\'s certificate of version 1 below an intermediate authority', async () => {
    const between = makeCertificate({ subject: 'between', issuer: root, ...AUTHORITY })
    const own = makeCertificate({ issuer: between, version: 1 })
    await serve(own, { others: [between] })
    await works({ ca: root.cert })
  })

  it('certificates of version 1 all the way up', async () => {
    const old = makeCertificate({ subject: 'old', version: 1 })
    const own = makeCertificate({ issuer: old, version: 1 })
    await serve(own)
    await works({ ca: old.cert })
    await serve(makeCertificate({ issuer: old, names: LOCAL }))
    await works({ ca: old.cert })
  })

  it('a server\'s certificate that is an authority\'s', async () => {
    await serve(signed({ ca: true }))
    await works({ ca: root.cert })
  })

  it('an intermediate authority that the server shows, or that ca brings', async () => {
    const between = makeCertificate({ subject: 'between', issuer: root, ...AUTHORITY })
    const own = makeCertificate({ issuer: between, names: LOCAL })
    await serve(own, { others: [between] })
    await works({ ca: root.cert })
    await serve(own)
    await works({ ca: [between.cert, root.cert] })
  })

  it('rejectUnauthorized: false and any certificate at all', async () => {
    const past = { days: [-20, -10] }
    for (const own of [
      makeCertificate({ mystery: true, subject: null }), signed({ ...past, version: 1 }),
      signed({ purposes: ['clientAuth'], names: undefined }),
      makeCertificate({ ca: true, subject: 'elsewhere', curve: 'secp521r1', ...past })
    ]) {
      for (const protocols of ['', 'TLSv1.2']) {
        await serve(own, { protocols })
        await works({ rejectUnauthorized: false })
      }
    }
  })

  it('client certificates of version 1, and with keys of every kind', async () => {
    await serve(signed(), { clientsOf: root })
    for (const curve of ['prime256v1', 'secp521r1', 'ed25519', 'rsa']) {
      for (const version of [1, 3]) {
        const { cert, key } = makeCertificate({ subject: 'client', issuer: root, version, curve })
        await works({ ca: root.cert, cert, key })
      }
    }
  })

  it('a client certificate in TLS 1.2, with P-521 as well', async () => {
    await serve(signed(), { clientsOf: root, protocols: 'TLSv1.2' })
    for (const curve of ['prime256v1', 'secp521r1', 'rsa']) {
      const { cert, key } = makeCertificate({ subject: 'client', issuer: root, curve })
      await works({ ca: root.cert, cert, key })
    }
  })

  it('a server of P-521 below an authority of P-521, in both versions', async () => {
    const big = makeCertificate({ subject: 'big', curve: 'secp521r1', ...AUTHORITY })
    const own = makeCertificate({ issuer: big, names: LOCAL, curve: 'secp521r1' })
    for (const protocols of ['', 'TLSv1.2']) {
      await serve(own, { protocols })
      await works({ ca: big.cert })
    }
  })

  it('encrypted keys and a passphrase', async () => {
    await serve(signed(), { clientsOf: root })
    const { cert, object } = makeCertificate({ subject: 'client', issuer: root })
    const [cipher, passphrase] = ['aes-256-cbc', 'open sesame']
    const key = object.privateKey.export({ type: 'pkcs8', format: 'pem', cipher, passphrase })
    const old = object.privateKey.export({ type: 'sec1', format: 'pem', cipher, passphrase })
    const clear = object.privateKey.export({ type: 'sec1', format: 'pem' })
    const ca = root.cert
    await works({ ca, cert, key, passphrase })
    await works({ ca, cert, key: old, passphrase })
    await works({ ca, cert, key: clear, passphrase })
    await works({ ca, cert: [cert], key: [{ pem: key, passphrase }] })
  })

  it('pfx, with and without a passphrase', async () => {
    await serve(signed(), { clientsOf: root })
    const { cert, key } = makeCertificate({ subject: 'client', issuer: root })
    const files = [save(cert), save(key), save(root.cert)]
    const pack = (passphrase, ...more) => execFileSync('openssl', ['pkcs12', '-export', '-in',
      files[0], '-inkey', files[1], '-certfile', files[2], '-passout', `pass:${passphrase}`,
      ...more])
    const passphrase = 'open sesame'
    const pfx = pack(passphrase)
    // The file brings its authority, which is trusted.
    await works({ pfx, passphrase })
    await works({ pfx: [{ buf: pfx, passphrase }], ca: root.cert })
    await works({ pfx: pack('') })
    const triple = ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']
    await works({ pfx: pack(passphrase, ...triple), passphrase })
  })

  it('checkServerIdentity, which gets the host and the certificate that Node gives', async () => {
    const between = makeCertificate({ subject: 'between', issuer: root, ...AUTHORITY })
    const own = makeCertificate({ issuer: between, names: ['DNS:elsewhere.test'] })
    await serve(own, { others: [between] })
    await works({ ca: root.cert, checkServerIdentity: () => undefined })
    const seen = []
    const checkServerIdentity = (host, certificate) => {
      const { subject, issuer, subjectaltname, fingerprint256, raw } = certificate
      const above = certificate.issuerCertificate.subject
      seen.push([host, { subject, issuer, subjectaltname, fingerprint256, raw, above }])
    }
    await works({ ca: root.cert, checkServerIdentity })
    await works({ ca: root.cert, servername: 'a.test', checkServerIdentity })
    const [theirs, ours, theirsNamed, oursNamed] = seen
    const plain = ([host, certificate]) => [host, JSON.parse(JSON.stringify(certificate))]
    assert.deepStrictEqual(plain(ours), plain(theirs))
    assert.deepStrictEqual(plain(oursNamed), plain(theirsNamed))
    assert.strictEqual(ours[0], 'localhost')
    assert.strictEqual(oursNamed[0], 'a.test')
  })

  it('versions, ciphers, curves and protocols by OpenSSL\'s names', async () => {
    const ca = root.cert
    await serve(signed())
    for (const options of [
      { minVersion: 'TLSv1' }, { minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' },
      { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' }, { secureProtocol: 'TLSv1_2_method' },
      { secureProtocol: 'TLS_method' }, { ciphers: 'TLS_AES_128_GCM_SHA256' },
      { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }, { ecdhCurve: 'P-384:P-256' },
      { ecdhCurve: 'auto' }, { ecdhCurve: 'P-521' }, { ALPNProtocols: ['redis', 'h2'] },
      { ALPNProtocols: Buffer.from('\x05redis') },
      { honorCipherOrder: true, minDHSize: 2048 }
    ]) await works({ ca, ...options })
    await serve(signed(), { protocols: 'TLSv1.2' })
    for (const options of [
      { minVersion: 'TLSv1.1' }, { maxVersion: 'TLSv1.2' }, { secureProtocol: 'TLSv1_2_method' },
      { ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' }, { ciphers: 'HIGH:!aNULL:!MD5' }
    ]) await works({ ca, ...options })
  })

  it('a lookup of one\'s own, in the forms that Node takes', async () => {
    await serve(signed())
    const asked = []
    const answer = give => (host, options, done) => {
      asked.push([host, options.family ?? 0, options.all])
      give(done)
    }
    const all = answer(done => done(null, [{ address: '127.0.0.1', family: 4 }]))
    const one = answer(done => setImmediate(done, null, '127.0.0.1', 4))
    const named = { ca: root.cert, host: 'db.test', servername: 'localhost' }
    await works({ ...named, lookup: all })
    await works({ ...named, lookup: one, family: 4 })
    assert.deepStrictEqual(asked[1], asked[0])
    assert.deepStrictEqual(asked[3].slice(0, 2), asked[2].slice(0, 2))
    // Nobody is asked for the address of an address.
    const never = () => assert.fail('asked')
    await works({ ca: root.cert, host: '127.0.0.1', lookup: never })
  })

  // Only Linux has all of 127.0.0.0/8 without being told.
  const local = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1'
  it('a local address', async t => {
    await serve(signed())
    const socket = {
      host: '127.0.0.1', port: port(), tls: true, ca: root.cert, localAddress: local
    }
    await works(socket)
    const client = oxidis.createClient({ socket })
    t.after(() => client.destroy())
    const { addr } = await client.clientInfo()
    assert.strictEqual(addr.split(':')[0], local)
  })

  it('asks nobody about a certificate that is not verified', async () => {
    await serve(signed())
    let asked = 0
    const checkServerIdentity = () => { asked++ }
    const socket = { rejectUnauthorized: false, ca: root.cert, checkServerIdentity }
    assert.strictEqual(await attempt(redis, socket), 'OK')
    assert.strictEqual(asked, 1)
    assert.strictEqual(await attempt(oxidis, socket), 'OK')
    assert.strictEqual(asked, 1)
  })

  it('trusts an authority of ca that another one has signed if it is told to', async () => {
    const between = makeCertificate({ subject: 'between', issuer: root, ...AUTHORITY })
    await serve(makeCertificate({ issuer: between, names: LOCAL }))
    const ca = between.cert
    assert.strictEqual(await attempt(oxidis, { ca, allowPartialTrustChain: true }), 'OK')
  })
})
