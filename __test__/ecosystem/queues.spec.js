'use strict'

// Queues of jobs.

const { describe, it } = require('node:test')

const { compare } = require('./outcome')

/** Nothing that was answered is lost with the process. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always']

describe('on node-redis and on oxidis', () => {
  it('BullMQ 6 does jobs, flows and schedules, and each job once', () =>
    compare('bullmq-node-redis', { args: ['--maxmemory-policy', 'noeviction'] }))

  it('BullMQ 6 loses no job when Redis is killed and started again', () =>
    compare('bullmq-restarts', { args: DURABLE }))
})

describe('on ioredis and on oxidis/ioredis', () => {
  it('BullMQ 6 loses no job when Redis is killed and started again', () =>
    compare('bullmq-restarts-ioredis', { args: DURABLE }))
})
