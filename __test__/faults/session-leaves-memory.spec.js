'use strict'

// Sessions, blocking commands and subscriptions that come and go leave nothing behind: no memory,
// no connection, no file descriptor, and nothing that keeps the process alive.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { startServer } = require('../support/redis-server')
const { runScript } = require('../behaviour/child-script')

/** What is done over and over, and how often. */
const CYCLES = {
  sessions: [20_000, `
    await client.session(async session => {
      if (n % 4 === 0) await session.watch('key')
      if (n % 8 === 0) return session.multi().get('key').echo('text').exec()
      return n % 3 === 0 ? session.get('key') : undefined
    })`],
  'acquired sessions': [5000, `
    const session = await client.acquire()
    await session.get('key')
    await session.release()`],
  'sessions that fail, and that end with their connection': [500, `
    const failed = client.session(async session => {
      session.blPop('never', 0).catch(() => {})
      throw new Error('mine')
    })
    await failed.catch(() => {})
    await client.session(async session => {
      const id = String(await session.clientId())
      await session.sendCommand(['CLIENT', 'KILL', 'SKIPME', 'no', 'ID', id])
    }).catch(() => {})`],
  'blocking commands': [5000, `
    const popped = client.blPop('list:' + n % 7, 0)
    await client.rPush('list:' + n % 7, 'item')
    await popped`],
  'blocking commands that are aborted': [500, `
    const controller = new AbortController()
    const popped = client.withAbortSignal(controller.signal).blPop('never', 0)
    await client.ping()
    controller.abort()
    await popped.catch(() => {})`],
  subscriptions: [200, `
    const listener = () => {}
    await Promise.all(
      [client.subscribe(['a', 'b' + n], listener), client.pSubscribe('p*', listener)])
    await client.publish('a', 'message')
    await Promise.all([client.unsubscribe(), client.pUnsubscribe('p*', listener)])`]
}

describe('cycles that leave nothing behind:', { concurrency: 2 }, () => {
  for (const [name, [count, cycle]] of Object.entries(CYCLES)) {
    it(`${count.toLocaleString('en')} ${name}`, async t => {
      const server = await startServer()
      t.after(() => server.stop())
      const { code, signal, stdout, stderr } = await runScript(`
        const fs = require('node:fs')
        const isLinux = process.platform === 'linux'
        const files = () => isLinux ? fs.readdirSync('/proc/self/fd').length : 0
        const client = oxidis.createClient({ url: process.argv[1], name: 'it', pool: { max: 4 } })
        const admin = oxidis.createClient(process.argv[1])
        const cycle = async n => {${cycle}}
        const cycles = async count => {
          let left = count
          // Four at a time, as many as the pool has sessions.
          await Promise.all(Array.from({ length: 4 }, async () => {
            while (left > 0) await cycle(left--)
          }))
        }
        const allBack = async () => {
          while (client.stats().pool.inUse > 0) await new Promise(setImmediate)
        }
        const measure = async () => {
          await allBack()
          for (let turn = 0; turn < 20; turn++) {
            gc()
            await new Promise(resolve => setTimeout(resolve, 5))
          }
          const connections = (await admin.clientList()).filter(one => one.name === 'it').length
          // Sessions that were idle for 250 ms go back to the pool, and are in use on their way.
          await allBack()
          const { pool, lanes: [{ inFlight, queued, bytes }] } = client.stats()
          return [process.memoryUsage().heapUsed, files(), connections, pool.inUse, pool.waiting,
            inFlight + queued + bytes]
        }
        const go = async () => {
          await cycles(${WARM_UP})
          const before = await measure()
          await cycles(${count})
          const after = await measure()
          console.log(JSON.stringify({ before, after }))
        }
        go()`, { args: [server.url], flags: ['--expose-gc'] })
      assert.deepStrictEqual([code, signal, stderr], [0, null, ''])
      const { before, after } = JSON.parse(stdout)
      const [heap, files, connections, inUse, waiting, queued] = after
      assert.ok(heap - before[0] < HEAP, `the heap grew by ${heap - before[0]} bytes`)
      // Four sessions, a lane and a subscriber, some of which may be on their way in or out.
      assert.ok(files <= before[1] + SLACK, `${before[1]} file descriptors, then ${files}`)
      assert.ok(connections <= before[2] + SLACK, `${before[2]} connections, then ${connections}`)
      assert.deepStrictEqual([inUse, waiting, queued], [0, 0, 0])
    })
  }
})

// Enough for compiled code and tables to be there.
const WARM_UP = 300
// Below 100 bytes for each of the rarest cycles would be seen; what is not collected yet is more.
const HEAP = 1e6
const SLACK = 6
