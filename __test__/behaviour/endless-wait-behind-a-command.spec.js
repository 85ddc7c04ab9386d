'use strict'

// A session, and a blocking command, begin behind what their client was given before. A command
// without a deadline may never be answered. The time of those behind it ends all the same, by the
// pool's `acquireTimeout`, and nothing is sent for them afterwards.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { createClient, createCluster, createSentinel, TimeoutError } = require('../..')
const { startFakeCluster } = require('../support/fake-cluster')
const { startFakeServer } = require('../support/fake-server')
const { eventually } = require('./eventually')
const { failure } = require('./session-scene')

const OPTIONS = { commandOptions: { timeout: 0 }, pool: { acquireTimeout: 200 } }

/** Ways to a server that does not answer GET; `answer` makes it answer, `commands` are its own. */
const SCENES = {
  'one server': async t => {
    const { server, answer } = await hangingServer(t)
    return { answer, server, client: createClient({ url: server.url, ...OPTIONS }) }
  },
  'a cluster': async t => {
    const cluster = await startFakeCluster({ nodes: 3 })
    t.after(() => cluster.stop())
    // A connection answers in order, so what comes behind the GET waits with it.
    const stuck = new Set()
    const waiting = []
    const take = cluster.answer({ command: ['GET', 'PING'] }, ([name], reply, { connection }) => {
      if (name === 'GET') stuck.add(connection)
      if (!stuck.has(connection)) return false
      waiting.push(() => name === 'GET' ? reply.null() : reply.send('+PONG\r\n'))
    })
    const answer = () => {
      take()
      for (const reply of waiting) reply()
    }
    const server = { get commands () { return cluster.log.map(({ args }) => args) } }
    return { answer, server, client: createCluster({ rootNodes: cluster.rootNodes, ...OPTIONS }) }
  },
  Sentinel: async t => {
    const { server, answer } = await hangingServer(t)
    const sentinel = await startFakeServer()
    t.after(() => sentinel.stop())
    sentinel.on('command', (args, reply) => tell(server, args, reply))
    const client = createSentinel({
      name: 'x', sentinelRootNodes: [{ host: sentinel.host, port: sentinel.port }], ...OPTIONS
    })
    return { answer, server, client }
  }
}

for (const [name, set] of Object.entries(SCENES)) {
  describe(`behind a command without a deadline, of ${name}`, () => {
    it('sessions and blocking commands end with the timeout of the pool', async t => {
      const { client, server, answer } = await set(t)
      t.after(() => client.destroy())
      await client.set('k', 'v')
      const sent = words => server.commands.filter(([command]) => words.includes(command)).length
      const got = client.get('k')
      await eventually(() => sent(['GET']) === 1, 'the GET')
      // Several nodes have to be told for which key.
      const key = name === 'a cluster' ? ['k'] : []
      const more = name === 'a cluster' ? ['k', false] : []
      const waits = {
        session: client.session(...key, () => {}),
        acquire: client.acquire(...key),
        blPop: client.blPop('k', 0),
        sendCommand: client.sendCommand(...more, ['BLPOP', 'k', '0'])
      }
      for (const [method, promise] of Object.entries(waits)) {
        const error = await failure(promise)
        assert.ok(error instanceof TimeoutError, `${method}: ${error.stack}`)
        assert.deepStrictEqual([error.code, error.applied, error.retryable],
          ['POOL_TIMEOUT', 'no', true], method)
        assert.match(error.message, /^no session within \d+ ms: commands that were called before/)
      }
      answer()
      assert.strictEqual(await got, null)
      // Whoever comes now gets a session, and was not overtaken by one of those who have left.
      await client.get('k')
      const session = await client.acquire(...key)
      await session.release()
      assert.strictEqual(sent(['BLPOP']), 0)
      assert.strictEqual(client.stats().pool.waiting, 0)
    })
  })
}

describe('the time for a session', () => {
  it('counts what was waited behind earlier commands', async t => {
    const { server, answer } = await hangingServer(t)
    const client = createClient({
      url: server.url, ...OPTIONS, pool: { max: 1, acquireTimeout: 1500 }
    })
    t.after(() => client.destroy())
    const held = await client.acquire()
    const arrived = server.next('GET')
    client.get('k').catch(() => {})
    const began = performance.now()
    const late = failure(client.acquire())
    await arrived
    setTimeout(answer, 1000)
    const error = await late
    const took = performance.now() - began
    // The second half of the wait is one for the pool, and ends by its numbers.
    assert.match(error.message, /^no connection to .* became free within 1\d\d\d ms \(total=/)
    assert.ok(took >= 1490 && took < 2450, `${took} ms`)
    await held.release()
  })

  it('is told with the number of commands, and the reason why there is no connection', async t => {
    const { server } = await hangingServer(t)
    const client = createClient({ url: server.url, ...OPTIONS })
    t.after(() => client.destroy())
    await client.set('k', 'v')
    const stopped = server.stop()
    await eventually(() => !client.isReady, 'the loss')
    const lost = [client.get('k'), client.get('k')].map(failure)
    const error = await failure(client.acquire())
    assert.match(error.message, /no reply yet \(unanswered=2\), so give them a deadline/)
    assert.strictEqual(error.code, 'POOL_TIMEOUT')
    assert.match(`${error.cause?.code} ${error.cause?.message}`, /refused|CONNECT/i)
    client.destroy()
    for (const one of await Promise.all(lost)) assert.strictEqual(one.code, 'CLOSED')
    await stopped
  })

  it('does not hold what has waited and left', async t => {
    const { server, answer } = await hangingServer(t)
    const client = createClient({ url: server.url, ...OPTIONS })
    t.after(() => client.destroy())
    const got = client.get('k')
    for (let i = 0; i < 3; i++) {
      const waits = Array.from({ length: 100 }, () => failure(client.acquire()))
      client.get('k').catch(() => {})
      for (const { code } of await Promise.all(waits)) assert.strictEqual(code, 'POOL_TIMEOUT')
    }
    const { fences } = client._bridge
    assert.deepStrictEqual([fences.isEmpty, fences.callers.length], [true, 0])
    answer()
    await got
  })

  it('ends at once when the client is destroyed', async t => {
    const { server } = await hangingServer(t)
    const client = createClient({ url: server.url, ...OPTIONS, pool: { acquireTimeout: 60_000 } })
    const got = failure(client.get('k'))
    const late = failure(client.acquire())
    client.destroy()
    assert.deepStrictEqual([(await late).code, (await got).code], ['CLOSED', 'CLOSED'])
  })
})

/** A server that answers everything with OK, except GET before `answer` was called. */
async function hangingServer (t) {
  const server = await startFakeServer()
  t.after(() => server.stop())
  const waiting = []
  let isAnswering = false
  server.on('command', (args, reply) => {
    if (args[0] === 'ROLE') return reply.send('*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n')
    if (args[0] !== 'GET') return reply.ok()
    if (isAnswering) return reply.null()
    waiting.push(reply)
  })
  const answer = () => {
    isAnswering = true
    for (const reply of waiting) reply.null()
  }
  return { server, answer }
}

/** Answers as a sentinel whose primary is `server`. */
function tell (server, args, reply) {
  const [command, question] = args.map(word => word.toUpperCase())
  if (command === 'SUBSCRIBE') {
    return args.slice(1).forEach((channel, i) => reply.array(['subscribe', channel, i + 1]))
  }
  switch (question) {
    case 'GET-MASTER-ADDR-BY-NAME':
      return reply.array([server.host, String(server.port)])
    case 'MASTER':
      return reply.array(['name', 'x', 'ip', server.host, 'port', String(server.port),
        'runid', '', 'flags', 'master', 'config-epoch', '1'])
    case 'REPLICAS':
    case 'SENTINELS':
      return reply.array([])
    case 'MYID':
      return reply.bulk('f'.repeat(40))
  }
  return reply.error('ERR unknown command')
}
