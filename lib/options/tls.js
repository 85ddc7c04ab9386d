'use strict'

/*
 * TLS options under Node's names, and the certificate authorities that Node trusts.
 *
 * The native side knows neither the authorities that are built into Node nor NODE_EXTRA_CA_CERTS,
 * so they are passed on. The certificate's chain and name are verified unless `rejectUnauthorized`
 * is false.
 */

const fs = require('node:fs')

const { isText } = require('../arguments')

/** The TLS options that are accepted: within `socket.tls` or, as in node-redis, beside it. */
const TLS_OPTIONS = new Set(['ca', 'cert', 'key', 'servername', 'rejectUnauthorized', 'minVersion'])

/**
 * The native core's TLS options, or undefined for a plain connection.
 * @param {object} [socket] the `socket` option; nothing of it is kept
 */
function tlsOptions (socket = {}) {
  const { tls: asked } = socket
  if (!asked) {
    for (const name of TLS_OPTIONS) {
      if (socket[name] !== undefined) {
        throw new TypeError(`option "socket.${name}" needs socket.tls or a rediss:// URL`)
      }
    }
    return undefined
  }
  const given = { ...socket, ...(typeof asked === 'object' ? asked : {}) }
  if (typeof asked === 'object') {
    for (const name of Object.keys(asked)) {
      if (!TLS_OPTIONS.has(name) && asked[name] !== undefined) {
        throw new TypeError(`option "socket.tls.${name}" is unknown; known are ` +
          [...TLS_OPTIONS].join(', '))
      }
    }
  }
  const ca = pems(given.ca, 'ca')
  const [cert, key] = [pem(given.cert, 'cert'), pem(given.key, 'key')]
  const { servername, rejectUnauthorized, minVersion } = given
  if (servername !== undefined && typeof servername !== 'string') wrong('servername', 'a string')
  if (![undefined, 'TLSv1.2', 'TLSv1.3'].includes(minVersion)) {
    wrong('minVersion', 'TLSv1.2 or TLSv1.3')
  }
  if (rejectUnauthorized !== undefined && typeof rejectUnauthorized !== 'boolean') {
    wrong('rejectUnauthorized', 'a boolean')
  }
  return {
    ca,
    roots: ca.length > 0 || rejectUnauthorized === false ? [] : [trustedByNode()],
    cert,
    key,
    servername,
    verify: rejectUnauthorized !== false,
    only13: minVersion === 'TLSv1.3'
  }
}

/** The certificates that Node trusts by default, as one PEM text. */
function trustedByNode () {
  // Node 22.15 and later have a list of all. Before that it is put together of its parts.
  // Takes as long to load as a dozen of our modules, and most programs use no TLS.
  const tls = require('node:tls')
  if (typeof tls.getCACertificates === 'function') {
    return Buffer.from(tls.getCACertificates('default').join('\n'))
  }
  return Buffer.from([...tls.rootCertificates, extraCertificates()].join('\n'))
}

function extraCertificates () {
  const path = process.env.NODE_EXTRA_CA_CERTS
  if (!path) return ''
  try {
    return fs.readFileSync(path, 'utf8')
  } catch {
    // Node itself prints a warning about a file that it cannot read, and goes on without it.
    return ''
  }
}

function pems (value, name) {
  if (value === undefined) return []
  return (Array.isArray(value) ? value : [value]).map(one => pem(one, name))
}

function pem (value, name) {
  if (value === undefined) return undefined
  if (!isText(value)) {
    wrong(name, 'PEM, as a string or a Buffer')
  }
  const bytes = Buffer.from(value)
  // A path in place of the content would otherwise fail with the first command only.
  if (!bytes.includes('-----BEGIN ')) wrong(name, 'PEM')
  return bytes
}

function wrong (name, expected) {
  throw new TypeError(`option "socket.tls.${name}" must be ${expected}`)
}

module.exports = { TLS_OPTIONS, tlsOptions }
