'use strict'

// An idle client does not keep the process alive, pending commands do, and nothing has to be closed
// for a script to end by itself.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { startFakeServer } = require('../support/fake-server')
const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')

describe('a script', () => {
  let server
  before(async () => { server = await startServer() })
  after(() => server.stop())

  // Runs a script with `client`; it must end by itself and print `expected`.
  async function prints (source, expected, url = server.url) {
    const { code, signal, stdout, stderr } = await runScript(
      `const client = oxidis.createClient(process.argv[1])\n${source}`, { args: [url] })
    assert.deepStrictEqual({ code, signal, stdout: stdout.trim(), stderr },
      { code: 0, signal: null, stdout: expected, stderr: '' })
  }

  it('that only requires oxidis ends', () => prints('', ''))

  it('that forgets close() ends', () =>
    prints('client.set("k", "v").then(console.log)', 'OK'))

  it('that only connects ends', () =>
    prints('client.connect().then(() => console.log("connected"))', 'connected'))

  it('that forgets a pool ends', () => prints(`
    const pool = client.createPool()
    Promise.all(Array.from({ length: 100 }, () => pool.echo('x')))
      .then(all => console.log(all.length))`, '100'))

  it('that leaves a timer of ours behind ends: timeouts, aborts, a closed client', () => prints(`
    const signal = AbortSignal.timeout(60_000)
    Promise.all([
      client.withAbortSignal(signal).get('k'),
      client.withCommandOptions({ timeout: 60_000 }).get('k')
    ]).then(() => client.close()).then(() => console.log('closed'))`, 'closed'))

  it('whose listeners wait for events ends', () => prints(`
    const names = ['connect', 'ready', 'reconnecting', 'error', 'end']
    for (const name of names) client.on(name, () => {})
    client.echo('x').then(console.log)`, 'x'))

  it('is kept alive by a pending command', () =>
    prints('client.sendCommand(["DEBUG", "SLEEP", "0.3"]).then(console.log)', 'OK'))

  it('is kept alive by the second command of a chain, after a pause', () => prints(`
    client.get('k').then(() => setTimeout(() => {
      client.sendCommand(['DEBUG', 'SLEEP', '0.2']).then(console.log)
    }, 50))`, 'OK'))

  it('is kept alive by connect() until it has failed', () => prints(`
    client.on('error', () => {})
    client.connect({ timeout: 300 }).catch(error => console.log(error.name))`,
  'ConnectionTimeoutError', 'redis://127.0.0.1:1'))

  it('ends while its client goes on trying to connect', () => prints(`
    client.withCommandOptions({ timeout: 50 }).get('k').catch(error => console.log(error.code))`,
  'TIMEOUT', 'redis://127.0.0.1:1'))

  it('ends when its last command was aborted', async t => {
    const fake = await startFakeServer()
    t.after(() => fake.stop())
    await prints(`
      const controller = new AbortController()
      client.connect().then(() => new Promise(resolve => setTimeout(resolve, 50))).then(() => {
        client.withAbortSignal(controller.signal).get('k').catch(error => console.log(error.code))
        setTimeout(() => controller.abort(), 20)
      })`, 'ABORT_ERR', fake.url)
  })

  it('ends when its last commands were destroyed', async t => {
    const fake = await startFakeServer()
    t.after(() => fake.stop())
    await prints(`
      client.get('k').catch(error => console.log(error.code))
      setTimeout(() => client.destroy(), 50)`, 'CLOSED', fake.url)
  })

  it('is not kept alive by a pending command after unref()', async t => {
    const fake = await startFakeServer()
    t.after(() => fake.stop())
    await prints('client.unref(); client.get("k").then(console.log)', '', fake.url)
    await prints(`client.get('k').then(console.log)
      setImmediate(() => client.unref())`, '', fake.url)
  })

  it('is kept alive again after ref()', () => prints(`
    client.unref()
    const sleep = client.sendCommand(['DEBUG', 'SLEEP', '0.3'])
    client.ref()
    sleep.then(console.log)`, 'OK'))

  it('is kept alive by one of two clients', () => prints(`
    const other = client.duplicate()
    client.unref()
    client.get('k')
    other.sendCommand(['DEBUG', 'SLEEP', '0.2']).then(console.log)`, 'OK'))

  it('that used sessions ends at once', () => prints(`
    const started = performance.now()
    client.session(session => session.set('k', 'v')).then(async () => {
      await client.blPop('nothing', 0.01)
      process.on('exit', () => console.log(performance.now() - started < 4000))
    })`, 'true'))

  it('that holds a session ends', () => prints(`
    client.acquire().then(async session => {
      globalThis.kept = session
      console.log(await session.echo('held'))
    })`, 'held'))

  it('is kept alive by a command that waits, on a client or in a session', () => prints(`
    client.blPop('nothing', 0.3).then(console.log)
    client.session(session => session.blPop('nothing', 0.3)).then(console.log)`, 'null\nnull'))

  it('is kept alive by the wait for a session, until that is given up', () => prints(`
    const small = client.duplicate({ pool: { max: 1, acquireTimeout: 1500 } })
    small.acquire().then(async session => {
      globalThis.kept = session
      await new Promise(resolve => setTimeout(resolve, 50))
      small.acquire().catch(error => console.log(error.code))
    })`, 'POOL_TIMEOUT'))

  it('ends when its command that waited was aborted, destroyed or unreferenced', () => prints(`
    const controller = new AbortController()
    const others = [client.withAbortSignal(controller.signal), client.duplicate()]
    for (const other of others) other.blPop('q', 0).catch(error => console.log(error.code))
    const last = client.duplicate()
    last.blPop('q', 0)
    last.unref()
    setTimeout(() => { controller.abort(); others[1].destroy() }, 50)`, 'ABORT_ERR\nCLOSED'))
})
