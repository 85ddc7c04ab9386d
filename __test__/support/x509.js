'use strict'

// Certificates of any kind, also odd and wrong ones, made anew by Node's own cryptography. What
// openssl makes without being told, such as certificates of version 1, differs between its
// versions; and a process for each certificate takes long on a loaded machine.

const crypto = require('node:crypto')

/**
 * Makes a key and its certificate: `{ cert, key, object, subject }`, the first two as PEM.
 *
 * Options, all of them optional:
 * - `subject`: the common name, default `localhost`; null for no name at all
 * - `issuer`: what this function has returned for the authority; default: signed by itself
 * - `curve`: `prime256v1` (default), `secp521r1`, `ed25519` or `rsa`
 * - `version`: 1 or 3 (default); version 1 has no extension
 * - `names`: an array such as `['DNS:localhost', 'IP:127.0.0.1']`, the subject alternative names
 * - `ca`: true or false, the basic constraints; `pathlen`: how many authorities may stand below
 * - `usage`: the names of the key usages; `purposes`: those of the extended key usages
 * - `permits`: the only DNS name that this authority may sign for
 * - `mystery`: true for a critical extension that nobody knows
 * - `days`: from when to when it is valid, as days from now; default `[-1, 30]`
 * - `twin`: what this function has returned before, whose key is used again
 */
function makeCertificate (options = {}) {
  const { subject = 'localhost', issuer, curve = 'prime256v1', version = 3, twin } = options
  const { privateKey, publicKey } = twin?.object ?? generate(curve)
  const [from, to] = options.days ?? [-1, 30]
  const signer = issuer?.object.privateKey ?? privateKey
  const algorithm = algorithmOf(signer)
  const extensions = version === 1 ? [] : extensionsOf(options)
  const body = sequence(
    ...(version === 1 ? [] : [tagged(0, integer(2))]),
    integer(...crypto.randomBytes(8).map((byte, at) => at === 0 ? (byte & 0x3f) | 0x40 : byte)),
    algorithm, name(issuer ? issuer.subject : subject), sequence(time(from), time(to)),
    name(subject), publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0 ? [] : [tagged(3, sequence(...extensions))]))
  const hash = signer.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  const der = sequence(body, algorithm, bits(crypto.sign(hash, body, signer)))
  return {
    cert: pem('CERTIFICATE', der),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    object: { privateKey, publicKey },
    subject
  }
}

function generate (curve) {
  if (curve === 'rsa') return crypto.generateKeyPairSync('rsa', { modulusLength: 2048 })
  if (curve === 'ed25519') return crypto.generateKeyPairSync('ed25519')
  return crypto.generateKeyPairSync('ec', { namedCurve: curve })
}

function extensionsOf ({ names, ca, pathlen, usage, purposes, permits, mystery }) {
  const all = []
  if (ca !== undefined) {
    const length = pathlen === undefined ? [] : [integer(pathlen)]
    all.push(extension([2, 5, 29, 19], true, sequence(...(ca ? [TRUE, ...length] : []))))
  }
  if (usage) {
    const set = usage.reduce((mask, one) => mask | (0x80 >> USAGES.indexOf(one)), 0)
    const unused = 31 - Math.clz32(set & -set)
    all.push(extension([2, 5, 29, 15], true, der(0x03, Buffer.from([unused, set]))))
  }
  if (purposes) {
    const oids = purposes.map(one => oid(1, 3, 6, 1, 5, 5, 7, 3, PURPOSES.indexOf(one) + 1))
    all.push(extension([2, 5, 29, 37], false, sequence(...oids)))
  }
  if (names) all.push(extension([2, 5, 29, 17], false, sequence(...names.map(alternative))))
  if (permits) {
    const subtree = sequence(alternative(`DNS:${permits}`))
    all.push(extension([2, 5, 29, 30], true, sequence(tagged(0, subtree))))
  }
  if (mystery) all.push(extension([1, 3, 6, 1, 4, 1, 99999, 1], true, sequence()))
  return all
}

const USAGES = ['digitalSignature', 'nonRepudiation', 'keyEncipherment', 'dataEncipherment',
  'keyAgreement', 'keyCertSign', 'cRLSign']
const PURPOSES = ['serverAuth', 'clientAuth']

const extension = (id, critical, value) =>
  sequence(oid(...id), ...(critical ? [TRUE] : []), der(0x04, value))

function alternative (text) {
  const [, kind, value] = /^(DNS|IP):(.*)$/.exec(text)
  if (kind === 'DNS') return der(0x82, Buffer.from(value))
  return der(0x87, Buffer.from(value.split('.').map(Number)))
}

function name (common) {
  if (common === null) return sequence()
  return sequence(der(0x31, sequence(oid(2, 5, 4, 3), der(0x0c, Buffer.from(common)))))
}

function algorithmOf ({ asymmetricKeyType }) {
  if (asymmetricKeyType === 'ed25519') return sequence(oid(1, 3, 101, 112))
  // With SHA-256, as openssl signs unless it is told otherwise.
  if (asymmetricKeyType === 'ec') return sequence(oid(1, 2, 840, 10045, 4, 3, 2))
  return sequence(oid(1, 2, 840, 113549, 1, 1, 11), der(0x05, Buffer.alloc(0)))
}

function time (days) {
  const date = new Date(Date.now() + days * 86_400_000)
  return der(0x17, Buffer.from(date.toISOString().replace(/^20|[-:T]|\.\d+/g, '')))
}

function der (tag, content) {
  const { length } = content
  const size = length < 128
    ? [length]
    : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...parts) => der(0x30, Buffer.concat(parts))
const tagged = (number, content) => der(0xa0 + number, content)
const integer = (...bytes) => der(0x02, Buffer.from(bytes))
const bits = content => der(0x03, Buffer.concat([Buffer.from([0]), content]))
const TRUE = der(0x01, Buffer.from([0xff]))

function oid (first, second, ...rest) {
  const bytes = rest.flatMap(arc => {
    const groups = [arc & 127]
    while ((arc >>= 7) > 0) groups.unshift((arc & 127) | 128)
    return groups
  })
  return der(0x06, Buffer.from([first * 40 + second, ...bytes]))
}

function pem (label, bytes) {
  const lines = bytes.toString('base64').match(/.{1,64}/g).join('\n')
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}

module.exports = { makeCertificate }
