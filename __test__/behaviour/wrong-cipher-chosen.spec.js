'use strict'

// A cipher string selects of the suites that oxidis has those that OpenSSL selects, in its order.

const assert = require('node:assert')
const { execFileSync } = require('node:child_process')
const { describe, it } = require('node:test')

const { SUPPORTED, selectCiphers } = require('../../lib/options/ciphers')

const [TLS13, TLS12] = [
  SUPPORTED.filter(name => name.startsWith('TLS_')),
  SUPPORTED.filter(name => !name.startsWith('TLS_'))]

/** What the openssl program selects for TLS 1.2, of the suites that there are. */
function selectedByOpenssl (text) {
  const args = ['ciphers', '-s', '-tls1_2', `${text}:@SECLEVEL=1`]
  const selected = execFileSync('openssl', args, { encoding: 'utf8' }).trim().split(':')
  return selected.filter(name => TLS12.includes(name))
}

describe('a cipher string', () => {
  for (const text of [
    'HIGH:!aNULL:!MD5', 'ALL', 'DEFAULT', 'ALL:!RSA', 'ALL:!aRSA', 'aECDSA:!AES128',
    'ECDHE+AESGCM:ECDHE+CHACHA20', 'ALL:@STRENGTH', 'AES128:AES256:-ECDSA', 'ALL:+AESGCM',
    'ECDHE-RSA-AES128-GCM-SHA256:HIGH', 'EECDH+aRSA+AES', 'kEECDH:!CHACHA20', 'FIPS',
    'ECDHE-RSA-AES128-GCM-SHA256 ECDHE-RSA-CHACHA20-POLY1305', 'AES:!ECDSA:ECDSA:CHACHA20',
    'ALL:-CHACHA20:CHACHA20', 'AES256-SHA:ECDHE-ECDSA-AES128-GCM-SHA256', 'TLSv1.2:!AES256',
    'kECDHE+ECDSA:NONSENSE:aRSA'
  ]) {
    it(`selects what OpenSSL does: ${text}`, () => {
      const selected = selectedByOpenssl(text)
      assert.ok(selected.length > 0, 'a string that selects nothing shows nothing')
      assert.deepStrictEqual(selectCiphers(text), [...TLS13, ...selected])
    })
  }

  it('selects suites of TLS 1.3 by their names, and then none of 1.2', () => {
    const [first, second] = [TLS13[2], TLS13[0]]
    assert.deepStrictEqual(selectCiphers(`${first}:${second}`), [first, second])
    assert.deepStrictEqual(selectCiphers(`${first}:${TLS12[3]}`), [first, TLS12[3]])
  })

  it('that selects nothing is told', () => {
    for (const text of ['AES128-SHA', 'kRSA', 'NONSENSE', 'ALL:!ECDHE', 'TLS_AES_128_CCM_SHA256']) {
      assert.strictEqual(selectCiphers(text), undefined, text)
    }
  })
})
