'use strict'

// A dump of functions is bytes, not text: it goes out and in unharmed.

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

    it('functions that were dumped can be restored', async () => {
      const code = '#!lua name=lib\nredis.register_function("f", function() return "ü" end)'
      await client.functionLoad(code, { REPLACE: true })
      const view = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
      const dump = await view.functionDump()
      await client.functionFlush()
      assert.strictEqual(await client.functionRestore(dump), 'OK')
      assert.strictEqual(await client.fCall('f'), 'ü')
      await client.functionFlush()
    })
  })
}
