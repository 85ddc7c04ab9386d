'use strict'

// Tests of applications put fakes in the places of timers, of process.nextTick and of the clock
// (Jest, sinon, vitest). What oxidis does for itself goes on: commands are sent, deadlines of
// sessions pass, and the process ends.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')

/** What sinon's `useFakeTimers` puts in place. None of it runs anything, nor does its clock go. */
const FAKES = `
  function useFakeTimers () {
    const timers = require('node:timers')
    const fake = () => Object.assign(function () { return 1 }, { clock: { now: 0 } })
    for (const name of ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval',
      'setImmediate', 'clearImmediate', 'queueMicrotask']) {
      globalThis[name] = fake()
      if (name in timers) timers[name] = globalThis[name]
    }
    process.nextTick = fake()
    process.hrtime = fake()
    performance.now = () => 0
    Date.now = () => 0
  }
  const { writeSync } = require('node:fs')
  const say = text => writeSync(1, text + '\\n')
`

describe('with fake timers', () => {
  let server
  before(async () => { server = await startServer() })
  after(() => server.stop())

  async function output (script) {
    const { code, stdout, stderr } = await runScript(FAKES + script, { args: [server.url] })
    assert.deepStrictEqual([code, stderr], [0, ''])
    return stdout.trim().split('\n')
  }

  it('commands, sessions, blocking commands and close() end, and so does the process', async () => {
    const lines = await output(`
      const client = oxidis.createClient(process.argv[1])
      useFakeTimers()
      client.on('end', () => say('end'))
      ;(async () => {
        say(await client.set('k', 'v'))
        say(await client.session(async session => {
          await session.watch('k')
          return session.multi().get('k').exec()
        }))
        say(await client.blPop('none', 0.05))
        client.get('k', (error, reply) => say('callback ' + reply))
        await client.ping()
        const heard = new Promise(resolve => client.subscribe('c', resolve).then(() =>
          client.publish('c', 'message')))
        say(await heard)
        await client.unsubscribe('c')
        await client.close()
        say('closed')
      })()`)
    assert.deepStrictEqual(lines.sort(),
      ['OK', 'v', 'null', 'callback v', 'message', 'end', 'closed'].sort())
  })

  it('a client that is not closed lets the process end', async () => {
    const lines = await output(`
      useFakeTimers()
      oxidis.createClient(process.argv[1]).get('k').then(say)`)
    assert.deepStrictEqual(lines, ['v'])
  })

  it('the wait for a session has its end', async () => {
    // Long enough for the first session to connect, however busy the machine is.
    const lines = await output(`
      const client = oxidis.createClient({
        url: process.argv[1], pool: { max: 1, acquireTimeout: 2000 }
      })
      useFakeTimers()
      client.session(() => client.acquire().catch(error => say(error.code)))
        .then(() => client.close())`)
    assert.deepStrictEqual(lines, ['POOL_TIMEOUT'])
  })

  it('commands are sent although nextTick was faked before oxidis was loaded', async () => {
    const lines = await output(`
      for (const file of Object.keys(require.cache)) {
        if (!file.endsWith('.node')) delete require.cache[file]
      }
      process.nextTick = Object.assign(() => {}, { clock: {} })
      const { createClient } = require(process.cwd())
      createClient(process.argv[1]).get('k').then(say)`)
    assert.deepStrictEqual(lines, ['v'])
  })
})
