'use strict'

// Whoever cannot use a cluster, or a primary that Sentinel watches over, learns what its nodes say.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { diagnose } = require('../../lib/doctor')
const { untilReplicasListed } = require('../cluster/listed-replicas')
const { freePort } = require('../support/ports')
const { startCluster } = require('../support/redis-cluster')
const { startSentinels } = require('../support/redis-sentinel')
const { skipBefore7, startServer } = require('../support/redis-server')
const { SECRET, bulk, finding, info, scripted } = require('./scene')

const CLUSTER = info({ redis_mode: 'cluster' })

/** CLUSTER SLOTS of ranges `[first, last, ...[host, port, id]]`. */
function slots (ranges) {
  const node = ([host, port, id = `id-of-${port}`]) =>
    `*3\r\n${bulk(host)}:${port}\r\n${bulk(id)}`
  return `*${ranges.length}\r\n` + ranges.map(([first, last, ...nodes]) =>
    `*${2 + nodes.length}\r\n:${first}\r\n:${last}\r\n${nodes.map(node).join('')}`).join('')
}

/** A node that says `ranges`, as a function of its own port. */
async function node (t, ranges, answers = {}) {
  const server = await scripted(t, {
    INFO: CLUSTER,
    'CLUSTER SLOTS': reply => reply.send(slots(ranges(server.port))),
    ...answers
  })
  return server
}

function rootNodes (...servers) {
  return { rootNodes: servers.map(({ host, port }) => ({ socket: { host, port } })) }
}

describe('a cluster', () => {
  it('that is all right is told: slots, primaries, replicas', { skip: skipBefore7() }, async t => {
    const cluster = await startCluster({ requirepass: SECRET })
    t.after(() => cluster.stop())
    await untilReplicasListed(cluster)
    const report = await diagnose({ rootNodes: cluster.rootNodes })
    assert.ok(report.status < 2, JSON.stringify(report.findings))
    const texts = report.findings.map(({ text }) => text)
    assert.ok(texts.includes('all 16384 slots have a node'))
    assert.ok(texts.includes('3 primaries, 3 replicas'))
    assert.ok(texts.some(text => /each node can be reached/.test(text)))
    assert.ok(texts.some(text => /oxidis connects/.test(text)))
    assert.strictEqual(report.measured.cluster.nodes.length, 6)
    assert.ok(!JSON.stringify(report).includes(SECRET))
  })

  it('behind NAT is told, with the addresses and with nodeAddressMap', async t => {
    const away = await freePort()
    const server = await node(t, () => [[0, 16383, ['127.0.0.1', away]]])
    const { text, remedy } = await finding(rootNodes(server), 'NODES_UNREACHABLE')
    assert.ok(text.includes(`127.0.0.1:${away} cannot be reached`), text)
    assert.ok(text.includes(`127.0.0.1:${server.port} can`), text)
    assert.match(remedy, /nodeAddressMap.*cluster-announce-ip/)

    const to = { host: server.host, port: server.port }
    for (const nodeAddressMap of [{ [`127.0.0.1:${away}`]: to }, () => to]) {
      const { findings } = await diagnose({ ...rootNodes(server), nodeAddressMap })
      assert.ok(!findings.some(({ code }) => code === 'NODES_UNREACHABLE'))
    }
  })

  it('that does not have all slots is told which', async t => {
    const server = await node(t, port => [
      [0, 99, ['127.0.0.1', port]], [101, 16000, ['127.0.0.1', port]]])
    const { text, report } = await finding(rootNodes(server), 'SLOTS_MISSING')
    assert.match(text, /384 of 16384 slots have no node: 100, 16001-16383;/)
    assert.strictEqual(report.status, 2)
  })

  it('without any slot is told', async t => {
    const server = await node(t, () => [])
    assert.match((await finding(rootNodes(server), 'SLOTS_MISSING')).text, /16384 of 16384/)
  })

  it('whose nodes say different things is told', async t => {
    const two = await node(t, port => [[0, 16383, ['127.0.0.1', port]]])
    const one = await node(t, port => [
      [0, 9, ['127.0.0.1', port]], [10, 16383, ['127.0.0.1', two.port]]])
    const { text } = await finding(rootNodes(one), 'NODES_DISAGREE')
    assert.ok(text.startsWith(`127.0.0.1:${two.port} name other nodes`), text)
  })

  it('without replicas is told', async t => {
    const server = await node(t, port => [[0, 16383, ['127.0.0.1', port]]])
    await finding(rootNodes(server), 'NO_REPLICAS')
  })

  it('whose slots this user may not see is told', async t => {
    const refusal = '-NOPERM this user has no permissions\r\n'
    const server = await node(t, () => [], { 'CLUSTER SLOTS': refusal })
    const { report } = await finding(rootNodes(server), 'NO_VIEW')
    assert.match(report.findings.find(({ code }) => code === 'NOT_ALLOWED').remedy,
      /\+cluster\|slots/)
  })

  it('of which a root node is down works, with a warning', async t => {
    const server = await node(t, port => [[0, 16383, ['127.0.0.1', port]]])
    const dead = { host: '127.0.0.1', port: await freePort() }
    const { text } = await finding(rootNodes(dead, server), 'ROOT_DOWN')
    assert.ok(text.includes(`:${dead.port}`))
  })

  it('of which all root nodes are down is told', async () => {
    const dead = { host: '127.0.0.1', port: await freePort() }
    await finding(rootNodes(dead), 'REFUSED')
  })

  it('that is none is told', async t => {
    const server = await scripted(t)
    await finding(rootNodes(server), 'NO_CLUSTER')
  })
})

describe('a sentinel', () => {
  const options = (name, ...sentinels) => ({
    name, sentinelRootNodes: sentinels.map(({ host, port }) => ({ host, port }))
  })

  /** A sentinel that names `primary`; null: it does not know the name. */
  const sentinel = (t, primary) => scripted(t, {
    'SENTINEL GET-MASTER-ADDR-BY-NAME': primary === null
      ? '*-1\r\n'
      : `*2\r\n${bulk(primary.host)}${bulk(String(primary.port))}`,
    'SENTINEL MASTERS': `*1\r\n*2\r\n${bulk('name')}${bulk('other')}`
  })

  it('that is all right is told, and its primary is examined', async t => {
    const set = await startSentinels()
    t.after(() => set.stop())
    const report = await diagnose({ name: set.name, sentinelRootNodes: set.sentinelRootNodes })
    assert.ok(report.status < 2, JSON.stringify(report.findings))
    const texts = report.findings.map(({ text }) => text)
    assert.ok(texts.some(text => /^3 of 3 sentinels name 127\.0\.0\.1:\d+ as/.test(text)))
    assert.ok(texts.includes('it is a primary'))
    assert.ok(texts.some(text => /oxidis connects/.test(text)))
    const { text } = await finding(
      { name: 'misspelt', sentinelRootNodes: set.sentinelRootNodes }, 'NAME_NOT_KNOWN')
    assert.ok(text.includes(`they know "${set.name}"`), text)
  })

  it('that does not know the name is told, with the names that it knows', async t => {
    const { text } = await finding(options('shop', await sentinel(t, null)), 'NAME_NOT_KNOWN')
    assert.match(text, /"shop"; they know "other"/)
  })

  it('that cannot be asked is told', async t => {
    const dead = { host: '127.0.0.1', port: await freePort() }
    const { report } = await finding(options('shop', dead), 'NO_SENTINEL')
    assert.ok(report.findings.some(({ code }) => code === 'REFUSED'))
    const primary = await scripted(t)
    await finding(options('shop', await sentinel(t, primary), dead), 'SENTINELS_DOWN')
  })

  it('that says something else than the others is told', async t => {
    const [one, two] = [await scripted(t), await scripted(t)]
    const found = await finding(
      options('shop', await sentinel(t, one), await sentinel(t, two)), 'SENTINELS_DISAGREE')
    for (const { port } of [one, two]) assert.ok(found.text.includes(`names 127.0.0.1:${port}`))
  })

  it('that alone does not know the name is told', async t => {
    const primary = await scripted(t)
    await finding(options('shop', await sentinel(t, primary), await sentinel(t, null)),
      'NAME_KNOWN_TO_SOME')
  })

  it('that is a server of data is told', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    await finding(options('shop', server), 'NO_SENTINEL_MODE')
  })

  it('with another password is told, and neither password is shown', async t => {
    const server = await startServer({ requirepass: SECRET })
    t.after(() => server.stop())
    await finding({
      ...options('shop', server), sentinelClientOptions: { password: `${SECRET}-wrong` }
    }, 'WRONG_PASSWORD')
  })

  it('that names a primary which is reached elsewhere is followed there', async t => {
    const primary = await scripted(t)
    const away = { host: '127.0.0.1', port: await freePort() }
    const { host, port } = primary
    const nodeAddressMap = { [`127.0.0.1:${away.port}`]: { host, port } }
    const given = { ...options('shop', await sentinel(t, away)), nodeAddressMap }
    const { findings } = await diagnose(given)
    assert.ok(findings.some(({ text }) => text === 'it is a primary'), JSON.stringify(findings))
  })
})
