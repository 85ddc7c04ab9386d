'use strict'

// A command's name, its subcommand and its numbers may be bytes: Buffers, or what `postMessage` and
// `structuredClone` make of them. A guard that does not read them lets a command through that
// changes the connection of all callers, and replies then reach the wrong ones.

const assert = require('node:assert')
const { after, afterEach, before, describe, it } = require('node:test')
const vm = require('node:vm')

const { createClient, createCluster } = require('../..')
const { startFakeCluster } = require('../support/fake-cluster')
const { startFakeServer } = require('../support/fake-server')
const { startServer } = require('../support/redis-server')

/** The forms in which a word reaches a server as the same word. */
const FORMS = {
  'a string': text => text,
  'a Buffer': text => Buffer.from(text),
  'a Uint8Array': text => Uint8Array.from(Buffer.from(text)),
  'a Uint8Array of another realm': text =>
    vm.runInNewContext('Uint8Array').from(Buffer.from(text)),
  'a cloned Buffer': text => structuredClone(Buffer.from(text)),
  'text that ends at a NUL': text => `${text}\0x`
}

/** Commands that no shared connection may get. */
const HARMFUL = [
  'SUBSCRIBE c', 'pSubscribe c', 'SSUBSCRIBE c', 'MONITOR', 'MULTI', 'EXEC', 'WATCH k', 'RESET',
  'QUIT', 'HELLO 2', 'AUTH x', 'CLIENT REPLY SKIP', 'client no-evict on', 'CLIENT TRACKING on',
  'CLIENT CAPA redirect', 'CLIENT IMPORT-SOURCE on', 'CLIENT FROBNICATE', 'SCRIPT DEBUG yes',
  'SCRIPT FROBNICATE', 'HIMPORT FROBNICATE', 'READONLY', 'ASKING'
]

for (const [form, make] of Object.entries(FORMS)) {
  describe(`a command of words that are ${form}`, () => {
    const bytesOf = words => words.split(' ').map(make)
    let server, client, lane
    before(async () => {
      server = await startFakeServer()
      server.on('command', ([name], reply) => name === 'PING' ? reply.bulk('PONG') : reply.ok())
      client = createClient({
        // With one lane it does some of them.
        lanes: 2,
        url: server.url,
        modules: { own: { send: { parseCommand: (p, words) => p.push(...words) } } }
      })
      await client.connect()
      // No session was opened yet.
      ;[lane] = server.connections
    })
    after(async () => {
      client.destroy()
      await server.stop()
    })

    const WAYS = {
      'sendCommand': words => client.sendCommand(words),
      'a transaction': words => client.multi().addCommand(words).exec(),
      'a pipeline': words => client.multi().sendCommand(words).execAsPipeline(),
      'a custom module': words => client.own.send(words),
      'a chain of a custom module': words => client.multi().own.send(words).exec(),
      'legacy()': words => new Promise((resolve, reject) => {
        client.legacy().sendCommand(...words, error => error ? reject(error) : resolve())
      }),
      'a chain of legacy()': words => new Promise((resolve, reject) => {
        client.legacy().multi().sendCommand(...words)
          .exec(error => error ? reject(error) : resolve())
      })
    }
    for (const [way, send] of Object.entries(WAYS)) {
      it(`does not change the shared connection by way of ${way}`, async () => {
        for (const words of HARMFUL) {
          const sent = server.commands.length
          await assert.rejects(send(bytesOf(words)), error => {
            assert.ok(error instanceof TypeError, `${words}: ${error}`)
            assert.doesNotMatch(error.message, /FROBNICATE/)
            return true
          }, words)
          assert.deepStrictEqual(server.commands.slice(sent), [], words)
        }
      })
    }

    it('waits on a connection of its own where it may wait on the server', async () => {
      for (const words of ['BLPOP q 0', 'blmove a b LEFT RIGHT 1', 'BZMPOP 1 1 k MIN',
        'XREAD COUNT 1 BLOCK 100 STREAMS s 0', 'XREADGROUP GROUP g c BLOCK 0 STREAMS s >',
        'WAIT 1 100']) {
        const [name] = words.toUpperCase().split(' ')
        const came = server.next(nameOf(make(name)))
        const sent = client.sendCommand(bytesOf(words))
        assert.notStrictEqual((await came).connection, lane, words)
        await sent
        await assert.rejects(client.multi().addCommand(bytesOf(words)).execAsPipeline(), TypeError)
      }
    })

    it('stays on the lane where it says that it does not wait', async () => {
      for (const words of ['XREAD COUNT 1 STREAMS BLOCK 0',
        'XREADGROUP GROUP BLOCK BLOCK STREAMS s >']) {
        const came = server.next(nameOf(make(words.split(' ', 1)[0])))
        await client.sendCommand(bytesOf(words))
        assert.strictEqual((await came).connection, lane, words)
      }
    })

    it('selects a database that is remembered', async t => {
      const other = createClient(server.url)
      t.after(() => other.destroy())
      await other.sendCommand(bytesOf('SELECT 3'))
      const [connection] = [...server.connections].slice(-1)
      const again = server.next('GET')
      connection.reset()
      await other.get('k').catch(() => other.get('k'))
      const { connection: next } = await again
      assert.notStrictEqual(next, connection)
      const selects = server.commands.filter(([name]) => name === 'SELECT')
      assert.strictEqual(selects.pop().join(' '), 'SELECT 3')
      await assert.rejects(other.sendCommand(bytesOf('SELECT 1 2')), TypeError)
    })
  })

  it(`a command of words that are ${form} is guarded in a cluster`, async t => {
    const cluster = await startFakeCluster()
    t.after(() => cluster.stop())
    const client = createCluster({ rootNodes: [{ url: cluster.nodes[0].url }] })
    t.after(() => client.destroy())
    await client.connect()
    for (const words of HARMFUL) {
      const sent = cluster.log.length
      for (const key of [undefined, 'k']) {
        await assert.rejects(
          client.sendCommand(key, false, words.split(' ').map(make)), TypeError, words)
      }
      assert.deepStrictEqual(cluster.log.slice(sent), [], words)
    }
  })
}

function nameOf (word) {
  return typeof word === 'string' ? word : Buffer.from(word).toString()
}

describe('a session', () => {
  let server, client
  before(async () => {
    server = await startServer()
    client = createClient(server.url)
  })
  afterEach(async () => assert.strictEqual(await client.echo('own reply'), 'own reply'))
  after(async () => {
    client.destroy()
    await server.stop()
  })

  it('refuses what would leave it without replies, also as bytes', async () => {
    await client.session(async session => {
      for (const make of Object.values(FORMS)) {
        for (const words of ['CLIENT REPLY OFF', 'SUBSCRIBE c', 'MONITOR', 'QUIT']) {
          await assert.rejects(session.sendCommand(words.split(' ').map(make)), TypeError)
        }
      }
      assert.strictEqual(await session.echo('x'), 'x')
    })
  })

  it('that was sent a subcommand which is not known goes to no other caller', async () => {
    const id = await client.session(async session => {
      await assert.rejects(session.sendCommand(['CLIENT', 'FROB', 'x']), { code: 'ERR' })
      return session.clientId()
    })
    assert.notStrictEqual(await client.session(session => session.clientId()), id)
    const other = await client.session(async session => {
      await assert.rejects(session.sendCommand([Buffer.from('SCRIPT'), 'FROB']), { code: 'ERR' })
      return session.clientId()
    })
    assert.notStrictEqual(await client.session(session => session.clientId()), other)
  })
})
