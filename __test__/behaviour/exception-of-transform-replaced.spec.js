'use strict'

// A transform that the caller has written may throw what it likes: the caller gets just that, and
// not the error that stands for a mistake of our own transforms.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient, defineScript } = require('../..')
const { startFakeServer } = require('../support/fake-server')

const MINE = Object.freeze(new TypeError('mine'))
const transformReply = () => { throw MINE }
const parseCommand = parser => parser.push('a')

describe('what a transform of the caller throws reaches the caller', () => {
  let server, client
  before(async () => {
    server = await startFakeServer()
    server.on('command', ([name], reply) => {
      if (name === 'MULTI') return reply.ok()
      if (name === 'EXEC') return reply.array(['5'])
      if (name === 'JSON.GET') return reply.bulk('{"a":1}')
      reply.bulk('5')
    })
    client = createClient({
      url: server.url,
      scripts: { fail: defineScript({ SCRIPT: 'return 1', parseCommand, transformReply }) },
      functions: { library: { fail: { parseCommand, transformReply } } },
      modules: {
        module: { fail: { parseCommand: parser => parser.push('ECHO', 'a'), transformReply } }
      }
    })
  })
  after(async () => {
    client.destroy()
    await server.stop()
  })

  const calls = {
    'a script': () => client.fail(),
    'a function': () => client.library.fail(),
    'a command of a module': () => client.module.fail(),
    'a script in a session': () => client.session(session => session.fail()),
    'a reviver': () => client.json.get('k', { reviver: transformReply }),
    'addCommand in a pipeline': () => one(client.multi().addCommand(['GET', 'k'], transformReply),
      true),
    'addCommand in a transaction': () => one(client.multi().addCommand(['GET', 'k'],
      transformReply)),
    'a script in a transaction': () => one(client.multi().fail()),
    'a command of a module in a transaction': () => one(client.multi().module.fail()),
    'a reviver in a transaction': () => one(client.multi().json.get('k',
      { reviver: transformReply }))
  }
  for (const [name, call] of Object.entries(calls)) {
    it(name, async () => {
      const error = await call().then(value => assert.fail(`resolved to ${value}`), error => error)
      assert.strictEqual(error, MINE)
    })
  }

  it('and a value that is no error as well', async () => {
    const chain = client.multi().addCommand(['GET', 'k'], () => { throw undefined })
    const error = await chain.execAsPipeline().catch(error => error)
    assert.deepStrictEqual(error.replies, [undefined])
  })
})

/** The error of the one command of a chain. */
async function one (chain, execAsPipeline) {
  const error = await chain.exec(execAsPipeline).catch(error => error)
  throw error.replies[0]
}
