'use strict'

// Callback style, for code written for the old redis package: error first, once, outside of any
// promise.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient } = require('../..')
const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')

describe('a callback', () => {
  let server, client
  before(async () => {
    server = await startServer()
    client = createClient(server.url)
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  // Resolves with the arguments of the callback; the call itself must return undefined.
  const called = call => new Promise(resolve => {
    assert.strictEqual(call((...args) => resolve(args)), undefined)
  })

  it('gets null and the reply', async () => {
    assert.deepStrictEqual(await called(done => client.set('k', 'v', done)), [null, 'OK'])
    assert.deepStrictEqual(await called(done => client.get('k', done)), [null, 'v'])
    assert.deepStrictEqual(await called(done => client.GET('missing', done)), [null, null])
    assert.deepStrictEqual(await called(done => client.set('k', 'w', { GET: true }, done)),
      [null, 'v'])
    assert.deepStrictEqual(await called(done => client.ping(done)), [null, 'PONG'])
    await called(done => client.hSet('h', { a: '1', b: '2' }, done))
    assert.deepStrictEqual(await called(done => client.hGetAll('h', done)),
      [null, { a: '1', b: '2' }])
  })

  it('works on views, and with sendCommand, with and without options', async () => {
    const view = client.withTypeMapping({ 36: Buffer })
    assert.deepStrictEqual(await called(done => view.get('k', done)), [null, Buffer.from('w')])
    assert.deepStrictEqual(await called(done => client.sendCommand(['GET', 'k'], done)),
      [null, 'w'])
    assert.deepStrictEqual(
      await called(done => client.sendCommand(['GET', 'k'], { timeout: 1000 }, done)), [null, 'w'])
  })

  it('gets the error alone', async () => {
    for (const [call, code] of [
      [done => client.incr('k', done), 'ERR'],
      [done => client.lPush('k', 'x', done), 'WRONGTYPE'],
      [done => client.sendCommand(['NOSUCH'], done), 'ERR']
    ]) {
      const args = await called(call)
      assert.strictEqual(args.length, 1)
      assert.strictEqual(args[0].code, code)
    }
  })

  it('gets the TypeError of a wrong argument, later', async () => {
    for (const call of [
      done => client.get({}, done), done => client.get(done), done => client.sendCommand([5], done),
      done => client.sendCommand(['GET', 'k'], { timeout: 'soon' }, done)
    ]) {
      let isLate = false
      const args = called(done => call((...args) => done(...args, isLate)))
      isLate = true
      const [error, late] = await args
      assert.ok(error instanceof TypeError, String(error))
      assert.strictEqual(late, true)
    }
  })

  it('keeps the order of commands', async () => {
    const seen = []
    await new Promise(resolve => {
      for (let n = 0; n < 1000; n++) {
        client.rPush('list', String(n), (_, length) => {
          seen.push(length)
          if (n === 999) resolve()
        })
      }
    })
    assert.deepStrictEqual(seen, Array.from({ length: 1000 }, (_, n) => n + 1))
  })

  it('may throw: that is an uncaught exception, once, and the next ones still come', async () => {
    const { code, stdout, stderr } = await runScript(`
      const seen = []
      process.on('uncaughtException', (error, origin) => seen.push(error.message + ' ' + origin))
      process.on('unhandledRejection', error => seen.push('rejection ' + error.message))
      const client = oxidis.createClient(process.argv[1])
      client.set('k', 'v', () => { throw new Error('a') })
      client.incr('k', () => { throw new Error('b') })
      client.get({}, () => { throw new Error('c') })
      client.sendCommand(['GET', 'k'], () => { throw new Error('d') })
      client.get('k', () => setTimeout(() => console.log(seen.sort().join('\\n')), 50))`,
    { args: [server.url] })
    assert.deepStrictEqual([code, stderr], [0, ''])
    assert.strictEqual(stdout, ['a', 'b', 'c', 'd'].map(x => `${x} uncaughtException\n`).join(''))
  })

  it('ends a program that does not catch its exception', async () => {
    const { code, stderr } = await runScript(`
      oxidis.createClient(process.argv[1]).get('k', () => { throw new Error('mine') })`,
    { args: [server.url] })
    assert.strictEqual(code, 1)
    assert.match(stderr, /Error: mine/)
  })

  it('leaves no unhandled rejection behind', async () => {
    const { code, stdout, stderr } = await runScript(`
      const client = oxidis.createClient(process.argv[1])
      client.incr('list', error => console.log(error.code))
      client.get({}, error => console.log(error.name))
      client.sendCommand(['SUBSCRIBE', 'x'], error => console.log(error.name))`,
    { args: [server.url] })
    assert.deepStrictEqual([code, stdout.trim().split('\n').sort(), stderr],
      [0, ['TypeError', 'TypeError', 'WRONGTYPE'], ''])
  })
})
