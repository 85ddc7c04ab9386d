'use strict'

// Whoever uses a server that refuses writes, loses data, is slow or is something else than the
// options say, learns that.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { diagnose } = require('../../lib/doctor')
const { openControl } = require('../support/control-connection')
const { startServer } = require('../support/redis-server')
const { until } = require('../support/until')
const { bulk, finding, info, scripted, statusOf } = require('./scene')

const UNKNOWN = '-ERR unknown command\r\n'

describe('a healthy server', () => {
  it('has no finding that is no praise', async t => {
    const server = await scripted(t)
    const report = await diagnose(server.url)
    assert.strictEqual(statusOf(report), 0)
    // A busy machine answers late.
    const told = report.findings.filter(({ check }) => check !== 'latency')
    assert.ok(told.every(({ level }) => level === 'ok'), JSON.stringify(report))
    assert.ok(report.tookMs > 0)
  })

  it('is measured: 200 PINGs, a histogram, and the throughput only if asked', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const { measured } = await diagnose(server.url)
    const { count, p50, p99, max, histogram } = measured.latency
    assert.ok(count > 0 && count <= 200)
    assert.ok(p50 > 0 && p50 <= p99 && p99 <= max)
    assert.strictEqual(histogram.reduce((sum, bar) => sum + bar.count, 0), count)
    assert.strictEqual(measured.load, undefined)
    const { measured: { load } } = await diagnose(server.url, { load: true })
    assert.deepStrictEqual(Object.keys(load), ['1', '10', '100'])
    for (const rate of Object.values(load)) assert.ok(rate > 0)
  })
})

describe('a server', () => {
  const SCRIPTED = [
    ['LOADING', { PING: '-LOADING Redis is loading the dataset in memory\r\n',
      INFO: info({ loading: '1', loading_loaded_perc: '41.5', loading_eta_seconds: '7' }) }, 2,
    /41\.5 % are done, and needs 7 s/],
    ['REPLICA', { INFO: info({ role: 'slave', master_host: '127.0.0.1', master_port: '1' }) }, 1,
      /127\.0\.0\.1 port 1/],
    ['PRIMARY_LOST', { INFO: info({ role: 'slave', master_link_status: 'down' }) }, 1,
      /getting old/],
    ['OLD_SERVER', { INFO: info({ redis_version: '5.0.14' }) }, 1, /5\.0\.14/],
    ['RESP2_ONLY', { HELLO: '-ERR unknown command `HELLO`, with args beginning with: `3`\r\n' },
      0, /RESP2 is spoken/],
    ['PROXY', { INFO: UNKNOWN, HELLO: UNKNOWN }, 0, /a proxy/],
    ['FULL', { INFO: info({ used_memory: '101', maxmemory: '100' }) }, 2, /noeviction.*OOM/],
    ['ALMOST_FULL', { INFO: info({ used_memory: '95', maxmemory: '100' }) }, 1, /will be refused/],
    ['NOT_PERSISTENT', { INFO: info({ aof_enabled: '0' }),
      'CONFIG GET': `*2\r\n${bulk('save')}${bulk('')}` }, 1, /restart loses/],
    ['EVICTS', { INFO: info({ maxmemory: '9000000', maxmemory_policy: 'allkeys-lru' }) }, 1,
      /allkeys-lru/],
    ['PERSISTENCE_UNKNOWN', { INFO: info({ aof_enabled: '0' }),
      'CONFIG GET': '-NOPERM no permissions\r\n' }, 0, /does not tell/],
    ['SAVE_FAILED', { INFO: info({ rdb_last_bgsave_status: 'err' }) }, 2, /MISCONF/],
    ['LOG_FAILED', { INFO: info({ aof_last_write_status: 'err' }) }, 2, /MISCONF/],
    ['FEW_CLIENTS', { INFO: info({ maxclients: '20', connected_clients: '10' }) }, 1,
      /may open 18/],
    ['IS_SENTINEL', { INFO: info({ redis_mode: 'sentinel' }) }, 2, /no data/],
    ['IS_CLUSTER', { INFO: info({ redis_mode: 'cluster' }),
      'CLUSTER SLOTS': '*0\r\n' }, 1, /MOVED/],
    ['CLIENT_FAILED', { HELLO: '-NOAUTH Authentication required.\r\n' }, 2, /asks for a password/]
  ]
  for (const [code, answers, status, text] of SCRIPTED) {
    it(`is told: ${code}`, async t => {
      const server = await scripted(t, answers)
      const found = await finding(server.url, code)
      assert.match(found.text, text)
      assert.ok(found.report.status >= status, JSON.stringify(found.report.findings))
    })
  }

  it('that evicts and keeps nothing is a cache, and no fault', async t => {
    const server = await scripted(t, {
      INFO: info({ aof_enabled: '0', maxmemory: '9000000', maxmemory_policy: 'allkeys-lru' }),
      'CONFIG GET': `*2\r\n${bulk('save')}${bulk('')}`
    })
    assert.strictEqual(statusOf(await diagnose(server.url)), 0)
  })

  it('that is Valkey or something else is named', async t => {
    for (const [fields, name] of [
      [{ valkey_version: '8.1.0' }, 'Valkey 8.1.0'],
      [{ dragonfly_version: 'df-1.2' }, 'Dragonfly df-1.2']
    ]) {
      const server = await scripted(t, { INFO: info(fields) })
      const { findings } = await diagnose(server.url)
      assert.ok(findings.some(({ text }) => text === `${name}, RESP3`), JSON.stringify(findings))
    }
  })

  it('that is far away is told', async t => {
    const server = await scripted(t, {
      PING: reply => { setTimeout(() => reply.send('+PONG\r\n'), 30) }
    })
    const { report } = await finding(server.url, 'FAR')
    assert.ok(report.measured.latency.p50 > 20)
  })

  it('that stumbles is told', async t => {
    let pings = 0
    const server = await scripted(t, {
      PING: reply => {
        if (++pings % 25 !== 0) return reply.send('+PONG\r\n')
        setTimeout(() => reply.send('+PONG\r\n'), 60)
      }
    })
    // On a busy machine most answers may be slow as well; then it is told to be far.
    const { findings } = await diagnose(server.url)
    assert.ok(findings.some(({ code }) => code === 'UNSTEADY' || code === 'FAR'))
  })
})

describe('a real server', () => {
  let server, control
  before(async () => {
    server = await startServer()
    control = await openControl(server)
  })
  after(async () => {
    control.close()
    await server.stop()
  })

  it('whose memory is full is told', async () => {
    await control.command('SET', 'k', 'v')
    await control.command('CONFIG', 'SET', 'maxmemory', '1')
    const { text, report } = await finding(server.url, 'FULL')
    await control.command('CONFIG', 'SET', 'maxmemory', '0')
    assert.match(text, /maxmemory/)
    assert.strictEqual(report.status, 2)
  })

  it('that is a replica is told', async t => {
    const replica = await startServer({ args: ['--replicaof', server.host, String(server.port)] })
    t.after(() => replica.stop())
    const { text } = await finding(replica.url, 'REPLICA')
    assert.ok(text.includes(`port ${server.port}`))
    const { findings } = await diagnose({ url: replica.url, readonly: true })
    assert.ok(!findings.some(({ code }) => code === 'REPLICA'))
  })

  it('that runs a script is told', async () => {
    // The server says BUSY once the script has run for this long (ms).
    await control.command('CONFIG', 'SET', 'lua-time-limit', '1')
    const running = await openControl(server)
    running.command('EVAL', 'while true do end', '0').catch(() => {})
    await until('the script runs', async () =>
      control.command('PING').then(() => false, error => /BUSY/.test(error.message)))
    await finding(server.url, 'SCRIPT_RUNNING')
    await control.command('SCRIPT', 'KILL')
    running.close()
  })
})
