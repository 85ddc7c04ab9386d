'use strict'

// A session that is not released is noticed: a warning names the place that acquired it, and the
// garbage collector gives it back.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')

describe('a session that is not released', () => {
  let server
  before(async () => { server = await startServer() })
  after(() => server.stop())

  // Runs a script with `client`, whose pool is `pool`, and returns what it printed.
  async function run (pool, source) {
    const { code, signal, stdout, stderr } = await runScript(`
      const client = oxidis.createClient({ url: process.argv[1], pool: ${JSON.stringify(pool)} })
      const warnings = []
      process.on('warning', warning => warnings.push(warning))
      const until = async probe => {
        while (!probe()) await new Promise(resolve => setTimeout(resolve, 2))
      }
      const collected = probe => until(() => { gc(); return probe() })
      const inUse = () => client.stats().pool.inUse
      async function main () {${source}}
      main().then(() => client.close())`,
    { args: [server.url], flags: ['--expose-gc', '--no-warnings'] })
    assert.deepStrictEqual([code, signal, stderr], [0, null, ''])
    return stdout.trim().split('\n').map(line => JSON.parse(line))
  }

  it('gives one warning, with the stack that acquired it', async () => {
    const [warnings] = await run({ leakThreshold: 30 }, `
      async function theForgetfulOne () { return client.acquire() }
      const session = await theForgetfulOne()
      await until(() => warnings.length > 0)
      await session.echo('still of use')
      await new Promise(resolve => setTimeout(resolve, 100))
      await session.release()
      console.log(JSON.stringify(warnings.map(({ name, code, message }) =>
        ({ name, code, message }))))`)
    assert.strictEqual(warnings.length, 1)
    const [{ name, code, message }] = warnings
    assert.deepStrictEqual([name, code], ['OxidisWarning', 'OXIDIS_SESSION_LEAK'])
    assert.match(message, /^a session has been held for \d+ ms, longer than pool.leakThreshold; it/)
    assert.match(message, /\n +at theForgetfulOne /)
    assert.doesNotMatch(message, /client\.js/)
  })

  it('gives one warning to a function that takes too long, and one for each time', async () => {
    const [messages] = await run({ leakThreshold: 30, max: 1 }, `
      for (let time = 1; time <= 2; time++) {
        await client.session(async function slowWork (session) {
          await until(() => warnings.length === time)
          await new Promise(resolve => setTimeout(resolve, 50))
        })
      }
      console.log(JSON.stringify(warnings.map(({ message }) => message)))`)
    assert.strictEqual(messages.length, 2)
    for (const message of messages) {
      assert.match(message, /^a session has been held for \d+ ms/)
      assert.match(message, /slowWork|\n +at main /)
    }
  })

  it('is none while it waits on the server, is released in time, or nobody wants to know',
    async () => {
      // Longer than a busy machine holds a session for, and shorter than each of the waits.
      const [count] = await run({ leakThreshold: 700 }, `
        await Promise.all([
          client.blPop('nothing', 1), client.session(session => session.blPop('nothing', 1))
        ])
        await Promise.all([client.sendCommand(['DEBUG', 'SLEEP', '1']), client.wait(0, 1)])
        await client.session(session => session.get('k'))
        console.log(warnings.length)`)
      assert.strictEqual(count, 0)
      const [other] = await run({ leakThreshold: 0 }, `
        const session = await client.acquire()
        await new Promise(resolve => setTimeout(resolve, 100))
        console.log(warnings.length)
        await session.release()`)
      assert.strictEqual(other, 0)
    })

  it('comes back when it is garbage, with a warning', async () => {
    const [message, again] = await run({ max: 1 }, `
      async function theForgetfulOne () { await (await client.acquire()).watch('k') }
      await theForgetfulOne()
      await collected(() => warnings.length > 0)
      console.log(JSON.stringify(warnings[0].message))
      // The pool has no other one.
      console.log(JSON.stringify(await client.session(session => session.echo('again'))))`)
    assert.match(message, /^a session was garbage collected without having been released; it was/)
    assert.match(message, /\n +at theForgetfulOne /)
    assert.strictEqual(again, 'again')
  })

  it('keeps its connection, though garbage, for as long as somebody awaits its command',
    async () => {
      const [popped, released] = await run({ max: 1 }, `
        async function theForgetfulOne () {
          const session = await client.acquire()
          return session.blPop('q', 0)
        }
        const popping = theForgetfulOne()
        await collected(() => warnings.length > 0)
        for (let i = 0; i < 5; i++) { gc(); await client.ping() }
        await client.rPush('q', 'x')
        console.log(JSON.stringify(await popping))
        await until(() => inUse() === 0)
        console.log('true')`)
      assert.deepStrictEqual([popped, released], [{ key: 'q', element: 'x' }, true])
    })

  it('that was released is no garbage to warn of', async () => {
    const [count] = await run({ leakThreshold: 20 }, `
      for (let i = 0; i < 20; i++) {
        await (await client.acquire()).release()
        await client.session(session => session.ping())
        await client.blPop('nothing', 0.001)
      }
      for (let i = 0; i < 20; i++) { gc(); await new Promise(setImmediate) }
      // A slow machine may hold one for longer than the threshold, and be told so.
      console.log(warnings.filter(({ message }) => message.includes('garbage')).length)`)
    assert.strictEqual(count, 0)
  })

  it('costs its place: the eleventh of ten is told so, until ten come back', async () => {
    // A busy machine takes a tenth of a second and more for a connection.
    const pool = { max: 10, acquireTimeout: 1500, leakThreshold: 20 }
    const [error, stacks, after] = await run(pool, `
      async function theForgetfulOne () { await (await client.acquire()).ping() }
      const kept = []
      async function theHoarder () { kept.push(await client.acquire()) }
      for (let i = 0; i < 10; i++) await theHoarder()
      const { code, message, applied, retryable } = await client.acquire().catch(error => error)
      console.log(JSON.stringify({ code, message, applied, retryable }))
      await until(() => warnings.length === 10)
      console.log(JSON.stringify(warnings.map(({ message }) => message)))
      kept.length = 0
      await collected(() => inUse() === 0)
      const back = warnings.filter(({ message }) => message.includes('garbage')).length
      await Promise.all(Array.from({ length: 10 }, () => client.session(session => session.ping())))
      console.log(JSON.stringify({ back, inUse: inUse() }))`)
    assert.deepStrictEqual([error.code, error.applied, error.retryable],
      ['POOL_TIMEOUT', 'no', true])
    assert.match(error.message, RegExp('^no connection to 127.0.0.1:\\d+ became free within ' +
      '(1[5-9]|2\\d)\\d\\d ms \\(total=\\d+ idle=0 inUse=10 waiting=1 max=10\\)$'))
    for (const message of stacks) assert.match(message, /at theHoarder /)
    assert.deepStrictEqual(after, { back: 10, inUse: 0 })
  })
})
