'use strict'

// @fastify/redis: a client that it makes, one that it is given, namespaces, a limit per route.

const assert = require('node:assert')

const Fastify = require('fastify')
const Redis = require('ioredis')

module.exports = async ({ url }) => {
  const { default: redisPlugin } = await import('@fastify/redis')
  const own = new Redis(url)
  const app = Fastify()
  await app.register(redisPlugin, { url, namespace: 'made', keyPrefix: 'made:' })
  await app.register(redisPlugin, { client: own, namespace: 'given', closeClient: true })
  app.route({ method: 'GET', url: '/count/:name', handler: count })
  app.route({ method: 'POST', url: '/items', handler: addItems })
  async function count (request) {
    const { made, given } = app.redis
    const [[, count], [, ttl]] = await made.pipeline().incr(request.params.name)
      .expire(request.params.name, 60).exec()
    return { count, ttl, raw: await given.get(`made:${request.params.name}`) }
  }
  async function addItems (request) {
    await app.redis.given.hset('items', request.body)
    return app.redis.given.hgetall('items')
  }
  const get = async path => (await app.inject(path)).json()
  const counts = [await get('/count/a'), await get('/count/b'), await get('/count/a')]
  assert.deepStrictEqual(counts[2], { count: 2, ttl: 1, raw: '2' })
  const items = (await app.inject({
    method: 'POST', url: '/items', payload: { naïve: 'ünï', two: '2' }
  })).json()
  const many = await Promise.all(Array.from({ length: 30 }, () => get('/count/many')))
  const ended = new Promise(resolve => { own.once('end', resolve) })
  await app.close()
  // `closeClient` asks for it; the answer to QUIT comes before the end.
  await ended
  return {
    counts, items, many: many.map(({ count }) => count).toSorted((a, b) => a - b),
    status: own.status
  }
}
