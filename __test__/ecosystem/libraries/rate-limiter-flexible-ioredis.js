'use strict'

// rate-limiter-flexible on ioredis: scripts that it defines, many at once, an insurance.

const assert = require('node:assert')

const Redis = require('ioredis')
const { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } = require('rate-limiter-flexible')

module.exports = async ({ url }) => {
  const storeClient = new Redis(url, { enableOfflineQueue: false })
  await new Promise(resolve => { storeClient.once('ready', resolve) })
  const limiter = new RateLimiterRedis({
    storeClient, keyPrefix: 'rlf', points: 5, duration: 60, blockDuration: 30
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
  const keys = (await storeClient.keys('*')).toSorted()
  storeClient.disconnect()
  const insured = new RateLimiterRedis({
    storeClient, keyPrefix: 'rlf', points: 2, duration: 60,
    insuranceLimiter: new RateLimiterMemory({ points: 1, duration: 60 })
  })
  const away = await Promise.allSettled([insured.consume('ann'), insured.consume('ann')])
  return {
    calls, changes, deleted, keys,
    served: many.filter(({ status }) => status === 'fulfilled').length,
    away: away.map(({ status, reason }) => reason === undefined ? status : shown(reason))
  }
}
