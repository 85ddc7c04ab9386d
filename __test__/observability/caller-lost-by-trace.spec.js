'use strict'

// A subscriber sees the caller's context, and cannot harm the caller: no promise is replaced, no
// rejection is unhandled because somebody listens, and nothing is told once nobody does.

const assert = require('node:assert')
const { AsyncLocalStorage } = require('node:async_hooks')
const diagnostics = require('node:diagnostics_channel')
const { after, before, describe, it } = require('node:test')

const { CHANNELS, createClient } = require('../..')
const { runScript } = require('../behaviour/child-script')
const { heard } = require('../behaviour/eventually')
const { startServer } = require('../support/redis-server')
const { listen } = require('./listening')

describe('a subscriber of commands', () => {
  let server, client
  before(async () => {
    server = await startServer()
    client = await createClient({ url: server.url }).connect()
  })
  after(async () => {
    await client.close()
    await server.stop()
  })

  it('makes a span that is the child of the span of the caller', async () => {
    const spans = new AsyncLocalStorage()
    const channel = diagnostics.tracingChannel(CHANNELS.TRACE_COMMAND)
    const seen = []
    channel.start.bindStore(spans, ({ command }) => ({ name: command, parent: spans.getStore() }))
    const handlers = { asyncEnd: ({ command }) => seen.push([command, spans.getStore()]) }
    channel.subscribe({ start () {}, end () {}, asyncStart () {}, error () {}, ...handlers })
    await Promise.all(['one', 'two'].map(name => spans.run({ name }, async () => {
      await client.set(name, name)
      // The caller goes on in its own context.
      assert.strictEqual(spans.getStore().name, name)
      await client.multi().get(name).exec()
      assert.strictEqual(spans.getStore().name, name)
    })))
    channel.start.unbindStore(spans)
    const names = seen.map(([command, { name, parent }]) => [command, name, parent.name])
    assert.deepStrictEqual(names.toSorted(), [['SET', 'SET', 'one'], ['SET', 'SET', 'two']])
  })

  it('hears of the end before the caller does', async () => {
    const order = []
    const stop = subscribe({ asyncEnd: () => order.push('subscriber') })
    await client.get('k').then(() => order.push('caller'))
    await client.sendCommand(['NOSUCH']).catch(() => order.push('caller'))
    stop()
    assert.deepStrictEqual(order, ['subscriber', 'caller', 'subscriber', 'caller'])
  })

  it('hears of each command once, by whatever way it goes', async () => {
    const large = Buffer.alloc(20_000)
    const { signal } = new AbortController()
    const ways = {
      GET: () => client.get('k'),
      SET: () => client.set('k', large),
      DEL: () => client.withAbortSignal(signal).del('k'),
      PING: () => client.sendCommand(['PING']),
      BLPOP: () => client.blPop('nothing', 0.01),
      SELECT: () => client.select(0),
      HGET: () => client.session(session => session.hGet('h', 'f')),
      BRPOP: () => client.session(session => session.brPop('nothing', 0.01)),
      LLEN: () => new Promise(resolve => { client.lLen('l', resolve) })
    }
    for (const [command, run] of Object.entries(ways)) {
      const listening = listen([CHANNELS.TRACE_COMMAND])
      await run()
      listening.stop()
      const told = ['start', 'end', 'asyncStart', 'asyncEnd'].map(phase =>
        listening.of(CHANNELS.TRACE_COMMAND, phase).map(message => message.command))
      assert.deepStrictEqual(told, [[command], [command], [command], [command]], command)
    }
  })

  it('hears nothing of what oxidis sends of its own accord', async () => {
    const listening = listen([CHANNELS.TRACE_COMMAND])
    const other = await createClient({ url: server.url, pingInterval: 1 }).connect()
    // An idle client alone does not keep the process.
    await heard(other, 'ping-interval')
    await other.close()
    listening.stop()
    assert.deepStrictEqual(listening.events, [])
  })

  it('hears of the database of a session', async () => {
    const listening = listen([CHANNELS.TRACE_COMMAND])
    await client.session(async session => {
      await session.get('k')
      await session.select(3)
      await session.get('k')
    })
    await client.session(session => session.get('k'))
    listening.stop()
    const databases = listening.of(CHANNELS.TRACE_COMMAND, 'start').map(({ database }) => database)
    assert.deepStrictEqual(databases, [0, 0, 3, 0])
  })

  it('cannot change what the caller gets by an exception', async () => {
    const { code, stdout } = await runScript(`
      const diagnostics = require('node:diagnostics_channel')
      const thrown = []
      process.on('uncaughtException', error => thrown.push(error.message))
      for (const phase of ['start', 'end', 'asyncStart', 'asyncEnd', 'error']) {
        diagnostics.subscribe('tracing:node-redis:command:' + phase, () => { throw Error(phase) })
      }
      const client = oxidis.createClient(process.argv[1])
      client.set('k', 'v').then(async reply => {
        const refused = await client.sendCommand(['NOSUCH']).catch(error => error.code)
        await client.close()
        process.on('exit', () => console.log(JSON.stringify([reply, refused, thrown.length])))
      })`, { args: [server.url] })
    assert.deepStrictEqual(JSON.parse(stdout), ['OK', 'ERR', 9])
    assert.strictEqual(code, 0)
  })

  it('makes no rejection unhandled that the caller handles', async () => {
    const { code, stdout } = await runScript(`
      const diagnostics = require('node:diagnostics_channel')
      let unhandled = 0
      process.on('unhandledRejection', () => { unhandled++ })
      for (const name of ['command', 'batch', 'connect']) {
        diagnostics.tracingChannel('node-redis:' + name)
          .subscribe({ start () {}, end () {}, asyncStart () {}, asyncEnd () {}, error () {} })
      }
      diagnostics.subscribe('node-redis:command:reply', () => {})
      const client = oxidis.createClient(process.argv[1])
      ;(async () => {
        await client.connect()
        await client.sendCommand(['NOSUCH']).catch(() => {})
        await client.multi().addCommand(['NOSUCH']).exec().catch(() => {})
        await client.multi().addCommand(['NOSUCH']).execAsPipeline().catch(() => {})
        await client.blPop('k', 'no number').catch(() => {})
        await client.close()
        await client.get('k').catch(() => {})
        await new Promise(resolve => setImmediate(resolve))
        console.log(unhandled)
      })()`, { args: [server.url] })
    assert.strictEqual(stdout.trim(), '0')
    assert.strictEqual(code, 0)
  })

  it('hears nothing any more once it has left', async () => {
    let heard = 0
    const stop = subscribe({ start: () => { heard++ } })
    await client.get('k')
    stop()
    await client.get('k')
    assert.strictEqual(heard, 1)
  })
})

function subscribe (handlers) {
  const channel = diagnostics.tracingChannel(CHANNELS.TRACE_COMMAND)
  const nothing = () => {}
  const all = {
    start: nothing,
    end: nothing,
    asyncStart: nothing,
    asyncEnd: nothing,
    error: nothing,
    ...handlers
  }
  channel.subscribe(all)
  return () => channel.unsubscribe(all)
}
