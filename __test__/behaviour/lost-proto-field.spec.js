'use strict'

// A field may have any name: none is lost, none changes a prototype, none makes a reply a promise.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, RedisClient, RESP_TYPES } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { startServer } = require('../support/redis-server')

const names = ['__proto__', 'constructor', 'prototype', 'then', 'catch', 'toString', 'valueOf',
  'hasOwnProperty', 'toJSON', '__defineGetter__', 'length', '0', '', 'a field', 'ü']
const hash = Object.fromEntries(names.map(name => [name, `value of ${name}`]))

// A plain object with exactly these fields, each an ordinary one, on an untouched prototype.
function isPlain (object, fields = hash) {
  assert.strictEqual(Object.getPrototypeOf(object), Object.prototype)
  assert.deepStrictEqual(Object.keys(object).sort(), Object.keys(fields).sort())
  for (const name of Object.keys(fields)) {
    assert.deepStrictEqual(Object.getOwnPropertyDescriptor(object, name), {
      value: fields[name], writable: true, enumerable: true, configurable: true
    })
  }
  isUntouched()
}

const prototype = Object.getOwnPropertyNames(Object.prototype).sort().join()
function isUntouched () {
  assert.strictEqual(Object.getOwnPropertyNames(Object.prototype).sort().join(), prototype)
  assert.strictEqual({}.polluted, undefined)
}

for (const RESP of [3, 2]) {
  describe(`in RESP${RESP}`, () => {
    let server, client
    before(async () => {
      server = await startServer()
      client = createClient({ url: server.url, RESP })
      // Both forms, since an object literal could not hold all names.
      assert.strictEqual(await client.hSet('hash', Object.entries(hash).flat()), names.length)
    })
    after(async () => {
      client.destroy()
      await server.stop()
    })

    it('hGetAll keeps every field', async () => {
      isPlain(await client.hGetAll('hash'))
    })

    it('hGetAll keeps every field as Map, as Array, and with Buffers', async () => {
      const { MAP, BLOB_STRING } = RESP_TYPES
      assert.deepStrictEqual(
        new Map([...await client.withTypeMapping({ [MAP]: Map }).hGetAll('hash')].sort()),
        new Map(Object.entries(hash).sort()))
      const flat = await client.withTypeMapping({ [MAP]: Array }).hGetAll('hash')
      assert.deepStrictEqual([...flat].sort(), Object.entries(hash).flat().sort())
      const buffers = await client.withTypeMapping({ [BLOB_STRING]: Buffer }).hGetAll('hash')
      isPlain(Object.fromEntries(Object.entries(buffers).map(([k, v]) => [k, String(v)])))
      assert.ok(Buffer.isBuffer(Object.getOwnPropertyDescriptor(buffers, '__proto__').value))
    })

    it('hSet takes every field of an object and of a Map', async () => {
      await client.hSet('by-object', hash)
      isPlain(await client.hGetAll('by-object'))
      await client.hSet('by-map', new Map(Object.entries(hash)))
      isPlain(await client.hGetAll('by-map'))
    })

    const streams = RedisClient.prototype.xAdd !== undefined || 'there are no stream commands yet'
    it('streams keep every field', { skip: streams !== true && streams }, async () => {
      const id = await client.xAdd('stream', '*', hash)
      const [entry] = await client.xRange('stream', '-', '+')
      assert.strictEqual(entry.id, id)
      for (const name of names) {
        assert.strictEqual(Object.getOwnPropertyDescriptor(entry.message, name)?.value, hash[name])
      }
      isUntouched()
    })

    it('more fields than one native call takes are all kept', async () => {
      const many = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`f${n}`, String(n)]))
      const all = Object.fromEntries([...Object.entries(many), ...Object.entries(hash)])
      await client.hSet('many', all)
      const reply = await client.hGetAll('many')
      isPlain(reply, all)
    })
  })
}

describe('a hostile server', () => {
  let fake, client
  before(async () => {
    fake = await startFakeServer()
    client = createClient(fake.url)
  })
  after(async () => {
    client.destroy()
    await fake.stop()
  })

  const answers = async (bytes, call) => {
    const listener = (args, reply) => reply.send(bytes)
    fake.on('command', listener)
    try {
      return await call()
    } finally {
      fake.off('command', listener)
    }
  }
  const bulk = text => `$${text.length}\r\n${text}\r\n`

  it('cannot set a prototype by an object in the place of __proto__', async () => {
    const bytes = `%1\r\n${bulk('__proto__')}%1\r\n${bulk('polluted')}${bulk('yes')}`
    for (const call of [
      () => client.hGetAll('k'), () => client.configGet('x'), () => client.sendCommand(['X']),
      () => client.pubSubNumSub('x'), () => client.clientInfo(), () => client.hello()
    ]) {
      const reply = await answers(bytes, call).catch(error => error)
      isUntouched()
      if (reply instanceof Error) continue // not what the command's transform expects
      assert.strictEqual(reply.polluted, undefined)
      assert.strictEqual(Object.getPrototypeOf(reply) ?? Object.prototype, Object.prototype)
    }
  })

  it('cannot do so in a flat array either', async () => {
    const bytes = `*2\r\n${bulk('__proto__')}%1\r\n${bulk('polluted')}${bulk('yes')}`
    for (const call of [() => client.hGetAll('k'), () => client.configGet('x'),
      () => client.pubSubNumSub('x')]) {
      const reply = await answers(bytes, call).catch(error => error)
      isUntouched()
      if (!(reply instanceof Error)) assert.strictEqual(reply.polluted, undefined)
    }
  })

  it('cannot make a reply that is taken for a promise', async () => {
    const reply = await answers(`%1\r\n${bulk('then')}${bulk('x')}`, () => client.hGetAll('k'))
    assert.deepStrictEqual(Object.entries(reply), [['then', 'x']])
  })

  it('may have keys that are no strings', async () => {
    const bytes = '%4\r\n:1\r\n:1\r\n_\r\n:2\r\n#t\r\n:3\r\n*1\r\n:9\r\n:4\r\n'
    const reply = await answers(bytes, () => client.sendCommand(['X']))
    assert.deepStrictEqual(reply, { 1: 1, null: 2, true: 3, 9: 4 })
  })
})
