'use strict'

// However a process ends in the middle of a load, it ends at once, with its own exit code or
// signal, and without a crash.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')

const load = `
  const client = oxidis.createClient(process.argv[1])
  const large = Buffer.alloc(100_000)
  let answered = 0
  const worker = async n => {
    for (;;) {
      await client.set('k' + n, n % 10 === 0 ? large : 'v').catch(() => {})
      await client.withTypeMapping({ 36: Buffer }).get('k' + n).catch(() => {})
      answered++
    }
  }
  for (let n = 0; n < 1000; n++) worker(n)
  const busy = then => {
    const look = () => answered > 2000 ? then() : setImmediate(look)
    look()
  }
`

describe('a process under load', () => {
  let server
  before(async () => { server = await startServer() })
  after(() => server.stop())

  const run = (source, options) => runScript(load + source, { args: [server.url], ...options })

  // Thirty times: crashes at exit are races. Three at a time, as many as two cores can stand.
  async function thirtyTimes (check) {
    let left = 30
    await Promise.all(Array.from({ length: 3 }, async () => {
      while (left-- > 0) await check(left)
    }))
  }

  it('keeps the code of process.exit()', () => thirtyTimes(async n => {
    // In a callback of oxidis, in one of Node, and before the first reply.
    const when = [
      'busy(() => process.exit(42))',
      'client.echo("x").then(() => process.exit(42))',
      'setImmediate(() => process.exit(42))'
    ][n % 3]
    const { code, signal, stderr } = await run(when)
    assert.deepStrictEqual({ code, signal, stderr }, { code: 42, signal: null, stderr: '' })
  }))

  it('keeps the code of process.exit() in an exit listener, with commands in it', async () => {
    const { code, signal, stderr } = await run(`
      process.on('exit', () => {
        client.set('late', 'v').catch(() => {})
        client.destroy()
        process.exitCode = 43
      })
      busy(() => process.exit())`)
    assert.deepStrictEqual({ code, signal, stderr }, { code: 43, signal: null, stderr: '' })
  })

  it('ends with an uncaught exception\'s code', async () => {
    const { code, signal, stderr } = await run('busy(() => { throw new Error("mine") })')
    assert.deepStrictEqual([code, signal], [1, null])
    assert.match(stderr, /Error: mine/)
  })

  it('ends with an unhandled rejection\'s code', async () => {
    const { code, signal, stderr } = await run(
      'busy(() => { client.sendCommand(["NOSUCH"]) })')
    assert.deepStrictEqual([code, signal], [1, null])
    assert.match(stderr, /unknown command/)
  })

  it('survives an uncaught exception that it handles', async () => {
    const { code, signal, stdout } = await run(`
      process.on('uncaughtException', error => {
        client.echo(error.message).then(text => { console.log(text); process.exit(44) })
      })
      busy(() => { throw new Error('mine') })`)
    assert.deepStrictEqual([code, signal, stdout.trim()], [44, null, 'mine'])
  })

  for (const name of ['SIGTERM', 'SIGINT']) {
    it(`ends by ${name}`, async () => {
      const { code, signal, stderr } = await run('busy(() => console.log("busy"))', {
        onLine: (_, child) => child.kill(name)
      })
      assert.deepStrictEqual({ code, signal, stderr }, { code: null, signal: name, stderr: '' })
    })
  }

  it('ends in order when SIGTERM closes the client', async () => {
    const { code, signal, stdout, stderr } = await runScript(`
      const client = oxidis.createClient(process.argv[1])
      let done = 0
      const count = () => { done++ }
      for (let n = 0; n < 10_000; n++) client.incr('graceful').then(count)
      const hold = setInterval(() => {}, 1000)
      process.on('SIGTERM', async () => {
        process.exitCode = 45
        await client.close()
        console.log('done ' + done)
        clearInterval(hold)
      })
      console.log('busy')`, {
      args: [server.url], onLine: (line, child) => line === 'busy' && child.kill('SIGTERM')
    })
    assert.deepStrictEqual({ code, signal, stdout, stderr },
      { code: 45, signal: null, stdout: 'busy\ndone 10000\n', stderr: '' })
  })
})
