'use strict'

/*
 * OpenSSL's cipher strings, as the option `ciphers` has them.
 *
 * Owns what a string selects of the suites that the native side has. Pure. The rules are those of
 * OpenSSL's "ciphers" command. Node hands names that begin with TLS_ to TLS 1.3, and all else to
 * TLS 1.2. Without any of the first, TLS 1.3 has all of its suites; without any of the others,
 * TLS 1.2 is not spoken.
 */

/** The suites of TLS 1.3, in the order in which they are offered. */
const TLS13 = ['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256']

/** Words that select all suites of TLS 1.2. */
const EVERY = ['ALL', 'DEFAULT', 'HIGH', 'ECDHE', 'EECDH', 'kECDHE', 'kEECDH', 'TLSv1.2']

/**
 * The suites of TLS 1.2 in OpenSSL's order, with the words that select each. RSA is none of them:
 * it means the key exchange. Nor is SHA384: it means suites with an HMAC.
 */
const TLS12 = new Map([
  ['ECDHE-ECDSA-AES256-GCM-SHA384', ['ECDSA', 'aECDSA', 'AES', 'AES256', 'AESGCM', 'FIPS']],
  ['ECDHE-RSA-AES256-GCM-SHA384', ['aRSA', 'AES', 'AES256', 'AESGCM', 'FIPS']],
  ['ECDHE-ECDSA-CHACHA20-POLY1305', ['ECDSA', 'aECDSA', 'CHACHA20']],
  ['ECDHE-RSA-CHACHA20-POLY1305', ['aRSA', 'CHACHA20']],
  ['ECDHE-ECDSA-AES128-GCM-SHA256', ['ECDSA', 'aECDSA', 'AES', 'AES128', 'AESGCM', 'FIPS']],
  ['ECDHE-RSA-AES128-GCM-SHA256', ['aRSA', 'AES', 'AES128', 'AESGCM', 'FIPS']]
].map(([name, words]) => [name, new Set([...words, ...EVERY, name])]))

/** Bits of the key, by which `@STRENGTH` sorts. */
const strength = name => (name.includes('AES128') ? 128 : 256)

/**
 * The names of the suites that `text` selects, the best one first.
 * @param {string} text an OpenSSL cipher string
 * @returns {string[] | undefined} undefined if nothing is left of the names for one of the versions
 */
function selectCiphers (text) {
  const parts = text.split(/[:, ]+/).filter(part => part !== '')
  const [newer, older] = [parts.filter(isNewer), parts.filter(part => !isNewer(part))]
  const chosen = [
    newer.length === 0 ? TLS13 : newer.filter(part => TLS13.includes(part)), selectTls12(older)]
  if (chosen[0].length === 0 || (older.length > 0 && chosen[1].length === 0)) return undefined
  return chosen.flat()
}

const isNewer = part => part.startsWith('TLS_')

function selectTls12 (parts) {
  let chosen = []
  const killed = new Set()
  for (const part of parts) {
    const [, operator, word] = /^([!+-]?)(.*)$/.exec(part)
    const hits = [...TLS12.keys()].filter(name => isMeant(name, word))
    if (word === '@STRENGTH') {
      chosen.sort((one, other) => strength(other) - strength(one))
    } else if (operator === '!' || operator === '-') {
      if (operator === '!') for (const name of hits) killed.add(name)
      chosen = chosen.filter(name => !hits.includes(name))
    } else if (operator === '+') {
      const last = chosen.filter(name => hits.includes(name))
      chosen = [...chosen.filter(name => !hits.includes(name)), ...last]
    } else {
      chosen.push(...hits.filter(name => !killed.has(name) && !chosen.includes(name)))
    }
  }
  return chosen
}

// A plus within a word means that all of its parts select the suite.
function isMeant (name, word) {
  return word.split('+').every(part => TLS12.get(name).has(part))
}

/** Every suite that there is, by its OpenSSL name. */
const SUPPORTED = Object.freeze([...TLS13, ...TLS12.keys()])

module.exports = { SUPPORTED, selectCiphers }
