'use strict'

// Whatever goes wrong in a transaction is told in full: which commands were refused and why, which
// failed while others ran, that a watched key changed, that MULTI itself was refused.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, ErrorReply, MultiErrorReply, ProtocolError, WatchError } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { startServer } = require('../support/redis-server')

for (const RESP of [2, 3]) {
  describe(`a failed transaction, RESP${RESP}`, () => {
    let server, client
    before(async () => {
      server = await startServer()
      client = createClient({ url: server.url, RESP })
    })
    after(async () => {
      client?.destroy()
      await server?.stop()
    })

    it('of refused commands says which, why, and that nothing ran', async () => {
      const error = await failure(client.multi()
        .set('a', 'not set').addCommand(['NO.SUCH', 'secret']).sendCommand(['GET']).exec())
      assert.ok(error instanceof MultiErrorReply && error instanceof ErrorReply)
      assert.deepStrictEqual([error.code, error.applied, error.retryable],
        ['EXECABORT', 'no', false])
      assert.match(error.message, /^EXECABORT /)
      assert.deepStrictEqual(error.errorIndexes, [1, 2])
      const [unknown, wrong] = error.errors()
      assert.strictEqual(error.cause, unknown)
      assert.match(unknown.message, /^ERR unknown command/)
      assert.ok(!unknown.message.includes('secret'))
      assert.strictEqual(unknown.command, 'NO.SUCH')
      assert.match(wrong.message, /^ERR wrong number of arguments/)
      assert.strictEqual(wrong.command, 'GET')
      assert.deepStrictEqual([error.replies.length, error.replies[0]], [3, undefined])
      assert.strictEqual(await client.get('a'), null)
    })

    it('of commands that failed keeps the replies of all others', async () => {
      await client.set('text', 'v')
      const error = await failure(
        client.multi().incr('n').lPush('text', 'x').get('text').incr('text').exec())
      assert.ok(error instanceof MultiErrorReply)
      assert.deepStrictEqual([error.code, error.applied, error.errorIndexes],
        ['MULTI', undefined, [1, 3]])
      assert.deepStrictEqual([error.replies[0], error.replies[2]], [1, 'v'])
      assert.deepStrictEqual([...error.errors()].map(({ code, command }) => [code, command]),
        [['WRONGTYPE', 'LPUSH'], ['ERR', 'INCR']])
      assert.strictEqual(await client.get('n'), '1')
    })

    it('whose transform throws keeps the replies as well', async () => {
      const thrown = new Error('thrown by the caller')
      const error = await failure(client.multi()
        .ping().addCommand(['GET', 'text'], () => { throw thrown }).ping().exec())
      assert.deepStrictEqual(error.replies, ['PONG', thrown, 'PONG'])
      assert.deepStrictEqual(error.errorIndexes, [1])
    })

    it('refused for the state of the server says that nothing ran', async t => {
      t.after(() => client.configSet('maxmemory', '0'))
      await client.configSet('maxmemory', '1')
      const error = await failure(client.multi().set('a', 'not set').exec())
      assert.deepStrictEqual([error.code, error.applied], ['EXECABORT', 'no'])
      assert.deepStrictEqual([...error.errors()].map(({ code }) => code), ['OOM'])
      await client.configSet('maxmemory', '0')
      assert.strictEqual(await client.get('a'), null)
    })

    it('refused for what passes by itself says that it may succeed later', async t => {
      const fake = await startFakeServer()
      const other = createClient({ url: fake.url, RESP })
      t.after(async () => {
        other.destroy()
        await fake.stop()
      })
      fake.on('command', ([name], reply) => {
        if (name === 'EXEC') reply.error('EXECABORT Transaction discarded')
        else if (name === 'MULTI') reply.ok()
        else reply.error('LOADING Redis is loading the dataset in memory')
      })
      const error = await failure(other.multi().incr('n').incr('n').exec())
      assert.deepStrictEqual([error.code, error.applied, error.retryable, error.errorIndexes],
        ['EXECABORT', 'no', true, [0, 1]])
      assert.strictEqual(error.cause.code, 'LOADING')
    })

    it('whose MULTI was refused does not pass for one that was not run', async t => {
      await client.sendCommand(
        ['ACL', 'SETUSER', 'unable', 'on', 'nopass', '~*', '+@all', '-multi'])
      const unable = createClient({ url: server.url, RESP, username: 'unable', password: 'any' })
      t.after(() => unable.destroy())
      const error = await failure(unable.multi().set('alone', 'was set').exec())
      assert.deepStrictEqual([error.code, error.command, error.applied],
        ['NOPERM', 'MULTI', 'unknown'])
      assert.strictEqual(await client.getDel('alone'), 'was set')
      assert.strictEqual(await unable.ping(), 'PONG')
    })

    it('whose watched key changed is told from an error', async t => {
      const fake = await startFakeServer()
      const other = createClient({ url: fake.url, RESP })
      t.after(async () => {
        other.destroy()
        await fake.stop()
      })
      fake.on('command', ([name], reply, { protocol }) => {
        if (name === 'EXEC') reply.send(protocol === 3 ? '_\r\n' : '*-1\r\n')
        else reply.send(name === 'MULTI' ? '+OK\r\n' : '+QUEUED\r\n')
      })
      const error = await failure(other.multi().incr('n').exec())
      assert.ok(error instanceof WatchError)
      assert.deepStrictEqual([error.code, error.applied, error.retryable], ['WATCH', 'no', true])
    })

    for (const [what, answer] of [['less', ['one']], ['more', ['one', 'two', 'three']]]) {
      it(`that is answered with ${what} than it asked for is no success`, async t => {
        const fake = await startFakeServer()
        const other = createClient({ url: fake.url, RESP })
        t.after(async () => {
          other.destroy()
          await fake.stop()
        })
        fake.on('command', ([name], reply) => {
          if (name === 'EXEC') reply.array(answer)
          else reply.send(name === 'MULTI' ? '+OK\r\n' : '+QUEUED\r\n')
        })
        const error = await failure(other.multi().get('a').get('b').exec())
        assert.ok(error instanceof ProtocolError)
        assert.deepStrictEqual([error.code, error.applied], ['REPLY_SHAPE', 'unknown'])
      })
    }
  })
}

async function failure (promise) {
  return promise.then(value => assert.fail(`resolved to ${value}`), error => error)
}
