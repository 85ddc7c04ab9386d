'use strict'

// Events tell what happens to the connection; nobody has to listen, and a listener's own exception
// is the program's, not swallowed.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { createClient } = require('../..')
const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')
const { heard } = require('./eventually')

const names = ['connect', 'ready', 'reconnecting', 'error', 'end']

function record (client) {
  const events = []
  for (const name of names) client.on(name, detail => events.push([name, detail]))
  return events
}

const summary = events => events.map(([name]) => name).join(' ')

describe('events', () => {
  it('tell of the first connection, its loss, the next one and the end', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const client = createClient({ url: server.url, socket: { reconnectStrategy: 20 } })
    t.after(() => client.destroy())
    const events = record(client)
    const ready = heard(client, 'ready')
    await client.connect()
    await ready
    assert.strictEqual(summary(events), 'connect ready')
    const lost = heard(client, 'reconnecting')
    await server.kill()
    await lost
    assert.match(summary(events), /^connect ready error reconnecting/)
    assert.strictEqual(events[2][1].name, 'SocketClosedUnexpectedlyError')
    assert.strictEqual(client.isReady, false)
    assert.strictEqual(client.isOpen, true)
    const again = heard(client, 'ready')
    await server.start()
    await again
    assert.match(summary(events), /^connect ready( error reconnecting)+ connect ready$/)
    const end = heard(client, 'end')
    await client.close()
    await end
    assert.match(summary(events), / connect ready end$/)
  })

  it('count the attempts that failed', async t => {
    const client = createClient({
      socket: { host: '127.0.0.1', port: 1, reconnectStrategy: 5, connectTimeout: 200 }
    })
    t.after(() => client.destroy())
    const events = record(client)
    await assert.rejects(client.connect({ timeout: 200 }), { name: 'ConnectionTimeoutError' })
    client.destroy()
    const retries = events.filter(([name]) => name === 'reconnecting')
      .map(([, { retries }]) => retries)
    assert.ok(retries.length > 3)
    assert.deepStrictEqual(retries, retries.map((_, n) => n + 1))
    const errors = events.filter(([name]) => name === 'error').map(([, error]) => error)
    assert.ok(errors.every(error => error.kind === 'CONNECT' && error.code === 'ECONNREFUSED'))
    assert.ok(errors[0].cause.code === 'ECONNREFUSED')
  })

  it('tell nothing of a client that was destroyed', async () => {
    const client = createClient({ socket: { host: '127.0.0.1', port: 1, reconnectStrategy: 1 } })
    const refused = client.get('k').catch(() => {})
    await heard(client, 'reconnecting')
    const end = heard(client, 'end')
    client.destroy()
    const events = record(client)
    await Promise.all([refused, end])
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => { setTimeout(resolve, 1) })
    assert.strictEqual(summary(events), 'end')
  })

  it('may stay unheard: no error ends the process', async () => {
    const { code, stdout, stderr } = await runScript(`
      const client = oxidis.createClient({
        socket: { host: '127.0.0.1', port: 1, reconnectStrategy: 5 },
        commandOptions: { timeout: 100 }
      })
      client.get('k').catch(error => console.log(error.code, client.listenerCount('error')))`)
    assert.deepStrictEqual([code, stdout, stderr], [0, 'TIMEOUT 0\n', ''])
  })

  it('reach all listeners, once() and removed ones as Node does it', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const client = createClient(server.url)
    t.after(() => client.destroy())
    const calls = []
    const gone = () => calls.push('gone')
    assert.strictEqual(client.on('ready', gone).off('ready', gone), client)
    client.once('ready', function () { calls.push(['once', this === client]) })
    client.prependListener('ready', () => calls.push('first'))
    const ready = heard(client, 'ready')
    await client.connect()
    await ready
    assert.deepStrictEqual(calls, ['first', ['once', true]])
  })

  for (const name of ['connect', 'ready', 'error', 'reconnecting', 'end']) {
    it(`throw uncaught exceptions of a ${name} listener, and harm nothing else`, async t => {
      const server = await startServer()
      t.after(() => server.stop())
      const { code, stdout, stderr } = await runScript(`
        const seen = []
        process.on('uncaughtException', error => seen.push(error.message))
        const client = oxidis.createClient({
          url: process.argv[1], socket: { reconnectStrategy: 5 }
        })
        client.once('${name}', () => { throw new Error('from a listener') })
        const killer = oxidis.createClient(process.argv[1])
        const go = async () => {
          await client.connect()
          const lost = new Promise(resolve => client.once('reconnecting', resolve))
          await killer.clientKill({ filter: 'ID', id: await client.clientId() })
          for (let n = 0; n < 20 && ${name === 'end' ? 'false' : 'seen.length === 0'}; n++) {
            await new Promise(resolve => setTimeout(resolve, 10))
          }
          console.log(await client.echo('works'))
          await client.close()
          await killer.close()
          await new Promise(resolve => setTimeout(resolve, 10))
          console.log(seen.join())
        }
        go()`, { args: [server.url] })
      assert.deepStrictEqual([code, stdout, stderr], [0, 'works\nfrom a listener\n', ''])
    })
  }

  it('end a program whose listener throws and that has no handler', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const { code, stderr } = await runScript(`
      const client = oxidis.createClient(process.argv[1])
      client.on('ready', () => { throw new Error('from a listener') })
      client.get('k').then(() => setTimeout(() => {}, 2000))`, { args: [server.url] })
    assert.strictEqual(code, 1)
    assert.match(stderr, /Error: from a listener/)
  })
})
