'use strict'

// Queues of jobs.

const assert = require('node:assert')
const path = require('node:path')
const { describe, it } = require('node:test')
const { promisify } = require('node:util')

const { startServer } = require('../support/redis-server')
const { compare } = require('./outcome')

const execFile = promisify(require('node:child_process').execFile)

/** Nothing that was answered is lost with the process. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always']

describe('on node-redis and on oxidis', () => {
  it('BullMQ 6 does jobs, flows and schedules, and each job once', () =>
    compare('bullmq-node-redis', { args: ['--maxmemory-policy', 'noeviction'] }))

  it('BullMQ 6 loses no job when Redis is killed and started again', () =>
    compare('bullmq-restarts', { args: DURABLE }))
})

describe('the example', () => {
  it('runs, with BullMQ from here', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const example = path.join(__dirname, '..', '..', 'examples', 'bullmq.js')
    const { stdout } = await execFile(process.execPath, [example], {
      env: {
        ...process.env, REDIS_URL: server.url, NODE_PATH: path.join(__dirname, 'node_modules')
      },
      timeout: 60_000
    })
    assert.match(stdout, /^100 mails sent\n[^]*report on 3 mails: 6\n$/)
  })
})

describe('on ioredis and on oxidis/ioredis', () => {
  it('BullMQ 6 loses no job when Redis is killed and started again', () =>
    compare('bullmq-restarts-ioredis', { args: DURABLE }))
})
