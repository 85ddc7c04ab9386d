'use strict'

// Iterators go through everything, whatever the page size, and end, also with Buffer cursors.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { RESP_TYPES, createClient } = require('../..')
const { startServer } = require('../support/redis-server')

for (const RESP of [2, 3]) {
  describe(`in RESP${RESP}`, () => {
    let server, client
    const many = Array.from({ length: 1000 }, (_, n) => `n${n}`)

    before(async () => {
      server = await startServer()
      client = createClient({ url: server.url, RESP })
      await client.mSet(many.flatMap(name => [`key:${name}`, name]))
      await client.hSet('hash', Object.fromEntries(many.map(name => [name, `v${name}`])))
      await client.sAdd('set', many)
      await client.zAdd('sorted', many.map((value, score) => ({ value, score })))
    })
    after(async () => {
      await client.close()
      await server.stop()
    })

    it('scanIterator yields every key that matches', async () => {
      const seen = await all(client.scanIterator({ MATCH: 'key:*', COUNT: 17 }))
      assert.deepStrictEqual(new Set(seen), new Set(many.map(name => `key:${name}`)))
      assert.ok(seen.pages > 10)
    })

    it('hScanIterator and hScanValuesIterator yield every field and value', async () => {
      const entries = await all(client.hScanIterator('hash', { COUNT: 50 }))
      assert.deepStrictEqual(new Set(entries.map(({ field }) => field)), new Set(many))
      assert.ok(entries.every(({ field, value }) => value === `v${field}`))
      const values = await all(client.hScanValuesIterator('hash'))
      assert.deepStrictEqual(new Set(values), new Set(many.map(name => `v${name}`)))
    })

    it('hScanNoValuesIterator yields every field', async t => {
      if (!(await supportsNoValues(client))) return t.skip('HSCAN NOVALUES needs Redis 7.4')
      const fields = await all(client.hScanNoValuesIterator('hash'))
      assert.deepStrictEqual(new Set(fields), new Set(many))
    })

    it('sScanIterator and zScanIterator yield every member', async () => {
      assert.deepStrictEqual(new Set(await all(client.sScanIterator('set'))), new Set(many))
      const members = await all(client.zScanIterator('sorted', { MATCH: 'n1*' }))
      assert.deepStrictEqual(new Map(members.map(({ value, score }) => [value, score])),
        new Map(many.map((name, score) => [name, score]).filter(([name]) => name[1] === '1')))
    })

    it('ends when cursors are Buffers', async () => {
      const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
      const seen = await all(buffers.scanIterator({ MATCH: 'key:*' }))
      assert.ok(seen.every(Buffer.isBuffer))
      assert.strictEqual(new Set(seen.map(String)).size, many.length)
    })

    it('goes on from a cursor, and stops when the loop is left', async () => {
      const { cursor, keys } = await client.scan('0', { COUNT: 500 })
      const rest = await all(client.scanIterator({ cursor, COUNT: 500 }))
      assert.strictEqual(new Set([...keys, ...rest]).size, many.length + 3)
      for await (const page of client.scanIterator()) {
        assert.ok(Array.isArray(page))
        break
      }
    })

    it('rejects what scan rejects', async () => {
      await assert.rejects(all(client.scanIterator({ MATCH: 5 })), TypeError)
      await assert.rejects(all(client.hScanIterator()), TypeError)
      await assert.rejects(all(client.sScanIterator('hash')), { code: 'WRONGTYPE' })
    })
  })
}

async function all (iterator) {
  const items = []
  let pages = 0
  for await (const page of iterator) {
    items.push(...page)
    pages++
  }
  return Object.assign(items, { pages })
}

function supportsNoValues (client) {
  return client.hScanNoValues('hash', '0').then(() => true, () => false)
}
