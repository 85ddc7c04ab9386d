'use strict'

// A value may be of another realm: of a vm context, as in Jest's environments, whose Uint8Array,
// Date and Map are classes of their own. It is taken for what it is.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')
const vm = require('node:vm')

const { createClient, defineScript } = require('../..')
const { startServer } = require('../support/redis-server')

describe('values of another realm', () => {
  let server, client
  const foreign = source => vm.runInNewContext(source)
  before(async () => {
    server = await startServer()
    client = createClient(server.url)
    await client.connect()
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  it('are arguments: bytes, dates, maps, lists and options', async () => {
    const bytes = foreign('new Uint8Array([255, 0, 65])')
    assert.ok(!(bytes instanceof Uint8Array))
    await client.set(bytes, bytes, foreign('({ EX: 100 })'))
    assert.deepStrictEqual(
      await client.withTypeMapping({ [36]: Buffer }).get(bytes), Buffer.from([255, 0, 65]))
    await client.hSet('h', foreign("new Map([['a', '1'], ['b', new Uint8Array([50])]])"))
    assert.deepEqual(await client.hGetAll('h'), { a: '1', b: '2' })
    const inAMinute = foreign('new Date(Date.now() + 60000)')
    assert.strictEqual(await client.expireAt('h', inAMinute), 1)
    assert.strictEqual(await client.pExpireAt('h', inAMinute), 1)
    assert.ok(await client.ttl('h') > 0)
    assert.strictEqual(await client.del(foreign("['h', new Uint8Array([255, 0, 65])]")), 2)
    await new Promise((resolve, reject) => {
      client.legacy().set('d', inAMinute, error => error ? reject(error) : resolve())
    })
    assert.strictEqual(await client.get('d'), inAMinute.toString())
  })

  it('of 16 KiB and more arrive whole', async () => {
    await client.set('large', foreign('new Uint8Array(20000).fill(120)'))
    assert.strictEqual(await client.get('large'), 'x'.repeat(20000))
  })

  it('are no options', async () => {
    for (const source of ['new Uint8Array(1)', 'new Map()', 'new Date()']) {
      await assert.rejects(client.set('k', 'v', foreign(source)), TypeError, source)
    }
  })

  it('are options of a client: a key prefix, a script', async t => {
    const SCRIPT = foreign("Uint8Array.from('return KEYS[1]', char => char.charCodeAt(0))")
    const read = defineScript({ SCRIPT, NUMBER_OF_KEYS: 1, parseCommand: p => p.pushKey('k') })
    const other = createClient({
      url: server.url, keyPrefix: foreign('new Uint8Array([112, 58])'), scripts: { read }
    })
    t.after(() => other.destroy())
    assert.strictEqual(await other.read(), 'p:k')
  })

  it('abort commands, and may be what a reconnect strategy returns', async t => {
    const controller = foreign(`({
      signal: { aborted: false, listeners: [], addEventListener (name, run) {
        this.listeners.push(run)
      }, removeEventListener () {} },
      abort () {
        this.signal.aborted = true
        for (const run of this.signal.listeners) run()
      }
    })`)
    const waiting = client.withAbortSignal(controller.signal).blPop('none', 0)
    controller.abort()
    await assert.rejects(waiting, { code: 'ABORT_ERR' })
    const lost = createClient({
      socket: { host: '127.0.0.1', port: 1, reconnectStrategy: () => foreign("new Error('why')") }
    })
    t.after(() => lost.destroy())
    const told = new Promise(resolve => lost.on('error', error => {
      if (error.message === 'why') resolve()
    }))
    await assert.rejects(lost.get('k'))
    await told
  })
})
