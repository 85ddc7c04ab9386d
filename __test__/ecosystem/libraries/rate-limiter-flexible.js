'use strict'

// rate-limiter-flexible: points, penalties, rewards, blocks, a burst, many at once, a server that
// is away and an insurance in memory for that time.

const assert = require('node:assert')

const {
  BurstyRateLimiter, RateLimiterMemory, RateLimiterRedis, RateLimiterRes
} = require('rate-limiter-flexible')
const { createClient } = require('redis')

module.exports = async ({ url }) => {
  const storeClient = createClient({ url, disableOfflineQueue: true })
  await storeClient.connect()
  const limiter = new RateLimiterRedis({
    storeClient, useRedisPackage: true, keyPrefix: 'rlf', points: 5, duration: 60, blockDuration: 30
  })
  const shown = result => result instanceof RateLimiterRes
    ? { left: result.remainingPoints, used: result.consumedPoints, wait: result.msBeforeNext > 0 }
    : result === null ? null : { error: result.message ?? result }
  const calls = []
  for (const points of [1, 2, 2, 1, 1]) {
    calls.push(shown(await limiter.consume('ann', points).catch(result => result)))
  }
  assert.deepStrictEqual(calls.map(({ left }) => left), [4, 2, 0, 0, 0])
  const many = await Promise.allSettled(
    Array.from({ length: 30 }, () => limiter.consume('many', 1)))
  const changes = [
    await limiter.penalty('ben', 3), await limiter.reward('ben', 2), await limiter.get('ben'),
    await limiter.set('ben', 4, 60), await limiter.get('ben'), await limiter.block('ben', 20),
    await limiter.get('ben'), await limiter.get('nobody')
  ].map(shown)
  const deleted = [await limiter.delete('ben'), await limiter.delete('nobody')]
  const bursty = new BurstyRateLimiter(...['a', 'b'].map(keyPrefix => new RateLimiterRedis({
    storeClient, useRedisPackage: true, keyPrefix, points: 2, duration: 60
  })))
  const bursts = await Promise.allSettled(Array.from({ length: 6 }, () => bursty.consume('eve')))
  const keys = (await storeClient.keys('*')).toSorted()
  await storeClient.close()
  // The client is closed: the insurance in memory answers instead.
  const insured = new RateLimiterRedis({
    storeClient, useRedisPackage: true, keyPrefix: 'rlf', points: 2, duration: 60,
    insuranceLimiter: new RateLimiterMemory({ points: 1, duration: 60 })
  })
  const away = await Promise.allSettled([insured.consume('ann'), insured.consume('ann')])
  return {
    calls, changes, deleted, keys,
    served: many.filter(({ status }) => status === 'fulfilled').length,
    bursts: bursts.filter(({ status }) => status === 'fulfilled').length,
    away: away.map(({ status, reason }) => reason === undefined ? status : shown(reason))
  }
}
