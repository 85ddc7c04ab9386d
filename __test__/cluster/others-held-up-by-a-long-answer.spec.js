'use strict'

// A server that lies about where everything is, at length, holds up nobody: all clients of a
// process share one thread for what comes from the network.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { createClient, createSentinel } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { scene, until } = require('./scene')

describe('a long list of nodes that no cluster has', () => {
  it('in CLUSTER SLOTS', async t => {
    const set = scene(t)
    const entry = at => `*3\r\n:0\r\n:16383\r\n*3\r\n${bulk('127.0.0.1')}:${port(at)}\r\n` +
      bulk(`id-${at}`)
    await holdsUpNobody(t, set, 'CLUSTER SLOTS', `*${MANY}\r\n${many(entry)}`)
  })

  it('in CLUSTER NODES', async t => {
    const set = scene(t)
    const line = at => `id-${at} 127.0.0.1:${port(at)}@1 master - 0 0 1 connected\n`
    await holdsUpNobody(t, set, 'CLUSTER NODES', bulk(many(line)))
  })

  for (const list of ['REPLICAS', 'SENTINELS']) {
    it(`in SENTINEL ${list}`, async t => {
      const set = scene(t)
      const primary = await set.fake()
      primary.on('command', (args, reply) => reply.array(['master', 0, []]))
      const record = fields => `*${fields.length}\r\n${fields.map(bulk).join('')}`
      const answers = {
        'GET-MASTER-ADDR-BY-NAME': record([primary.host, String(primary.port)]),
        MASTER: record(['config-epoch', '1']),
        REPLICAS: '*0\r\n',
        SENTINELS: '*0\r\n',
        MYID: bulk('f'.repeat(40)),
        [list]: `*${MANY}\r\n` + many(at => record([
          'ip', '127.0.0.1', 'port', String(port(at)), 'runid', `id-${at}`, 'flags', 'slave'
        ]))
      }
      const sentinel = await set.fake()
      let asked = 0
      sentinel.on('command', (args, reply) => {
        const answer = answers[args[1]?.toUpperCase()]
        if (args[1]?.toUpperCase() === list) asked++
        return answer === undefined ? reply.error('ERR unknown command') : reply.send(answer)
      })
      const { host, port: at } = sentinel
      const client = set.cast(createSentinel({
        name: 'x', sentinelRootNodes: [{ host, port: at }], commandOptions: { timeout: 60_000 }
      }))
      await measure(t, set, () => {
        client.ping().catch(() => {})
        return until(() => asked > 2, 'the lie to be heard three times')
      })
    })
  }
})

/** A node of a cluster answers `command` with `lie`. */
async function holdsUpNobody (t, set, command, lie) {
  const cluster = await set.fakeCluster({ nodes: 2 })
  const [liar, honest] = cluster.primaries
  const client = await set.clusterClient(cluster, { rootNodes: cluster.rootNodes }).connect()
  let said = 0
  cluster.answer({ node: liar, command }, (args, reply) => {
    said++
    return reply.send(lie)
  })
  // An ASK to a node that nobody has named makes the client ask for nodes without slots as well.
  cluster.answer({ command: 'GET', slot: 0 }, 'ASK 0 127.0.0.1:1')
  await measure(t, set, async () => {
    const hurried = client.withCommandOptions({ timeout: 1_000 })
    await until(async () => {
      await hurried.get(cluster.keyIn(0)).catch(() => {})
      client._bridge.core.lookAround()
      return said > 2
    }, 'the lie to be heard three times')
  })
  assert.strictEqual(await client.set(cluster.keyOn(honest), 'value'), 'OK')
}

/** Asserts that a client of another server is answered soon all the while that `run` takes. */
async function measure (t, set, run) {
  const server = await startFakeServer()
  set.defer(() => server.stop())
  server.on('command', (args, reply) => reply.ok())
  const { host, port } = server
  // A client that threads may share is served by the common thread only, never by the event loop.
  const other = set.cast(createClient({ socket: { host, port }, shared: `client-of-${port}` }))
  await other.connect()
  let isOver = false
  let longest = 0
  const measuring = (async () => {
    while (!isOver) {
      const started = performance.now()
      await other.set('key', 'value')
      longest = Math.max(longest, performance.now() - started)
      await new Promise(resolve => { setTimeout(resolve, 5) })
    }
  })()
  await run()
  isOver = true
  await measuring
  t.diagnostic(`${Math.round(longest)} ms`)
  assert.ok(longest < LONGEST, `another client was held up for ${Math.round(longest)} ms`)
}

function many (text) {
  return Array.from({ length: MANY }, (_, at) => text(at)).join('')
}

/** Different ports for as many as there are. */
function port (at) {
  return at % 65_535 + 1
}

function bulk (text) {
  return `$${text.length}\r\n${text}\r\n`
}

// As many as held up a process for 17 s in a release build, and much longer in a debug build.
const MANY = 100_000
// ms: a debug build on an idle machine takes a second; a busy one takes several times as long.
const LONGEST = 12_000
