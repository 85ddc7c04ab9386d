'use strict'

// What a connection's end means for each command, by where it struck. What was answered resolves,
// what may have run is rejected, reads and what was never written go on over the next connection,
// and no reply moves to a neighbour.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { ConnectionError } = require('../..')
const { scene, until } = require('./scene')

describe('a connection that ends', { concurrency: true }, () => {
  for (const end of ['reset', 'close']) {
    it(`by ${end} before any reply rejects what may have run`, async t => {
      const { set, fake, client } = await play(t)
      const incrs = Array.from({ length: 10 }, (_, index) => client.incr(`n${index}`))
      const first = await received(fake, 'INCR', 10)
      first[0].connection[end]()
      for (const error of await set.failures(incrs)) assertLost(error)
      assert.strictEqual(count(fake, 'INCR'), 10, 'an INCR was sent twice')
    })

    it(`by ${end} before any reply costs reads nothing`, async t => {
      const { fake, client } = await play(t)
      const reads = Array.from({ length: 10 }, (_, index) => client.get(`k${index}`))
      const first = await received(fake, 'GET', 10)
      answerReads(fake)
      first[0].connection[end]()
      const expected = reads.map((_, index) => `value of k${index}`)
      assert.deepStrictEqual(await Promise.all(reads), expected)
      assert.strictEqual(count(fake, 'GET'), 20)
      assert.strictEqual(client.stats().retries, 10)
    })

    it(`by ${end} in the middle of the third of ten replies keeps two`, async t => {
      const { set, fake, client } = await play(t)
      const adds = Array.from({ length: 10 }, (_, index) => client.getSet(`k${index}`, 'new'))
      const got = await received(fake, 'GETSET', 10)
      const { bytesIn } = client.stats()
      got[0].reply.bulk('old k0')
      got[1].reply.bulk('old k1')
      got[2].connection.send('$6\r\nold')
      // A reset overtakes what was sent before, so that has to arrive first.
      const sent = '$6\r\nold k0\r\n'.length * 2 + '$6\r\nold'.length
      await until(() => client.stats().bytesIn - bytesIn === sent, 'half a reply')
      got[2].connection[end]()
      assert.deepStrictEqual(await Promise.all(adds.slice(0, 2)), ['old k0', 'old k1'])
      for (const error of await set.failures(adds.slice(2))) {
        assertLost(error)
        if (end === 'close') assert.match(error.cause.cause.message, /in the middle of a reply/)
      }
      assert.strictEqual(count(fake, 'GETSET'), 10)
      answerReads(fake)
      assert.strictEqual(await client.get('k9'), 'value of k9')
    })
  }

  it('by FIN between two replies keeps the first and repeats nothing', async t => {
    const { set, fake, client } = await play(t)
    const one = client.incr('n')
    const two = client.incr('n')
    const got = await received(fake, 'INCR', 2)
    got[0].reply.integer(1)
    got[0].connection.close()
    assert.strictEqual(await one, 1)
    const error = await set.failure(two)
    assertLost(error)
    assert.strictEqual(error.cause.code, 'UNEXPECTED_EOF')
    assert.strictEqual(count(fake, 'INCR'), 2)
  })

  it('while idle is replaced without an error of any command', async t => {
    const { fake, client } = await play(t)
    answerReads(fake)
    for (let round = 1; round <= 3; round++) {
      assert.strictEqual(await client.get('k'), 'value of k')
      const [connection] = fake.connections
      connection.close()
      await until(() => !fake.connections.has(connection), 'the old socket to close')
    }
    assert.strictEqual(await client.get('k'), 'value of k')
    assert.strictEqual(client.stats().errors, 0)
  })

  it('with writes under way tells those on the wire from those that never were', async t => {
    const { set, fake, client } = await play(t)
    const [connection] = fake.connections
    connection.pause()
    const large = client.set('large', Buffer.alloc(LARGE, 'x'))
    await until(() => client.stats().bytesOut > 65_536, 'the first bytes to be written')
    const incrs = [client.incr('n'), client.incr('n'), client.incr('n')]
    let n = 0
    fake.on('command', ([name], reply) => name === 'INCR' && reply.integer(++n))
    connection.reset()
    assertLost(await set.failure(large))
    assert.deepStrictEqual(await Promise.all(incrs), [1, 2, 3])
    assert.strictEqual(count(fake, 'INCR'), 3)
  })

  it('while it is written to is no unhandled exception', async t => {
    const { set, fake, client } = await play(t)
    for (let round = 0; round < 10; round++) {
      await until(() => client.isReady && fake.connections.size === 1, 'a connection')
      const [connection] = fake.connections
      const sets = Array.from({ length: 20 }, () => client.set('k', Buffer.alloc(100_000, 'x')))
      if (round % 2) connection.reset()
      else connection.socket.destroy()
      for (const outcome of await Promise.allSettled(sets.map(one => set.failure(one)))) {
        assert.strictEqual(outcome.status, 'fulfilled', `${outcome.reason}`)
        const { kind: code, applied } = outcome.value
        assert.match(code, /^(CONNECTION_LOST|TIMEOUT)$/)
        assert.match(applied, /^(no|unknown)$/)
      }
    }
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

/** The next `length` commands called `name`. */
function received (fake, name, length) {
  return new Promise(resolve => {
    const all = []
    const listen = (args, reply, connection) => {
      if (args[0] !== name || all.push({ args, reply, connection }) < length) return
      fake.off('command', listen)
      resolve(all)
    }
    fake.on('command', listen)
  })
}

function answerReads (fake) {
  fake.on('command', ([name, key], reply) => name === 'GET' && reply.bulk(`value of ${key}`))
}

function count (fake, name) {
  return fake.commands.filter(([command]) => command === name).length
}

function assertLost (error) {
  assert.ok(error instanceof ConnectionError)
  assert.strictEqual(error.kind, 'CONNECTION_LOST')
  assert.strictEqual(error.applied, 'unknown')
  assert.strictEqual(error.retryable, true)
  assert.match(error.cause.code, /^(ECONNRESET|EPIPE|UNEXPECTED_EOF)$/)
}

// Beyond what the kernel's buffers take while nobody reads (4 + 6 MiB by default on Linux): what
// follows cannot be on the wire.
const LARGE = 16 * 1024 * 1024
