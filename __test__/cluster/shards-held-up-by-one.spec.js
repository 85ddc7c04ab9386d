'use strict'

// One node hangs. The other nodes answer as quickly as before, and no command for them fails. What
// is queued for the hanging node has a bound of its own, and its late replies reach nobody.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { QueueFullError } = require('../..')
const { scene, until } = require('./scene')

/** No failover within the test: what is tested is the hanging, not the end of it. */
const PATIENT = { primaries: 3, replicas: 0, nodeTimeout: 60_000 }

describe('a node that hangs', () => {
  it('holds up no other shard, and its late replies reach nobody', async t => {
    const set = scene(t)
    const cluster = await set.cluster(PATIENT)
    const [hanging, ...others] = cluster.nodes
    const client = set.clusterClient(cluster)
    const oracle = set.oracle(client.withCommandOptions({ timeout: 1000 }), { workers: 16 })
    await oracle.healed()
    const probes = others.map(node => new Probe(client, node, cluster))
    const stuck = new Probe(client.withCommandOptions({ timeout: 500 }), hanging, cluster)
    const before = await quantiles(probes)
    cluster.pause(hanging)
    await until(() => stuck.failures.length > 0, 'the first deadline')
    const during = await quantiles(probes)
    await until(() => oracle.failed > 0, 'commands of the oracle to fail')
    cluster.resume(hanging)
    await oracle.healed({ within: 20_000 })
    for (const probe of [...probes, stuck]) await probe.stop()
    await oracle.stop()
    const told = `median and 99th percentile of the others: ${before} ms, then ${during} ms`
    t.diagnostic(told)
    for (const { failures } of probes) assert.deepStrictEqual(failures, [])
    for (const error of stuck.failures) assert.strictEqual(error.code, 'TIMEOUT')
    // A command that the hanging node held up would take as long as that one's deadline, which is
    // half a second.
    // Other work on the machine hardly shows in the median, and does in the 99th percentile.
    assert.ok(during[0] < Math.max(5 * before[0], 10), told)
    assert.ok(during[1] < Math.max(10 * before[1], 250), told)
    await oracle.verify()
  })

  it('is full alone, and at once', async t => {
    const set = scene(t)
    const cluster = await set.cluster(PATIENT)
    const [hanging, ...others] = cluster.nodes
    const limit = 8 * MIB
    const client = set.clusterClient(cluster, {
      maxQueuedBytes: limit, commandOptions: { timeout: 20_000 }
    })
    await Promise.all(cluster.nodes.map(node => client.set(cluster.keyOn(node), 'value')))
    cluster.pause(hanging)
    const value = 'x'.repeat(256 * 1024)
    const before = process.memoryUsage().rss
    const outcomes = []
    const sent = []
    // Six times as much as may wait, beside what the kernel takes.
    for (let turn = 0; turn < 6 * 32; turn++) {
      const set = client.set(cluster.keyOn(hanging), value)
      sent.push(set.then(() => outcomes.push('OK'), error => outcomes.push(error)))
      await new Promise(setImmediate)
    }
    const refused = outcomes.filter(outcome => outcome instanceof QueueFullError)
    assert.ok(refused.length > 100, `${refused.length} of ${sent.length} were refused at once`)
    for (const error of refused) {
      set.note(error)
      assert.strictEqual(error.code, 'QUEUE_FULL')
      assert.strictEqual(error.applied, 'no')
    }
    for (const { bytes } of client.stats().lanes) assert.ok(bytes <= limit, `${bytes} are queued`)
    const grown = process.memoryUsage().rss - before
    assert.ok(grown < 12 * limit, `${grown / MIB} MiB more memory`)
    // Nobody else is refused: neither plain commands nor large ones, chains or blocking commands.
    for (const node of others) {
      const key = cluster.keyOn(node)
      assert.strictEqual(await client.set(key, 'small'), 'OK')
      assert.strictEqual(await client.set(key, value), 'OK')
      assert.strictEqual(await client.set(key, Buffer.from(value)), 'OK')
      assert.deepStrictEqual(await client.multi().set(key, '1').incr(key).exec(), ['OK', 2])
      assert.deepStrictEqual(await client.multi().get(key).execAsPipeline(), ['2'])
      const list = `${key}:list`
      await client.rPush(list, 'item')
      assert.deepStrictEqual(await client.blPop(list, 1), { key: list, element: 'item' })
      assert.strictEqual(await client.session(key, session => session.get(key)), '2')
    }
    cluster.resume(hanging)
    await Promise.all(sent)
    assert.strictEqual(outcomes.filter(outcome => outcome === 'OK').length,
      sent.length - refused.length)
    assert.strictEqual(await client.set(cluster.keyOn(hanging), value), 'OK')
    await until(() => client.stats().lanes.every(({ bytes }) => bytes === 0), 'empty queues')
  })

  it('and takes small commands only is full by their number of bytes, too', async t => {
    const set = scene(t)
    const cluster = await set.fakeCluster({ nodes: 2 })
    const [hanging, other] = cluster.primaries
    const client = await set.clusterClient(cluster, { maxQueuedBytes: 100_000 }).connect()
    cluster.answer({ node: hanging, command: 'INCR' }, 'hang')
    const key = cluster.keyOn(hanging)
    const hurried = client.withCommandOptions({ timeout: 2000 })
    // One turn: the bound is kept before anything is handed over.
    const incrs = Array.from({ length: 10_000 }, () => hurried.incr(key))
    const codes = await Promise.all(incrs.map(incr => incr.catch(error => error.code)))
    const full = codes.filter(code => code === 'QUEUE_FULL').length
    assert.ok(full > 5000 && full < 9900, `${full} found the queue full`)
    assert.strictEqual(codes.filter(code => code === 'TIMEOUT').length, codes.length - full)
    assert.strictEqual(await client.incr(cluster.keyOn(other)), 1)
  })
})

/** Asks one node one thing after the other, and knows how long it took. */
class Probe {
  constructor (client, node, cluster) {
    this.client = client
    this.key = cluster.keyOn(node)
    this.times = []
    this.failures = []
    this.stopping = false
    this.running = this.run()
  }

  async run () {
    while (!this.stopping) {
      const started = performance.now()
      try {
        await this.client.set(this.key, 'value')
        this.times.push(performance.now() - started)
      } catch (error) {
        this.failures.push(error)
      }
    }
  }

  stop () {
    this.stopping = true
    return this.running
  }
}

/** The median and the 99th percentile (ms) of the next 2,000 answers to each of `probes`. */
async function quantiles (probes) {
  for (const probe of probes) probe.times = []
  await until(() => probes.every(({ times }) => times.length >= 2000), '2,000 answers')
  const times = probes.flatMap(({ times }) => times).sort((a, b) => a - b)
  return [0.5, 0.99].map(part => Number(times[Math.floor(times.length * part)].toFixed(2)))
}

const MIB = 1024 * 1024
