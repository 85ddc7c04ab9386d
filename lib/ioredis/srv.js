'use strict'

/*
 * SRV records in place of the addresses of a cluster's startup nodes: `useSRVRecords`.
 */

const { isIP } = require('node:net')

/**
 * The startup nodes with the targets of the records that their names have. Those of the smallest
 * priority come first; among equals, the more often the greater their weight.
 * @param {object[]} nodes options of instances; addresses and names without records stay
 * @param {(name: string, done: (error: unknown, records?: object[]) => void) => void} resolveSrv
 */
async function targetsOf (nodes, resolveSrv) {
  const all = await Promise.all(nodes.map(async node => {
    if (!node.host || isIP(node.host)) return [node]
    const records = await recordsOf(node.host, resolveSrv)
    if (records.length === 0) throw new Error(`there is no SRV record of ${node.host}`)
    return inOrder(records).map(({ name, port }) => ({ ...node, host: name, port }))
  }))
  return all.flat()
}

function recordsOf (name, resolveSrv) {
  return new Promise((resolve, reject) => {
    resolveSrv(name, (error, records) => error ? reject(error) : resolve(records ?? []))
  })
}

function inOrder (records) {
  // The greatest of random numbers that are raised to 1/weight is each one with its weight's
  // chance (Efraimidis and Spirakis, 2006). A weight of 0 has a small chance, as RFC 2782 wants it.
  return records.map(record => ({ record, draw: Math.random() ** (1 / (record.weight || 0.01)) }))
    .sort((a, b) => a.record.priority - b.record.priority || b.draw - a.draw)
    .map(({ record }) => record)
}

module.exports = { targetsOf }
