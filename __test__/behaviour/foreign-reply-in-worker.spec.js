'use strict'

// Worker threads share one client: one set of connections, and each reply, message, session and
// error in the thread that asked for it.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, createClientPool } = require('../..')
const { startWorkers } = require('../support/client-worker')
const { startServer } = require('../support/redis-server')
const { eventually, heard } = require('./eventually')

const THREADS = 4

/** What all threads are to say. */
const each = (count, value) => Array.from({ length: count }, () => value)

describe('worker threads that share a client', () => {
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
  /** Options of a shared client that no other test has. */
  const sharing = more => {
    const shared = `foreign-reply-${++last}`
    return { url: server.url, name: shared, shared, ...more }
  }
  /** The server's entries of that client's connections. */
  const connections = async ({ name }) =>
    (await watcher.clientList()).filter(entry => entry.name === name)
  const on = (workers, fn, ...args) =>
    Promise.all(workers.map(worker => worker.run(fn, ...args)))


  const begin = (scene, options) => { scene.oracle = scene.startOracle(scene.client, options) }
  const reach = async (scene, completed) => {
    while (scene.oracle.completed < completed) await new Promise(resolve => setTimeout(resolve, 2))
  }
  const finish = async ({ oracle }) => {
    await oracle.stop()
    await oracle.verify()
    return { failures: [...oracle.failures], foreign: oracle.foreign }
  }

  it('get their own replies over one connection', async t => {
    const options = sharing()
    const workers = await startWorkers(t, THREADS, options)
    await on(workers, begin, { pairs: 4 })
    const sum = on(workers, async ({ client }) => {
      const calls = Array.from({ length: 2000 }, () => client.incr('foreign-reply:sum'))
      return new Set(await Promise.all(calls)).size
    })
    await on(workers, reach, 5000)
    assert.deepStrictEqual(await sum, each(THREADS, 2000))
    assert.strictEqual(await watcher.get('foreign-reply:sum'), String(THREADS * 2000))
    assert.strictEqual((await connections(options)).length, 1)
    const perfect = { failures: [], foreign: [] }
    assert.deepStrictEqual(await on(workers, finish), each(THREADS, perfect))
    assert.strictEqual((await connections(options)).length, 1)
  })

  it('get their own replies over several lanes, of a pool as well', async t => {
    const options = sharing({ lanes: 2 })
    const workers = await startWorkers(t, THREADS - 1, options)
    const own = createClientPool(options, { maximum: 16, acquireTimeout: 5000 })
    t.after(() => own.destroy())
    await on(workers, begin, { workers: 32 })
    await on(workers, reach, 3000)
    for (let n = 0; n < 500; n++) assert.strictEqual(await own.echo(`own ${n}`), `own ${n}`)
    assert.strictEqual((await connections(options)).length, 2)
    assert.strictEqual(own.stats().lanes.length, 2)
    const perfect = { failures: [], foreign: [] }
    assert.deepStrictEqual(await on(workers, finish), each(THREADS - 1, perfect))
  })

  it('get large values, and errors, of their own', async t => {
    const workers = await startWorkers(t, THREADS, sharing())
    const found = await on(workers, async ({ client }) => {
      const { threadId } = require('node:worker_threads')
      const wrong = []
      await Promise.all(Array.from({ length: 40 }, async (_, n) => {
        const key = `large:${threadId}:${n}`
        const value = `${key} `.repeat(n % 4 === 0 ? 20_000 : 20)
        await client.set(key, value)
        if (await client.get(key) !== value) wrong.push(key)
        const code = await client.lPush(key, 'x').then(() => 'none', error => error.kind)
        if (code !== 'WRONGTYPE') wrong.push(code)
      }))
      return wrong
    })
    assert.deepStrictEqual(found.flat(), [])
  })

  it('have sessions, transactions and blocking commands of their own', async t => {
    const options = sharing({ pool: { max: 6 } })
    const workers = await startWorkers(t, THREADS, options)
    await on(workers, begin, { workers: 8, pairs: 4, sessions: 4 })
    const popped = on(workers, async ({ client }) => {
      const { threadId } = require('node:worker_threads')
      const values = []
      for (let n = 0; n < 50; n++) {
        const waiting = client.blPop(`list:${threadId}`, 0)
        await client.rPush(`list:${threadId}`, `${threadId}:${n}`)
        values.push((await waiting).element === `${threadId}:${n}`)
      }
      return values.every(Boolean)
    })
    assert.deepStrictEqual(await popped, each(THREADS, true))
    await on(workers, reach, 500)
    assert.ok((await connections(options)).length <= 1 + options.pool.max)
    for (const { failures, foreign } of await on(workers, finish)) {
      assert.deepStrictEqual([failures, foreign], [[], []])
    }
  })

  it('hear their messages, each over a connection of its own', async t => {
    const options = sharing()
    const workers = await startWorkers(t, THREADS, options)
    const threads = await on(workers, async scene => {
      const { threadId } = require('node:worker_threads')
      scene.heard = []
      const listener = (message, channel) => scene.heard.push(`${channel} ${message}`)
      await scene.client.subscribe('all', listener)
      await scene.client.subscribe(`own:${threadId}`, listener)
      return threadId
    })
    assert.strictEqual((await connections(options)).length, THREADS)
    for (const id of threads) await watcher.publish(`own:${id}`, String(id))
    await watcher.publish('all', 'end')
    const messages = await on(workers, async scene => {
      while (scene.heard.length < 2) await new Promise(resolve => setTimeout(resolve, 2))
      return scene.heard
    })
    assert.deepStrictEqual(messages, threads.map(id => [`own:${id} ${id}`, 'all end']))
  })

  it('get no foreign reply when their connection is lost under load', async t => {
    const options = sharing()
    const workers = await startWorkers(t, THREADS, options)
    await on(workers, begin, { workers: 32 })
    for (let round = 1; round <= 3; round++) {
      await on(workers, reach, 1000 * round)
      const [{ id }] = await connections(options)
      await watcher.sendCommand(['CLIENT', 'KILL', 'ID', String(id)])
      await on(workers, ({ oracle }) => oracle.healed())
    }
    for (const { failures, foreign } of await on(workers, finish)) {
      assert.deepStrictEqual(foreign, [])
      const codes = failures.map(([code]) => code)
      assert.deepStrictEqual(codes.filter(code => code !== 'CONNECTION_LOST'), [])
    }
    assert.strictEqual((await connections(options)).length, 1)
  })

  it('hear that the connection stands, also when it stood before they came', async t => {
    const options = sharing()
    const client = createClient(options)
    t.after(() => client.destroy())
    const ready = heard(client, 'ready')
    await client.connect()
    await ready
    const [worker] = await startWorkers(t, 1, options)
    const told = await worker.run(async ({ client }) => {
      const before = client.isReady
      const events = []
      const ready = new Promise(resolve => {
        client.on('connect', () => events.push('connect'))
        client.on('ready', () => { events.push('ready'); resolve() })
      })
      await client.connect()
      await ready
      return { before, after: client.isReady, events }
    })
    assert.deepStrictEqual(told, { before: false, after: true, events: ['connect', 'ready'] })
  })

  it('hear of losses and reconnects, each of them', async t => {
    const options = sharing()
    const workers = await startWorkers(t, 2, options)
    await on(workers, async scene => {
      scene.events = []
      for (const name of ['ready', 'error', 'reconnecting']) {
        scene.client.on(name, () => scene.events.push(name))
      }
      await scene.client.connect()
    })
    const [{ id }] = await connections(options)
    await watcher.sendCommand(['CLIENT', 'KILL', 'ID', String(id)])
    const told = await on(workers, async scene => {
      while (scene.events.filter(name => name === 'ready').length < 2) {
        await new Promise(resolve => setImmediate(resolve))
      }
      return [...new Set(scene.events)].sort()
    })
    assert.deepStrictEqual(told, each(2, ['error', 'ready', 'reconnecting']))
  })

  it('count what all of them do, but for messages', async t => {
    const options = sharing()
    const workers = await startWorkers(t, 2, options)
    await on(workers, async ({ client }) => {
      for (let n = 0; n < 100; n++) await client.echo('x')
    })
    await workers[0].run(({ client }) => client.subscribe('counted', () => {}))
    const stats = await on(workers, ({ client }) => client.stats())
    assert.deepStrictEqual(stats.map(({ commands }) => commands), [200, 200])
    assert.deepStrictEqual(stats.map(({ pubsub }) => pubsub.subscriptions), [1, 0])
    assert.deepStrictEqual(stats.map(({ pool }) => pool.total), [2, 2])
  })

  it('do not keep the sessions that other threads wait for', async t => {
    const options = sharing({ pool: { min: 0, max: 1, acquireTimeout: 5000 } })
    const [greedy] = await startWorkers(t, 1, options)
    await greedy.run(scene => {
      scene.rounds = 0
      const again = async () => {
        while (!scene.isOver) {
          await scene.client.session(session => session.echo('x'))
          scene.rounds++
        }
      }
      // Somebody of this thread waits all the time.
      scene.running = Promise.all(Array.from({ length: 8 }, again))
    })
    const client = createClient(options)
    t.after(() => client.destroy())
    await eventually(() => greedy.run(({ rounds }) => rounds > 20), 'sessions of the other thread')
    for (let n = 0; n < 10; n++) {
      assert.strictEqual(await client.session(session => session.echo('mine')), 'mine')
    }
    await greedy.run(scene => { scene.isOver = true; return scene.running.then(() => {}) })
  })
})
