'use strict'

// Loading oxidis and making clients starts no thread and opens nothing; the first connection
// starts one thread for all.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')

describe('threads', { skip: process.platform !== 'linux' && 'counts threads in /proc' }, () => {
  it('are not started before the first connection, and only one with it', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    // The package is required within the script, so the wrapper's own require comes too early.
    const { stdout, stderr } = await runScript(`
      import { readdirSync, readFileSync } from 'node:fs'
      import { createRequire } from 'node:module'
      // Node starts and ends threads of its own meanwhile, under these names.
      const nodes = /^(node|libuv|V8|Delayed|Signal|WorkerThread|MainThread)/
      const tasks = () => readdirSync('/proc/self/task').map(task => {
        try {
          return readFileSync('/proc/self/task/' + task + '/comm', 'utf8').trim()
        } catch {
          return 'node' // it has ended since it was listed
        }
      }).filter(name => !nodes.test(name))
      const seen = { bare: tasks() }
      const require = createRequire(process.cwd() + '/')
      const { createClient } = require('./index.js')
      seen.required = tasks()
      const clients = Array.from({ length: 20 }, () => createClient(process.argv[1]))
      clients.forEach(client => { client.isReady; client.stats(); client.withTypeMapping({}) })
      seen.created = tasks()
      await clients[0].get('k')
      await Promise.all(clients.map(client => client.get('k')))
      seen.connected = tasks()
      console.log(JSON.stringify(seen))`, { module: true, args: [server.url] })
    assert.deepStrictEqual(JSON.parse(stdout || stderr),
      { bare: [], required: [], created: [], connected: ['oxidis-io'] })
  })
})
