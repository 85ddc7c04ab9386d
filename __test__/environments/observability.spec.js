'use strict'

// The tools that watch node-redis watch oxidis as well: OpenTelemetry with exporters that keep what
// they get in memory, and Sentry without a network.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { bin, project, run, serve } = require('./support')

/** What each program begins with: `lib` is the library, `url` the server. */
const BEGIN = `
  const lib = require(process.env.LIBRARY)
  const url = process.env.REDIS_URL
  const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks')
  const api = require('@opentelemetry/api')
  const sdk = require('@opentelemetry/sdk-metrics')
  const tracing = require('@opentelemetry/sdk-trace-base')
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const metrics = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE)
  const reader = new sdk.PeriodicExportingMetricReader(
    { exporter: metrics, exportIntervalMillis: 3_600_000 })
  api.metrics.setGlobalMeterProvider(new sdk.MeterProvider({ readers: [reader] }))
  const spans = new tracing.InMemorySpanExporter()
  api.trace.setGlobalTracerProvider(new tracing.BasicTracerProvider(
    { spanProcessors: [new tracing.SimpleSpanProcessor(spans)] }))
  /** Name of a metric -> { unit, points: [{ attributes, value }] }. */
  async function recorded () {
    await reader.forceFlush()
    const all = metrics.getMetrics().at(-1).scopeMetrics.flatMap(scope => scope.metrics)
    return Object.fromEntries(all.map(({ descriptor: { name, unit }, dataPoints }) => [name, {
      unit,
      points: dataPoints.map(({ attributes, value }) =>
        ({ attributes, value: value.count ?? value, bounds: value.buckets?.boundaries }))
    }]))
  }
  const GROUPS = ['command', 'connection-basic', 'connection-advanced', 'resiliency', 'pubsub',
    'streaming', 'client-side-caching']
`

/** A program that makes each metric have a value. */
const USE = `
  async function use () {
    const client = lib.createClient({ url })
    client.on('error', () => {})
    await client.connect()
    await client.set('k', 'canary')
    await client.incr('k').catch(() => {})
    await client.multi().set('a', '1').set('b', '2').exec()
    const cached = lib.createClient({ url, RESP: 3, clientSideCache: {} })
    cached.on('error', () => {})
    await cached.connect()
    for (let n = 0; n < 3; n++) await cached.get('a')
    await client.del('a')
    while (cached.clientSideCache?.size() > 0) await cached.ping()
    await cached.get('b')
    const id = await client.xAdd('s', '*', { f: 'v' })
    await client.xGroupCreate('s', 'g', '0')
    await client.xReadGroup('g', 'c', { key: 's', id: '>' })
    const subscriber = client.duplicate()
    subscriber.on('error', () => {})
    await subscriber.connect()
    const heard = new Promise(resolve => subscriber.subscribe('news', resolve))
    while (await client.publish('news', 'm') === 0) await client.ping()
    await heard
    const pool = lib.createClientPool({ url })
    pool.on('error', () => {})
    await pool.connect()
    await pool.execute(client => client.ping())
    const during = await recorded()
    await cached.close()
    await pool.close()
    await subscriber.close()
    await client.close()
    return { during, behind: await recorded() }
  }
`

describe('OpenTelemetry', () => {
  let url, stop, folder
  before(async () => {
    ({ url, stop } = await serve())
    folder = project('observability', {
      'metrics.cjs': `${BEGIN}${USE}
        lib.OpenTelemetry.init({ metrics: { enabled: true, enabledMetricGroups: GROUPS } })
        use().then(all => console.log(JSON.stringify(all)))`,
      'quiet.cjs': `${BEGIN}${USE}
        lib.OpenTelemetry.init({ metrics: { enabled: true, hidePubSubChannelNames: true,
          hideStreamNames: true, includeCommands: ['set'], excludeCommands: ['GET'],
          enabledMetricGroups: ['command', 'pubsub', 'streaming'],
          bucketsOperationDuration: [1, 2] } })
        use().then(all => console.log(JSON.stringify(all)))`,
      'spans.cjs': `${BEGIN}
        lib.OpenTelemetry.init({ traces: { enabled: true, excludeCommands: ['PING'] } })
        async function main () {
          const client = lib.createClient({ url })
          await client.connect()
          await client.set('k', 'canary')
          const tracer = api.trace.getTracer('test')
          await tracer.startActiveSpan('caller', async span => {
            await client.get('k')
            await client.ping()
            await client.lPush('k', 'canary').catch(() => {})
            await client.multi().set('a', 'canary').set('b', 'canary').exec()
            await client.multi().set('a', 'canary').get('b').exec()
            await client.multi().set('a', 'canary').execAsPipeline()
            span.end()
          })
          await client.close()
          console.log(JSON.stringify(spans.getFinishedSpans().map(span => ({
            name: span.name,
            kind: span.kind,
            parent: spans.getFinishedSpans().find(one =>
              one.spanContext().spanId === span.parentSpanContext?.spanId)?.name,
            attributes: span.attributes,
            status: span.status.code,
            events: span.events.map(({ name }) => name)
          }))))
        }
        main()`,
      'twice.cjs': `
        const { OpenTelemetry, OpenTelemetryError } = require('oxidis')
        const caught = run => { try { run() } catch (error) { return error } }
        const wrong = [{ metric: {} }, { metrics: { enable: true } }, { metrics: 1 },
          { metrics: { enabled: 1 } }, { traces: { enabled: true, tracerProvider: {} } },
          { metrics: { enabledMetricGroups: ['all'] } }]
        const messages = wrong.map(config => caught(() => OpenTelemetry.init(config)))
        OpenTelemetry.init({})
        const again = caught(() => OpenTelemetry.init({}))
        console.log(JSON.stringify([messages.map(error => [error?.name, error?.message]),
          again instanceof OpenTelemetryError, again.message]))`,
      'sentry.cjs': SENTRY
    })
  })
  after(() => stop())

  /** What a program has printed last, as a line of JSON: packages print warnings of their own. */
  const output = async (file, library = 'oxidis') => {
    const text = await run([file], folder, { url, env: { LIBRARY: library } })
    const line = text.split('\n').findLast(line => /^[[{]/.test(line))
    assert.ok(line !== undefined, text)
    return JSON.parse(line)
  }

  it('gets the metrics of node-redis from oxidis, under the same names', async () => {
    const ours = await output('metrics.cjs')
    await emptied(url)
    const theirs = await output('metrics.cjs', 'redis')
    const names = ({ behind }) => Object.keys(behind).filter(name =>
      // Ours is told for clients that are open.
      name !== 'redis.client.csc.items')
    const missing = names(theirs).filter(name => !names(ours).includes(name))
    assert.deepStrictEqual(missing, [])
    assert.deepStrictEqual(names(ours).filter(name => !names(theirs).includes(name)),
      ['db.client.connection.count', 'redis.client.csc.network_saved'])
    for (const name of names(theirs)) {
      assert.strictEqual(ours.behind[name].unit, theirs.behind[name].unit, name)
      const keys = all => [...new Set(all.behind[name].points.flatMap(({ attributes }) =>
        Object.keys(attributes)))]
      const lost = keys(theirs).filter(key => !keys(ours).includes(key))
      // A pool of node-redis has members, each with an id of its own; ours is one client.
      assert.deepStrictEqual(lost.filter(key => key !== 'redis.client.parent.id'), [], name)
    }
    assert.ok(!JSON.stringify(ours).includes('canary'))
  })

  it('gets figures that are right', async () => {
    await emptied(url)
    const { during, behind } = await output('metrics.cjs')
    const { port } = new URL(url)
    for (const { points } of Object.values(behind)) {
      for (const { attributes } of points) {
        assert.strictEqual(attributes['db.system.name'], 'redis')
        assert.match(attributes['redis.client.library'], /^oxidis:\d/)
        assert.strictEqual(attributes['server.address'], '127.0.0.1')
        assert.strictEqual(attributes['server.port'], Number(port))
      }
    }
    const duration = behind['db.client.operation.duration'].points
    const of = name => duration.filter(one => one.attributes['db.operation.name'] === name)
    assert.deepStrictEqual(of('SET').map(({ value }) => value), [1])
    assert.deepStrictEqual(of('SET')[0].bounds, [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10])
    assert.strictEqual(of('SET')[0].attributes['db.namespace'], '0')
    assert.strictEqual(of('MULTI').length, 1)
    const ofCache = name => during[`redis.client.csc.${name}`].points
    const requests = ofCache('requests').map(({ attributes, value }) =>
      [attributes['redis.client.csc.result'], value])
    assert.deepStrictEqual(Object.fromEntries(requests), { miss: 2, hit: 2 })
    assert.deepStrictEqual(ofCache('evictions').map(({ attributes, value }) =>
      [attributes['redis.client.csc.reason'], value]), [['invalidation', 1]])
    assert.deepStrictEqual(ofCache('network_saved').map(({ value }) => value), [2])
    assert.deepStrictEqual(ofCache('items').map(({ value }) => value), [1])
    const [failed] = of('INCR')
    assert.strictEqual(failed.attributes['error.type'], 'ErrorReply')
    assert.strictEqual(failed.attributes['db.response.status_code'], 'ERR')

    const sum = (name, test = () => true, all = behind) => all[name].points
      .filter(({ attributes }) => test(attributes)).reduce((sum, { value }) => sum + value, 0)
    const state = name => attributes => attributes['db.client.connection.state'] === name
    assert.ok(sum('db.client.connection.count', state('used'), during) >= 3)
    assert.ok(sum('db.client.connection.create_time') >= 3)
    assert.strictEqual(sum('redis.client.connection.closed',
      attributes => attributes['redis.client.connection.close.reason'] === 'application_close'),
    sum('db.client.connection.create_time'))
    assert.strictEqual(sum('redis.client.errors'), 1)
    const direction = 'redis.client.pubsub.message.direction'
    assert.strictEqual(sum('redis.client.pubsub.messages', one => one[direction] === 'in'), 1)
    assert.ok(sum('redis.client.pubsub.messages', one => one[direction] === 'out') >= 1)
    assert.ok(behind['redis.client.pubsub.messages'].points
      .every(({ attributes }) => attributes['redis.client.pubsub.channel'] === 'news'))
    const [lag] = behind['redis.client.stream.lag'].points
    assert.strictEqual(lag.attributes['redis.client.stream.name'], 's')
    assert.strictEqual(lag.attributes['redis.client.stream.consumer_group'], 'g')
    assert.ok(sum('db.client.connection.wait_time') >= 1)
  })

  it('gets what the options say', async () => {
    await emptied(url)
    const { behind } = await output('quiet.cjs')
    assert.deepStrictEqual(Object.keys(behind).toSorted(), ['db.client.operation.duration',
      'redis.client.pubsub.messages', 'redis.client.stream.lag'])
    const names = behind['db.client.operation.duration'].points.map(({ attributes }) =>
      attributes['db.operation.name'])
    assert.deepStrictEqual(names, ['SET'])
    assert.deepStrictEqual(behind['db.client.operation.duration'].points[0].bounds, [1, 2])
    assert.doesNotMatch(JSON.stringify(behind), /pubsub\.channel"|stream\.name"/)
  })

  it('gets a span for each command and each chain, which is the child of the caller', async () => {
    const spans = await output('spans.cjs')
    assert.deepStrictEqual(spans.map(({ name, parent }) => [name, parent]), [
      ['SET', undefined], ['GET', 'caller'], ['LPUSH', 'caller'], ['MULTI SET', 'caller'],
      ['MULTI', 'caller'], ['PIPELINE SET', 'caller'], ['caller', undefined]
    ])
    const [set, get, push, same, mixed, single] = spans
    for (const { kind, attributes } of spans.slice(0, -1)) {
      assert.strictEqual(kind, 2)
      assert.strictEqual(attributes['db.system.name'], 'redis')
      assert.strictEqual(attributes['server.address'], '127.0.0.1')
      assert.strictEqual(attributes['db.namespace'], '0')
    }
    assert.strictEqual(set.attributes['db.query.text'], 'SET k ?')
    assert.strictEqual(get.attributes['db.query.text'], 'GET k')
    assert.strictEqual(get.attributes['db.operation.name'], 'GET')
    assert.deepStrictEqual([push.status, push.events], [2, ['exception']])
    assert.strictEqual(push.attributes['db.response.status_code'], 'WRONGTYPE')
    assert.strictEqual(push.attributes['error.type'], 'ErrorReply')
    const sizes = [same, mixed, single].map(one => one.attributes['db.operation.batch.size'])
    assert.deepStrictEqual(sizes, [2, 2, undefined])
    assert.ok(!JSON.stringify(spans).includes('canary'))
  })

  it('is told of wrong options and of a second call', async () => {
    const [wrong, isOurs, message] = await output('twice.cjs')
    assert.ok(wrong.every(([name, text]) =>
      name === 'TypeError' && text.startsWith('OpenTelemetry.init: ')), JSON.stringify(wrong))
    assert.ok(wrong[0][1].includes('"metric"') && wrong[1][1].includes('"metrics.enable"'))
    assert.ok(isOurs)
    assert.strictEqual(message, 'OpenTelemetry already initialized')
  })

  it('gives way to Sentry, which sees each command by its own package', async () => {
    const ours = await output('sentry.cjs')
    const theirs = await output('sentry.cjs', 'redis')
    assert.deepStrictEqual(ours.map(({ name }) => name),
      ['redis-connect', 'SET 127.0.0.1', 'GET 127.0.0.1', 'MULTI', 'caller'])
    assert.deepStrictEqual(ours, theirs)
    const [, { data }] = ours
    assert.strictEqual(data['db.query.text'], 'SET k ?')
    assert.strictEqual(data['sentry.origin'], 'auto.db.redis.native_channel')
    assert.ok(!JSON.stringify(ours).includes('canary'))
  })
})

describe('npx oxidis doctor', () => {
  it('is in the package, with all that it needs', async () => {
    const { url, stop } = await serve()
    try {
      const folder = project('doctor', {
        'health.cjs': `require('oxidis/doctor').diagnose(process.env.REDIS_URL)
          .then(({ findings }) => console.log(findings.at(-1).text))`
      })
      assert.match(await run(['health.cjs'], folder, { url }), /oxidis connects/)
      // The server of the tests keeps nothing on disk, which is a warning.
      const told = run([bin('oxidis'), 'doctor', url], folder)
      await assert.rejects(told, /ended with 1:[^]*warn  data/)
    } finally {
      await stop()
    }
  })
})

/** Sentry with a transport that keeps what it gets: nothing leaves this machine. */
const SENTRY_TRANSPORT = `
  const envelopes = []
  const transport = () => ({
    send: async envelope => { envelopes.push(envelope); return {} },
    flush: async () => true
  })
`
const SENTRY = `${SENTRY_TRANSPORT}
  const Sentry = require('@sentry/node')
  Sentry.init({
    dsn: 'http://key@127.0.0.1:1/1', tracesSampleRate: 1, transport,
    integrations: [Sentry.redisIntegration()]
  })
  const { createClient } = require(process.env.LIBRARY)
  async function main () {
    const client = createClient({ url: process.env.REDIS_URL })
    client.on('error', () => {})
    await Sentry.startSpan({ name: 'caller', op: 'test' }, async () => {
      await client.connect()
      await client.set('k', 'canary')
      await client.get('k')
      await client.multi().set('a', 'canary').get('a').exec()
    })
    await client.close()
    await Sentry.flush(2000)
    const items = envelopes.flatMap(([, items]) => items.map(([, item]) => item))
    const spans = items.flatMap(item => item.items ?? [])
    console.log(JSON.stringify(spans.map(({ name, attributes }) => ({
      name: name.replace(/:\\d+$/, ''),
      data: Object.fromEntries(Object.entries(attributes)
        .filter(([name]) => /^(db|server)\\.|^sentry\\.(origin|op)$/.test(name))
        .map(([name, { value }]) => [name, value]))
    }))))
    process.exit()
  }
  main()
`

/** Removes what an earlier program has left. */
async function emptied (url) {
  const { createClient } = require('oxidis')
  const client = createClient(url)
  await client.flushAll()
  await client.close()
}
