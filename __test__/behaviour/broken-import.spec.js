'use strict'

// The package loads by require() and by import, with the same names; nothing else is reachable.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const oxidis = require('../..')
const { startServer } = require('../support/redis-server')
const { runScript } = require('./child-script')

// A package may import itself by its name, which goes through `exports` as for anybody else.
describe('the package', () => {
  it('has named exports and a default export for import', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const { code, stdout, stderr } = await runScript(`
      import oxidis, { createClient, ErrorReply, RESP_TYPES } from 'oxidis'
      import * as all from 'oxidis'
      const client = createClient(process.argv[1])
      console.log(await client.set('k', 'v'), createClient === oxidis.createClient,
        ErrorReply === oxidis.ErrorReply, RESP_TYPES.NUMBER)
      console.log(Object.keys(all).filter(name => name !== 'default').sort().join())`,
    { module: true, args: [server.url] })
    assert.strictEqual(stderr, '')
    assert.strictEqual(code, 0)
    const [works, names] = stdout.trim().split('\n')
    assert.strictEqual(works, 'OK true true 58')
    assert.deepStrictEqual(
      names.split(',').filter(name => name !== 'module.exports'), Object.keys(oxidis).sort())
  })

  it('loads by require(), also through its name', async () => {
    const { code, stdout, stderr } = await runScript(`
      const { createClient } = require('oxidis')
      console.log(createClient === oxidis.createClient, typeof createClient)
      try { require('oxidis/lib/client') } catch (error) { console.log(error.code) }`)
    assert.strictEqual(stderr, '')
    assert.strictEqual(code, 0)
    assert.strictEqual(stdout, 'true function\nERR_PACKAGE_PATH_NOT_EXPORTED\n')
  })

  it('gives one module to both ways', async () => {
    const { stdout, stderr } = await runScript(`
      import { createRequire } from 'node:module'
      import oxidis from 'oxidis'
      console.log(createRequire(process.cwd() + '/')('oxidis') === oxidis)`, { module: true })
    assert.strictEqual(stdout + stderr, 'true\n')
  })

  it('may be loaded again and again, as test runners do', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const { code, stdout, stderr } = await runScript(`
      const go = async () => {
        const clients = []
        for (let round = 0; round < 10; round++) {
          for (const path of Object.keys(require.cache)) delete require.cache[path]
          const again = require('oxidis')
          if (again === oxidis) throw new Error('was not loaded again')
          clients.push(again.createClient(process.argv[1]))
        }
        const replies = await Promise.all(clients.map(client => client.incr('n')))
        const error = await clients[3].sendCommand(['NOSUCH']).catch(error => error)
        await Promise.all(clients.map(client => client.close()))
        console.log(replies.sort((a, b) => a - b).join(), error.name)
      }
      go()`, { args: [server.url] })
    assert.deepStrictEqual([code, stdout, stderr], [0, '1,2,3,4,5,6,7,8,9,10 ErrorReply\n', ''])
  })
})
