'use strict'

// A client that does nothing costs little memory: a program may have one for each of its users, or
// one for each request under way. docs/footprint.md has the memory of the whole process, which
// depends on the machine; JavaScript's part of it can be counted.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')

/** The face, how it makes a connected client, and the most bytes of it (measured: 9 and 11 KiB). */
const KINDS = {
  'a client': [`
    const client = await oxidis.createClient({ url }).connect()`, 14_000],
  'a client of the second face': [`
    const client = new (require('./ioredis'))(url)`, 16_000]
}

/** So many that what the process has anyway does not count. */
const CLIENTS = 100

describe('an idle client', () => {
  for (const [kind, [make, most]] of Object.entries(KINDS)) {
    it(`takes less than ${most} bytes of JavaScript: ${kind}`, async t => {
      const server = await startServer()
      t.after(() => server.stop())
      const { code, stdout, stderr } = await runScript(`
        const url = process.argv[1]
        const kept = []
        const open = async count => {
          for (let n = 0; n < count; n++) {
            ${make}
            await client.get('key')
            kept.push(client)
          }
        }
        const used = async () => {
          for (let n = 0; n < 5; n++) {
            gc()
            await new Promise(setImmediate)
          }
          const { heapUsed, arrayBuffers } = process.memoryUsage()
          return heapUsed + arrayBuffers
        }
        const go = async () => {
          // The first ones make what all share.
          await open(20)
          const before = await used()
          await open(${CLIENTS})
          console.log((await used() - before) / ${CLIENTS})
          process.exit()
        }
        go()`, { args: [server.url], flags: ['--expose-gc'] })
      assert.deepStrictEqual([code, stderr], [0, ''])
      const bytes = Number(stdout)
      assert.ok(bytes > 1000 && bytes < most, `${bytes} bytes`)
    })
  }
})
