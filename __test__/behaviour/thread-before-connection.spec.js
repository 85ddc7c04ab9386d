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
      const tasks = () => readdirSync('/proc/self/task')
        .map(task => readFileSync('/proc/self/task/' + task + '/comm', 'utf8').trim())
      const seen = [tasks().length]
      const require = createRequire(process.cwd() + '/')
      const { createClient } = require('./index.js')
      seen.push(tasks().length)
      const clients = Array.from({ length: 20 }, () => createClient(process.argv[1]))
      clients.forEach(client => { client.isReady; client.stats(); client.withTypeMapping({}) })
      seen.push(tasks().length)
      const before = tasks()
      await clients[0].get('k')
      await Promise.all(clients.map(client => client.get('k')))
      seen.push(tasks().filter(name => name === 'oxidis-io').length, tasks().length - before.length)
      console.log(JSON.stringify(seen))`, { module: true, args: [server.url] })
    const [bare, required, created, ours, added] = JSON.parse(stdout || stderr)
    assert.deepStrictEqual({ required, created, ours, added },
      { required: bare, created: bare, ours: 1, added: 1 })
  })
})
