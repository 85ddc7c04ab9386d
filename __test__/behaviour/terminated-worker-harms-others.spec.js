'use strict'

// A thread of a shared client is terminated, exits, or stands still: what it had ends with it, and
// the others go on as if it had never been there.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient } = require('../..')
const { startWorkers } = require('../support/client-worker')
const { startOracle } = require('../support/oracle')
const { startServer } = require('../support/redis-server')
const { root, runScript } = require('./child-script')
const { eventually } = require('./eventually')

const ROUNDS = 20

describe('a thread that goes', () => {
  let server, watcher
  before(async () => {
    server = await startServer()
    watcher = createClient(server.url)
  })
  after(async () => {
    await watcher.close()
    await server.stop()
  })

  let last = 0
  const sharing = more => {
    const shared = `terminated-${++last}`
    return { url: server.url, name: shared, shared, ...more }
  }
  const connections = async ({ name }) =>
    (await watcher.clientList()).filter(entry => entry.name === name)
  const own = (t, options) => {
    const client = createClient(options)
    t.after(() => client.destroy())
    return client
  }

  /** Everything that a client can have under way. */
  const busy = async scene => {
    const { client, startOracle } = scene
    const { threadId } = require('node:worker_threads')
    startOracle(client, { workers: 32, pairs: 4, sessions: 2 })
    for (let n = 0; n < 3; n++) client.blPop(`never:${threadId}`, 0).catch(() => {})
    await client.subscribe('news', () => {})
    client.session(session => session.blPop(`never:${threadId}`, 0)).catch(() => {})
    const large = 'x'.repeat(100_000)
    const loop = async n => { for (;;) await client.set(`large:${n}`, large) }
    for (let n = 0; n < 4; n++) loop(n).catch(() => {})
    for (let n = 0; n < 20; n++) await client.echo('x')
  }

  it('in the middle of a load harms nobody, 20 times', async t => {
    const options = sharing()
    const [steady] = await startWorkers(t, 1, options)
    await steady.run(scene => {
      scene.oracle = scene.startOracle(scene.client, { workers: 32, pairs: 4, sessions: 2 })
    })
    const client = own(t, options)
    const heard = []
    await client.subscribe('news', message => heard.push(message))
    const oracle = startOracle(client, { workers: 32, sessions: 2 })
    for (let round = 0; round < ROUNDS; round++) {
      const [doomed] = await startWorkers(t, 1, options)
      await doomed.run(busy)
      await doomed.terminate()
    }
    const before = oracle.completed
    await eventually(() => oracle.completed > before + 500, 'the load of the main thread')
    await watcher.publish('news', 'still here')
    await eventually(() => heard.length === 1, 'a message')
    assert.deepStrictEqual([...oracle.failures], [])
    await oracle.stop()
    await oracle.verify()
    const { failures, completed } = await steady.run(async ({ oracle }) => {
      await oracle.stop()
      await oracle.verify()
      return { failures: [...oracle.failures], completed: oracle.completed }
    })
    assert.deepStrictEqual(failures, [])
    assert.ok(completed > 0)
    // Nothing is left of the thread that was terminated: no blocked command, subscriber or session.
    await eventually(async () => /blocked_clients:0\r/.test(await watcher.info('clients')),
      'the end of the blocking commands')
    await eventually(async () => {
      const flags = (await connections(options)).map(({ sub }) => sub)
      return flags.filter(count => count > 0).length === 1
    }, 'one subscriber')
    await eventually(() => client.stats().pool.inUse === 0, 'the return of all sessions')
    assert.strictEqual(client.stats().reconnects, 0)
    assert.strictEqual(client.stats().pool.waiting, 0)
  })

  it('as the last one closes all connections, and the next one begins anew', async t => {
    const options = sharing()
    for (let round = 0; round < 3; round++) {
      const [doomed] = await startWorkers(t, 1, options)
      await doomed.run(busy)
      assert.ok((await connections(options)).length > 1)
      await doomed.terminate()
      await eventually(async () => (await connections(options)).length === 0,
        'the end of its connections')
    }
    assert.strictEqual(await own(t, options).echo('x'), 'x')
  })

  it('by process.exit(), or by an exception, leaves nothing behind either', async t => {
    const options = sharing()
    const client = own(t, options)
    await client.echo('x')
    for (const [end, code] of [
      [() => { setImmediate(() => process.exit(7)) }, 7],
      [() => { setImmediate(() => { throw new Error('of the test') }) }, 1]
    ]) {
      const [doomed] = await startWorkers(t, 1, options)
      await doomed.run(busy)
      doomed.run(end).catch(() => {})
      assert.strictEqual(await doomed.exited, code)
      await eventually(async () => (await connections(options))
        .every(({ sub }) => sub === 0), 'the end of its subscriber')
      assert.strictEqual(await client.echo('still'), 'still')
    }
    assert.strictEqual(client.stats().reconnects, 0)
  })

  it('gives its name up, whether it has used it or not', async t => {
    const options = sharing()
    const [idle] = await startWorkers(t, 1, options)
    await idle.run(() => {})
    assert.throws(() => createClient({ ...options, database: 1 }), TypeError)
    await idle.terminate()
    const client = own(t, { ...options, database: 1 })
    assert.strictEqual((await client.clientInfo()).db, 1)
  })

  it('by close() or destroy() ends nobody else\'s commands', async t => {
    const options = sharing()
    const [one, two] = [own(t, options), own(t, options)]
    const waiting = one.blPop('never', 0).catch(error => error.code)
    const other = two.blPop('element', 0)
    await eventually(async () => /blocked_clients:2\r/.test(await watcher.info('clients')),
      'two blocked clients')
    one.destroy()
    assert.strictEqual(await waiting, 'CLOSED')
    await assert.rejects(one.echo('x'), { name: 'ClientClosedError' })
    assert.strictEqual(await two.echo('x'), 'x')
    await watcher.rPush('element', 'a')
    assert.deepStrictEqual(await other, { key: 'element', element: 'a' })
    await one.connect()
    assert.strictEqual(await one.echo('again'), 'again')
    await one.close()
    assert.strictEqual(await two.echo('x'), 'x')
    await two.close()
    await eventually(async () => (await connections(options)).length === 0, 'no connection')
  })

  for (const end of ['goes on', 'is terminated']) {
    it(`holds the others up, when it takes no replies, only until it ${end}`, async t => {
      const options = sharing()
      const client = own(t, options)
      await client.set('large', 'x'.repeat(40 << 20))
      const [still] = await startWorkers(t, 1, options)
      const flag = new Int32Array(new SharedArrayBuffer(4))
      const lengths = still.run(async ({ client }, flag) => {
        const patient = client.withCommandOptions({ timeout: 0 })
        const replies = Array.from({ length: 3 }, () => patient.get('large'))
        await new Promise(resolve => process.nextTick(resolve))
        // Nothing runs in this thread from here on.
        Atomics.wait(flag, 0, 0)
        return (await Promise.all(replies)).map(reply => reply.length)
      }, flag)
      lengths.catch(() => {})
      // Two large replies fill its outbox, and the third one is not read.
      const hurried = client.withCommandOptions({ timeout: 100 })
      await eventually(() => hurried.echo('x').then(() => false, error => error.code === 'TIMEOUT'),
        'a connection that is not read')
      const waiting = client.withCommandOptions({ timeout: 0 }).echo('mine')
      if (end === 'is terminated') {
        await still.terminate()
        assert.strictEqual(await waiting, 'mine')
      } else {
        Atomics.store(flag, 0, 1)
        Atomics.notify(flag, 0)
        assert.strictEqual(await waiting, 'mine')
        assert.deepStrictEqual(await lengths, Array(3).fill(40 << 20))
      }
      assert.strictEqual(client.stats().reconnects, 0)
      await client.unlink('large')
    })
  }

  it('does not crash a process that exits with threads under load', async () => {
    const worker = `
      const { parentPort, workerData } = require('node:worker_threads')
      const client = require(${JSON.stringify(root)}).createClient(workerData)
      const load = async n => { for (;;) await client.echo('x' + n) }
      for (let n = 0; n < 100; n++) load(n).catch(() => {})
      client.subscribe('news', () => {}).then(() => parentPort.postMessage('busy'))
    `
    const { code, signal, stdout, stderr } = await runScript(`
      const { once } = require('node:events')
      const { Worker } = require('node:worker_threads')
      const options = { url: process.argv[1], shared: 'exiting', name: 'exiting' }
      const client = oxidis.createClient(options)
      const start = async () => {
        const worker = new Worker(${JSON.stringify(worker)}, { eval: true, workerData: options })
        await once(worker, 'message')
      }
      Promise.all([start(), start(), start(), client.echo('x')]).then(() => {
        console.log('exit')
        process.exit(3)
      })`, { args: [server.url] })
    assert.deepStrictEqual({ code, signal, stdout, stderr },
      { code: 3, signal: null, stdout: 'exit\n', stderr: '' })
    await eventually(async () => (await connections({ name: 'exiting' })).length === 0,
      'the end of its connections')
  })
})
