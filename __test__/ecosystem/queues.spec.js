'use strict'

// Queues of jobs.

const { describe, it } = require('node:test')

const { compare } = require('./outcome')

describe('on node-redis and on oxidis', () => {
  it('BullMQ 6 does jobs, flows and schedules, and each job once', () =>
    compare('bullmq-node-redis', { args: ['--maxmemory-policy', 'noeviction'] }))
})
