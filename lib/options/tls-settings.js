'use strict'

/*
 * What the native side does with TLS options, and the certificate authorities that Node trusts.
 *
 * The native side knows neither the authorities that are built into Node nor NODE_EXTRA_CA_CERTS,
 * so they are passed on. The certificate's chain and name are verified unless `rejectUnauthorized`
 * is false, or NODE_TLS_REJECT_UNAUTHORIZED is 0.
 */

const fs = require('node:fs')
const tls = require('node:tls')

const { SUPPORTED, selectCiphers } = require('./ciphers')
const { clientIdentity } = require('./tls-identity')
const { bytesOf, isBytes, isGiven, pemOf, wrong } = require('./tls-values')
const { versions } = require('./tls-versions')

/** The native core's TLS options, of those in `given`. */
function settingsOf (given) {
  const verify = !('rejectUnauthorized' in given) ? !allowsUnauthorized() : verified(given)
  const ca = authorities(given.ca)
  const identity = clientIdentity(given)
  const checkServerIdentity = judge(given.checkServerIdentity)
  // Node trusts the authorities of a PKCS#12 file besides the others.
  const others = identity.authorities
  return {
    ca: ca.length > 0 ? [...ca, ...others] : [],
    roots: ca.length > 0 || !verify ? [] : [trustedByNode(), ...others],
    cert: identity.cert,
    key: identity.key,
    servername: name(given.servername, 'servername'),
    verify,
    partialChain: given.allowPartialTrustChain === true,
    ...versions(given),
    ciphers: ciphers(given.ciphers),
    groups: groups(given.ecdhCurve),
    alpn: protocols(given.ALPNProtocols),
    checkServerIdentity: verify ? checkServerIdentity : undefined
  }
}

function verified ({ rejectUnauthorized }) {
  if (typeof rejectUnauthorized !== 'boolean') wrong('rejectUnauthorized', 'a boolean')
  return rejectUnauthorized
}

let hasWarned = false

/** Whether the environment switches verification off, with Node's warning if it does. */
function allowsUnauthorized () {
  if (process.env.NODE_TLS_REJECT_UNAUTHORIZED !== '0') return false
  if (!hasWarned) {
    hasWarned = true
    process.emitWarning("Setting the NODE_TLS_REJECT_UNAUTHORIZED environment variable to '0' " +
      'makes TLS connections and HTTPS requests insecure by disabling certificate verification.')
  }
  return true
}

/** The certificates that Node trusts by default, as one PEM text. */
function trustedByNode () {
  // Node 22.15 and later have a list of all. Before that it is put together of its parts.
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

/** The PEM texts of `ca`; empty if it is not given. */
function authorities (ca) {
  if (!isGiven(ca) || ca === '') return []
  const expected = 'PEM, as a string, a Buffer, or an array of these'
  const all = Array.isArray(ca) ? ca : [ca]
  // Node trusts nobody then, so that no server would do.
  if (all.length === 0) wrong('ca', expected)
  return all.map(one => pemOf(one, 'ca', expected))
}

/** A text; undefined if it is empty, as Node takes it. */
function name (value, option) {
  if (!isGiven(value)) return undefined
  if (typeof value !== 'string') wrong(option, 'a string')
  return value === '' ? undefined : value
}

function judge (check) {
  if (!isGiven(check)) return undefined
  if (typeof check !== 'function') wrong('checkServerIdentity', 'a function')
  // The native side has the same rule, without a question to this thread.
  return check === tls.checkServerIdentity ? undefined : check
}

/** The names of the suites to offer; empty for all. */
function ciphers (text) {
  if (!isGiven(text)) return []
  if (typeof text !== 'string') wrong('ciphers', 'a string of OpenSSL\'s names')
  const selected = text === '' ? [] : selectCiphers(text)
  if (selected === undefined) {
    wrong('ciphers', 'a string that selects one of these, which the server has to offer: ' +
      `${SUPPORTED.join(', ')} (RSA and DHE key exchange and CBC are not supported)`)
  }
  return selected
}

/** The curves to offer; empty for all. */
function groups (text) {
  if (!isGiven(text) || text === 'auto') return []
  if (typeof text !== 'string') wrong('ecdhCurve', 'a string of curves\' names')
  return text.split(':')
}

/** The protocols of ALPN, in any of the forms that Node takes. */
function protocols (given) {
  if (!isGiven(given)) return []
  const expected = 'an array of names, or a Buffer of names that follow their lengths'
  const names = Array.isArray(given) ? given.map(bytesOf) : isBytes(given) ? cut(given) : []
  const isName = name => name !== undefined && name.length > 0 && name.length < 256
  if (names.length === 0 || !names.every(isName)) wrong('ALPNProtocols', expected)
  return names
}

function cut (wire) {
  const [bytes, names] = [bytesOf(wire), []]
  for (let at = 0; at < bytes.length; at += 1 + bytes[at]) {
    names.push(bytes.subarray(at + 1, at + 1 + bytes[at]))
  }
  return names
}

module.exports = { settingsOf }
