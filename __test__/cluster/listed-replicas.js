'use strict'

// Makes the replicas of a new cluster known: servers list none that has nothing replicated yet.

const { until } = require('../support/until')

/** Writes to each primary, and resolves once every node lists every replica. */
async function untilReplicasListed (cluster) {
  for (const node of cluster.primaries) {
    const key = cluster.keyOn(node)
    await cluster.command(node, 'SET', key, 'v')
    await cluster.command(node, 'DEL', key)
  }
  await until('all nodes list the replicas', async () => {
    const views = await Promise.all(cluster.nodes.map(node =>
      cluster.command(node, 'CLUSTER', 'SLOTS')))
    const listed = view => new Set(view.flatMap(([, , ...nodes]) => nodes.map(([, port]) => port)))
    return views.every(view => listed(view).size === cluster.nodes.length)
  })
}

module.exports = { untilReplicasListed }
