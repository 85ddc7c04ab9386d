'use strict'

// An Express application that express-rate-limit guards, with the counts in Redis.

const assert = require('node:assert')

const express = require('express')
const { rateLimit } = require('express-rate-limit')
const { RedisStore } = require('rate-limit-redis')
const { createClient } = require('redis')

module.exports = async ({ url }) => {
  const client = createClient({ url })
  await client.connect()
  const sendCommand = (...args) => client.sendCommand(args)
  const store = new RedisStore({ sendCommand, prefix: 'rl:' })
  const app = express()
  app.use(rateLimit({
    windowMs: 60_000, limit: 3, standardHeaders: 'draft-6', legacyHeaders: false, store,
    keyGenerator: request => request.query.user, validate: false
  }))
  app.get('/', (request, response) => response.send('served'))
  const server = app.listen(0, '127.0.0.1')
  await new Promise(resolve => { server.once('listening', resolve) })
  const base = `http://127.0.0.1:${server.address().port}/?user=`
  const statuses = []
  const remaining = []
  for (const user of ['ann', 'ann', 'ben', 'ann', 'ann', 'ann', 'ben']) {
    const response = await fetch(base + user)
    statuses.push(response.status)
    remaining.push(response.headers.get('ratelimit-remaining'))
    await response.text()
  }
  assert.deepStrictEqual(statuses, [200, 200, 200, 200, 429, 429, 200])
  // 40 at once: each is counted once.
  const many = await Promise.all(Array.from({ length: 40 }, () => fetch(`${base}eve`)
    .then(response => response.text().then(() => response.status))))
  const { totalHits } = await store.get('ann')
  await store.decrement('ann')
  const afterDecrement = (await store.get('ann')).totalHits
  await store.resetKey('ann')
  const afterReset = (await store.get('ann'))?.totalHits
  // The scripts are loaded once; a server that was flushed of them must not matter.
  await client.scriptFlush()
  const { totalHits: afterFlush } = await store.increment('ben')
  server.close()
  server.closeAllConnections()
  await client.close()
  return {
    statuses, remaining, served: many.filter(status => status === 200).length,
    totalHits, afterDecrement, afterReset, afterFlush
  }
}
