'use strict'

// An argument that Redis cannot hold is refused before anything is sent, and never guessed at.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')
const { inspect } = require('node:util')

const { createClient } = require('../..')
const { startServer } = require('../support/redis-server')

const wrong = [
  undefined, null, true, 1n, NaN, Infinity, {}, { toString: () => 'k' }, [], [['k']], new Map(),
  new Date(), new String('k'), new ArrayBuffer(2), new Uint16Array(2)
]
const symbol = Symbol('k')

describe('a wrong argument', () => {
  let server, client
  before(async () => {
    server = await startServer()
    client = createClient({ url: server.url, strictOptions: true })
    await client.connect()
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  // Rejects with a TypeError that names the method and the argument, and sends nothing.
  async function refused (call, pattern) {
    const { commands } = client.stats()
    let promise
    assert.doesNotThrow(() => { promise = call() })
    await assert.rejects(promise, error => {
      assert.ok(error instanceof TypeError, inspect(error))
      assert.match(error.message, pattern)
      return true
    })
    assert.strictEqual(client.stats().commands, commands)
  }

  for (const value of [...wrong, symbol, () => {}]) {
    if (typeof value === 'function') continue // a callback, by its place
    it(`of ${inspect(value)} as a key is refused`, () =>
      refused(() => client.get(value), /^get: argument "key" must be .*, not /))

    it(`of ${inspect(value)} as a value is refused`, async () => {
      if (typeof value === 'number') {
        // As in node-redis: SET takes numbers, and prints them.
        await client.set('number', value)
        assert.strictEqual(await client.get('number'), String(value))
        return
      }
      await refused(() => client.set('k', value), /^set: argument "value" must be /)
    })

    it(`of ${inspect(value)} in an array of keys is refused with its place`, () =>
      refused(() => client.del(['a', value]), /^del: argument "keys\[1\]" must be /))

    it(`of ${inspect(value)} in sendCommand is refused with its place`, () =>
      refused(() => client.sendCommand(['SET', 'k', value]),
        /^sendCommand: argument "args\[2\]" must be a string or a Buffer, not /))
  }

  it('that is a function is a callback only in the last place', () =>
    refused(() => client.set(() => {}, 'v'), /^set: argument "key" must be /))

  it('as sendCommand\'s array is refused', async () => {
    for (const args of [undefined, null, 'GET k', [], {}, { 0: 'GET', length: 1 }, 5]) {
      await refused(() => client.sendCommand(args), /^sendCommand: argument "args" must be a non-/)
    }
  })

  it('that is missing is refused', async () => {
    await refused(() => client.get(), /^get: argument "key" .* undefined/)
    await refused(() => client.hSet('k', 'f'), /^hSet: /)
    await refused(() => client.mSet([]), /^mSet: /)
    await refused(() => client.lPush('k', []), /^lPush: argument "\w+" must be a non-empty array/)
  })

  it('that is not an integer where one belongs is refused', async () => {
    for (const value of [1.5, NaN, Infinity, '1.5', 'x', '', ' 1', null, {}, 2 ** 53, -(2 ** 53)]) {
      await refused(() => client.incrBy('n', value), /^incrBy: argument "\w+" must be an integer/)
    }
    await client.set('n', '0')
    assert.strictEqual(await client.incrBy('n', 2n ** 53n), 2n ** 53n)
  })

  it('as an option is refused with its name', async () => {
    await refused(() => client.set('k', 'v', { expire: 5 }), /^set: .* unknown option "expire"/)
    await refused(() => client.set('k', 'v', { condition: 'MAYBE' }), /^set: .*must be one of NX/)
    await refused(() => client.set('k', 'v', 5), /^set: argument "options" must be an object/)
    await refused(() => client.scan('0', { count: 5 }), /^scan: .* unknown option "count"/)
  })

  it('never shows in the error', async () => {
    const secret = 'hunter2'
    for (const call of [
      () => client.get({ secret }),
      () => client.get([[secret]]),
      () => client.incrBy(secret, secret),
      () => client.set(secret, Symbol(secret)),
      () => client.sendCommand([secret, {}])
    ]) {
      const error = await call().then(() => assert.fail('was taken'), error => error)
      assert.ok(!inspect(error, { showHidden: true, depth: 9 }).includes(secret), error.stack)
    }
  })

  it('does no harm to the commands around it', async () => {
    const settled = await Promise.allSettled([
      client.set('a', '1'), client.set('a', {}), client.incr('a'), client.sendCommand(['INCR', 1]),
      client.mGet(['a', null]), client.get('a')
    ])
    assert.deepStrictEqual(settled.map(({ status }) => status[0]).join(''), 'frfrrf')
    assert.strictEqual(settled[5].value, '2')
  })
})
