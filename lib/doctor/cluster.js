'use strict'

/*
 * What do the nodes of a cluster say? Which slots have a node, do the nodes agree, and can each of
 * them be reached at the address that the cluster names?
 */

const { addressOf } = require('../addresses')
const { checkRights, logIn } = require('./login')
const { nameOf } = require('./reach')
const { speak } = require('./tls')
const { Refused } = require('./wire')

const SLOTS = 16384

/**
 * @param {object} patient
 * @param {import('./wire').Wire} wire to one node
 * @param {object} target its address, as it was reached
 */
async function checkCluster (patient, wire, target) {
  const { findings } = patient
  await checkRights(patient, wire, [['CLUSTER', 'SLOTS']])
  const view = viewOf(await wire.ask('CLUSTER', 'SLOTS'), target)
  if (view === undefined) {
    findings.fail('cluster', 'NO_VIEW', 'the node does not tell the slots of the cluster',
      'ACL SETUSER name +cluster|slots')
    return
  }
  const nodes = [...view.nodes.values()]
  const primaries = nodes.filter(({ isReplica }) => !isReplica)
  findings.measured.cluster = {
    slots: view.covered,
    primaries: primaries.length,
    nodes: nodes.map(({ host, port, isReplica }) => ({ host, port, isReplica }))
  }
  covered(findings, view)
  if (primaries.length > 0) {
    findings.ok('cluster', `${primaries.length} primaries, ${nodes.length - primaries.length} ` +
      'replicas')
  }
  const alone = primaries.filter(({ replicas }) => replicas === 0)
  if (alone.length > 0) {
    findings.note('cluster', 'NO_REPLICAS', `${alone.length} of ${primaries.length} primaries ` +
      'have no replica: if one of them fails, its slots have no node',
    'add a replica for each primary')
  }
  await visit(patient, view, target)
}

function covered (findings, { covered, gaps }) {
  if (covered === SLOTS) {
    findings.ok('cluster', 'all 16384 slots have a node')
    return
  }
  const shown = gaps.slice(0, 5).map(([a, b]) => a === b ? a : `${a}-${b}`).join(', ')
  findings.fail('cluster', 'SLOTS_MISSING', `${SLOTS - covered} of 16384 slots have no node: ` +
    `${shown}${gaps.length > 5 ? ' ...' : ''}; commands for them fail (CLUSTERDOWN), and with ` +
    'cluster-require-full-coverage all commands do', 'redis-cli --cluster check host:port, then ' +
    '--cluster fix; a node that is down may have them: start it')
}

/** Connects to each node at the address that the cluster names, and compares what they say. */
async function visit (patient, view, target) {
  const { findings } = patient
  const outcomes = await Promise.all([...view.nodes.values()].map(async node => {
    const at = mapped(patient, node)
    // What goes wrong with one node is told as one finding about all of them.
    const silent = { ...patient, findings: new Silent() }
    silent.options = { ...patient.options, socket: { ...patient.options.socket, ...at } }
    let wire
    try {
      wire = await speak(silent, at)
      if (wire === null || !await logIn(silent, wire)) return { at, isDown: true }
      return { at, view: viewOf(await wire.ask('CLUSTER', 'SLOTS'), at) }
    } catch {
      return { at, isDown: true }
    } finally {
      wire?.close()
    }
  }))
  const down = outcomes.filter(({ isDown }) => isDown).map(({ at }) => nameOf(at))
  if (down.length > 0) unreachable(findings, down, outcomes.length, target)
  else findings.ok('cluster', 'each node can be reached at the address that the cluster names')
  const others = outcomes.filter(one => one.view !== undefined && one.view.text !== view.text)
  if (others.length > 0) {
    findings.warn('cluster', 'NODES_DISAGREE', `${others.map(({ at }) => nameOf(at)).join(', ')} ` +
      `name other nodes or slots than ${nameOf(target)}`, 'slots may be on their way; if it ' +
      'stays so, nodes do not hear of each other: is the bus port (port + 10000) open?')
  }
}

function unreachable (findings, down, count, target) {
  const all = down.length === count
  findings.fail('cluster', 'NODES_UNREACHABLE', `${down.join(', ')} cannot be reached from here, ` +
    `${all ? 'although' : 'while'} ${nameOf(target)} can: the cluster names addresses that hold ` +
    'in its own network only (NAT, containers), or the nodes are down',
  'option nodeAddressMap says where the nodes are for this client; or set ' +
  '`cluster-announce-ip` and `cluster-announce-port` of each node')
}

/** Where this client reaches a node, by the option nodeAddressMap. */
function mapped ({ addressMap }, { host, port }) {
  const address = addressOf({ host, port })
  const found = typeof addressMap === 'function' ? addressMap(address) : addressMap?.[address]
  const { host: to, port: at } = found ?? { host, port }
  return { host: to, port: at }
}

/** What CLUSTER SLOTS says; undefined if it says nothing. An empty address is that of the node. */
function viewOf (reply, target) {
  if (reply instanceof Refused || !Array.isArray(reply)) return undefined
  const nodes = new Map()
  const ranges = []
  for (const [first, last, ...entries] of reply) {
    ranges.push([first, last])
    entries.forEach(([host, port], i) => {
      const node = { host: host || target.host, port, isReplica: i > 0, replicas: 0 }
      const key = addressOf(node)
      if (!nodes.has(key)) nodes.set(key, node)
      if (i === 0) nodes.get(key).replicas = entries.length - 1
    })
  }
  ranges.sort(([a], [b]) => a - b)
  const gaps = []
  let next = 0
  for (const [first, last] of ranges) {
    if (first > next) gaps.push([next, first - 1])
    next = Math.max(next, last + 1)
  }
  if (next < SLOTS) gaps.push([next, SLOTS - 1])
  const missing = gaps.reduce((sum, [first, last]) => sum + last - first + 1, 0)
  // By ports, since a node may call itself by another address than others call it.
  const text = JSON.stringify(reply.map(([first, last, ...entries]) =>
    [first, last, ...entries.map(([, port, id]) => id ?? port).toSorted()]).toSorted())
  return { nodes, gaps, covered: SLOTS - missing, text }
}

/** Findings that nobody reads. */
class Silent {
  measured = {}
  list = []
  ok () {}
  note () {}
  warn () {}
  fail () {}
}

module.exports = { checkCluster }
