'use strict'

/*
 * What a cluster's client does with a command that is for more than one node, from the tips of
 * COMMAND (https://redis.io/docs/latest/develop/reference/command-tips/) and the overlay below.
 */

/** [which nodes, what becomes of their replies]; undefined for a command that one node runs. */
function policyOf (name, { tips = [] }) {
  if (name in OVERLAY) return OVERLAY[name]
  const tip = kind => tips.find(tip => tip.startsWith(`${kind}:`))?.slice(kind.length + 1)
  const nodes = tip('request_policy')
  const reply = tip('response_policy')
  if (nodes === undefined || nodes === 'special' || reply === 'special') return undefined
  return [nodes, reply ?? 'concat']
}

const MEANINGS = {
  all_nodes: 'to all primaries and replicas',
  all_shards: 'to all primaries',
  multi_shard: 'its keys to the nodes that have them, a command for each slot',
  all_succeeded: 'one of the replies, which are all the same',
  one_succeeded: 'the first reply that is no error',
  agg_sum: 'the sum',
  agg_min: 'the smallest, of lists element by element',
  agg_logical_and: 'a list that is 1 where all lists are',
  concat: 'one list of all lists',
  union: 'one list of all lists, with each element once',
  count: 'an object of the sums of each field',
  random: 'any that is not null',
  busy: 'that of a node which runs something, else any'
}

const OVERLAY = {
  // Each node has the file on its own disk, as with ACL SAVE.
  'ACL LOAD': ['all_nodes', 'all_succeeded'],
  // An element belongs to a key: it goes to the place of its key.
  MGET: ['multi_shard', 'concat'],
  // A subscriber may be on any node, and a node knows its own subscribers only.
  'PUBSUB CHANNELS': ['all_nodes', 'union'],
  'PUBSUB NUMPAT': ['all_nodes', 'agg_sum'],
  'PUBSUB NUMSUB': ['all_nodes', 'count'],
  'PUBSUB SHARDCHANNELS': ['all_nodes', 'union'],
  'PUBSUB SHARDNUMSUB': ['all_nodes', 'count'],
  // The server calls their policy special; here is what it means.
  RANDOMKEY: ['all_shards', 'random'],
  'FUNCTION STATS': ['all_shards', 'busy']
}

module.exports = { MEANINGS, OVERLAY, policyOf }
