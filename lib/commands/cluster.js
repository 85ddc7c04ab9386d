'use strict'

/*
 * Rows of the CLUSTER commands: what one node says about its cluster, and how it is told to
 * change. See index.js for what a row is. Nothing here routes a command.
 */

const { fail, isGiven } = require('../arguments')
const { none } = require('./forms')
const { maps } = require('./replies')
const { list, tuple } = require('./shapes')

module.exports = [
  row('clusterAddSlots', 'ADDSLOTS', slots, '(slots: RedisInteger | RedisInteger[])', "'OK'"),
  row('clusterAddSlotsRange', 'ADDSLOTSRANGE', ranges, '(ranges: SlotRange | SlotRange[])', "'OK'"),
  row('clusterBumpEpoch', 'BUMPEPOCH', none, '()', 'string'),
  row('clusterCountFailureReports', 'COUNT-FAILURE-REPORTS', node, '(nodeId: RedisArgument)',
    'number'),
  row('clusterCountKeysInSlot', 'COUNTKEYSINSLOT', slot, '(slot: RedisInteger)', 'number'),
  row('clusterDelSlots', 'DELSLOTS', slots, '(slots: RedisInteger | RedisInteger[])', "'OK'"),
  row('clusterDelSlotsRange', 'DELSLOTSRANGE', ranges, '(ranges: SlotRange | SlotRange[])', "'OK'"),
  row('clusterFailover', 'FAILOVER', mode('FORCE', 'TAKEOVER'),
    "(options?: { mode?: 'FORCE' | 'TAKEOVER' })", "'OK'"),
  row('clusterFlushSlots', 'FLUSHSLOTS', none, '()', "'OK'"),
  row('clusterForget', 'FORGET', node, '(nodeId: RedisArgument)', "'OK'"),
  row('clusterGetKeysInSlot', 'GETKEYSINSLOT', (w, number, count) => {
    slot(w, number)
    w.int(count, 'count')
  }, '(slot: RedisInteger, count: RedisInteger)', 'T[]'),
  row('clusterInfo', 'INFO', none, '()', 'T'),
  row('clusterKeySlot', 'KEYSLOT', (w, key) => w.key(key, 'key'), '(key: RedisArgument)', 'number'),
  {
    ...row('clusterLinks', 'LINKS', none, '()', 'ClusterLink<T>[]'),
    reply: maps
  },
  row('clusterMeet', 'MEET', (w, host, port) => {
    w.arg(host, 'host')
    w.int(port, 'port')
  }, '(host: RedisArgument, port: RedisInteger)', "'OK'"),
  row('clusterMyId', 'MYID', none, '()', 'T'),
  row('clusterMyShardId', 'MYSHARDID', none, '()', 'T'),
  row('clusterNodes', 'NODES', none, '()', 'T'),
  row('clusterReplicas', 'REPLICAS', node, '(nodeId: RedisArgument)', 'T[]'),
  row('clusterReplicate', 'REPLICATE', node, '(nodeId: RedisArgument)', "'OK'"),
  row('clusterReset', 'RESET', mode('HARD', 'SOFT'),
    "(options?: { mode?: 'HARD' | 'SOFT' })", "'OK'"),
  row('clusterSaveConfig', 'SAVECONFIG', none, '()', "'OK'"),
  row('clusterSetConfigEpoch', 'SET-CONFIG-EPOCH', (w, epoch) => w.int(epoch, 'configEpoch'),
    '(configEpoch: RedisInteger)', "'OK'"),
  row('clusterSetSlot', 'SETSLOT', (w, number, state, nodeId) => {
    slot(w, number)
    w.oneOf(state, 'state', ['IMPORTING', 'MIGRATING', 'STABLE', 'NODE'])
    if (isGiven(nodeId)) node(w, nodeId)
  }, "(slot: RedisInteger, state: 'IMPORTING' | 'MIGRATING' | 'STABLE' | 'NODE', " +
    'nodeId?: RedisArgument)', "'OK'"),
  {
    ...row('clusterSlots', 'SLOTS', none, '()', 'ClusterSlots<T>[]'),
    reply: reply => list(reply).map(range => {
      const [from, to, master, ...replicas] = tuple(range, 3)
      return { from, to, master: address(master), replicas: replicas.map(address) }
    })
  }
]

function row (name, token, args, parameters, reply) {
  const ts = `${parameters}: Promise<${reply}>`
  return { name, upper: `CLUSTER_${token}`, command: ['CLUSTER', token], args, ts }
}

function node (w, nodeId) {
  w.arg(nodeId, 'nodeId')
}

function slot (w, number) {
  w.int(number, 'slot')
}

/** One slot or a non-empty array of slots. */
function slots (w, numbers) {
  if (!Array.isArray(numbers)) return w.int(numbers, 'slots')
  if (numbers.length === 0) fail('slots', 'a non-empty array', numbers)
  for (let i = 0; i < numbers.length; i++) w.int(numbers[i], `slots[${i}]`)
}

/** One `{ start, end }` or a non-empty array of them; both ends belong to it. */
function ranges (w, ranges) {
  const list = Array.isArray(ranges) ? ranges : [ranges]
  if (list.length === 0) fail('ranges', 'a non-empty array', list)
  for (const range of list) {
    if (range === null || typeof range !== 'object') {
      fail('ranges', 'a { start, end } or an array of them', range)
    }
    w.int(range.start, 'ranges: start')
    w.int(range.end, 'ranges: end')
  }
}

/** ({ mode }), one of `modes`. */
function mode (...modes) {
  return function (w, options) {
    const o = w.options(options, 'options', MODE_OPTIONS)
    if (isGiven(o?.mode)) w.oneOf(o.mode, 'options.mode', modes)
  }
}

function address (reply) {
  const [host, port, id] = tuple(reply, 2)
  return { host, port, id }
}

const MODE_OPTIONS = new Set(['mode'])
