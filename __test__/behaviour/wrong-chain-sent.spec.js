'use strict'

// The chain of multi(): what is wrong is told before anything is sent, options, views and callbacks
// hold as they do for single commands, and a chain may be executed again.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { inspect } = require('node:util')

const nodeRedis = require('redis')

const { createClient, MultiErrorReply, RESP_TYPES } = require('../..')
const { commands } = require('../../lib/commands')
const { RedisMulti, addMultiMethod } = require('../../lib/client/multi')
const { startFakeServer } = require('../support/fake-server')
const { startServer } = require('../support/redis-server')

describe('multi()', () => {
  let server, client, theirs
  before(async () => {
    server = await startServer()
    client = createClient(server.url)
    theirs = await nodeRedis.createClient({ url: server.url }).on('error', () => {}).connect()
  })
  after(async () => {
    client?.destroy()
    theirs?.destroy()
    await server?.stop()
  })

  const sentBy = async run => {
    const before = client.stats().commands
    await run()
    return client.stats().commands - before
  }

  it('has every method of a client, in both spellings', () => {
    for (const { name, upper, aliases } of commands) {
      for (const method of [name, upper, ...aliases]) {
        assert.strictEqual(typeof client.multi()[method], 'function', method)
      }
    }
    for (const name of ['select', 'SELECT', 'addCommand', 'sendCommand', 'exec', 'EXEC',
      'execTyped', 'execAsPipeline', 'execAsPipelineTyped']) {
      assert.strictEqual(typeof client.MULTI()[name], 'function', name)
    }
  })

  it('resolves to nothing without commands, and sends nothing', async () => {
    const unreachable = createClient({ socket: { port: 1 } })
    assert.deepStrictEqual(await unreachable.multi().exec(), [])
    assert.deepStrictEqual(await unreachable.multi().execAsPipeline(), [])
    assert.strictEqual(unreachable.isOpen, false)
    unreachable.destroy()
  })

  it('keeps the first wrong argument for the end, and sends nothing then', async () => {
    const sent = await sentBy(async () => {
      for (const run of [chain => chain.exec(), chain => chain.execAsPipeline()]) {
        const chain = client.multi().strLen('k').hSet('h', 'f').set('k').zCard('z')
        await assert.rejects(run(chain), {
          name: 'TypeError', message: /^hSet: argument "value" must be/
        })
      }
    })
    assert.strictEqual(sent, 0)
  })

  it('refuses raw commands that are none, or that act on the connection', async () => {
    for (const [args, message] of [
      [[], /addCommand: argument "args" must be a non-empty array/],
      ['GET k', /addCommand: argument "args" must be a non-empty array/],
      [['SET', 'k', 1], /addCommand: argument "args\[2\]" must be .* not number/],
      [['watch', 'k'], /addCommand: WATCH cannot be part/],
      [[Buffer.from('EXEC')], /addCommand: EXEC cannot be part/],
      [['SUBSCRIBE', 'c'], /SUBSCRIBE cannot/],
      [['CLIENT', 'REPLY', 'OFF'], /CLIENT REPLY cannot/],
      [['RESET'], /RESET cannot/]
    ]) {
      await assert.rejects(client.multi().addCommand(args).exec(), { name: 'TypeError', message })
    }
    await assert.rejects(client.multi().sendCommand(['MULTI']).exec(), /sendCommand: MULTI cannot/)
  })

  it('takes commands that block, which it never waits for, but in no pipeline', async () => {
    const chain = () => client.multi().addCommand(['BLPOP', 'none', '0'])
    assert.deepStrictEqual(await chain().exec(), [null])
    await assert.rejects(chain().execAsPipeline(), /execAsPipeline: BLPOP may block/)
    const read = block => client.multi().sendCommand(['XREAD', ...block, 'STREAMS', 's', '0'])
    assert.deepStrictEqual(await read([]).execAsPipeline(), [null])
    await assert.rejects(read(['block', '0']).execAsPipeline(), /XREAD may block/)
  })

  it('is sent again as a whole when it is executed again, as in node-redis', async () => {
    const large = Buffer.alloc(100_000, 'x')
    const outcomes = []
    for (const of of [client, theirs]) {
      await client.del('n')
      const chain = of.multi().incr('n').set('large', large).incr('n')
      const first = await Promise.all([chain.exec(), chain.exec()])
      chain.strLen('large')
      const second = [await chain.execAsPipeline(), await chain.execAsPipeline()]
      outcomes.push([...first, ...second, await client.get('n')])
    }
    assert.deepStrictEqual(outcomes[0], outcomes[1])
    assert.deepStrictEqual(outcomes[0][3], [7, 'OK', 8, 100_000])
  })

  it('keeps what is added while it is under way for the next time', async () => {
    await client.del('n')
    const chain = client.multi().incr('n')
    const pending = chain.exec()
    chain.incr('n').incr('n')
    assert.deepStrictEqual(await pending, [1])
    assert.deepStrictEqual(await chain.exec(), [2, 3, 4])
  })

  it('has four ways to run, two of them a pipeline', async () => {
    const chain = () => client.multi().set('k', '1').incr('k').addCommand(['GET', 'k'], Number)
    for (const run of [
      chain => chain.exec(), chain => chain.exec(true), chain => chain.EXEC(false),
      chain => chain.execTyped(), chain => chain.execTyped(true),
      chain => chain.execAsPipeline(), chain => chain.execAsPipelineTyped()
    ]) assert.deepStrictEqual(await run(chain()), ['OK', 2, 2])
  })

  it('keeps all replies of a pipeline of which one failed', async () => {
    await client.set('text', 'v')
    const error = await client.multi().incr('p').lPush('text', 'x').incr('p').execAsPipeline()
      .then(assert.fail, error => error)
    assert.ok(error instanceof MultiErrorReply)
    assert.deepStrictEqual([error.replies[0], error.replies[2], error.errorIndexes], [1, 2, [1]])
    assert.deepStrictEqual([...error.errors()].map(({ code }) => code), ['WRONGTYPE'])
  })

  it('calls a callback, whichever way it runs', async () => {
    const called = run => new Promise(resolve => {
      assert.strictEqual(run((...args) => resolve(args)), undefined)
    })
    await client.set('k', '1')
    for (const run of [
      done => client.multi().get('k').exec(done),
      done => client.multi().get('k').exec(true, done),
      done => client.multi().get('k').execTyped(done),
      done => client.multi().get('k').execAsPipeline(done)
    ]) assert.deepStrictEqual(await called(run), [null, ['1']])
    const [error] = await called(done => client.multi().get().exec(done))
    assert.strictEqual(error.name, 'TypeError')
  })

  it('follows the types, prefixes and transforms of its client', async () => {
    const prefixed = createClient({ url: server.url, keyPrefix: 'p:' })
    await prefixed.multi().set('k', 'v').hSet('h', 'f', '1').exec()
    assert.strictEqual(await client.get('p:k'), 'v')
    const view = prefixed.withTypeMapping(
      { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.MAP]: Map })
    assert.deepStrictEqual(await view.multi().get('k').hGetAll('h').exec(),
      [Buffer.from('v'), new Map([['f', Buffer.from('1')]])])
    const args = Object.assign(['GET', 'p:k'], { preserve: 'kept' })
    const seen = (reply, preserve, types) => [String(reply), preserve, types !== undefined]
    for (const run of ['exec', 'execAsPipeline']) {
      assert.deepStrictEqual(await view.multi().addCommand(args, seen)[run](),
        [['v', 'kept', true]])
    }
    prefixed.destroy()
  })

  it('takes large values, as they were when they were added', async () => {
    const [large, text] = [Buffer.alloc(100_000, 'a'), 'é'.repeat(50_000)]
    for (const run of ['exec', 'execAsPipeline']) {
      const chain = client.multi().set('small', '1').set('large', large).strLen('large')
        .mSet({ text, other: large }).get('text')
      large.fill('b')
      assert.deepStrictEqual(await chain[run](), ['OK', 'OK', 100_000, 'OK', text])
      assert.strictEqual(await client.get('other'), 'a'.repeat(100_000))
      large.fill('a')
    }
  })

  it('lets an option\'s getter add a command of its own', async () => {
    const chain = client.multi()
    chain.set('outer', '1', { get EX () { chain.set('inner', '2'); return 10 } })
    await chain.exec()
    assert.deepStrictEqual(await client.mGet(['outer', 'inner']), ['1', '2'])
  })

  it('ends by its deadline and its signal as one command does', async t => {
    const fake = await startFakeServer()
    const hung = createClient({ url: fake.url, commandOptions: { timeout: 50 } })
    t.after(async () => {
      hung.destroy()
      await fake.stop()
    })
    // The deadline may not pass before there is a connection.
    await hung.connect()
    await assert.rejects(hung.multi().incr('k').exec(), { code: 'TIMEOUT', applied: 'unknown' })
    const controller = new AbortController()
    const view = hung.withCommandOptions({ abortSignal: controller.signal, timeout: 0 })
    const pending = view.multi().incr('k').exec()
    const rejected = assert.rejects(pending, { code: 'ABORT_ERR', applied: 'unknown' })
    controller.abort()
    await rejected
    await assert.rejects(view.multi().incr('k').exec(), { code: 'ABORT_ERR', applied: 'no' })
  })

  it('is rejected by a client that is closed', async () => {
    const closed = createClient(server.url)
    await closed.close()
    await assert.rejects(closed.multi().get('k').exec(), { code: 'CLOSED', applied: 'no' })
  })

  it('shows no key and no value', () => {
    const shown = inspect(client.multi().set('secret key', 'secret value'), { showHidden: true })
    assert.ok(!shown.includes('secret'), shown)
  })

  it('can have more methods in a subclass', async () => {
    class Extended extends RedisMulti {}
    addMultiMethod(Extended.prototype, 'shout', {
      command: 'ECHO',
      encode (w, multi, text) {
        w.arg('ECHO', 'name')
        w.arg(multi._once('shout') ? text : `${text} again`, 'text')
      },
      reply: reply => reply.toUpperCase()
    })
    assert.deepStrictEqual(await new Extended(client).shout('a').ping().shout('b').exec(),
      ['A', 'PONG', 'B AGAIN'])
    await assert.rejects(new Extended(client).shout(5).exec(), /shout: argument "text" must be/)
  })
})
