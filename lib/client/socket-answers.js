'use strict'

/*
 * The answers of the application's `checkServerIdentity` and `lookup` to the native side, which
 * waits for them while it connects.
 *
 * Invariant: each question gets an answer, whatever the function does.
 */

/**
 * Whether a server's certificate, which the native side has verified, is for `host`.
 * @param {object} core the native core that asks
 * @param {number} question its number
 * @param {object} options the parsed options that have the function
 * @param {string} host
 * @param {Buffer[]} chain the certificates that the server has shown, its own first
 */
function answerIdentity (core, question, { tls }, host, chain) {
  let refusal
  try {
    refusal = tls.checkServerIdentity(host, peerCertificate(chain))
    if (typeof refusal?.then === 'function') refusal = 'it must not return a promise'
  } catch (error) {
    refusal = error
  }
  core.answerIdentity(question, refusal ? String(refusal.message ?? refusal) : undefined)
}

/**
 * A certificate as `getPeerCertificate(true)` of Node's sockets has it: each with its issuer.
 * @param {Buffer[]} chain
 */
function peerCertificate (chain) {
  // Most programs have no such function, and the module takes long to load.
  const { X509Certificate } = require('node:crypto')
  const read = chain.map(der => new X509Certificate(der))
  const certificates = read.map(one => one.toLegacyObject())
  certificates.forEach((certificate, at) => {
    const above = certificates[at + 1]
    if (above !== undefined) certificate.issuerCertificate = above
    else if (read[at].checkIssued(read[at])) certificate.issuerCertificate = certificate
  })
  return certificates[0]
}

/**
 * The addresses of `host`.
 * @param {object} core the native core that asks
 * @param {number} question its number
 * @param {object} options the parsed options that have the function
 * @param {string} host
 * @param {number} family 4, 6, or 0 for both
 */
function answerLookup (core, question, { socket }, host, family) {
  const done = (error, found) => {
    if (error) {
      const { code = 'ENOTFOUND', message = String(error) } = error
      return core.answerLookup(question, [], String(code), String(message))
    }
    const { isIP } = require('node:net')
    const addresses = (Array.isArray(found) ? found : [found]).map(one => one?.address ?? one)
    core.answerLookup(question, addresses.filter(one => isIP(one) !== 0), undefined, undefined)
  }
  try {
    // As `net.connect` asks: for all addresses, unless one family is wanted.
    const { lookup } = socket
    lookup(host, family === 0 ? { family, hints: 0, all: true } : { family, hints: 0 }, done)
  } catch (error) {
    done(error)
  }
}

module.exports = { answerIdentity, answerLookup }
