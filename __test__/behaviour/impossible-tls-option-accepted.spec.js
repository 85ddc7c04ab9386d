'use strict'

// A TLS option that cannot work is a TypeError that names it, before anything is sent.

const assert = require('node:assert')
const { generateKeyPairSync } = require('node:crypto')
const { describe, it } = require('node:test')
const { inspect } = require('node:util')

const { createClient } = require('../..')

const { privateKey } = generateKeyPairSync('ed25519')
const KEY = privateKey.export({ type: 'pkcs8', format: 'pem' })
const LOCKED = privateKey.export({
  type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x'
})

/** The TLS options, and the name that the error has. */
const CASES = [
  [{ ca: 5 }, 'ca'],
  [{ ca: 'no certificate' }, 'ca'],
  [{ ca: [] }, 'ca'],
  [{ cert: 'x' }, 'cert'],
  [{ key: '-----BEGIN PRIVATE KEY-----' }, 'key'],
  [{ key: KEY }, 'cert'],
  [{ key: LOCKED }, 'passphrase'],
  [{ key: LOCKED, passphrase: 'no' }, 'passphrase'],
  [{ passphrase: 5 }, 'passphrase'],
  [{ pfx: 'x' }, 'pfx'],
  [{ pfx: Buffer.from('x') }, 'pfx'],
  [{ minVersion: 'TLSv1.4' }, 'minVersion'],
  [{ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }, 'minVersion'],
  [{ maxVersion: 'TLSv1.1' }, 'maxVersion'],
  [{ secureProtocol: 'TLSv1_1_method' }, 'secureProtocol'],
  [{ secureProtocol: 'TLS_method', minVersion: 'TLSv1.2' }, 'secureProtocol'],
  [{ secureOptions: 'x' }, 'secureOptions'],
  [{ ciphers: 'AES128-SHA' }, 'ciphers'],
  [{ ciphers: 'TLS_AES_128_CCM_SHA256' }, 'ciphers'],
  [{ ciphers: 'nothing' }, 'ciphers'],
  [{ ecdhCurve: 'X448' }, 'ecdhCurve'],
  [{ ALPNProtocols: [5] }, 'ALPNProtocols'],
  [{ ALPNProtocols: [''] }, 'ALPNProtocols'],
  [{ rejectUnauthorized: 0 }, 'rejectUnauthorized'],
  [{ checkServerIdentity: true }, 'checkServerIdentity'],
  [{ servername: 5 }, 'servername'],
  [{ secureContext: {} }, 'secureContext'],
  [{ crl: 'x' }, 'crl'],
  [{ sigalgs: 'x' }, 'sigalgs'],
  [{ pskCallback () {} }, 'pskCallback']
]

describe('TLS options that are refused', () => {
  for (const [tls, name] of CASES) {
    it(`${inspect(tls, { breakLength: Infinity }).slice(0, 60)} names ${name}`, () => {
      for (const socket of [{ tls }, { tls: true, ...tls }]) {
        assert.throws(() => createClient({ socket }), error => {
          assert.ok(error instanceof TypeError, error)
          assert.ok(error.message.includes(`socket.tls.${name}`), error.message)
          assert.ok(!error.message.includes('PRIVATE KEY'), 'a secret shows')
          return true
        })
      }
    })
  }
})
