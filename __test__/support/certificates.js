'use strict'

// Certificates for TLS tests, made anew in the test's own folder with the openssl program.
//
// One authority signs a server certificate (for localhost and 127.0.0.1) and a client
// certificate. Further files are the wrong ones that TLS tests need: `expired`, `otherHost` and
// `selfSigned`, each `{ cert, key }`. Nothing is checked in: a private key in a repository sets
// off every scanner, and a certificate in one expires.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

/**
 * Writes the certificates to `folder` and returns their paths:
 * `{ ca, cert, key, client, expired, otherHost, selfSigned }`.
 */
function createCertificates (folder) {
  const maker = new Maker(folder)
  const ca = maker.authority('ca')
  const server = maker.signed('server', ca, { names: 'DNS:localhost,IP:127.0.0.1' })
  return {
    ca: ca.cert,
    ...server,
    client: maker.signed('client', ca, { names: 'DNS:client' }),
    expired: maker.signed('expired', ca, { names: 'DNS:localhost,IP:127.0.0.1', days: -1 }),
    otherHost: maker.signed('other-host', ca, { names: 'DNS:elsewhere.test' }),
    selfSigned: maker.authority('self-signed', 'DNS:localhost,IP:127.0.0.1')
  }
}

class Maker {
  constructor (folder) {
    this.folder = folder
  }

  /** A self-signed certificate; with `names` it is a server's, without an authority's. */
  authority (name, names) {
    const { cert, key } = this.key(name)
    const constraint = names
      ? ['-addext', `subjectAltName=${names}`]
      : ['-addext', 'keyUsage=critical,keyCertSign,cRLSign']
    openssl([
      'req', '-x509', '-new', '-key', key, '-out', cert, '-subj', `/CN=oxidis test ${name}`,
      '-days', DAYS, ...constraint
    ])
    return { cert, key }
  }

  /** A certificate that `ca` has signed; negative `days` make it one that has expired. */
  signed (name, ca, { names, days = DAYS }) {
    const { cert, key } = this.key(name)
    const request = path.join(this.folder, `${name}.csr`)
    const extensions = path.join(this.folder, `${name}.ext`)
    fs.writeFileSync(extensions, `subjectAltName=${names}\nbasicConstraints=critical,CA:FALSE\n`)
    openssl(['req', '-new', '-key', key, '-out', request, '-subj', `/CN=oxidis test ${name}`])
    openssl([
      'x509', '-req', '-in', request, '-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial',
      '-out', cert, '-days', String(days), '-extfile', extensions
    ])
    return { cert, key }
  }

  // P-256 keys: made in milliseconds, where RSA takes tenths of a second.
  key (name) {
    const key = path.join(this.folder, `${name}.key`)
    openssl(['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key])
    return { key, cert: path.join(this.folder, `${name}.crt`) }
  }
}

function openssl (args) {
  try {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (cause) {
    if (cause.code !== 'ENOENT') throw cause
    throw new Error('TLS tests need the openssl program on the PATH', { cause })
  }
}

const DAYS = '30'

module.exports = { createCertificates }
