'use strict'

// Bytes that are not RESP, or beyond its limits. The connection is closed, its commands are
// rejected with the protocol error, memory stays small, and the next command is fine.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { ProtocolError, RESP_TYPES } = require('../..')
const { scene, until } = require('./scene')

const MALFORMED = {
  'an unknown type byte': '@5\r\nhello\r\n',
  'text without any type': 'hello\r\n',
  'an empty line': '\r\n',
  'a NUL byte': '\0\r\n',
  '129 arrays within one another': '*1\r\n'.repeat(129) + ':1\r\n',
  '50,000 arrays within one another': '*1\r\n'.repeat(50_000) + ':1\r\n',
  '50,000 maps within one another': '%1\r\n+k\r\n'.repeat(50_000) + ':1\r\n',
  'an array of 10^9 elements, more than the largest reply can hold': '*1000000000\r\n:1\r\n',
  'an array of 2^31 elements': '*2147483648\r\n',
  'an array of 2^64 elements': '*18446744073709551616\r\n',
  'an array of -2 elements': '*-2\r\n',
  'an array of half an element': '*0.5\r\n',
  'a map of 2^63 pairs': '%9223372036854775807\r\n',
  'a map of -1 pairs': '%-1\r\n',
  'a set of words': '~two\r\n',
  'a bulk of 512 MiB and a byte': `$${512 * 2 ** 20 + 1}\r\n`,
  'a bulk of 2^63 bytes': '$9223372036854775808\r\n',
  'a bulk of -2 bytes': '$-2\r\n',
  'a bulk with a sign': '$+5\r\nhello\r\n',
  'a bulk without a length': '$\r\n',
  'a bulk of hexadecimal length': '$0x5\r\nhello\r\n',
  'a bulk that is longer than it says': '$5\r\nhello!\r\n',
  'a bulk without its line end': '$5\r\nhelloXY+OK\r\n',
  'an integer of letters': ':abc\r\n',
  'an integer without digits': ':\r\n',
  'an integer beyond 64 bits': ':99999999999999999999\r\n',
  'a line of 100 KiB': `+${'x'.repeat(100 * 1024)}\r\n`,
  'a line without an end': '+'.padEnd(100 * 1024, 'x'),
  'a boolean of its own': '#maybe\r\n',
  'a double of words': ',one\r\n',
  'a big number of letters': '(12x\r\n',
  'a null with text': '_null\r\n',
  'a verbatim string without its format': '=3\r\nabc\r\n',
  'a lone carriage return within a line': ':1\r2\r\n'
}

describe('a malformed reply', { concurrency: true }, () => {
  for (const [name, bytes] of Object.entries(MALFORMED)) {
    it(`closes the connection: ${name}`, async t => {
      const { set, fake, client } = await play(t)
      const incrs = [client.incr('a'), client.incr('b'), client.incr('c')]
      const bad = await fake.next('INCR')
      await until(() => count(fake, 'INCR') === 3, 'the commands')
      const { rss } = process.memoryUsage()
      bad.reply.send(`:1\r\n${bytes}`)
      // What was answered well before counts.
      assert.strictEqual(await incrs[0], 1)
      for (const error of await set.failures(incrs.slice(1))) assertProtocol(error)
      assert.ok(process.memoryUsage().rss - rss < 128 * MIB, 'memory for what was only announced')
      fake.on('command', (args, reply) => reply.integer(42))
      assert.strictEqual(await client.incr('d'), 42)
      assert.strictEqual(count(fake, 'INCR'), 4, 'an INCR was sent twice')
      assert.strictEqual(client.stats().connects, 2)
      await until(() => !fake.connections.has(bad.connection), 'the bad connection to be closed')
    })
  }
})

describe('a reply that nobody asked for', { concurrency: true }, () => {
  it('closes an idle connection, and is given to nobody', async t => {
    const { fake, client } = await play(t)
    const [connection] = fake.connections
    const error = new Promise(resolve => { client.once('error', resolve) })
    connection.send('+surprise\r\n')
    assert.ok(await error instanceof ProtocolError)
    fake.on('command', (args, reply) => reply.integer(42))
    assert.strictEqual(await client.incr('n'), 42)
    assert.strictEqual(client.stats().connects, 2)
  })

  it('behind the last reply closes the connection', async t => {
    const { fake, client } = await play(t)
    const [connection] = fake.connections
    fake.on('command', (args, reply) => reply.send(reply.connection === connection
      ? ':1\r\n:2\r\n'
      : ':42\r\n'))
    assert.strictEqual(await client.incr('n'), 1)
    assert.strictEqual(await client.incr('n'), 42)
  })

  it('takes no reply\'s place when it is a push', async t => {
    const { fake, client } = await play(t)
    fake.on('command', ([, n], reply) => {
      reply.send(`>2\r\n+unheard\r\n:7\r\n|1\r\n+ttl\r\n:3\r\n:${n}\r\n>1\r\n+of\r\n`)
    })
    const incrs = Array.from({ length: 100 }, (_, index) => client.incr(String(index)))
    assert.deepStrictEqual(await Promise.all(incrs), incrs.map((_, index) => index))
    assert.strictEqual(client.stats().pushesIgnored, 200)
    assert.strictEqual(client.stats().connects, 1)
  })
})

describe('a header that announces more than comes', { concurrency: true }, () => {
  for (const [name, header] of [
    ['an array of 10^8 elements', '*100000000\r\n:1\r\n'],
    ['a map of 10^8 pairs', '%100000000\r\n+k\r\n'],
    ['a bulk of 512 MiB', `$${512 * 2 ** 20}\r\nx`]
  ]) {
    it(`costs no memory: ${name}`, async t => {
      const { set, fake, client } = await play(t)
      const { rss } = process.memoryUsage()
      const incr = client.withCommandOptions({ timeout: 400 }).incr('n')
      const { reply } = await fake.next('INCR')
      reply.send(header)
      assert.strictEqual((await set.failure(incr)).code, 'TIMEOUT')
      assert.ok(process.memoryUsage().rss - rss < 128 * MIB, 'memory for what was only announced')
    })
  }
})

describe('text that is not UTF-8', { concurrency: true }, () => {
  const bytes = Buffer.from([0x66, 0xff, 0x80, 0xc3, 0x28, 0xe2, 0x82, 0x6f, 0xed, 0xa0, 0x80])

  it('has U+FFFD in strings, as in Node, and is exact in Buffers', async t => {
    const set = scene(t)
    const server = await set.server()
    const client = set.client(server)
    const exact = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
    await client.set(bytes, bytes)
    await client.hSet('hash', bytes, bytes)
    assert.strictEqual(await client.get(bytes), bytes.toString())
    assert.deepStrictEqual(await exact.get(bytes), bytes)
    const text = bytes.toString()
    assert.deepStrictEqual({ ...await client.hGetAll('hash') }, { [text]: text })
    assert.deepStrictEqual(await exact.hVals('hash'), [bytes])
    assert.deepStrictEqual(await exact.keys(bytes), [bytes])
    assert.strictEqual(client.stats().connects, 1)
  })

  it('has U+FFFD in errors and simple strings, too', async t => {
    const { set, fake, client } = await play(t)
    const replies = ['-ERR ', '+']
    fake.on('command', (args, reply) => {
      reply.send(Buffer.concat([Buffer.from(replies.shift()), bytes, Buffer.from('\r\n')]))
    })
    const error = await set.failure(client.echo('a'))
    assert.strictEqual(error.message, `ERR ${bytes}`)
    assert.strictEqual(await client.echo('b'), bytes.toString())
    assert.strictEqual(client.stats().connects, 1)
  })
})

/** A fake server and a client that is connected to it. */
async function play (t) {
  const set = scene(t)
  const fake = await set.fake()
  const client = set.client(fake)
  await client.connect()
  return { set, fake, client }
}

function count (fake, name) {
  return fake.commands.filter(([command]) => command === name).length
}

function assertProtocol (error) {
  const protocol = error instanceof ProtocolError ? error : error.cause
  assert.ok(protocol instanceof ProtocolError, `${error}`)
  assert.strictEqual(protocol.code, 'PROTOCOL')
  assert.ok(protocol.message.length < 300, 'the message holds the whole reply')
  assert.strictEqual(error.applied, 'unknown')
}

const MIB = 1024 * 1024
