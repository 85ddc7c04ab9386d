'use strict'

// How a fake cluster describes itself: CLUSTER SLOTS, SHARDS, NODES, MYID, INFO and KEYSLOT, in
// the forms that real servers of version 7 give them.

const { slotOf } = require('./hash-slot')

/** Answers a CLUSTER command as `node` of `cluster` would. */
function describe (cluster, node, args, reply) {
  switch (args[1].toUpperCase()) {
    case 'SLOTS':
      return reply.array(slots(cluster))
    case 'SHARDS':
      return reply.send(shards(cluster, reply.connection.protocol === 3))
    case 'NODES':
      return reply.bulk(nodes(cluster, node))
    case 'MYID':
      return reply.bulk(node.id)
    case 'INFO':
      return reply.bulk(`cluster_state:ok\r\ncluster_known_nodes:${cluster.nodes.length}\r\n`)
    case 'KEYSLOT':
      return reply.integer(slotOf(args[2]))
    default:
      return reply.error(`ERR unknown subcommand '${args[1]}'`)
  }
}

/** The value of CLUSTER SLOTS, for an answer that changes some of it: arrays, as on the wire. */
function slots (cluster) {
  const describe = ({ host, port, id }) => [host, port, id, []]
  return shardsOf(cluster).flatMap(([primary, ...replicas]) =>
    primary.slots.map(([first, last]) => [first, last, ...[primary, ...replicas].map(describe)]))
}

function shards (cluster, isResp3) {
  const map = pairs => {
    const size = isResp3 ? `%${pairs.length}` : `*${pairs.length * 2}`
    return `${size}\r\n${pairs.map(([name, value]) => bulk(name) + value).join('')}`
  }
  return array(shardsOf(cluster).map(shard => map([
    ['slots', array(shard[0].slots.flat().map(integer))],
    ['nodes', array(shard.map(({ id, host, port, primary }) => map([
      ['id', bulk(id)], ['port', integer(port)], ['ip', bulk(host)], ['endpoint', bulk(host)],
      ['role', bulk(primary ? 'replica' : 'master')], ['replication-offset', integer(1)],
      ['health', bulk('online')]
    ])))]
  ])))
}

function nodes (cluster, self) {
  return cluster.nodes.map(node => {
    const role = node.primary ? 'slave' : 'master'
    const flags = node === self ? `myself,${role}` : role
    const ranges = node.slots.map(([first, last]) => first === last ? first : `${first}-${last}`)
    const following = node.primary?.id ?? '-'
    const epoch = node.index + 1
    return [
      node.id, `${node.address}@${node.port + 10_000}`, flags, following, 0, 0, epoch, 'connected',
      ...ranges
    ].join(' ') + '\n'
  }).join('')
}

// Each primary with its replicas.
function shardsOf (cluster) {
  return cluster.primaries.map(primary =>
    [primary, ...cluster.replicas.filter(replica => replica.primary === primary)])
}

const bulk = text => `$${Buffer.byteLength(text)}\r\n${text}\r\n`
const integer = value => `:${value}\r\n`
const array = values => `*${values.length}\r\n${values.join('')}`

module.exports = { describe, slots }
