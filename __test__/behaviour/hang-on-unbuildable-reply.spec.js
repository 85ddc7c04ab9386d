'use strict'

// JavaScript cannot make a value of every reply: a map's key may have no text, a Set has room for
// 2^24 entries, and a program may have frozen what values are made of. Such a reply rejects its own
// command. The others of the batch, later sessions and messages, close() and the process go on.

const assert = require('node:assert')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { afterEach, beforeEach, describe, it } = require('node:test')

const { createClient, ErrorReply, MultiErrorReply, ProtocolError, RESP_TYPES } = require('../..')
const { startFakeServer } = require('../support/fake-server')

/** A map that has no text, as the key of a map. */
const UNBUILDABLE = '%1\r\n%1\r\n$8\r\ntoString\r\n$1\r\nx\r\n$1\r\nv\r\n'

/** key of GET -> what it is answered with */
const REPLIES = {
  good: '$2\r\nok\r\n',
  bad: UNBUILDABLE,
  'bad-inside': `*2\r\n:1\r\n*1\r\n${UNBUILDABLE}`,
  // More values than one turn builds.
  'bad-in-slices': `*40001\r\n${':1\r\n'.repeat(40_000)}${UNBUILDABLE}`,
  slices: `*40000\r\n${':1\r\n'.repeat(40_000)}`,
  set: `~5\r\n${':1\r\n:2\r\n:3\r\n:4\r\n:5\r\n'}`,
  map: `%5\r\n${'+a\r\n:1\r\n+b\r\n:1\r\n+c\r\n:1\r\n+d\r\n:1\r\n+e\r\n:1\r\n'}`
}

describe('a reply that JavaScript cannot build', () => {
  let server, client
  beforeEach(async () => {
    server = await startFakeServer()
    server.on('command', answer)
    client = createClient({ url: server.url })
  })
  afterEach(async () => {
    client.destroy()
    await server.stop()
  })

  it('rejects its own command, and the others of the batch get their replies', async () => {
    const keys = ['good', 'bad', 'good', 'bad-inside', 'bad', 'good']
    const outcomes = await Promise.allSettled(keys.map(key => client.get(key)))
    for (const [index, key] of keys.entries()) {
      if (key === 'good') assert.strictEqual(outcomes[index].value, 'ok')
      else assertUnbuildable(outcomes[index].reason, 'GET', TypeError)
    }
  })

  it('keeps no batch of many replies back', async () => {
    const keys = Array.from({ length: 5000 }, (_, i) => i % 7 === 3 ? 'bad' : 'good')
    const outcomes = await Promise.allSettled(keys.map(key => client.get(key)))
    const wrong = outcomes.filter(({ status, value, reason }, i) => keys[i] === 'good'
      ? value !== 'ok'
      : status === 'fulfilled' || reason.code !== 'REPLY_UNBUILDABLE')
    assert.deepStrictEqual(wrong, [])
  })

  it('rejects its own command if it is built in slices, and nothing behind it', async () => {
    const keys = ['slices', 'bad-in-slices', 'good', 'bad-in-slices', 'slices']
    const outcomes = await Promise.allSettled(keys.map(key => client.get(key)))
    for (const [index, key] of keys.entries()) {
      const { value, reason } = outcomes[index]
      if (key === 'bad-in-slices') assertUnbuildable(reason, 'GET', TypeError)
      else if (key === 'slices') assert.deepStrictEqual(value, new Array(40_000).fill(1))
      else assert.strictEqual(value, 'ok')
    }
  })

  it('keeps no session, blocking command or message back', async () => {
    const heard = []
    await client.subscribe('news', message => heard.push(message))
    const outcomes = await Promise.allSettled([
      client.get('bad'),
      client.blPop('list', 5),
      client.session(session => session.get('bad')),
      client.session(session => session.get('good'))
    ])
    assertUnbuildable(outcomes[0].reason, 'GET', TypeError)
    assert.deepStrictEqual(outcomes[1].value, { key: 'list', element: 'a' })
    assertUnbuildable(outcomes[2].reason, 'GET', TypeError)
    assert.strictEqual(outcomes[3].value, 'ok')
    server.send(`>3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n${UNBUILDABLE}` +
      '>3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nlater\r\n')
    while (heard.length < 2) await new Promise(resolve => setImmediate(resolve))
    // Nobody can be told of the error of a message.
    assert.deepStrictEqual(heard, [null, 'later'])
  })

  it('rejects its transaction or its part of a pipeline', async () => {
    const chain = () => client.multi().get('good').get('bad').get('good')
    const error = await chain().exec().then(assert.fail, error => error)
    assertUnbuildable(error, 'EXEC', TypeError)
    const pipeline = await chain().execAsPipeline().then(assert.fail, error => error)
    assert.ok(pipeline instanceof MultiErrorReply)
    assert.deepStrictEqual(pipeline.errorIndexes, [1])
    assertUnbuildable(pipeline.replies[1], 'GET', TypeError)
    assert.deepStrictEqual([pipeline.replies[0], pipeline.replies[2]], ['ok', 'ok'])
  })

  it('does not hold close() up', async () => {
    const outcomes = Promise.allSettled([client.get('bad'), client.get('good')])
    await client.close()
    assert.deepStrictEqual((await outcomes).map(({ status }) => status), ['rejected', 'fulfilled'])
  })

  // A real one takes gigabytes: V8 throws the same error for 2^24 + 1 entries.
  for (const [name, type] of [['set', 'Set'], ['map', 'Map']]) {
    it(`may be too large for a ${type}`, async () => {
      const mapping = { [RESP_TYPES.SET]: Set, [RESP_TYPES.MAP]: Map }
      const view = client.withTypeMapping(mapping)
      assert.strictEqual((await view.get(name)) instanceof globalThis[type], true)
      const real = globalThis[type]
      globalThis[type] = function () {
        throw new RangeError(`${type} maximum size exceeded`)
      }
      let outcomes
      try {
        outcomes = await Promise.allSettled([view.get('good'), view.get(name), view.get('good')])
      } finally {
        globalThis[type] = real
      }
      assertUnbuildable(outcomes[1].reason, 'GET', RangeError)
      assert.deepStrictEqual([outcomes[0].value, outcomes[2].value], ['ok', 'ok'])
    })
  }
})

/** name -> what the program that uses a client has frozen, and the arguments of node */
const FREEZES = {
  'Object.freeze(Object.prototype)': { freeze: 'prototype' },
  'Object.freeze(Error)': { freeze: 'error' },
  'all intrinsics frozen': { freeze: 'all' },
  'node --frozen-intrinsics': { freeze: 'none', flags: ['--frozen-intrinsics', '--no-warnings'] }
}

describe('a program with frozen intrinsics gets every reply, and ends', () => {
  for (const [name, { freeze, flags = [] }] of Object.entries(FREEZES)) {
    for (const when of freeze === 'none' ? ['first'] : ['first', 'later']) {
      it(`${name}, ${when === 'first' ? 'before' : 'after'} it has loaded oxidis`, async () => {
        const server = await startFakeServer()
        server.on('command', answer)
        try {
          const told = await run([...flags, PROGRAM, server.url, freeze, when])
          assert.deepStrictEqual(told, {
            code: 0,
            hash: [['toString', 'a'], ['__proto__', 'b'], ['constructor', 'c'], ['plain', 'd']],
            error: ['ErrorReply', 'ERR', 'no', 'HGETALL'],
            bad: 'REPLY_UNBUILDABLE',
            session: 'ok',
            popped: 'a',
            multi: ['ok', 'ok'],
            multiError: ['MULTI', 'ERR'],
            refused: 'WatchError',
            message: 'hello',
            argument: 'TypeError',
            lost: 'CONNECTION_LOST'
          })
        } finally {
          await server.stop()
        }
      })
    }
  }
})

it('an error that is told by the native side reaches its caller when Error is frozen', () => {
  const { fromNative, fromReply } = require('../../lib/errors')
  const limit = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')
  Object.defineProperty(Error, 'stackTraceLimit', { ...limit, writable: false })
  try {
    assert.ok(fromReply('ERR no') instanceof ErrorReply)
    assert.strictEqual(fromNative(1, 'CONNECTION_LOST', 'lost', 'no', 1, null).applied, 'no')
  } finally {
    Object.defineProperty(Error, 'stackTraceLimit', limit)
  }
  assert.strictEqual(fromReply('ERR no').stack.includes('\n'), false)
  assert.strictEqual(Error.stackTraceLimit, limit.value)
})

const PROGRAM = path.join(__dirname, 'frozen-program.js')

/** Runs a program that prints one JSON. It has to end by itself. */
async function run (args) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
  let output = ''
  child.stdout.on('data', chunk => { output += chunk })
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  return { code, ...JSON.parse(output || '{}') }
}

function assertUnbuildable (error, command, Cause) {
  assert.ok(error instanceof ProtocolError, error)
  assert.strictEqual(error.code, 'REPLY_UNBUILDABLE')
  assert.strictEqual(error.command, command)
  assert.strictEqual(error.applied, undefined)
  assert.strictEqual(error.retryable, false)
  assert.ok(error.cause instanceof Cause)
}

/** Answers one command; within a transaction as EXEC wants it. */
function answer (args, reply, connection) {
  const [name, key] = args
  const queue = connection.queue
  if (queue !== undefined && name !== 'EXEC') {
    queue.push(replyTo(name, key))
    return reply.send('+QUEUED\r\n')
  }
  switch (name) {
    case 'MULTI':
      connection.queue = []
      return reply.ok()
    case 'EXEC':
      connection.queue = undefined
      return queue.some(reply => reply === 'conflict')
        ? reply.null()
        : reply.send(`*${queue.length}\r\n${queue.join('')}`)
    case 'SUBSCRIBE':
      reply.send(`>3\r\n$9\r\nsubscribe\r\n$${key.length}\r\n${key}\r\n:1\r\n`)
      if (key === 'talk') reply.send('>3\r\n$7\r\nmessage\r\n$4\r\ntalk\r\n$5\r\nhello\r\n')
      return true
    case 'UNSUBSCRIBE':
      return reply.send(`>3\r\n$11\r\nunsubscribe\r\n$${key.length}\r\n${key}\r\n:0\r\n`)
    case 'INCR':
      return reply.close()
    default:
      return reply.send(replyTo(name, key))
  }
}

function replyTo (name, key) {
  switch (name) {
    case 'HGETALL':
      return key === 'error' ? '-ERR no\r\n' : '%4\r\n$8\r\ntoString\r\n$1\r\na\r\n' +
        '$9\r\n__proto__\r\n$1\r\nb\r\n$11\r\nconstructor\r\n$1\r\nc\r\n$5\r\nplain\r\n$1\r\nd\r\n'
    case 'BLPOP':
      return '*2\r\n$4\r\nlist\r\n$1\r\na\r\n'
    case 'DEL':
      return 'conflict'
    default:
      return REPLIES[key] ?? '+OK\r\n'
  }
}
