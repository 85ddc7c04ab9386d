'use strict'

/*
 * The versions of TLS, as `minVersion`, `maxVersion`, `secureProtocol` and `secureOptions` say.
 *
 * Those below 1.2 are not spoken: a bound below is taken, since it leaves 1.2, and a bound above
 * that leaves nothing else is refused.
 */

const { constants: { SSL_OP_NO_TLSv1_2, SSL_OP_NO_TLSv1_3 } } = require('node:crypto')
const tls = require('node:tls')

const { wrong } = require('./tls-values')

const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']

/** OpenSSL's names of methods that mean one version, or several, that are spoken here. */
const METHODS = {
  TLSv1_2: ['TLSv1.2', 'TLSv1.2'],
  TLSv1_3: ['TLSv1.3', 'TLSv1.3'],
  TLS: ['TLSv1', 'TLSv1.3'],
  SSLv23: ['TLSv1', 'TLSv1.3']
}

/**
 * Which versions are spoken.
 * @param {object} given the TLS options that are given
 * @returns {{ only13: boolean, only12: boolean }}
 */
function versions (given) {
  const { secureProtocol, secureOptions = 0 } = given
  if (secureProtocol !== undefined && ('minVersion' in given || 'maxVersion' in given)) {
    wrong('secureProtocol', 'left out if minVersion or maxVersion is given')
  }
  if (!Number.isInteger(secureOptions)) wrong('secureOptions', 'a number')
  const [lowest, highest] = secureProtocol === undefined
    ? [tls.DEFAULT_MIN_VERSION ?? 'TLSv1.2', tls.DEFAULT_MAX_VERSION ?? 'TLSv1.3']
    : method(secureProtocol)
  const { minVersion: min = lowest, maxVersion: max = highest } = given
  for (const [option, value] of [['minVersion', min], ['maxVersion', max]]) {
    if (!VERSIONS.includes(value)) wrong(option, VERSIONS.slice(2).join(' or '))
  }
  const only13 = min === 'TLSv1.3' || (secureOptions & SSL_OP_NO_TLSv1_2) !== 0
  const only12 = max !== 'TLSv1.3' || (secureOptions & SSL_OP_NO_TLSv1_3) !== 0
  if (VERSIONS.indexOf(max) < 2) {
    wrong('maxVersion', 'TLSv1.2 or TLSv1.3: older versions are not supported, so the server has ' +
      'to offer one of these')
  }
  if (only13 && only12) {
    wrong('minVersion', 'no higher than maxVersion, and secureOptions must leave a version')
  }
  return { only13, only12 }
}

function method (secureProtocol) {
  const [, base] = /^(\w+?)(?:_client)?_method$/.exec(secureProtocol) ?? []
  if (!Object.hasOwn(METHODS, base ?? '')) {
    wrong('secureProtocol', 'TLS_method, TLSv1_2_method or TLSv1_3_method: older versions are ' +
      'not supported, so the server has to offer one of these')
  }
  return METHODS[base]
}

module.exports = { versions }
