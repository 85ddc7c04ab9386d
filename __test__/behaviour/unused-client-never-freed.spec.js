'use strict'

// A client that was made and never used holds nothing that the garbage collector cannot free, of
// whatever kind it is. A program may make one for each request and forget it.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')

const KINDS = {
  'a client': 'oxidis.createClient({ url })',
  'a client with listeners and a view': 'viewed(oxidis.createClient({ url }))',
  'a view': 'oxidis.createClient({ url }).withTypeMapping({ 36: Buffer })',
  'a client that was asked for everything that needs no server': `inspected(
    oxidis.createClient({ url, pool: { leakThreshold: 10 } }))`,
  'a duplicate': 'oxidis.createClient({ url }).duplicate()',
  'a client that was destroyed': 'destroyed(oxidis.createClient({ url }))',
  'a client of several lanes': 'oxidis.createClientPool({ url })',
  'a client that threads share': "oxidis.createClient({ url, shared: 'one' })",
  'a client of a cluster': 'oxidis.createCluster({ rootNodes: [{ url }] })',
  'an instance of the second face': "new (require('./ioredis'))({ lazyConnect: true, port: 1 })",
  'a client of sentinels': `oxidis.createSentinel({
    name: 'primary', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }]
  })`
}

const HELPERS = `
  const url = 'redis://127.0.0.1:1'
  const inspected = client => {
    client.stats()
    client.unref()
    client.ref()
    client.multi().get('k')
    client.isReady
    require('node:util').inspect(client)
    return client
  }
  const viewed = client => {
    client.on('error', () => {}).withTypeMapping({ 36: Buffer }).withCommandOptions({ timeout: 1 })
    return client
  }
  const destroyed = client => {
    client.destroy()
    return client
  }
  const turn = () => new Promise(resolve => setTimeout(resolve, 5))
`

describe('a client that was never used', () => {
  for (const [kind, make] of Object.entries(KINDS)) {
    it(`is freed: ${kind}`, async () => {
      const { code, stdout, stderr } = await runScript(`
        ${HELPERS}
        let freed = 0
        const registry = new FinalizationRegistry(() => { freed++ })
        const go = async () => {
          for (let n = 0; n < 200; n++) registry.register(${make})
          // Cycles through native objects take several collections.
          for (let n = 0; n < 500 && freed < 200; n++) {
            gc()
            await turn()
          }
          console.log(freed)
        }
        go()`, { flags: ['--expose-gc'] })
      assert.deepStrictEqual([code, stderr], [0, ''])
      assert.strictEqual(Number(stdout), 200)
    })
  }

  it('leaves no memory behind', async () => {
    const { code, stdout, stderr } = await runScript(`
      ${HELPERS}
      const make = async count => {
        for (let n = 0; n < count; n++) {
          oxidis.createClient({ url }).on('error', () => {})
          if (n % 500 === 499) {
            for (let times = 0; times < 5; times++) {
              gc()
              await turn()
            }
          }
        }
        return process.memoryUsage()
      }
      const go = async () => {
        const before = await make(500)
        const after = await make(2500)
        console.log(JSON.stringify([after.heapUsed - before.heapUsed, after.rss - before.rss]))
      }
      go()`, { flags: ['--expose-gc'] })
    assert.deepStrictEqual([code, stderr], [0, ''])
    const [heap, all] = JSON.parse(stdout)
    // 2,500 clients that are kept take 145 MB.
    assert.ok(heap < 30e6, `the heap grew by ${heap} bytes`)
    assert.ok(all < 70e6, `the process grew by ${all} bytes`)
  })

  it('works when it is used late, however often the garbage collector has run', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const { code, stdout, stderr } = await runScript(`
      ${HELPERS}
      const go = async () => {
        const client = oxidis.createClient({ url: process.argv[1] })
        const pool = oxidis.createClientPool({ url: process.argv[1] })
        const shared = oxidis.createClient({ url: process.argv[1], shared: 'one' })
        for (let n = 0; n < 20; n++) {
          gc()
          await turn()
        }
        for (const one of [client, pool, shared]) {
          await one.set('k', 'v')
          gc()
          console.log(await one.get('k'), await one.session(session => session.get('k')))
          await one.close()
        }
      }
      go()`, { args: [server.url], flags: ['--expose-gc'] })
    assert.deepStrictEqual([code, stderr], [0, ''])
    assert.strictEqual(stdout, 'v v\n'.repeat(3))
  })

  it('keeps the process alive as soon as it is used, unless it was told not to', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    for (const [told, output] of [['', 'v\n'], ['client.unref()', ''], [
      'client.unref(); client.ref()', 'v\n']]) {
      const { code, stdout, stderr } = await runScript(`
        const client = oxidis.createClient({ url: process.argv[1] })
        ${told}
        client.set('k', 'v')
        client.get('k').then(value => console.log(value))`, { args: [server.url] })
      assert.deepStrictEqual([code, stdout, stderr], [0, output, ''], told)
    }
  })
})
