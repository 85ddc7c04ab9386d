'use strict'

// Every method on a cluster: oxidis's client and node-redis's resolve to deep-equal values, or
// reject with the same text of the server, in RESP2 and RESP3.
//
// The calls and the data are those for one server (../commands/differential.spec.js). Both clients
// put `{t}` in front of every key, so all keys of a call are in one slot.

const assert = require('node:assert')
const { after, before, describe, test } = require('node:test')

const redis = require('redis')

const oxidis = require('../..')
const { commands } = require('../../lib/commands')
const {
  Comparison, NOT_RUN, STATES, callTheirs, callsOf, hasKeys, isFor, onlyReads, outcomeOf, seed
} = require('../commands/comparison')
const { encode, parse } = require('../commands/encode')
const { startCluster } = require('../support/redis-cluster')

const PREFIX = '{t}'

/** Methods that are not run on a cluster, because ... */
const NOT_IN_CLUSTER = {
  ...Object.fromEntries(['AddSlots', 'AddSlotsRange', 'BumpEpoch', 'DelSlots', 'DelSlotsRange',
    'Failover', 'FlushSlots', 'Forget', 'Meet', 'Replicate', 'Reset', 'SaveConfig',
    'SetConfigEpoch', 'SetSlot'].map(name =>
    [`cluster${name}`, 'it would change the cluster under the other calls'])),
  ...Object.fromEntries(['scan', 'blessScan'].map(name =>
    [name, 'a cursor belongs to one node: node-redis makes cursors of its own'])),
  ...Object.fromEntries(['Get', 'Reset', 'Start', 'Stop'].map(name =>
    [`hotkeys${name}`, "node-redis's cluster does not have it"]))
}

/** Replies of these depend on the node that answers, which may be any: shapes are compared. */
const OF_ANY_NODE = new Set(['clusterLinks', 'clusterMyId', 'clusterMyShardId', 'clusterNodes',
  'clusterInfo', 'role', 'configGet', 'clusterCountFailureReports', 'clusterReplicas',
  'clusterCountKeysInSlot', 'clusterGetKeysInSlot', 'memoryStats'])

/** Each node has an order of its own. */
const UNORDERED = new Set(['aclCat', 'command', 'commandInfo', 'commandList'])

const comparison = new Comparison()
const settings = new Set([2, 3].map(RESP => ({ RESP, mapping: undefined })))
let cluster, control, nodes

before(async () => {
  cluster = await startCluster({ primaries: 3, replicas: 0 })
  nodes = await Promise.all(cluster.primaries.map(({ url }) =>
    redis.createClient({ url }).on('error', () => {}).connect()))
  const owner = cluster.primaries.indexOf(cluster.nodeOf(cluster.slotOf(PREFIX)))
  control = new Control(nodes, nodes[owner])
})

after(async () => {
  for (const node of nodes ?? []) node.destroy()
  await cluster?.stop()
})

for (const setting of settings) {
  describe(`a cluster, RESP${setting.RESP}`, () => {
    let ours, theirs

    before(async () => {
      const options = { rootNodes: cluster.rootNodes, keyPrefix: PREFIX, RESP: setting.RESP }
      ours = await oxidis.createCluster(options).connect()
      theirs = await redis.createCluster(options).on('error', () => {}).connect()
    })

    after(async () => {
      await ours?.close()
      theirs?.destroy()
    })

    for (const row of commands) {
      if (row.name in NOT_RUN || row.name in NOT_IN_CLUSTER) continue
      test(row.name, async () => {
        const isKept = onlyReads(row)
        for (const state of STATES) {
          const cases = callsOf(row).filter(args => isFor(row, args, state))
          if (isKept && cases.length > 0) await seed(control, row, state)
          for (const [index, args] of cases.entries()) {
            if (!isKept) await seed(control, row, state)
            const actual = await outcomeOf(() => ours[row.name](...args))
            if (!isKept) await seed(control, row, state)
            const expected = await outcomeOf(() => call(theirs, row, args))
            compare(row, `${index} ${state}`, setting, actual, expected)
          }
        }
      })
    }
  })
}

test('every method was run, or is not for a reason', t => {
  const names = new Set(commands.map(({ name }) => name))
  for (const name of [...Object.keys(NOT_IN_CLUSTER), ...OF_ANY_NODE, ...UNORDERED]) {
    assert.ok(names.has(name), name)
  }
  comparison.checkComplete(NOT_IN_CLUSTER)
  t.diagnostic(`on a cluster: ${comparison}`)
})

/** As `comparison.compare`, without what a node is told apart by. */
function compare (row, id, setting, actual, expected) {
  const view = OF_ANY_NODE.has(row.name) ? ofAnyNode : UNORDERED.has(row.name) ? sorted : all
  const [one, other] = [actual, expected].map(view)
  if (one.error !== undefined) one.error = one.error.replace(/ \(from the node [^)]*\)$/, '')
  comparison.compare(row, id, setting, one, other)
}

function ofAnyNode (outcome) {
  return 'value' in outcome ? { value: typeof outcome.value } : outcome
}

function sorted ({ value, ...rest }) {
  return { value: inOrder(value), ...rest }
}

/** Lists and sets, also those within, in an order that does not depend on the node. */
function inOrder (value) {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value) || value instanceof Set) {
    return [...value].map(item => JSON.stringify(inOrder(item))).sort()
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, inOrder(item)]))
}

function all (outcome) {
  return { ...outcome }
}

/** node-redis's cluster wants to know the key of what is sent by hand. */
function call (theirs, row, args) {
  const target = Object.create(theirs, {
    sendCommand: {
      value: sent => hasKeys(row, args)
        ? theirs.sendCommand(`${PREFIX}${args[0]}`, false, parse(encode(row, args, PREFIX)))
        : theirs.sendCommand(undefined, false, sent)
    }
  })
  return callTheirs(target, row, args)
}

/** Lays data with the prefix on the node that has it, and sends what has no key to all nodes. */
class Control {
  constructor (nodes, owner) {
    this.nodes = nodes
    this.owner = owner
  }

  multi () {
    const chains = this.nodes.map(node => ({ node, chain: node.multi() }))
    return {
      addCommand: args => {
        const at = keyAt(args)
        const sent = args.map((arg, i) => i === at ? PREFIX + arg : arg)
        for (const { node, chain } of chains) {
          if (at === -1 || node === this.owner) chain.addCommand(sent)
        }
      },
      execAsPipeline: () => Promise.all(chains.map(({ chain }) => chain.execAsPipeline()))
    }
  }
}

/** Where a command of data.js has its key. */
function keyAt ([name, ...rest]) {
  if (['FLUSHALL', 'FUNCTION', 'ACL'].includes(name)) return -1
  if (name === 'XREADGROUP') return rest.indexOf('STREAMS') + 2
  return name === 'XGROUP' ? 2 : 1
}
