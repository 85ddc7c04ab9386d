'use strict'

// The end of a cluster's client, in the middle of everything that can be under way. Commands under
// way are answered or rejected, connections close, the process ends, and the client can be used
// again.

const assert = require('node:assert')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { describe, it } = require('node:test')

const { ClientClosedError } = require('../..')
const { scene, timeOf, until, Appender } = require('./scene')

describe('close()', { concurrency: true }, () => {
  it('lets what is under way be answered, also while slots move', async t => {
    const set = scene(t)
    const cluster = await set.cluster({ primaries: 2, replicas: 0 })
    const [from, to] = cluster.nodes
    const client = set.clusterClient(cluster, { name: 'ours' })
    await client.connect()
    const key = cluster.keyIn(0)
    await cluster.migrateSlot(0, from, to)
    // The client does not know yet.
    const incrs = Array.from({ length: 500 }, () => client.incr(key))
    const popped = client.blPop(`${key}:list`, 0.2)
    const closed = client.close()
    assert.deepStrictEqual(await Promise.all(incrs), incrs.map((_, index) => index + 1))
    assert.strictEqual(await popped, null)
    await closed
    await assertOver(set, client, key)
    for (const node of cluster.nodes) {
      await until(async () => !(await cluster.command(node, 'CLIENT', 'LIST'))
        .includes('name=ours'), 'connections to close')
    }
  })

  it('ends what hangs after its grace', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 2 })
    const [one, two] = cluster.primaries
    const client = set.clusterClient(cluster, { commandOptions: { timeout: 0 } })
    await client.connect()
    cluster.answer({ node: one, command: 'INCR' }, 'hang')
    cluster.answer({ node: two, command: 'INCR' }, 'CLUSTERDOWN The cluster is down')
    const incrs = [client.incr(cluster.keyOn(one)), client.incr(cluster.keyOn(two))]
    const failures = set.failures(incrs)
    const took = await timeOf(client.close())
    assert.ok(took > 4500 && took < 8000, `closed after ${took} ms`)
    const [hanging, waiting] = await failures
    assert.ok(hanging instanceof ClientClosedError, hanging.stack)
    assert.strictEqual(hanging.applied, 'unknown')
    assert.ok(waiting instanceof ClientClosedError, waiting.stack)
    assert.match(waiting.applied, /^(no|unknown)$/)
    await until(() => cluster.nodes.every(node => node.connections.size === 0), 'the end')
  })
})

describe('destroy()', { concurrency: true }, () => {
  for (const [what, disturb] of [
    // Anything: a real one would not answer a later command either.
    ['nodes do not answer', cluster => { cluster.answer({}, 'hang') }],
    ['the cluster is down', cluster => { cluster.answer({ command: 'INCR' }, 'CLUSTERDOWN x') }],
    ['redirects lead nowhere', cluster => { cluster.answer({ command: 'INCR' }, 'MOVED 0 ?:1') }],
    ['keys are half moved', cluster => { cluster.answer({ command: 'INCR' }, 'TRYAGAIN x') }],
    ['nobody says where the slots are', cluster => {
      cluster.answer({ command: 'INCR' }, 'MOVED 0 ?:1')
      cluster.answer({ command: 'CLUSTER SLOTS' }, 'hang')
    }]
  ]) {
    it(`ends everything at once while ${what}`, async t => {
      const set = scene(t)
      const cluster = await set.fakeCluster({ nodes: 3, replicas: 1 })
      const client = set.clusterClient(cluster, {
        readStrategy: 'replica', commandOptions: { timeout: 0 }
      })
      await client.connect()
      disturb(cluster)
      const keys = cluster.primaries.map(node => cluster.keyOn(node))
      const incrs = keys.flatMap(key => Array.from({ length: 10 }, () => client.incr(key)))
      const failures = set.failures(incrs)
      await until(() => cluster.received({ command: 'INCR' }).length > 0, 'commands to arrive')
      client.destroy()
      assert.ok(await timeOf(failures) < 1000)
      for (const error of await failures) assert.ok(error instanceof ClientClosedError, error.stack)
      client.destroy()
      await client.close()
      await assertOver(set, client, keys[0])
      await until(() => cluster.nodes.every(node => node.connections.size === 0), 'the end')
    })
  }

  it('before anything was found out ends everything at once', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 2 })
    cluster.answer({ command: 'CLUSTER SLOTS' }, 'hang')
    const client = set.clusterClient(cluster)
    const failures = set.failures([client.incr('key'), client.blPop('list', 0), client.connect()])
    await until(() => cluster.refreshes.length > 0, 'the question')
    client.destroy()
    assert.ok(await timeOf(failures) < 1000)
    for (const error of await failures) assert.ok(error instanceof ClientClosedError, error.stack)
    await until(() => cluster.nodes.every(node => node.connections.size === 0), 'the end')
  })
})

describe('a cluster client', { concurrency: true }, () => {
  it('works before connect(), after close() and after destroy()', async t => {
    const set = scene(t)
    const cluster = await set.cluster({ primaries: 3, replicas: 0 })
    const client = set.clusterClient(cluster)
    const keys = cluster.nodes.map(node => cluster.keyOn(node))
    const counted = expected => Promise.all(keys.map(async key =>
      assert.strictEqual(await client.incr(key), expected)))
    await counted(1)
    await client.close()
    await client.connect()
    assert.strictEqual(client.isReady, true)
    await counted(2)
    const appender = new Appender(set, client, cluster, [0, 6000, 12_000])
    await until(() => appender.answered > 100, 'the load to run')
    client.destroy()
    await appender.stop()
    for (const { error } of appender.failures) {
      assert.ok(error instanceof ClientClosedError, error.stack)
    }
    await client.connect()
    await counted(3)
    await appender.check({ lossy: true })
  })

  for (const how of ['idle', 'closed', 'destroyed', 'while a node is gone', 'exit']) {
    it(`does not keep its process alive: ${how}`, async t => {
      const set = scene(t)
      const cluster = await set.cluster({ primaries: 2, replicas: 0, nodeTimeout: 60_000 })
      const child = spawn(process.execPath, [SCRIPT, how], {
        env: { ...process.env, NODES: JSON.stringify(cluster.rootNodes) },
        stdio: ['pipe', 'pipe', 'inherit']
      })
      set.defer(() => child.kill('SIGKILL'))
      child.stdout.setEncoding('utf8')
      let said = ''
      child.stdout.on('data', text => { said += text })
      await until(() => said.includes('ready\n'), 'the child to be ready')
      if (how === 'while a node is gone') await cluster.kill(cluster.nodes[1])
      child.stdin.end('go\n')
      const [code] = await Promise.race([once(child, 'exit'), late()])
      assert.strictEqual(code, how === 'exit' ? 3 : 0)
      assert.strictEqual(said, 'ready\ndone\n')
    })
  }
})

/** Asserts that `client` refuses everything. */
async function assertOver (set, client, key) {
  const errors = await set.failures([
    client.incr(key), client.multi().incr(key).exec(), client.blPop(key, 0),
    client.session(key, () => {})
  ])
  for (const error of errors) {
    assert.ok(error instanceof ClientClosedError, error.stack)
    assert.strictEqual(error.applied, 'no')
  }
}

function late () {
  return new Promise((resolve, reject) => {
    setTimeout(reject, 20_000, new Error('the process did not end')).unref()
  })
}

const SCRIPT = path.join(__dirname, 'child-script.js')
