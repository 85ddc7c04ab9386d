'use strict'

// Certificates for TLS tests, made anew in the test's own folder.
//
// One authority signs a server certificate (for localhost and 127.0.0.1) and a client
// certificate. Further files are the wrong ones that TLS tests need: `expired`, `otherHost` and
// `selfSigned`, each `{ cert, key }`. Nothing is checked in: a private key in a repository sets
// off every scanner, and a certificate in one expires.

const fs = require('node:fs')
const path = require('node:path')

const { makeCertificate } = require('./x509')

/**
 * Writes the certificates to `folder` and returns their paths:
 * `{ ca, cert, key, client, expired, otherHost, selfSigned }`.
 */
function createCertificates (folder) {
  const write = (name, options) => {
    const made = makeCertificate({ subject: `oxidis test ${name}`, ...options })
    const [cert, key] = ['crt', 'key'].map(ending => path.join(folder, `${name}.${ending}`))
    fs.writeFileSync(cert, made.cert)
    fs.writeFileSync(key, made.key, { mode: 0o600 })
    return { made, paths: { cert, key } }
  }
  const ca = write('ca', { ca: true, usage: ['keyCertSign', 'cRLSign'] })
  const signed = (name, options) => write(name, { issuer: ca.made, ca: false, ...options }).paths
  return {
    ca: ca.paths.cert,
    ...signed('server', { names: HERE }),
    client: signed('client', { names: ['DNS:client'] }),
    expired: signed('expired', { names: HERE, days: [-2, -1] }),
    otherHost: signed('other-host', { names: ['DNS:elsewhere.test'] }),
    selfSigned: write('self-signed', { ca: true, names: HERE }).paths
  }
}

const HERE = ['DNS:localhost', 'IP:127.0.0.1']

module.exports = { createCertificates }
