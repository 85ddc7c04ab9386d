'use strict'

// A client that was made and never used holds nothing that the garbage collector cannot free, of
// whatever kind it is. A program may make one for each request and forget it.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { runScript } = require('./child-script')

const KINDS = {
  'a client': 'oxidis.createClient({ url })',
  'a client with listeners and a view':
    "oxidis.createClient({ url }).on('error', () => {}).withTypeMapping({ 36: Buffer })",
  'a client of several lanes': 'oxidis.createClientPool({ url })',
  'a client that threads share': "oxidis.createClient({ url, shared: 'one' })",
  'a client of a cluster': 'oxidis.createCluster({ rootNodes: [{ url }] })',
  'a client of sentinels': `oxidis.createSentinel({
    name: 'primary', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }]
  })`
}

describe('a client that was never used', () => {
  for (const [kind, make] of Object.entries(KINDS)) {
    it(`is freed: ${kind}`, async () => {
      const { code, stdout, stderr } = await runScript(`
        const url = 'redis://127.0.0.1:1'
        let freed = 0
        const registry = new FinalizationRegistry(() => { freed++ })
        const go = async () => {
          for (let n = 0; n < 200; n++) registry.register(${make})
          // Cycles through native objects take several collections.
          for (let turn = 0; turn < 500 && freed < 200; turn++) {
            gc()
            await new Promise(resolve => setTimeout(resolve, 5))
          }
          console.log(freed)
        }
        go()`, { flags: ['--expose-gc'] })
      assert.deepStrictEqual([code, stderr], [0, ''])
      assert.strictEqual(Number(stdout), 200)
    })
  }
})
