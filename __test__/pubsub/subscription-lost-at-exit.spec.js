'use strict'

// A subscription keeps the process alive until it ends; nothing else of Pub/Sub does.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { runScript } = require('../behaviour/child-script')
const { startServer } = require('../support/redis-server')

describe('a script that subscribes', () => {
  let server
  before(async () => { server = await startServer() })
  after(() => server.stop())

  async function prints (source, expected) {
    const { code, signal, stdout, stderr } = await runScript(
      `const client = oxidis.createClient(process.argv[1])
      const publish = () => oxidis.createClient(process.argv[1]).publish('a', 'x')
      const log = console.log
      ;(async () => {${source}})()`, { args: [server.url] })
    assert.deepStrictEqual({ code, signal, stdout: stdout.trim(), stderr },
      { code: 0, signal: null, stdout: expected, stderr: '' })
  }

  // A child publishes after everything else has come to rest.
  const LATER = `require('node:child_process').spawn(process.execPath, ['-e', \`
    setTimeout(() => require('.').createClient(\${JSON.stringify(process.argv[1])})
      .publish('a', 'later'), 300)\`], { stdio: 'ignore' }).unref()`

  it('is kept alive until it has unsubscribed', () => prints(`
    await client.subscribe('a', message => { log(message); client.unsubscribe() })
    ${LATER}`, 'later'))

  it('is kept alive until it closes its client', () => prints(`
    await client.pSubscribe('a*', message => { log(message); client.close() })
    ${LATER}`, 'later'))

  it('is kept alive by monitoring until that ends', () => prints(`
    const stop = await client.monitor(line => {
      if (line.includes('later')) { log('seen'); stop() }
    })
    ${LATER}`, 'seen'))

  it('ends after unref()', () => prints(`
    await client.subscribe('a', log)
    client.unref()`, ''))

  it('ends when the only request has failed', () => prints(`
    await client.withCommandOptions({ timeout: 1 }).subscribe('a', log).catch(() => {})
    await client.unsubscribe()
    log('end')`, 'end'))

  it('ends although a subscribed worker is terminated in the middle of messages', () => prints(`
    const { Worker } = require('node:worker_threads')
    for (let round = 0; round < 5; round++) {
      const worker = new Worker(\`
        const client = require('.').createClient(require('node:worker_threads').workerData)
        let told = false
        client.subscribe('a', () => {
          if (!told) require('node:worker_threads').parentPort.postMessage('heard')
          told = true
        })
        client.monitor(() => {})\`, { eval: true, workerData: process.argv[1] })
      let isHeard = false
      worker.once('message', () => { isHeard = true })
      while (!isHeard) await client.publish('a', 'x')
      for (let n = 0; n < 500; n++) client.publish('a', 'x')
      await worker.terminate()
    }
    log(await client.publish('a', 'x') <= 1)`, 'true'))

  it('ends at once with process.exit(), whatever is under way', () => prints(`
    await client.subscribe('a', () => process.exit())
    for (let n = 0; n < 1000; n++) publish()`, ''))
})
