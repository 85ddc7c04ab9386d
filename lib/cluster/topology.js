'use strict'

/*
 * The nodes of a cluster as the application sees them: shards, slots, masters, replicas.
 */

/**
 * What the application sees of `shards`, which the native side has told.
 * @returns {{ shards: object[], slots: object[], masters: object[], replicas: object[],
 *   nodeByAddress: Map<string, object> }}
 */
function topologyOf (shards) {
  const nodeByAddress = new Map()
  const node = ({ place, host, port, id }, readonly) => {
    const address = `${host}:${port}`
    const made = { id, address, host, port, readonly }
    // Hidden: the number by which the native side finds the node.
    Object.defineProperty(made, 'place', { value: place })
    nodeByAddress.set(address, made)
    return made
  }
  const slots = Array.from({ length: 16384 })
  const made = shards.map(({ primary, replicas, slots: ranges }) => {
    const shard = {
      master: node(primary, false), replicas: replicas.map(replica => node(replica, true))
    }
    for (let i = 0; i < ranges.length; i += 2) {
      for (let slot = ranges[i]; slot <= ranges[i + 1]; slot++) slots[slot] = shard
    }
    return shard
  })
  return {
    shards: made,
    slots,
    masters: made.map(({ master }) => master),
    replicas: made.flatMap(({ replicas }) => replicas),
    nodeByAddress
  }
}

module.exports = { topologyOf }
