'use strict'

// Sessions, limits, locks and cached queries.

const { describe, it } = require('node:test')

const { compare } = require('./outcome')

describe('on node-redis and on oxidis', () => {
  it('connect-redis keeps, lists and ends sessions of express-session', () =>
    compare('connect-redis'))

  it('rate-limit-redis counts the requests to an Express application', () =>
    compare('rate-limit-redis'))

  it('rate-limiter-flexible counts, blocks, and is insured', () => compare('rate-limiter-flexible'))

  it('redlock-universal lets one of many have a lock', () => compare('redlock-universal'))

  it('TypeORM keeps results of queries', () => compare('typeorm'))
})
