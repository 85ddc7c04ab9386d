'use strict'

// A database that a transaction selects is selected for that transaction only: the connection is
// everybody's.

const assert = require('node:assert')
const { after, before, describe, it, test } = require('node:test')

const { createClient, MultiErrorReply } = require('../..')
const { startServer } = require('../support/redis-server')

for (const RESP of [2, 3]) {
  describe(`select within a transaction, RESP${RESP}`, () => {
    let server, client, third
    before(async () => {
      server = await startServer()
      client = createClient({ url: server.url, RESP })
      third = createClient({ url: server.url, RESP, database: 3 })
    })
    after(async () => {
      client?.destroy()
      third?.destroy()
      await server?.stop()
    })

    it('ends with it', async () => {
      const outcomes = await Promise.all([
        client.set('k', 'in 0'),
        client.multi().select(5).set('k', 'in 5').SELECT(6, reply => reply + '!').dbSize().exec(),
        client.get('k')
      ])
      assert.deepStrictEqual(outcomes, ['OK', ['OK', 'OK', 'OK!', 0], 'in 0'])
    })

    it('gives back the database of the client', async () => {
      await third.set('k', 'in 3')
      assert.deepStrictEqual(await third.multi().select(5).get('k').exec(), ['OK', 'in 5'])
      assert.strictEqual(await third.get('k'), 'in 3')
      const view = third.withCommandOptions({ timeout: 1000 })
      assert.deepStrictEqual(await view.multi().sendCommand(['select', '5']).get('k').exec(),
        ['OK', 'in 5'])
      assert.strictEqual(await third.get('k'), 'in 3')
    })

    it('gives it back also after an error', async () => {
      const failed = client.multi().select(5).lPush('k', 'x').select(99).exec()
      await assert.rejects(failed, error => {
        assert.deepStrictEqual([error instanceof MultiErrorReply, error.errorIndexes],
          [true, [1, 2]])
        return error.replies.length === 3
      })
      await assert.rejects(client.multi().select(5).addCommand(['NO.SUCH']).exec(),
        { code: 'EXECABORT', errorIndexes: [1] })
      assert.strictEqual(await client.get('k'), 'in 0')
    })

    it('is refused in a pipeline, and with a wrong database', async () => {
      await assert.rejects(client.multi().select(5).get('k').execAsPipeline(),
        { name: 'TypeError', message: /execAsPipeline: SELECT would change the database/ })
      await assert.rejects(client.multi().select('five').get('k').exec(),
        { name: 'TypeError', message: /select: argument "db" must be an integer/ })
      assert.strictEqual(await client.get('k'), 'in 0')
    })
  })
}

test('a client that is opened again gives back the database that it begins in', async t => {
  const server = await startServer()
  t.after(() => server.stop())
  const client = createClient(server.url)
  t.after(() => client.destroy())
  await client.select(3)
  await client.close()
  await client.connect()
  await client.multi().select(5).set('k', 'v').exec()
  assert.strictEqual((await client.clientInfo()).db, 0)
})
