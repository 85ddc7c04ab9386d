'use strict'

/*
 * TLS options under Node's names, and the certificate authorities that Node trusts.
 *
 * The native side knows neither the authorities that are built into Node nor NODE_EXTRA_CA_CERTS,
 * so they are passed on. The certificate's chain and name are verified unless `rejectUnauthorized`
 * is false, or NODE_TLS_REJECT_UNAUTHORIZED is 0.
 */

const fs = require('node:fs')

const { SUPPORTED, selectCiphers } = require('./ciphers')
const { clientIdentity } = require('./tls-identity')
const { bytesOf, isBytes, pemOf, wrong } = require('./tls-values')
const { versions } = require('./tls-versions')

/** The TLS options that have a meaning here. */
const SERVED = ['ca', 'cert', 'key', 'passphrase', 'pfx', 'servername', 'rejectUnauthorized',
  'checkServerIdentity', 'allowPartialTrustChain', 'minVersion', 'maxVersion', 'secureProtocol',
  'secureOptions', 'ciphers', 'ecdhCurve', 'ALPNProtocols']

/** TLS options of Node that are refused, and what to do instead. */
const REFUSED = {
  secureContext: 'is an object of OpenSSL, and TLS is not done by OpenSSL here: pass what it was ' +
    'made of (ca, cert, key, pfx, ciphers, minVersion ...)',
  pskCallback: 'needs pre-shared keys, which are not supported: use certificates',
  crl: 'is not supported: refuse what is revoked in checkServerIdentity, by its serialNumber',
  sigalgs: 'is not supported: SHA-1 and weaker are never accepted',
  clientCertEngine: 'needs an engine of OpenSSL: pass cert and key',
  privateKeyEngine: 'needs an engine of OpenSSL: pass key',
  privateKeyIdentifier: 'needs an engine of OpenSSL: pass key'
}

/** TLS options of Node that change nothing for a client here. */
const NEEDLESS = ['honorCipherOrder', 'dhparam', 'minDHSize', 'enableTrace', 'requestOCSP',
  'session', 'sessionTimeout', 'sessionIdContext', 'ticketKeys', 'requestCert']

/** The TLS options that are known: within `socket.tls` or, as in node-redis, beside it. */
const TLS_OPTIONS = new Set([...SERVED, ...Object.keys(REFUSED), ...NEEDLESS])

/**
 * The native core's TLS options, or undefined for a plain connection. `checkServerIdentity`, if it
 * is given, stands beside them.
 * @param {object} socket the `socket` option; nothing of it is kept
 * @param {import('../unknown-options').Unknown} unknown hears of names that are not known
 */
function tlsOptions (socket, unknown) {
  const { tls: asked } = socket
  if (!asked) {
    // Whoever says false means it, and may keep the material at hand.
    if (asked === false) return undefined
    for (const name of SERVED) {
      if (isGiven(socket[name])) {
        throw new TypeError(`option "socket.${name}" needs socket.tls or a rediss:// URL`)
      }
    }
    return undefined
  }
  const given = collect(socket, asked, unknown)
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

/** The TLS options that are given, within `socket.tls` or beside it. The former win. */
function collect (socket, asked, unknown) {
  const within = typeof asked === 'object' ? asked : {}
  for (const name of Object.keys(within)) {
    if (!TLS_OPTIONS.has(name) && isGiven(within[name])) unknown.note('socket.tls.', name, SERVED)
  }
  const given = {}
  for (const options of [socket, within]) {
    for (const name of TLS_OPTIONS) {
      if (isGiven(options[name])) given[name] = options[name]
      // Node verifies whenever the option is there and is not false, also if it is undefined.
      else if (name === 'rejectUnauthorized' && name in options) given[name] = true
    }
  }
  for (const [name, reason] of Object.entries(REFUSED)) {
    if (name in given) throw new TypeError(`option "socket.tls.${name}" ${reason}`)
  }
  return given
}

const isGiven = value => value !== undefined && value !== null

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

module.exports = { TLS_OPTIONS, tlsOptions }
