'use strict'

// A thread or a process ends with commands that wait on the server, subscriptions, MONITOR,
// sessions and callers that wait for one. It ends at once, without a crash and with its own code;
// the server sees all its connections go, and nobody else notices.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient } = require('../..')
const { eventually } = require('../behaviour/eventually')
const { root, runScript } = require('../behaviour/child-script')
const { startServer } = require('../support/redis-server')

/** Everything that may be pending; `pending()` resolves once it is. */
const pending = `
  async function pending (url, kind) {
    const name = kind + Math.random()
    const { createClient } = require(${JSON.stringify(root)})
    const client = createClient({ url, name, pool: { max: 8 } })
    const ignore = () => {}
    for (let n = 0; n < 3; n++) client.blPop('never', 0).catch(ignore)
    client.blMove('never', 'other', 'LEFT', 'RIGHT', 30).catch(ignore)
    client.xRead({ key: 'stream', id: '$' }, { BLOCK: 0 }).catch(ignore)
    await Promise.all([
      client.subscribe('news', ignore), client.pSubscribe('n*', ignore), client.monitor(ignore)
    ])
    const held = await client.acquire()
    await held.watch('key')
    // Takes the eighth place, and leaves some to wait for one.
    client.session(session => session.blPop('never', 0)).catch(ignore)
    for (let n = 0; n < 3; n++) client.session(session => session.ping()).catch(ignore)
    const admin = createClient(url)
    for (;;) {
      const { pool } = client.stats()
      const list = await admin.clientList()
      const blocked = list.filter(one => one.name === name && one.flags.includes('b')).length
      if (blocked === 6 && pool.waiting === 3) break
    }
    admin.destroy()
    return { client, held }
  }
`

const worker = `
  const { parentPort, workerData } = require('node:worker_threads')
  ${pending}
  pending(workerData, 'worker').then(all => {
    parentPort.postMessage('pending')
    globalThis.kept = all
  })
`

describe('with everything pending', () => {
  let server, watcher
  before(async () => {
    server = await startServer()
    watcher = createClient(server.url)
  })
  after(async () => {
    watcher.destroy()
    await server.stop()
  })

  async function runs (source, expected) {
    const { code, signal, stdout, stderr } = await runScript(
      `const url = process.argv[1]\n${pending}\n${source}`, { args: [server.url] })
    assert.deepStrictEqual({ code, signal, stderr, stdout: stdout.trim() }, expected)
    await eventually(async () => !(await watcher.clientList())
      .some(({ name }) => /^(worker|main)/.test(name)), 'the end of all connections')
    assert.ok((await watcher.info('clients')).includes('blocked_clients:0\r'))
    assert.deepStrictEqual({ ...await watcher.pubSubNumSub('news') }, { news: 0 })
  }

  it('worker threads are terminated, and the main thread\'s client goes on', () => runs(`
    const { once } = require('node:events')
    const { Worker } = require('node:worker_threads')
    async function main () {
      const client = oxidis.createClient({ url, name: 'main' })
      const heard = []
      await client.subscribe('mine', message => heard.push(message))
      const first = client.blPop('item', 0)
      const session = await client.acquire()
      await session.watch('mine')
      for (let round = 0; round < 3; round++) {
        const workers = Array.from({ length: 3 }, () =>
          new Worker(${JSON.stringify(worker)}, { eval: true, workerData: url }))
        await Promise.all(workers.map(worker => once(worker, 'message')))
        await Promise.all(workers.map(worker => worker.terminate()))
        await client.publish('mine', String(round))
        await client.rPush('item', String(round))
        if ((await first).element !== '0') throw new Error('not the first')
      }
      await session.multi().set('mine', 'x').exec()
      await session.release()
      while (heard.length < 3) await new Promise(setImmediate)
      const left = await client.lRange('item', 0, -1)
      console.log(heard.join(), left.join(), await client.get('mine'))
      await client.close()
    }
    main()`, { code: 0, signal: null, stderr: '', stdout: '0,1,2 1,2 x' }))

  it('a worker thread ends by process.exit(), and by an exception', () => runs(`
    const { Worker } = require('node:worker_threads')
    const dying = end => new Promise(resolve => {
      const source = ${JSON.stringify(worker)}.replace('globalThis.kept = all', '$& ;' + end)
      const worker = new Worker(source, { eval: true, workerData: url })
      worker.on('error', () => {})
      worker.on('exit', resolve)
    })
    Promise.all([dying('process.exit(7)'), dying('setImmediate(() => { throw 1 })')])
      .then(codes => console.log(codes.join()))`,
  { code: 0, signal: null, stderr: '', stdout: '7,1' }))

  for (let time = 1; time <= 3; time++) {
    it(`process.exit() keeps its code, ${time}`, () => runs(`
      const { Worker } = require('node:worker_threads')
      new Worker(${JSON.stringify(worker)}, { eval: true, workerData: url })
      Promise.all([pending(url, 'main'), pending(url, 'main')])
        .then(() => process.exit(42))`, { code: 42, signal: null, stderr: '', stdout: '' }))
  }

  it('destroy() lets a process end by itself', () => runs(`
    pending(url, 'main').then(({ client }) => client.destroy())`,
  { code: 0, signal: null, stderr: '', stdout: '' }))

  it('close() does so as well, though what waits for ever is not over by then', () => runs(`
    pending(url, 'main').then(({ client }) => client.close())`,
  { code: 0, signal: null, stderr: '', stdout: '' }))
})
