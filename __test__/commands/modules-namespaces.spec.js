'use strict'

// A namespace acts for what it was read from: a client, a pool, a view, a session or a chain. The
// server is a scripted one, which knows a few commands of modules in both protocols.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')
const { inspect } = require('node:util')

const { createClient, createClientPool, RESP_TYPES, RedisClient } = require('../..')
const { RedisSession, completeSession } = require('../../lib/client/session')
const { MODULES } = require('../../lib/modules')
const { startFakeServer } = require('../support/fake-server')

const buffers = { [RESP_TYPES.BLOB_STRING]: Buffer }

describe('namespaces', () => {
  it('are made once for each that has them', () => {
    const client = createClient()
    const view = client.withTypeMapping(buffers)
    for (const name of Object.keys(MODULES)) {
      const own = client[name]
      assert.strictEqual(client[name], own)
      assert.notStrictEqual(view[name], own)
      assert.strictEqual(view[name], view[name])
      assert.strictEqual(client[name], own)
      assert.notStrictEqual(createClient()[name], own)
      assert.strictEqual(client.multi()[name].constructor.name, own.constructor.name)
    }
  })

  it('have each method in both spellings, on clients, sessions and chains', () => {
    const client = createClient()
    // Without a session its class has no methods yet.
    completeSession()
    for (const [name, rows] of Object.entries(MODULES)) {
      for (const row of rows) {
        for (const owner of [client, RedisSession.prototype, client.multi()]) {
          assert.strictEqual(typeof owner[name][row.name], 'function', `${name}.${row.name}`)
          assert.strictEqual(owner[name][row.upper], owner[name][row.name])
        }
      }
    }
  })

  it('show nothing of the connection but its address', () => {
    const client = createClient('redis://user:hunter2@127.0.0.1:1')
    for (const shown of [client.json, client.multi().json.get('hunter3').json]) {
      assert.doesNotMatch(inspect(shown, { depth: 9, showHidden: true }), /hunter/)
    }
  })

  it('cannot be taken by scripts and libraries of functions', () => {
    const parseCommand = () => {}
    for (const name of Object.keys(MODULES)) {
      assert.throws(() => createClient({ scripts: { [name]: { SCRIPT: 'x', parseCommand } } }),
        { name: 'TypeError', message: new RegExp(`scripts\\.${name}"`) })
      assert.throws(() => createClient({ functions: { [name]: { fn: { parseCommand } } } }),
        { name: 'TypeError', message: new RegExp(`functions\\.${name}"`) })
      assert.ok(name in RedisClient.prototype)
    }
  })
})

for (const RESP of [2, 3]) {
  describe(`commands of modules, RESP${RESP}`, () => {
    let server
    before(async () => { server = await startModuleServer() })
    after(() => server.stop())

    const clientFor = (t, options) => {
      const client = createClient({ url: server.url, RESP, ...options })
      t.after(() => client.destroy())
      return client
    }

    it('go out and come back', async t => {
      const client = clientFor(t)
      assert.strictEqual(await client.json.set('k', '$', { a: ['é', 1] }), 'OK')
      assert.deepStrictEqual(await client.json.get('k'), { a: ['é', 1] })
      assert.strictEqual(await client.json.GET('missing'), null)
      assert.strictEqual(await client.json.type('k'), 'object')
      assert.deepStrictEqual(await client.json.type('k', { path: '$' }), ['object'])
      assert.deepStrictEqual(await client.json.numIncrBy('k', '$.n', 1), [5, null])
      assert.strictEqual(await client.bf.add('b', 'x'), true)
      assert.deepStrictEqual(await client.cms.info('s'), { width: 8, depth: 7 })
      assert.deepStrictEqual(await client.tDigest.quantile('q', [0.5]), [1.5])
    })

    it('take a callback', async t => {
      const client = clientFor(t)
      const reply = await new Promise((resolve, reject) => {
        const returned = client.bf.add('b', 'x', (error, reply) => (
          error ? reject(error) : resolve(reply)))
        assert.strictEqual(returned, undefined)
      })
      assert.strictEqual(reply, true)
    })

    it('have the options of the view they are read from', async t => {
      const client = clientFor(t)
      await client.json.set('k', '$', 'v')
      const view = client.withTypeMapping({ ...buffers, [RESP_TYPES.MAP]: Map })
      assert.strictEqual(await view.json.get('k'), 'v')
      assert.deepStrictEqual(await view.topK.list('t'), [Buffer.from('x')])
      assert.deepStrictEqual(await client.topK.list('t'), ['x'])
      assert.deepStrictEqual(await view.cms.info('s'), new Map([['width', 8], ['depth', 7]]))
      const aborted = client.withAbortSignal(AbortSignal.abort('why'))
      await assert.rejects(aborted.json.get('k'), { code: 'ABORT_ERR', applied: 'no' })
    })

    it('have the key prefix of their client', async t => {
      const client = clientFor(t, { keyPrefix: 'p:' })
      await client.json.mGet(['a', 'b'], '$')
      await client.multi().json.mGet(['c'], '$').exec()
      await client.session(session => session.json.mGet(['d'], '$'))
      const sent = server.commands.filter(([name]) => name === 'JSON.MGET')
      assert.deepStrictEqual(sent.slice(-3).map(args => args.slice(1)),
        [['p:a', 'p:b', '$'], ['p:c', '$'], ['p:d', '$']])
    })

    it('are part of transactions and pipelines', async t => {
      const client = clientFor(t)
      const chain = () => {
        const multi = client.multi()
        assert.strictEqual(multi.json.set('k', '$', [1]), multi)
        return multi.json.get('k').bf.add('b', 'x').set('a', '1').json.type('k').topK.LIST('t')
      }
      const replies = ['OK', [1], true, 'OK', 'object', ['x']]
      assert.deepStrictEqual(await chain().exec(), replies)
      assert.deepStrictEqual(await chain().execAsPipeline(), replies)
      const view = client.withTypeMapping(buffers)
      assert.deepStrictEqual(await view.multi().topK.list('t').exec(), [[Buffer.from('x')]])
    })

    it('use the connection of their session, until it is released', async t => {
      const client = clientFor(t)
      await client.connect()
      const shared = [...server.connections].at(-1)
      const users = new Set()
      const listen = ([name], reply, connection) => {
        if (name === 'JSON.GET') users.add(connection)
      }
      server.on('command', listen)
      t.after(() => server.off('command', listen))
      const json = await client.session(async session => {
        await session.json.get('k')
        assert.deepStrictEqual(await session.multi().json.get('missing').exec(), [null])
        return session.json
      })
      assert.strictEqual(users.size, 1)
      assert.ok(!users.has(shared))
      await assert.rejects(json.get('k'), { code: 'SESSION_RELEASED', applied: 'no' })
    })

    it('are there on pools as well', async t => {
      const pool = createClientPool({ url: server.url, RESP })
      t.after(() => pool.destroy())
      assert.strictEqual(await pool.bf.exists('b', 'x'), true)
    })

    it('are not repeated when the connection is lost', async t => {
      const client = clientFor(t)
      await client.connect()
      let lost = 0
      const lose = ([name], reply) => {
        if (name !== 'JSON.ARRPOP') return
        lost++
        reply.reset()
      }
      server.on('command', lose)
      t.after(() => server.off('command', lose))
      await assert.rejects(client.json.arrPop('k'), { applied: 'unknown' })
      assert.strictEqual(await client.bf.add('b', 'x'), true)
      assert.strictEqual(lost, 1)
    })
  })
}

/** A server that knows some commands of modules, and transactions of them. */
async function startModuleServer () {
  const server = await startFakeServer()
  const documents = new Map()
  /** Connection -> the commands of its transaction. */
  const queues = new Map()

  function answer (args, reply) {
    const [name, key, path] = args
    const isNew = reply.connection.protocol === 3
    switch (name) {
      case 'JSON.SET':
        documents.set(key, args[3])
        return reply.ok()
      case 'JSON.GET': {
        const text = documents.get(key)
        return text === undefined ? reply.null() : reply.bulk(text)
      }
      case 'JSON.MGET': return reply.array([])
      case 'JSON.TYPE': {
        const type = path === '$' ? ['object'] : 'object'
        return isNew ? reply.array([type]) : reply.bulk(type)
      }
      case 'JSON.NUMINCRBY':
        return isNew ? reply.send('*2\r\n:5\r\n_\r\n') : reply.bulk('[5,null]')
      case 'BF.ADD':
      case 'BF.EXISTS': return reply.send(isNew ? '#t\r\n' : ':1\r\n')
      case 'CMS.INFO': return reply.map([['width', 8], ['depth', 7]])
      case 'TOPK.LIST': return reply.array(['x'])
      case 'TDIGEST.QUANTILE': return isNew ? reply.send('*1\r\n,1.5\r\n') : reply.array(['1.5'])
      case 'JSON.ARRPOP': return undefined
      default: return reply.ok()
    }
  }

  server.on('command', (args, reply, connection) => {
    const queue = queues.get(connection)
    if (args[0] === 'MULTI') {
      queues.set(connection, [])
      return reply.ok()
    }
    if (args[0] === 'EXEC') {
      queues.delete(connection)
      reply.send(`*${queue.length}\r\n`)
      for (const args of queue) answer(args, reply)
      return undefined
    }
    if (queue === undefined) return answer(args, reply)
    queue.push(args)
    return reply.send('+QUEUED\r\n')
  })
  return server
}
