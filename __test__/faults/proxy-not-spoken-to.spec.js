'use strict'

// Proxies that know less than a server: a client gets along with what they take, finds out once,
// and tells a wrong password from a command that is not known.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { scene, CANARY } = require('./scene')

describe('a proxy', { concurrency: true }, () => {
  it('that answers NOAUTH to HELLO, and takes AUTH, is served', async t => {
    const { set, fake } = await proxy(t, (name, args, reply, connection) => {
      if (name === 'AUTH') {
        connection.isIn = args[1] === CANARY
        return connection.isIn ? reply.ok() : reply.error('ERR invalid password')
      }
      if (!connection.isIn) return reply.error('NOAUTH Authentication required.')
      return name === 'INCR' ? reply.integer(7) : reply.error(`ERR unsupported command '${name}'`)
    })
    const client = set.client(fake)
    assert.strictEqual(await client.incr('n'), 7)
    assert.strictEqual(await client.session(session => session.incr('n')), 7)
    assert.deepStrictEqual(count(fake, 'HELLO', 'AUTH'), [1, 2], 'HELLO is not said again')
    assert.strictEqual(fake.accepted, 2)
  })

  it('that answers NOAUTH to HELLO gets a wrong password once', async t => {
    const { set, fake } = await proxy(t, (name, args, reply) => name === 'AUTH'
      ? reply.error('ERR invalid password')
      : reply.error('NOAUTH Authentication required.'))
    const client = set.client(fake)
    const errors = await set.failures(Array.from({ length: 10 }, () => client.incr('n')))
    for (const error of errors) assert.strictEqual(error.code, 'AUTH')
    assert.deepStrictEqual(count(fake, 'AUTH'), [1])
  })

  for (const RESP of [2, 3]) {
    it(`that closes the connection at a command that it does not know is served, RESP${RESP}`,
      async t => {
        const { set, fake } = await proxy(t, (name, args, reply, connection) => {
          switch (name) {
            case 'AUTH': return args[1] === CANARY ? reply.ok() : reply.error('ERR password')
            case 'INCR': return reply.integer(7)
            case 'PING': return reply.send('+PONG\r\n')
            default: return connection.reset()
          }
        })
        const client = set.client(fake, { RESP, name: 'me' })
        assert.strictEqual(await client.incr('n'), 7)
        assert.strictEqual(fake.accepted, 3, 'whole, plain, and whole again to be sure')
        assert.strictEqual(await client.session(session => session.incr('n')), 7)
        assert.strictEqual(fake.accepted, 4, 'what it takes is remembered')
        assert.strictEqual(client.stats().connectFailures, 0)
      })
  }
})

/** A fake server that `answer (name, args, reply, connection)` speaks for from the first byte. */
async function proxy (t, answer) {
  const set = scene(t)
  const fake = await set.fake({ handshake: false })
  fake.on('command', (args, reply, connection) => {
    answer(args[0].toUpperCase(), args, reply, connection)
  })
  return { set, fake }
}

/** How often `fake` was sent each of these commands. */
function count (fake, ...names) {
  return names.map(name => fake.commands.filter(args => args[0] === name).length)
}
