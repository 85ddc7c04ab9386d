'use strict'

// A cluster that is down, or of which only a minority is left. Commands wait within their
// deadlines, errors say why, and nobody is asked without end.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { scene, until, Appender } = require('./scene')

describe('CLUSTERDOWN', { concurrency: true }, () => {
  it('for some seconds is waited for, in order, and at a pace that harms nobody', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 3 })
    const client = set.clusterClient(cluster, { commandOptions: { timeout: 20_000 } })
    await client.connect()
    const withdraw = cluster.answer({ command: ['INCR', 'MULTI', 'EXEC', 'SET'] }, DOWN)
    const keys = cluster.primaries.map(node => cluster.keyOn(node))
    const started = performance.now()
    const incrs = keys.flatMap(key => Array.from({ length: 20 }, () => client.incr(key)))
    const stored = client.set(cluster.keyIn(5), 'value')
    await until(() => performance.now() > started + OUTAGE, 'the end of it')
    const tries = cluster.received({ command: 'SET' }).length
    const asked = cluster.received({ command: 'CLUSTER SLOTS' }).length
    withdraw()
    const ended = performance.now()
    const counted = Array.from({ length: 20 }, (_, index) => index + 1)
    assert.deepStrictEqual(await Promise.all(incrs), [...counted, ...counted, ...counted])
    assert.strictEqual(await stored, 'OK')
    const took = performance.now() - ended
    t.diagnostic(`${tries} tries and ${asked} questions in ${OUTAGE} ms, served after ${took} ms`)
    assert.ok(took < 5000, `served ${took} ms after the end`)
    // From 100 ms to a second between tries; a question in 200 ms, of a second node at times.
    assert.ok(tries < OUTAGE / 50, `${tries} tries`)
    assert.ok(asked < 2 * OUTAGE / 200 + 4, `${asked} questions`)
  })

  it('that outlasts the deadline is told as it is', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 2 })
    const client = set.clusterClient(cluster, { commandOptions: { timeout: 3000 } })
    await client.connect()
    cluster.answer({ command: ['INCR', 'MULTI', 'EXEC', 'BLPOP'] }, DOWN)
    const [one, two] = cluster.primaries.map(node => cluster.keyOn(node))
    const errors = await set.failures([
      client.incr(one), client.incr(two), client.multi().incr(one).exec()
    ])
    for (const error of errors) {
      assert.match(error.code, /^(CLUSTERDOWN|TIMEOUT|EXECABORT)$/, error.stack)
      assert.strictEqual(error.retryable, true)
    }
    assert.ok(errors.some(({ code }) => code === 'CLUSTERDOWN'))
  })
})

describe('a minority', () => {
  it('is not asked without end, and the majority is found when it is back', async t => {
    const set = scene(t)
    const cluster = await set.cluster({ replicas: 0, nodeTimeout: 1000 })
    const [left, ...others] = cluster.nodes
    const client = set.clusterClient(cluster, { commandOptions: { timeout: 2000 } })
    const oracle = set.oracle(client)
    const appender = new Appender(set, client, cluster, [0, 16_383], { perTurn: 1 })
    await oracle.healed()
    for (const node of others) await cluster.kill(node)
    const state = () => cluster.command(left, 'CLUSTER', 'INFO')
    await until(async () => (await state()).includes('cluster_state:fail'), 'the state to change')
    const errors = []
    const started = performance.now()
    const before = await looks(cluster, left)
    for (let round = 0; round < 2; round++) {
      const keys = [cluster.keyIn(0), cluster.keyIn(16_383)]
      errors.push(...await set.failures(keys.map(key => client.set(key, 'value'))))
    }
    const asked = await looks(cluster, left) - before
    const took = performance.now() - started
    t.diagnostic(`asked ${asked} times in ${Math.round(took)} ms`)
    for (const error of errors) {
      assert.match(error.kind, /^(CLUSTERDOWN|TIMEOUT|CONNECTION_LOST)$/, error.stack)
      assert.strictEqual(error.retryable, true)
    }
    assert.ok(errors.some(({ code }) => code === 'CLUSTERDOWN'))
    assert.ok(asked > 0 && asked <= took / 200 + 2, `asked ${asked} times in ${took} ms`)
    for (const node of others) await cluster.restart(node)
    await cluster.waitUntilHealthy()
    await oracle.healed()
    await Promise.all([oracle.stop(), appender.stop()])
    // Two of three have lost what they had.
    await oracle.verify(client, { emptied: true })
  })

  it('that may serve what it has does so, and costs its shards nothing', async t => {
    const set = scene(t)
    const cluster = await set.cluster({
      primaries: 3, replicas: 0, nodeTimeout: 1000, args: ['--cluster-require-full-coverage', 'no']
    })
    const [one, two, gone] = cluster.nodes
    const client = set.clusterClient(cluster, { commandOptions: { timeout: 1000 } })
    const keys = [one, two].map(node => cluster.keyOn(node))
    const lost = cluster.keyOn(gone)
    await Promise.all([...keys, lost].map(key => client.set(key, 'value')))
    await cluster.kill(gone)
    const error = await set.failure(client.set(lost, 'value'))
    assert.match(error.kind, /^(TIMEOUT|CONNECTION_LOST|CLUSTERDOWN)$/)
    for (let round = 0; round < 100; round++) {
      assert.deepStrictEqual(await Promise.all(keys.map(key => client.set(key, 'value'))),
        ['OK', 'OK'])
    }
    const late = await set.failure(client.set(lost, 'value'))
    assert.match(late.code, /^(TIMEOUT|CLUSTERDOWN)$/)
    assert.ok(late.code === 'CLUSTERDOWN' || late.cause, 'no cause')
  })
})

/** How often `node` was asked for the slots. */
async function looks (cluster, node) {
  const text = await cluster.command(node, 'INFO', 'commandstats')
  return Number(/cmdstat_cluster\|slots:calls=(\d+)/.exec(text)?.[1] ?? 0)
}

const DOWN = 'CLUSTERDOWN The cluster is down'
const OUTAGE = 3000
