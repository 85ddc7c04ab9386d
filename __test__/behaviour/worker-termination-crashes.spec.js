'use strict'

// Worker threads come and go with clients of their own, ended in the middle of a load; the process
// and the clients of other threads notice nothing.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { startServer } = require('../support/redis-server')
const { createClient } = require('../..')
const { eventually } = require('./eventually')
const { root, runScript } = require('./child-script')

const worker = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { createClient } = require(${JSON.stringify(root)})
  const client = createClient({ url: workerData, name: 'worker' })
  const large = Buffer.alloc(50_000)
  client.on('error', () => {})
  const load = async n => {
    for (;;) {
      await client.set('w' + n, n % 10 === 0 ? large : 'v')
      await client.withTypeMapping({ 36: Buffer }).get('w' + n)
    }
  }
  for (let n = 0; n < 200; n++) load(n)
  client.echo('x').then(() => parentPort.postMessage('busy'))
`

const start = `
  const { once } = require('node:events')
  const { Worker } = require('node:worker_threads')
  const url = process.argv[1]
  const startWorker = async () => {
    const worker = new Worker(${JSON.stringify(worker)}, { eval: true, workerData: url })
    await once(worker, 'message')
    return worker
  }
`

describe('worker threads', () => {
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
    const { code, signal, stdout, stderr } = await runScript(start + source, { args: [server.url] })
    assert.deepStrictEqual({ code, signal, stderr, stdout: stdout.trim() },
      { code: 0, signal: null, stderr: '', stdout: expected })
    await eventually(async () => !(await watcher.clientList()).some(c => c.name === 'worker'),
      'the end of the workers\' connections')
  }

  it('may be terminated in the middle of a load: 30 of them, beside the main thread\'s client',
    () => runs(`
      const client = oxidis.createClient(url)
      let stop = false, answered = 0
      const main = Array.from({ length: 50 }, async (_, n) => {
        for (let round = 0; !stop; round++) {
          if (await client.echo(n + ':' + round) !== n + ':' + round) throw new Error('foreign')
          answered++
        }
      })
      const comeAndGo = async () => {
        for (let round = 0; round < 10; round++) await (await startWorker()).terminate()
      }
      Promise.all([comeAndGo(), comeAndGo(), comeAndGo()]).then(async () => {
        stop = true
        await Promise.all(main)
        console.log(answered > 0 && await client.echo('done'))
      })`, 'done'))

  it('may close the last client of the process, and new ones start again', () => runs(`
      const go = async () => {
        for (let round = 0; round < 5; round++) await (await startWorker()).terminate()
        const client = oxidis.createClient(url)
        console.log(await client.echo('main'))
        await client.close()
        await (await startWorker()).terminate()
      }
      go()`, 'main'))

  it('may be the only ones that load oxidis', async () => {
    // An ES module, because a CommonJS script gets oxidis loaded for it.
    const { code, signal, stdout, stderr } = await runScript(`
      import { once } from 'node:events'
      import { Worker } from 'node:worker_threads'
      const comeAndGo = async () => {
        for (let round = 0; round < 5; round++) {
          const worker = new Worker(${JSON.stringify(worker)},
            { eval: true, execArgv: [], workerData: process.argv[1] })
          await once(worker, 'message')
          await worker.terminate()
        }
      }
      await Promise.all([comeAndGo(), comeAndGo()])
      console.log('done')`, { module: true, args: [server.url] })
    assert.deepStrictEqual({ code, signal, stdout, stderr },
      { code: 0, signal: null, stdout: 'done\n', stderr: '' })
  })

  it('may be alive when the process exits', () => runs(`
      Promise.all([startWorker(), startWorker(), startWorker()]).then(() => {
        console.log('exit')
        process.exit(0)
      })`, 'exit'))

  it('end by themselves when they forget their client', () => runs(`
      const idle = new Worker(\`
        const { createClient } = require(${JSON.stringify(root)})
        createClient(require('node:worker_threads').workerData).echo('x')
          .then(x => require('node:worker_threads').parentPort.postMessage(x))
      \`, { eval: true, workerData: url })
      idle.on('message', text => console.log(text))
      idle.on('exit', code => console.log(code))`, 'x\n0'))

  it('may end by process.exit() and by an exception under load', () => runs(`
      const dying = async end => {
        const worker = new Worker(${JSON.stringify(worker)} +
          ';client.echo("x").then(() => setImmediate(() => { ' + end + ' }))',
        { eval: true, workerData: url })
        const failed = once(worker, 'error').then(([error]) => error.message, () => {})
        return new Promise(resolve => worker.on('exit', async code => {
          resolve(code + (code === 1 ? await failed : ''))
        }))
      }
      Promise.all([dying('process.exit(7)'), dying('throw new Error("mine")')])
        .then(codes => console.log(codes.join(' ')))`, '7 1mine'))
})
