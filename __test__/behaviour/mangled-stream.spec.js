'use strict'

// What was put into a stream comes out of it: streams in the order that was asked for, names and
// fields as the type mapping says, and an entry that was deleted while pending is no exception.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, RESP_TYPES } = require('../..')
const { startServer } = require('../support/redis-server')

let server
before(async () => { server = await startServer() })
after(() => server.stop())

for (const RESP of [3, 2]) {
  describe(`in RESP${RESP}`, () => {
    let client
    before(() => { client = createClient({ url: server.url, RESP }) })
    after(() => client.destroy())

    it('streams come in the order that was asked for, whatever their names', async () => {
      // Objects put such names first, and may lose the last.
      const names = ['b', '7', 'a', '1', '__proto__']
      await Promise.all(names.map(name => client.xAdd(name, '*', { f: name })))
      const read = await client.xRead(names.map(key => ({ key, id: '0' })))
      assert.deepStrictEqual(read.map(({ name }) => name), names)
      assert.deepStrictEqual(read.map(({ messages }) => messages.at(-1).message.f), names)
      await client.del(names)
    })

    it('bytes of names, ids and values survive', async () => {
      const key = Buffer.from([0xff, 0x00, 0x0d, 0x0a])
      await client.xAdd(key, '1-1', { f: key })
      const view = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
      assert.deepStrictEqual(await view.xRead({ key, id: '0' }),
        [{ name: key, messages: [{ id: Buffer.from('1-1'), message: { f: key } }] }])
      await client.del(key)
    })

    it('names that are text are strings in RESP3, as the keys of all maps', async () => {
      await client.xAdd('ü', '1-1', { f: 'v' })
      const view = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
      const [{ name }] = await view.xRead({ key: 'ü', id: '0' })
      assert.deepStrictEqual(name, RESP === 3 ? 'ü' : Buffer.from('ü'))
      await client.del('ü')
    })

    it('an entry that was deleted while pending is read without fields', async () => {
      await client.xAdd('s', '1-1', { f: 'gone' })
      await client.xAdd('s', '2-1', { f: 'kept' })
      await client.xGroupCreate('s', 'g', '0')
      await client.xReadGroup('g', 'c', { key: 's', id: '>' })
      await client.xDel('s', '1-1')
      assert.deepStrictEqual(await client.xReadGroup('g', 'c', { key: 's', id: '0' }), [
        { name: 's', messages: [{ id: '1-1', message: {} }, { id: '2-1', message: { f: 'kept' } }] }
      ])
      await client.del('s')
    })

    it('large values are whole', async () => {
      const value = 'ü'.repeat(20_000)
      await client.xAdd('s', '*', { small: 'x', large: value, last: 'y' })
      const [{ message }] = await client.xRevRange('s', '+', '-', { COUNT: 1 })
      assert.deepStrictEqual(message, { small: 'x', large: value, last: 'y' })
      await client.del('s')
    })
  })
}
