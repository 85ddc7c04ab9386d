'use strict'

/*
 * The options of a cluster of the second face: ioredis's names, forms and defaults.
 */

const { lookup, resolveSrv } = require('node:dns')

const { addressesOf } = require('../options/several-nodes')
const { connectionOptions, instanceOptions } = require('./options')

const DEFAULTS = {
  clusterRetryStrategy: times => Math.min(100 + times * 2, 2000),
  clusterNodeRetryStrategy: null,
  enableOfflineQueue: true,
  enableReadyCheck: true,
  scaleReads: 'master',
  maxRedirections: 16,
  retryDelayOnMoved: 0,
  retryDelayOnFailover: 100,
  retryDelayOnClusterDown: 100,
  retryDelayOnTryAgain: 100,
  slotsRefreshTimeout: 1000,
  useSRVRecords: false,
  resolveSrv,
  dnsLookup: lookup,
  enableAutoPipelining: false,
  autoPipeliningIgnoredCommands: [],
  shardedSubscribers: false
}

/** Options of a node that a cluster takes for itself as well, where it is not given one. */
const FROM_NODES = ['keyPrefix', 'commandTimeout', 'showFriendlyErrorStack', 'stringNumbers',
  'protocol', 'replyMapping', 'blockingTimeout', 'reconnectOnError']

/** The options of an instance, with the defaults filled in. */
function clusterOptions (given) {
  const options = { ...DEFAULTS }
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value !== undefined) options[name] = value
  }
  for (const name of FROM_NODES) options[name] ??= options.redisOptions?.[name]
  options.protocol ??= 3
  options.replyMapping ??= 'legacy'
  const { scaleReads } = options
  if (typeof scaleReads !== 'function' && !Object.hasOwn(READS, scaleReads)) {
    throw new Error(`Invalid option scaleReads "${scaleReads}". Expected "all", "master", ` +
      '"slave" or a custom function')
  }
  return options
}

/** The options of the startup nodes of `cluster`. */
function seedsOf ({ startupNodes }) {
  if (!Array.isArray(startupNodes) || startupNodes.length === 0) {
    throw new TypeError('startupNodes must be an array of at least one node')
  }
  return startupNodes.map(node => instanceOptions([node]))
}

/**
 * What the native core has to know of the cluster.
 * @param {import('./cluster').Cluster} cluster
 * @param {object[]} seeds the options of its startup nodes
 */
function nodeOptions ({ options }, seeds) {
  const { redisOptions = {}, natMap, dnsLookup } = options
  const [{ username, password, tls }] = seeds
  // What all nodes share; a login may also stand at the startup nodes.
  const shared = instanceOptions([{ ...redisOptions, ...given({ protocol: options.protocol }) },
    given({ username, password, tls })])
  const { core, parsed } = connectionOptions({ ...shared, host: seeds[0].host, port: seeds[0].port,
    path: undefined, readOnly: false }, { select: 0, reconnect: 'backoff',
    name: shared.connectionName ?? undefined, pool: POOL,
    lookup: dnsLookup === lookup ? undefined : dnsLookup })
  return {
    core: {
      ...core,
      topology: {
        seeds: seeds.map(({ host, port }) => ({ host, port })),
        maxRedirects: Math.min(options.maxRedirections, 15),
        reads: READS[options.scaleReads] ?? 'primary',
        ...addressesOf(natMap ?? undefined)
      }
    },
    parsed
  }
}

function given (options) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value ?? null))
}

/**
 * Who serves reads, in the words of `createCluster`. For `all` any node of the slot is chosen here,
 * for each command.
 */
const READS = { master: 'primary', slave: 'replica', all: 'primary' }

/**
 * The sessions of each node, for commands that wait on the server. They wait for one another as
 * long as it takes: in ioredis they stand in line for one connection.
 */
const POOL = Object.freeze({ max: 16, acquireTimeout: 2 ** 31 - 1, leakThreshold: 0 })

module.exports = { DEFAULTS, POOL, clusterOptions, nodeOptions, seedsOf }
