'use strict'

// Clients that were closed leave nothing behind: no memory, no connection, no file descriptor, no
// thread.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')

describe('a thousand clients that come and go', () => {
  for (const end of ['close', 'destroy']) {
    it(`leave nothing behind after ${end}()`, async t => {
      const server = await startServer()
      t.after(() => server.stop())
      const { code, stdout, stderr } = await runScript(`
        const fs = require('node:fs')
        const count = folder => process.platform === 'linux' ? fs.readdirSync(folder).length : 0
        const use = async () => {
          const client = oxidis.createClient(process.argv[1])
          client.on('error', () => {})
          await Promise.all(Array.from({ length: 20 }, (_, n) => client.set('k' + n, 'v')))
          await client.withTypeMapping({ 36: Buffer }).get('k1')
          await client.${end}()
        }
        const settle = async () => {
          for (let turn = 0; turn < 10; turn++) {
            gc()
            await new Promise(resolve => setTimeout(resolve, 5))
          }
          return [process.memoryUsage().heapUsed, count('/proc/self/fd'), count('/proc/self/task')]
        }
        const go = async () => {
          for (let n = 0; n < 100; n++) await use()
          const before = await settle()
          for (let n = 0; n < 1000; n++) await use()
          const after = await settle()
          console.log(JSON.stringify(after.map((value, n) => value - before[n])))
        }
        go()`, { args: [server.url], flags: ['--expose-gc'] })
      assert.deepStrictEqual([code, stderr], [0, ''])
      const [heap, files, threads] = JSON.parse(stdout)
      // A client's slots and table alone take 45 kB.
      assert.ok(heap < 5e6, `the heap grew by ${heap} bytes`)
      assert.ok(files <= 2, `${files} more file descriptors`)
      assert.strictEqual(threads, 0)
    })
  }
})
