'use strict'

// An option that does not exist, or cannot work, is a TypeError that names it: never passed over.

const assert = require('node:assert')
const { generateKeyPairSync } = require('node:crypto')
const { describe, it } = require('node:test')
const { inspect } = require('node:util')

const { createClient, createClientPool, RESP_TYPES } = require('../..')

const { privateKey } = generateKeyPairSync('ed25519')
const KEY = privateKey.export({ type: 'pkcs8', format: 'pem' })
const LOCKED = privateKey.export({
  type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x'
})

describe('options that are refused', () => {
  const cases = [
    [{ hots: 'x' }, 'hots'],
    [{ host: 'x' }, 'host'],
    [{ socket: { hots: 'x' } }, 'socket.hots'],
    [{ pool: { size: 1 } }, 'pool.size'],
    [{ commandOptions: { timeOut: 1 } }, 'commandOptions.timeOut'],
    [{ socket: { tls: { pfy: 'x' } } }, 'socket.tls.pfy'],
    [{ modules: 'x' }, 'modules'],
    [{ scripts: 'return 1' }, 'scripts'],
    [{ functions: null }, 'functions'],
    [{ ['__proto__']: 1 }, '__proto__'],
    [{ constructor: 1 }, 'constructor'],
    [{ toString: 1 }, 'toString'],

    [{ url: 5 }, 'url'],
    [{ url: new URL('redis://localhost') }, 'url'],
    [{ socket: 'localhost' }, 'socket'],
    [{ socket: null }, 'socket'],
    [{ pool: 5 }, 'pool'],
    [{ commandOptions: null }, 'commandOptions'],
    [{ username: 5 }, 'username'],
    [{ password: Buffer.from('x') }, 'password'],
    [{ database: '1' }, 'database'],
    [{ database: -1 }, 'database'],
    [{ database: 1.5 }, 'database'],
    [{ RESP: 4 }, 'RESP'],
    [{ RESP: '3' }, 'RESP'],
    [{ keyPrefix: 5 }, 'keyPrefix'],
    [{ commandsQueueMaxLength: 0 }, 'commandsQueueMaxLength'],
    [{ maxQueuedBytes: 1 }, 'maxQueuedBytes'],
    [{ disableOfflineQueue: 'yes' }, 'disableOfflineQueue'],
    [{ pingInterval: -1 }, 'pingInterval'],
    [{ pingInterval: NaN }, 'pingInterval'],
    [{ pingInterval: Infinity }, 'pingInterval'],
    [{ lanes: 0 }, 'lanes'],
    [{ lanes: 65 }, 'lanes'],
    [{ lanes: 3, pool: { max: 2 } }, 'lanes'],
    [{ credentialsProvider: {} }, 'credentialsProvider'],
    [{ name: 'two words' }, 'name'],
    [{ name: '' }, 'name'],
    [{ clientInfoTag: 'two words' }, 'clientInfo'],
    [{ clientInfoTag: 5 }, 'clientInfoTag'],

    [{ socket: { port: 0 } }, 'socket.port'],
    [{ socket: { port: '6379' } }, 'socket.port'],
    [{ socket: { port: 65536 } }, 'socket.port'],
    [{ socket: { host: '' } }, 'socket.host'],
    [{ socket: { host: 'a b' } }, 'socket.host'],
    [{ socket: { path: '' } }, 'socket.path'],
    [{ socket: { family: 5 } }, 'socket.family'],
    [{ socket: { connectTimeout: 0 } }, 'socket.connectTimeout'],
    [{ socket: { connectTimeout: 2 ** 31 } }, 'socket.connectTimeout'],
    [{ socket: { reconnectStrategy: -1 } }, 'socket.reconnectStrategy'],
    [{ socket: { reconnectStrategy: true } }, 'socket.reconnectStrategy'],
    [{ socket: { keepAliveInitialDelay: 5 } }, 'socket.keepAliveInitialDelay'],
    [{ socket: { tls: 'yes' } }, 'socket.tls'],
    [{ socket: { ca: 'x' } }, 'socket.ca'],
    [{ socket: { tls: { ca: 5 } } }, 'socket.tls.ca'],
    [{ socket: { tls: { ca: 'no certificate' } } }, 'socket.tls.ca'],
    [{ socket: { tls: { cert: 'x' } } }, 'socket.tls.cert'],
    [{ socket: { tls: { minVersion: 'TLSv1.4' } } }, 'socket.tls.minVersion'],
    [{ socket: { tls: { rejectUnauthorized: 0 } } }, 'socket.tls.rejectUnauthorized'],
    [{ socket: { tls: { ca: [] } } }, 'socket.tls.ca'],
    [{ socket: { tls: { maxVersion: 'TLSv1.1' } } }, 'socket.tls.maxVersion'],
    [{ socket: { tls: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' } } },
      'socket.tls.minVersion'],
    [{ socket: { tls: { secureProtocol: 'TLSv1_1_method' } } }, 'socket.tls.secureProtocol'],
    [{ socket: { tls: { secureProtocol: 'TLS_method', minVersion: 'TLSv1.2' } } },
      'socket.tls.secureProtocol'],
    [{ socket: { tls: { secureOptions: 'x' } } }, 'socket.tls.secureOptions'],
    [{ socket: { tls: { ciphers: 'AES128-SHA' } } }, 'socket.tls.ciphers'],
    [{ socket: { tls: { ciphers: 'TLS_AES_128_CCM_SHA256' } } }, 'socket.tls.ciphers'],
    [{ socket: { tls: { ciphers: 'nothing' } } }, 'socket.tls.ciphers'],
    [{ socket: { tls: { ecdhCurve: 'X448' } } }, 'socket.tls.ecdhCurve'],
    [{ socket: { tls: { ALPNProtocols: [5] } } }, 'socket.tls.ALPNProtocols'],
    [{ socket: { tls: { ALPNProtocols: [''] } } }, 'socket.tls.ALPNProtocols'],
    [{ socket: { tls: { checkServerIdentity: true } } }, 'socket.tls.checkServerIdentity'],
    [{ socket: { tls: { servername: 5 } } }, 'socket.tls.servername'],
    [{ socket: { tls: { passphrase: 5 } } }, 'socket.tls.passphrase'],
    [{ socket: { tls: { pfx: 'x' } } }, 'socket.tls.pfx'],
    [{ socket: { tls: { pfx: Buffer.from('x') } } }, 'socket.tls.pfx'],
    [{ socket: { tls: { key: '-----BEGIN PRIVATE KEY-----' } } }, 'socket.tls.key'],
    [{ socket: { tls: { key: KEY } } }, 'socket.tls.cert'],
    [{ socket: { tls: { key: LOCKED } } }, 'socket.tls.passphrase'],
    [{ socket: { tls: { key: LOCKED, passphrase: 'no' } } }, 'socket.tls.passphrase'],
    [{ socket: { tls: { secureContext: {} } } }, 'socket.tls.secureContext'],
    [{ socket: { tls: { crl: 'x' } } }, 'socket.tls.crl'],
    [{ socket: { tls: true, sigalgs: 'x' } }, 'socket.tls.sigalgs'],
    [{ socket: { tls: true, pskCallback () {} } }, 'socket.tls.pskCallback'],
    [{ socket: { lookup: 'x' } }, 'socket.lookup'],
    [{ socket: { localAddress: 'localhost' } }, 'socket.localAddress'],
    [{ socket: { tls: true, path: '/tmp/x' } }, 'socket.tls.servername'],
    [{ url: 'rediss://localhost', socket: { tls: false } }, 'socket.tls'],

    [{ pool: { min: 2, max: 1 } }, 'pool.min'],
    [{ pool: { max: 0 } }, 'pool.max'],
    [{ pool: { acquireTimeout: 0 } }, 'pool.acquireTimeout'],
    [{ pool: { idleTimeout: -1 } }, 'pool.idleTimeout'],

    [{ commandOptions: { timeout: -1 } }, 'commandOptions.timeout'],
    [{ commandOptions: { timeout: 0.5 } }, 'commandOptions.timeout'],
    [{ commandOptions: { timeout: null } }, 'commandOptions.timeout'],
    [{ commandOptions: { timeout: NaN } }, 'commandOptions.timeout'],
    [{ commandOptions: { abortSignal: {} } }, 'commandOptions.abortSignal'],
    [{ commandOptions: { typeMapping: { 1: Buffer } } }, 'typeMapping'],
    [{ commandOptions: { typeMapping: { [RESP_TYPES.NUMBER]: Buffer } } }, 'typeMapping']
  ]
  for (const [options, name] of cases) {
    it(`${inspect(options, { depth: 1, breakLength: Infinity })} names ${name}`, () => {
      assert.throws(() => createClient(options), error => {
        assert.ok(error instanceof TypeError, inspect(error))
        assert.ok(error.message.includes(name), error.message)
        return true
      })
    })
  }

  it('are refused as a whole when they are no object', () => {
    for (const options of [5, true, Symbol('x'), 1n, () => {}, [], new URL('redis://localhost')]) {
      assert.throws(() => createClient(options), TypeError, inspect(options))
    }
  })

  it('are refused by every way to give them', async t => {
    const client = createClient()
    t.after(() => client.destroy())
    assert.throws(() => client.duplicate({ hots: 1 }), /"hots" is unknown/)
    assert.throws(() => client.withCommandOptions({ timeOut: 1 }), /"commandOptions.timeOut" is/)
    assert.throws(() => client.withCommandOptions(null), TypeError)
    assert.throws(() => client.withTypeMapping({ 99: String }), /unknown RESP type "99"/)
    assert.throws(() => client.withTypeMapping('x'), TypeError)
    assert.throws(() => client.withAbortSignal('x'), /commandOptions.abortSignal/)
    await assert.rejects(client.sendCommand(['PING'], { timeOut: 1 }),
      /"commandOptions.timeOut" is/)
    await assert.rejects(client.sendCommand(['PING'], 5), TypeError)
    assert.throws(() => createClientPool({ hots: 1 }), /"hots" is unknown/)
    assert.throws(() => createClientPool({}, { size: 1 }), /"size" is unknown/)
    assert.throws(() => createClientPool({}, null), TypeError)
    assert.throws(() => createClientPool({}, { maximum: 0 }), TypeError)
    assert.strictEqual(client.stats().commands, 0)
  })
})

describe('options', () => {
  it('are left as they are, and may be frozen', () => {
    const signal = new AbortController().signal
    const options = deepFreeze({
      url: 'redis://user:secret@127.0.0.1:7000/3',
      socket: { noDelay: true, connectTimeout: 100, tls: undefined },
      pool: { max: 4 },
      commandOptions: { timeout: 5, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
      name: undefined,
      maintNotifications: 'disabled'
    })
    const before = inspect(options, { depth: 9 })
    const client = createClient(options)
    client.duplicate(deepFreeze({ database: 1 })).destroy()
    client.createPool(deepFreeze({ maximum: 5 })).destroy()
    client.withCommandOptions(Object.freeze({ timeout: 1, abortSignal: signal }))
    createClientPool(options, Object.freeze({ minimum: 0 })).destroy()
    client.destroy()
    assert.strictEqual(inspect(options, { depth: 9 }), before)
  })

  it('that are undefined are as good as absent', () => {
    createClient({ url: undefined, socket: undefined, password: undefined, pool: undefined })
      .destroy()
    createClient(undefined).destroy()
    createClient(null).destroy()
  })

  it('do not come from the prototype', () => {
    createClient(Object.create({ hots: 1, password: 'x' })).destroy()
  })
})

function deepFreeze (object) {
  for (const value of Object.values(object)) {
    if (value !== null && typeof value === 'object') deepFreeze(value)
  }
  return Object.freeze(object)
}
