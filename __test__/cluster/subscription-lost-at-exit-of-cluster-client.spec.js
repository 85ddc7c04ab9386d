'use strict'

// A subscription keeps the process alive until it ends, whichever node it is on and while it moves;
// nothing else of Pub/Sub does.

const { after, before, describe, it } = require('node:test')
const assert = require('node:assert')

const { runScript } = require('../behaviour/child-script')
const { startFakeCluster } = require('../support/fake-cluster')
const { startCluster } = require('../support/redis-cluster')
const { skipBefore7 } = require('../support/redis-server')

describe('a script that subscribes in a cluster', { skip: skipBefore7() }, () => {
  let cluster
  before(async () => { cluster = await startCluster({ replicas: 0 }) })
  after(() => cluster.stop())

  async function prints (source, expected, { rootNodes } = cluster) {
    const { code, signal, stdout, stderr } = await runScript(
      `const rootNodes = JSON.parse(process.argv[1])
      const client = oxidis.createCluster({ rootNodes })
      const log = console.log
      ;(async () => {${source}})()`, { args: [JSON.stringify(rootNodes)] })
    assert.deepStrictEqual({ code, signal, stdout: stdout.trim(), stderr },
      { code: 0, signal: null, stdout: expected, stderr: '' })
  }

  // A child publishes after everything else has come to rest.
  const later = method => `require('node:child_process').spawn(process.execPath, ['-e', \`
    setTimeout(() => require('.').createCluster({ rootNodes: \${process.argv[1]} })
      .${method}('a', 'later'), 300)\`], { stdio: 'ignore' }).unref()`

  it('is kept alive until it has unsubscribed', () => prints(`
    await client.subscribe('a', message => { log(message); client.unsubscribe() })
    ${later('publish')}`, 'later'))

  it('is kept alive by a shard channel until it closes its client', () => prints(`
    await client.sSubscribe('a', message => { log(message); client.close() })
    ${later('sPublish')}`, 'later'))

  it('ends after unref()', () => prints(`
    await client.subscribe('a', log)
    await client.sSubscribe('b', log)
    client.unref()`, ''))

  it('ends when the only request has failed', () => prints(`
    await client.withCommandOptions({ timeout: 1 }).sSubscribe('a', log).catch(() => {})
    await client.sUnsubscribe()
    log('end')`, 'end'))

  it('ends when its only request has failed and nothing else is to come', async t => {
    const fake = await startFakeCluster()
    t.after(() => fake.stop())
    fake.answer({ command: ['SUBSCRIBE', 'SSUBSCRIBE'] }, 'hang')
    for (const method of ['subscribe', 'sSubscribe']) {
      await prints(`
        await client.ping()
        client.withCommandOptions({ timeout: 300 }).${method}('a', log).catch(() => log('end'))
      `, 'end', fake)
    }
  })

  it('ends when all subscriptions have ended', () => prints(`
    await client.subscribe('a', log)
    await client.sSubscribe(['a', 'b', 'c'], log)
    await client.reset()
    log(client.isPubSubActive)`, 'false'))

  it('ends at once with process.exit() in the middle of messages', () => prints(`
    await client.sSubscribe('a', () => process.exit())
    for (let n = 0; n < 1000; n++) client.sPublish('a', 'x')`, ''))
})
