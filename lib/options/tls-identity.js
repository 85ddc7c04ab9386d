'use strict'

/*
 * The certificate and the key by which a client proves who it is: `cert`, `key`, `passphrase`,
 * `pfx`, in all the forms that Node takes.
 *
 * Node's own reader turns any key into PKCS#8 without encryption, which is all that the native side
 * has to know. No message shows a key or a passphrase.
 */

const { createPrivateKey, X509Certificate } = require('node:crypto')

const native = require('../native')
const { bytesOf, isBytes, pemOf, wrong } = require('./tls-values')

const PEM = 'PEM, as a string or a Buffer'

/**
 * @param {object} given the TLS options that are given
 * @returns {{ cert?: Buffer, key?: Buffer, authorities: Buffer[] }} PEM texts
 */
function clientIdentity ({ cert, key, passphrase, pfx }) {
  if (passphrase !== undefined && typeof passphrase !== 'string') wrong('passphrase', 'a string')
  // As in Node, a PKCS#12 file wins over the two others.
  const [file] = listOf(pfx)
  if (file !== undefined) return fromFile(file, passphrase)
  const certs = listOf(cert).map(one => pemOf(one, 'cert', PEM))
  const keys = listOf(key).map(one => privateKey(one, passphrase))
  const certOf = key => certs.find(pem => isPair(pem, key))
  // One of several. The native side says so if no certificate fits.
  const own = keys.find(certOf) ?? keys[0]
  return { cert: (own && certOf(own)) ?? certs[0], key: own && clear(own), authorities: [] }
}

/** A key as PEM in clear. */
function clear (key) {
  return Buffer.from(key.export({ type: 'pkcs8', format: 'pem' }))
}

function listOf (value) {
  if (value === undefined || value === '') return []
  return Array.isArray(value) ? value : [value]
}

/** The key in `value`, a PEM text, or `{ pem, passphrase }`. */
function privateKey (value, common) {
  const { pem, passphrase = common } = value?.pem === undefined ? { pem: value } : value
  const bytes = pemOf(pem, 'key', PEM)
  const isEncrypted = bytes.includes('ENCRYPTED')
  if (isEncrypted && passphrase === undefined) {
    wrong('passphrase', 'given, because socket.tls.key is encrypted')
  }
  try {
    return createPrivateKey({ key: bytes, format: 'pem', passphrase })
  } catch {
    if (isEncrypted) wrong('passphrase', 'that of socket.tls.key: it does not open the key')
    return wrong('key', 'a private key in PEM that OpenSSL can read')
  }
}

function isPair (pem, key) {
  try {
    return new X509Certificate(pem).checkPrivateKey(key)
  } catch {
    // The native side says what is wrong with the certificate.
    return false
  }
}

/** What a PKCS#12 file holds: `value`, or `{ buf, passphrase }`. */
function fromFile (value, common) {
  const { buf, passphrase = common ?? '' } = value?.buf === undefined ? { buf: value } : value
  if (!isBytes(buf)) wrong('pfx', 'a Buffer')
  const { key, chain, authorities } = parsed(bytesOf(buf), passphrase)
  const pem = ders => Buffer.from(ders.map(der => new X509Certificate(der).toString()).join(''))
  return {
    cert: pem(chain),
    key: clear(createPrivateKey({ key, format: 'der', type: 'pkcs8' })),
    authorities: authorities.length > 0 ? [pem(authorities)] : []
  }
}

function parsed (file, passphrase) {
  try {
    return native.parsePfx(file, passphrase)
  } catch (error) {
    if (error.code !== 'InvalidArg') throw error
    throw new TypeError(error.message, { cause: error })
  }
}

module.exports = { clientIdentity }
