'use strict'

/*
 * TLS options under Node's names: which there are, and which are given. What they mean is in
 * tls-settings.js, which is loaded with the first client that uses TLS.
 */

const { isGiven } = require('./tls-values')

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
  // Most programs use no TLS, and what reads certificates takes long to load.
  const { settingsOf } = require('./tls-settings')
  return settingsOf(collect(socket, asked, unknown))
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

module.exports = { TLS_OPTIONS, tlsOptions }
