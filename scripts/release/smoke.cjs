'use strict'

// What a user's first program might do, in one file: `node smoke.cjs redis://127.0.0.1:6379`.
// It is copied into an empty folder in which oxidis is installed, and run by each runtime there is.
// It says "smoke: ok" and ends by itself. Without a server it has a connection refused.

const assert = require('node:assert')
const { inspect } = require('node:util')

const { createClient } = require('oxidis')

const url = process.argv[2]

async function main () {
  const { default: sameByImport } = await import('oxidis')
  assert.strictEqual(sameByImport, require('oxidis'))

  if (url === undefined) return refused()
  const client = createClient({ url, commandOptions: { timeout: 60_000 } })
  assert.strictEqual(await client.ping(), 'PONG')

  assert.strictEqual(await client.set('text', 'häuser 🏠'), 'OK')
  assert.strictEqual(await client.get('text'), 'häuser 🏠')
  assert.strictEqual(await client.get('no such key'), null)

  await client.hSet('hash', { plan: 'free', language: 'en' })
  assert.deepStrictEqual({ ...await client.hGetAll('hash') }, { plan: 'free', language: 'en' })

  const replies = await client.multi().set('count', '1').incr('count').get('count').exec()
  assert.deepStrictEqual(replies, ['OK', 2, '2'])

  await client.session(async session => {
    await session.watch('count')
    assert.deepStrictEqual(await session.multi().incr('count').exec(), [3])
  })

  const popped = client.blPop('list', 30)
  await client.lPush('list', 'element')
  assert.deepStrictEqual({ ...await popped }, { key: 'list', element: 'element' })

  const heard = new Promise(resolve => {
    client.subscribe('news', (message, channel) => resolve([message, channel]))
      .then(() => client.publish('news', 'hello'))
  })
  assert.deepStrictEqual(await heard, ['hello', 'news'])
  await client.unsubscribe('news')

  const names = Array.from({ length: 50 }, (_, index) => `scanned:${index}`)
  await Promise.all(names.map(name => client.set(name, name)))
  const scanned = new Set()
  for await (const keys of client.scanIterator({ MATCH: 'scanned:*', COUNT: 10 })) {
    for (const key of keys) scanned.add(key)
  }
  assert.deepStrictEqual([...scanned].sort(), names.sort())

  const values = await Promise.all(Array.from({ length: 20_000 }, () => client.get('text')))
  assert.ok(values.every(value => value === 'häuser 🏠'))

  await assert.rejects(client.hGet('text', 'field'), { code: 'WRONGTYPE' })
  await client.unlink(['text', 'hash', 'count', ...names])
  await client.close()
}

/** Nothing listens on the port of TCPMUX. */
async function refused () {
  const client = createClient({ url: 'redis://127.0.0.1:1', commandOptions: { timeout: 5000 } })
  client.on('error', () => {})
  await assert.rejects(client.ping(), error => /ECONNREFUSED/.test(inspect(error)))
  client.destroy()
}

// The process ends once the client is closed: nothing else is to keep it.
main().then(() => console.log('smoke: ok'), error => {
  console.error(error)
  process.exitCode = 1
})
