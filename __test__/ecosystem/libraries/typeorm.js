'use strict'

// TypeORM's cache of query results, beside a database in memory (sql.js).

const assert = require('node:assert')

require('reflect-metadata')
const { createClient } = require('redis')
const { DataSource, EntitySchema } = require('typeorm')

module.exports = async ({ url }) => {
  const User = new EntitySchema({
    name: 'User',
    columns: { id: { type: 'int', primary: true, generated: true }, name: { type: 'text' } }
  })
  const source = new DataSource({
    type: 'sqljs', entities: [User], synchronize: true,
    cache: { type: 'redis', duration: 60_000, options: { url } }
  })
  await source.initialize()
  const users = source.getRepository('User')
  await users.save([{ name: 'ann' }, { name: 'bén' }])
  const cacheOfUsers = { id: 'users', milliseconds: 60_000 }
  const find = () => users.find({ order: { id: 'ASC' }, cache: cacheOfUsers })
  const first = await find()
  await users.save({ name: 'eve' })
  const cached = await find()
  assert.strictEqual(cached.length, 2, 'the second answer does not come from the cache')
  await source.queryResultCache.remove(['users'])
  const fresh = await find()
  const byQuery = await users.createQueryBuilder('user').where('user.name = :name', { name: 'eve' })
    .cache(30_000).getMany()
  const client = createClient({ url })
  await client.connect()
  const keys = (await client.keys('*')).length
  const ttl = await client.pTTL('users')
  await source.queryResultCache.clear()
  const cleared = await client.dbSize()
  await client.close()
  await source.destroy()
  return { first, cached, fresh, byQuery, keys, hasTtl: ttl > 0, cleared }
}
