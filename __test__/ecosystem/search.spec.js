'use strict'

// Libraries that need the server modules RedisJSON and RediSearch. Redis 8 has them; for other
// servers OXIDIS_TEST_MODULES names the folder of their files.

const fs = require('node:fs')
const path = require('node:path')
const { before, describe, it } = require('node:test')

const redis = require('redis')

const { startServer } = require('../support/redis-server')
const { compare } = require('./outcome')

describe('on node-redis and on oxidis', () => {
  let args
  let reason

  before(async () => {
    ({ args, reason } = await findModules())
  })

  for (const [name, title] of Object.entries({
    'redis-om': 'redis-om keeps entities in hashes and JSON documents, and finds them',
    'langchain-redis': '@langchain/redis finds documents by vectors, keeps answers and chats',
    'langgraph-checkpoint': 'LangGraph keeps the states of threads, and memories'
  })) {
    it(title, async test => {
      if (reason !== undefined) return test.skip(reason)
      await compare(name, { args })
    })
  }
})

/** The server's arguments that load the modules, or the reason why there are none. */
async function findModules () {
  const folder = process.env.OXIDIS_TEST_MODULES
  const files = ['rejson.so', 'redisearch.so'].map(file => path.join(folder ?? '', file))
  const args = files.every(file => fs.existsSync(file))
    ? files.flatMap(file => ['--loadmodule', file]) : []
  if (folder !== undefined && args.length === 0) {
    return { reason: `${folder} has not both rejson.so and redisearch.so` }
  }
  const server = await startServer({ args })
  const client = redis.createClient({ url: server.url })
  try {
    await client.connect()
    const known = await client.commandInfo(['FT.SEARCH', 'JSON.SET'])
    if (known.every(command => command !== null)) return { args }
    return { reason: 'the server has no FT.SEARCH and JSON.SET: OXIDIS_TEST_MODULES may name a ' +
      'folder with rejson.so and redisearch.so' }
  } finally {
    client.destroy()
    await server.stop()
  }
}
