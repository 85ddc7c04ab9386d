'use strict'

// Every TLS set-up that node-redis connects with works here as well, and every server that it
// refuses is refused. Each case runs with both clients against the same server.

const assert = require('node:assert')
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { after, before, describe, it } = require('node:test')

const redis = require('redis')

const oxidis = require('../..')
const { startServer, skipWithoutTls } = require('../support/redis-server')
const { makeCertificate } = require('../support/x509')

const AUTHORITY = { ca: true, usage: ['keyCertSign'] }
const LOCAL = ['DNS:localhost', 'IP:127.0.0.1']

describe('TLS beside node-redis', { skip: skipWithoutTls() }, () => {
  let base
  let files = 0
  before(async () => { base = await startServer({ tls: true }) })
  after(() => base.stop())

  const root = makeCertificate({ subject: 'root', ...AUTHORITY })
  const save = text => {
    const file = path.join(base.folder, `case-${++files}.pem`)
    fs.writeFileSync(file, text)
    return file
  }

  /** Starts a server with this certificate, and `others` behind it, until the end of the test. */
  const serve = async (t, own, { others = [], clientsOf, args = [] } = {}) => {
    const chain = [own, ...others].map(({ cert }) => cert).join('')
    const asked = clientsOf ? ['--tls-ca-cert-file', save(clientsOf.cert)] : []
    const server = await startServer({
      tls: { authClients: clientsOf !== undefined },
      certificates: base.certificates,
      args: ['--tls-cert-file', save(chain), '--tls-key-file', save(own.key), ...asked, ...args]
    })
    t.after(() => server.stop())
    return server
  }

  /** What comes of a connection by `library`: 'OK', or the error. */
  const attempt = async (library, server, socket) => {
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
  const works = async (server, socket) => {
    const [theirs, ours] = [
      await attempt(redis, server, socket), await attempt(oxidis, server, socket)]
    assert.strictEqual(theirs, 'OK', `node-redis: ${theirs}`)
    assert.strictEqual(ours, 'OK', `oxidis: ${ours}`)
  }

  /** Both clients refuse, and ours says why by this code and these words. */
  const refused = async (server, socket, code, words) => {
    const [theirs, ours] = [
      await attempt(redis, server, socket), await attempt(oxidis, server, socket)]
    assert.ok(theirs instanceof Error, 'node-redis has connected')
    assert.ok(ours instanceof Error, 'oxidis has connected')
    const found = []
    for (let cause = ours; cause; cause = cause.cause) found.push(cause)
    const told = found.find(cause => cause.code === code)
    assert.ok(told, `${found.map(cause => `${cause.code} ${cause.message}`)}, not ${code}`)
    assert.match(told.message, words)
    // Rust's debug texts have parentheses of their own kind.
    assert.doesNotMatch(told.message, /[A-Za-z]\([a-z{]|\{|::/)
  }

  const signed = (options = {}) => makeCertificate({ issuer: root, names: LOCAL, ...options })

  describe('works with', () => {
    it('a certificate that a root has signed', async t => {
      const server = await serve(t, signed())
      await works(server, { ca: root.cert })
      await works(server, { ca: Buffer.from(root.cert), host: '127.0.0.1' })
    })

    it('several authorities, in a string and in an array', async t => {
      const other = makeCertificate({ subject: 'other', ...AUTHORITY })
      const server = await serve(t, signed())
      await works(server, { ca: other.cert + root.cert })
      await works(server, { ca: [other.cert, Buffer.from(root.cert)] })
      await works(server, { ca: `a comment\r\n${other.cert}\n${root.cert}`.replace(/\n/g, '\r\n') })
    })

    it('a self-signed certificate as its own ca, an authority\'s or not', async t => {
      for (const ca of [true, false, undefined]) {
        const own = makeCertificate({ names: LOCAL, ca })
        await works(await serve(t, own), { ca: own.cert })
      }
    })

    it('a self-signed certificate of version 1 as its own ca', async t => {
      const own = makeCertificate({ version: 1 })
      await works(await serve(t, own), { ca: own.cert })
    })

    it('a server\'s certificate that has a common name only', async t => {
      await works(await serve(t, signed({ names: undefined })), { ca: root.cert })
      const wild = signed({ names: undefined, subject: '*.db.example' })
      await works(await serve(t, wild), { ca: root.cert, servername: 'one.db.example' })
    })

    it('a server\'s certificate of version 1', async t => {
      for (const curve of ['prime256v1', 'rsa', 'secp521r1']) {
        await works(await serve(t, signed({ version: 1, curve })), { ca: root.cert })
      }
    })

    it('a server\'s certificate of version 1 below an intermediate authority', async t => {
      const between = makeCertificate({ subject: 'between', issuer: root, ...AUTHORITY })
      const own = makeCertificate({ issuer: between, version: 1 })
      await works(await serve(t, own, { others: [between] }), { ca: root.cert })
    })

    it('certificates of version 1 all the way up', async t => {
      const old = makeCertificate({ subject: 'old', version: 1 })
      const own = makeCertificate({ issuer: old, version: 1 })
      await works(await serve(t, own), { ca: old.cert })
      await works(await serve(t, makeCertificate({ issuer: old, names: LOCAL })), { ca: old.cert })
    })

    it('a server\'s certificate that is an authority\'s', async t => {
      await works(await serve(t, signed({ ca: true })), { ca: root.cert })
    })

    it('an intermediate authority that the server shows, or that ca brings', async t => {
      const between = makeCertificate({ subject: 'between', issuer: root, ...AUTHORITY })
      const own = makeCertificate({ issuer: between, names: LOCAL })
      await works(await serve(t, own, { others: [between] }), { ca: root.cert })
      await works(await serve(t, own), { ca: [between.cert, root.cert] })
    })

    it('rejectUnauthorized: false and any certificate at all', async t => {
      const past = { days: [-20, -10] }
      for (const own of [
        makeCertificate({ mystery: true, subject: null }), signed({ ...past, version: 1 }),
        signed({ purposes: ['clientAuth'], names: undefined }),
        makeCertificate({ ca: true, subject: 'elsewhere', curve: 'secp521r1', ...past })
      ]) {
        for (const args of [[], ['--tls-protocols', 'TLSv1.2']]) {
          await works(await serve(t, own, { args }), { rejectUnauthorized: false })
        }
      }
    })

    it('client certificates of version 1, and with keys of every kind', async t => {
      const server = await serve(t, signed(), { clientsOf: root })
      for (const curve of ['prime256v1', 'secp521r1', 'ed25519', 'rsa']) {
        for (const version of [1, 3]) {
          const { cert, key } = makeCertificate({ subject: 'client', issuer: root, version, curve })
          await works(server, { ca: root.cert, cert, key })
        }
      }
    })

    it('a client certificate in TLS 1.2, with P-521 as well', async t => {
      const args = ['--tls-protocols', 'TLSv1.2']
      const server = await serve(t, signed(), { clientsOf: root, args })
      for (const curve of ['prime256v1', 'secp521r1', 'rsa']) {
        const { cert, key } = makeCertificate({ subject: 'client', issuer: root, curve })
        await works(server, { ca: root.cert, cert, key })
      }
    })

    it('a server of P-521 below an authority of P-521, in both versions', async t => {
      const big = makeCertificate({ subject: 'big', curve: 'secp521r1', ...AUTHORITY })
      const own = makeCertificate({ issuer: big, names: LOCAL, curve: 'secp521r1' })
      for (const args of [[], ['--tls-protocols', 'TLSv1.2']]) {
        await works(await serve(t, own, { args }), { ca: big.cert })
      }
    })

    it('encrypted keys and a passphrase', async t => {
      const server = await serve(t, signed(), { clientsOf: root })
      const { cert, object } = makeCertificate({ subject: 'client', issuer: root })
      const [cipher, passphrase] = ['aes-256-cbc', 'open sesame']
      const key = object.privateKey.export({ type: 'pkcs8', format: 'pem', cipher, passphrase })
      const old = object.privateKey.export({ type: 'sec1', format: 'pem', cipher, passphrase })
      const clear = object.privateKey.export({ type: 'sec1', format: 'pem' })
      const ca = root.cert
      await works(server, { ca, cert, key, passphrase })
      await works(server, { ca, cert, key: old, passphrase })
      await works(server, { ca, cert, key: clear, passphrase })
      await works(server, { ca, cert: [cert], key: [{ pem: key, passphrase }] })
    })

    it('pfx, with and without a passphrase', async t => {
      const server = await serve(t, signed(), { clientsOf: root })
      const { cert, key } = makeCertificate({ subject: 'client', issuer: root })
      const files = [save(cert), save(key), save(root.cert)]
      const pack = (passphrase, ...more) => execFileSync('openssl', ['pkcs12', '-export', '-in',
        files[0], '-inkey', files[1], '-certfile', files[2], '-passout', `pass:${passphrase}`,
        ...more])
      const passphrase = 'open sesame'
      const pfx = pack(passphrase)
      // The file brings its authority, which is trusted.
      await works(server, { pfx, passphrase })
      await works(server, { pfx: [{ buf: pfx, passphrase }], ca: root.cert })
      await works(server, { pfx: pack('') })
      const triple = ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']
      await works(server, { pfx: pack(passphrase, ...triple), passphrase })
    })

    it('checkServerIdentity, which gets the host and the certificate that Node gives', async t => {
      const between = makeCertificate({ subject: 'between', issuer: root, ...AUTHORITY })
      const own = makeCertificate({ issuer: between, names: ['DNS:elsewhere.test'] })
      const server = await serve(t, own, { others: [between] })
      await works(server, { ca: root.cert, checkServerIdentity: () => undefined })
      const seen = []
      const checkServerIdentity = (host, certificate) => {
        const { subject, issuer, subjectaltname, fingerprint256, raw } = certificate
        const above = certificate.issuerCertificate.subject
        seen.push([host, { subject, issuer, subjectaltname, fingerprint256, raw, above }])
      }
      await works(server, { ca: root.cert, checkServerIdentity })
      await works(server, { ca: root.cert, servername: 'a.test', checkServerIdentity })
      const [theirs, ours, theirsNamed, oursNamed] = seen
      const plain = ([host, certificate]) => [host, JSON.parse(JSON.stringify(certificate))]
      assert.deepStrictEqual(plain(ours), plain(theirs))
      assert.deepStrictEqual(plain(oursNamed), plain(theirsNamed))
      assert.strictEqual(ours[0], 'localhost')
      assert.strictEqual(oursNamed[0], 'a.test')
    })

    it('versions, ciphers, curves and protocols by OpenSSL\'s names', async t => {
      const args = ['--tls-protocols', 'TLSv1.2']
      const [server, older] = [await serve(t, signed()), await serve(t, signed(), { args })]
      const ca = root.cert
      for (const options of [
        { minVersion: 'TLSv1' }, { minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' },
        { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' }, { secureProtocol: 'TLSv1_2_method' },
        { secureProtocol: 'TLS_method' }, { ciphers: 'TLS_AES_128_GCM_SHA256' },
        { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }, { ecdhCurve: 'P-384:P-256' },
        { ecdhCurve: 'auto' }, { ecdhCurve: 'P-521' }, { ALPNProtocols: ['redis', 'h2'] },
        { ALPNProtocols: Buffer.from('\x05redis') },
        { honorCipherOrder: true, minDHSize: 2048 }
      ]) await works(server, { ca, ...options })
      for (const options of [
        { minVersion: 'TLSv1.1' }, { maxVersion: 'TLSv1.2' }, { secureProtocol: 'TLSv1_2_method' },
        { ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' }, { ciphers: 'HIGH:!aNULL:!MD5' }
      ]) await works(older, { ca, ...options })
    })

    it('a lookup of one\'s own, in the forms that Node takes', async t => {
      const server = await serve(t, signed())
      const asked = []
      const answer = give => (host, options, done) => {
        asked.push([host, options.family ?? 0, options.all])
        give(done)
      }
      const all = answer(done => done(null, [{ address: '127.0.0.1', family: 4 }]))
      const one = answer(done => setImmediate(done, null, '127.0.0.1', 4))
      const named = { ca: root.cert, host: 'db.test', servername: 'localhost' }
      await works(server, { ...named, lookup: all })
      await works(server, { ...named, lookup: one, family: 4 })
      assert.deepStrictEqual(asked[1], asked[0])
      assert.deepStrictEqual(asked[3].slice(0, 2), asked[2].slice(0, 2))
      // Nobody is asked for the address of an address.
      const never = () => assert.fail('asked')
      await works(server, { ca: root.cert, host: '127.0.0.1', lookup: never })
    })

    // Only Linux has all of 127.0.0.0/8 without being told.
    const local = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1'
    it('a local address', async t => {
      // Redis takes one loopback address only for that.
      const server = await serve(t, signed(), { args: ['--protected-mode', 'no'] })
      const socket = {
        host: '127.0.0.1', port: server.port, tls: true, ca: root.cert, localAddress: local
      }
      await works(server, socket)
      const client = oxidis.createClient({ socket })
      t.after(() => client.destroy())
      const { addr } = await client.clientInfo()
      assert.strictEqual(addr.split(':')[0], local)
    })
  })

  describe('refuses', () => {
    const UNKNOWN = ['TLS_UNKNOWN_CA', /no trusted authority/]
    const NAME = ['TLS_HOSTNAME_MISMATCH', /not for localhost, but for /]

    it('a self-signed certificate that is not in ca', async t => {
      for (const ca of [true, false]) {
        const own = makeCertificate({ names: LOCAL, ca })
        await refused(await serve(t, own), { ca: root.cert }, ...UNKNOWN)
      }
      // Of the same name, and even with the same key.
      const own = makeCertificate({ names: LOCAL })
      const twin = makeCertificate({ names: LOCAL, twin: own })
      const server = await serve(t, twin)
      await refused(server, { ca: own.cert }, 'TLS_CERT_INVALID', /no authority's/)
      const other = makeCertificate({ names: LOCAL })
      await refused(server, { ca: other.cert }, 'TLS_CERT_INVALID', /another key/)
    })

    it('a self-signed certificate as its own ca that is for another host, or out of its time',
      async t => {
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
            await refused(await serve(t, own), { ca: own.cert }, ...expected)
          }
        }
      })

    it('a certificate that somebody signed whose own certificate in ca is no authority\'s',
      async t => {
        const leaf = makeCertificate({ subject: 'leaf', names: LOCAL, ca: false })
        for (const version of [1, 3]) {
          const own = makeCertificate({ issuer: leaf, names: LOCAL, version })
          await refused(await serve(t, own), { ca: leaf.cert }, 'TLS_CERT_INVALID', /CA:TRUE/)
        }
      })

    it('a certificate of version 1, or an authority\'s, that breaks a rule', async t => {
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
        ]) await refused(await serve(t, own, { others }), { ca: trusted.cert }, ...expected)
        const named = makeCertificate({ issuer: bounded, subject: 'db.example', ...kind })
        const socket = { ca: bounded.cert, servername: 'db.example' }
        await refused(await serve(t, named), socket, 'TLS_CERT_INVALID', /constrains names/)
      }
    })

    it('a certificate for another name, whatever its common name says', async t => {
      const ca = root.cert
      const elsewhere = await serve(t, signed({ names: ['DNS:elsewhere.test'] }))
      await refused(elsewhere, { ca }, ...NAME)
      await refused(await serve(t, signed({ names: undefined, subject: 'db' })), { ca }, ...NAME)
      await refused(await serve(t, signed({ names: undefined, subject: null })), { ca },
        'TLS_HOSTNAME_MISMATCH', /no name at all/)
      const common = await serve(t, signed({ names: undefined, subject: '127.0.0.1' }))
      await refused(common, { ca, host: '127.0.0.1' }, 'TLS_HOSTNAME_MISMATCH', /127\.0\.0\.1/)
      const wild = await serve(t, signed({ names: undefined, subject: '*.example' }))
      await refused(wild, { ca, servername: 'db.example' }, 'TLS_HOSTNAME_MISMATCH', /CN=\*/)
    })

    it('a chain that breaks a rule', async t => {
      const past = makeCertificate({ subject: 'past', ...AUTHORITY, days: [-9, -2] })
      const narrow = makeCertificate({ subject: 'narrow', ...AUTHORITY, pathlen: 0 })
      const between = makeCertificate({ subject: 'between', issuer: narrow, ...AUTHORITY })
      const own = issuer => makeCertificate({ issuer, names: LOCAL })
      await refused(await serve(t, own(past)), { ca: past.cert }, 'TLS_CERT_EXPIRED', /authority/)
      const deep = await serve(t, own(between), { others: [between] })
      await refused(deep, { ca: narrow.cert }, 'TLS_CERT_INVALID', /pathlen/)
      await refused(deep, { ca: between.cert }, 'TLS_UNKNOWN_CA', /allowPartialTrustChain/)
      const critical = await serve(t, signed({ mystery: true }))
      await refused(critical, { ca: root.cert }, 'TLS_CERT_INVALID', /critical extension/)
      const purpose = await serve(t, signed({ purposes: ['clientAuth'] }))
      await refused(purpose, { ca: root.cert }, 'TLS_CERT_INVALID', /serverAuth/)
      const usage = await serve(t, signed({ usage: ['dataEncipherment'] }))
      await refused(usage, { ca: root.cert }, 'TLS_CERT_INVALID', /digitalSignature/)
    })

    it('what checkServerIdentity refuses', async t => {
      const server = await serve(t, signed())
      const checkServerIdentity = () => new Error('not that one')
      await refused(server, { ca: root.cert, checkServerIdentity }, 'TLS_HOSTNAME_MISMATCH',
        /checkServerIdentity refused the certificate of localhost: not that one/)
      // It is asked about verified certificates only.
      const never = () => assert.fail('asked')
      const other = makeCertificate({ names: LOCAL })
      await refused(await serve(t, other), { ca: root.cert, checkServerIdentity: never },
        ...UNKNOWN)
    })

    it('a server without anything in common', async t => {
      const args = protocols => ['--tls-protocols', protocols]
      const [older, newer] = [
        await serve(t, signed(), { args: args('TLSv1.2') }),
        await serve(t, signed(), { args: args('TLSv1.3') })]
      const ca = root.cert
      const words = /has to offer tls 1\.3, or tls 1\.2 with ecdhe/
      await refused(older, { ca, minVersion: 'TLSv1.3' }, 'TLS_VERSION', words)
      await refused(newer, { ca, maxVersion: 'TLSv1.2' }, 'TLS_VERSION', words)
      const picky = await serve(t, signed(), {
        args: [...args('TLSv1.2'), '--tls-ciphers', 'ECDHE-ECDSA-AES256-GCM-SHA384']
      })
      await refused(picky, { ca, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }, 'TLS_VERSION', words)
    })

    it('a lookup that fails, or finds nothing', async t => {
      const server = await serve(t, signed())
      const lookup = (host, options, done) => {
        done(Object.assign(new Error('no such host'), { code: 'ENOTFOUND' }))
      }
      await refused(server, { host: 'db.test', lookup }, 'ENOTFOUND', /no such host/)
    })
  })

  it('says what a server has to offer that has only what is not supported', async t => {
    for (const ciphers of ['AES128-SHA256', 'ECDHE-RSA-AES128-SHA256', 'AES128-GCM-SHA256']) {
      const server = await serve(t, signed({ curve: 'rsa' }), {
        args: ['--tls-protocols', 'TLSv1.2', '--tls-ciphers', ciphers]
      })
      const error = await attempt(oxidis, server, { ca: root.cert })
      assert.strictEqual(error.code, 'TLS_VERSION', String(error))
      assert.match(error.message, /ecdhe and aes-gcm or chacha20-poly1305 \(tls 1\.1, rsa/)
    }
  })

  it('asks nobody about a certificate that is not verified', async t => {
    const server = await serve(t, signed())
    let asked = 0
    const checkServerIdentity = () => { asked++ }
    const socket = { rejectUnauthorized: false, ca: root.cert, checkServerIdentity }
    assert.strictEqual(await attempt(redis, server, socket), 'OK')
    assert.strictEqual(asked, 1)
    assert.strictEqual(await attempt(oxidis, server, socket), 'OK')
    assert.strictEqual(asked, 1)
  })

  it('trusts an authority of ca that another one has signed if it is told to', async t => {
    const between = makeCertificate({ subject: 'between', issuer: root, ...AUTHORITY })
    const server = await serve(t, makeCertificate({ issuer: between, names: LOCAL }))
    const ca = between.cert
    assert.strictEqual(await attempt(oxidis, server, { ca, allowPartialTrustChain: true }), 'OK')
  })
})
