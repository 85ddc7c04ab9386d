'use strict'

// What a listener throws is as uncaught as in any EventEmitter, and costs no other listener its
// message. Listeners run outside of any command's asynchronous context.

const assert = require('node:assert')
const { AsyncLocalStorage } = require('node:async_hooks')
const { describe, it } = require('node:test')

const { runScript } = require('../behaviour/child-script')
const { clientFor, recorder, serverFor } = require('./scene')

describe('a listener that throws', () => {
  it('ends a process that does not catch it', async t => {
    const server = await serverFor(t)
    const { code, stderr } = await runScript(`
      const client = oxidis.createClient(process.argv[1])
      client.subscribe('a', () => { throw new Error('from the listener') })
        .then(() => client.publish('a', 'x'))`, { args: [server.url] })
    assert.strictEqual(code, 1)
    assert.match(stderr, /Error: from the listener\n +at .*\[eval\]/)
  })

  it('costs neither other listeners nor other messages anything', async t => {
    const server = await serverFor(t)
    const { stdout } = await runScript(`
      const client = oxidis.createClient(process.argv[1])
      const seen = []
      process.on('uncaughtException', error => seen.push(error.message))
      const end = message => {
        seen.push(message)
        if (message === '3') setTimeout(() => { console.log(seen.join()); client.destroy() }, 20)
      }
      ;(async () => {
        await client.subscribe('a', message => { throw new Error('no ' + message) })
        await client.subscribe('a', end)
        for (const n of [1, 2, 3]) await client.publish('a', String(n))
      })()`, { args: [server.url] })
    assert.deepStrictEqual(stdout.trim().split(',').sort(), ['1', '2', '3', 'no 1', 'no 2', 'no 3'])
  })
})

describe('the asynchronous context', () => {
  it('of a command does not reach a listener', async t => {
    const server = await serverFor(t)
    const client = clientFor(t, server)
    const storage = new AsyncLocalStorage()
    const listener = recorder()
    await client.subscribe('a', message => listener(message, storage.getStore()))
    await Promise.all(Array.from({ length: 50 }, (_, n) =>
      storage.run(n, () => client.publish('a', String(n)))))
    await listener.until(50)
    assert.ok(listener.calls.every(([, store]) => store === undefined), String(listener.calls))
  })
})
