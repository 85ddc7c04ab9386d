'use strict'

// An AbortSignal ends the commands that still wait, wherever they are, and keeps nothing of those
// that are done.

const assert = require('node:assert')
const { getEventListeners } = require('node:events')
const { after, before, describe, it } = require('node:test')

const { createClient, AbortError } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { freePort } = require('../support/ports')
const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')
const { heard } = require('./eventually')

describe('an AbortSignal', () => {
  let server, client
  before(async () => {
    server = await startServer()
    client = createClient(server.url)
    await client.connect()
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  it('holds no listener of commands that are done, refused or too late', async () => {
    const { signal } = new AbortController()
    const view = client.withAbortSignal(signal)
    await view.set('k', 'text')
    await Promise.allSettled([
      ...Array.from({ length: 1000 }, () => view.get('k')), view.incr('k'), view.get({}),
      view.sendCommand(['GET', 'k']), view.sendCommand(['WATCH', 'k']),
      view.set('k', 'x'.repeat(1e5))
    ])
    assert.strictEqual(getEventListeners(signal, 'abort').length, 0)
    const small = createClient({ url: server.url, commandsQueueMaxLength: 1 })
    await Promise.allSettled(
      Array.from({ length: 10 }, () => small.withAbortSignal(signal).get('k')))
    await small.close()
    await assert.rejects(small.withAbortSignal(signal).get('k'), { code: 'CLOSED' })
    assert.strictEqual(getEventListeners(signal, 'abort').length, 0)
  })

  it('may be shared by a thousand pending commands without a warning', async () => {
    const { code, stdout, stderr } = await runScript(`
      const client = oxidis.createClient(process.argv[1])
      const view = client.withAbortSignal(new AbortController().signal)
      Promise.all(Array.from({ length: 1000 }, () => view.get('k')))
        .then(all => console.log(all.length))`,
    { args: [server.url] })
    assert.deepStrictEqual([code, stdout, stderr], [0, '1000\n', ''])
  })

  it('that is aborted sends nothing', async () => {
    const before = client.stats().commands
    const view = client.withAbortSignal(AbortSignal.abort(new RangeError('why')))
    for (const promise of [view.set('k', 'v'), view.sendCommand(['SET', 'k', 'v'])]) {
      await assert.rejects(promise, error => {
        assert.ok(error instanceof AbortError)
        assert.deepStrictEqual([error.name, error.code, error.applied, error.cause.message],
          ['AbortError', 'ABORT_ERR', 'no', 'why'])
        return true
      })
    }
    assert.strictEqual(client.stats().commands, before)
  })

  it('ends commands of the same turn, and those that wait for a connection, as not applied',
    async t => {
      const offline = createClient({
        socket: { host: '127.0.0.1', port: 1, reconnectStrategy: 50 }
      })
      t.after(() => offline.destroy())
      const controller = new AbortController()
      const pending = [offline.withAbortSignal(controller.signal).set('k', 'v'),
        offline.withAbortSignal(controller.signal).set('k', 'x'.repeat(1e5))]
      controller.abort()
      for (const promise of pending) {
        await assert.rejects(promise, { code: 'ABORT_ERR', applied: 'no' })
      }
    })

  it('ends commands that wait for a connection before it comes', async t => {
    const port = await freePort()
    const offline = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: 10 } })
    t.after(() => offline.destroy())
    const controller = new AbortController()
    const view = offline.withAbortSignal(controller.signal)
    const settled = Promise.allSettled(Array.from({ length: 100 }, () => view.incr('n')))
    const kept = offline.incr('n')
    await heard(offline, 'reconnecting')
    controller.abort()
    assert.ok((await settled).every(({ reason }) => reason.applied === 'no'))
    const late = await startServer({ port })
    t.after(() => late.stop())
    assert.strictEqual(await kept, 1)
    assert.strictEqual(await offline.get('n'), '1')
    assert.deepStrictEqual(offline.stats().lanes,
      [{ connected: true, inFlight: 0, queued: 0, bytes: 0 }])
  })

  it('ends written commands, as maybe applied, and their replies reach nobody', async t => {
    const fake = await startFakeServer()
    t.after(() => fake.stop())
    const other = createClient(fake.url)
    t.after(() => other.destroy())
    await other.connect()
    const controller = new AbortController()
    const arrived = fake.next('GET')
    const gone = other.withAbortSignal(controller.signal).get('gone')
    const { reply } = await arrived
    const kept = other.get('kept')
    const second = await fake.next('GET')
    controller.abort()
    await assert.rejects(gone, { code: 'ABORT_ERR', applied: 'unknown' })
    reply.bulk('reply of gone')
    second.reply.bulk('reply of kept')
    assert.strictEqual(await kept, 'reply of kept')
  })

  it('comes too late for a command that is answered', async () => {
    const controller = new AbortController()
    const promise = client.withAbortSignal(controller.signal).echo('x')
    assert.strictEqual(await promise, 'x')
    controller.abort()
    assert.strictEqual(await promise, 'x')
  })
})
