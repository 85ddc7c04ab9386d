'use strict'

/*
 * The options of a client of Sentinel: those of the whole, and those of the client of each node.
 *
 * Owns the names and checks of the options of the whole. Options of the client of each node stand
 * beside them or within `nodeClientOptions`. The sentinels have options of their own, because they
 * may have another login.
 */

const { isPort } = require('../addresses')
const { check, isAbsent, isNoObject, numeric } = require('../options/check')
const { coreOptions, parseOptions } = require('../options/client')
const {
  addressMap, addressesOf, count, divide, documentedOf, flag, group, reads, readsOf
} = require('../options/several-nodes')
const { Unknown } = require('../unknown-options')

const size = numeric(v => !(Number.isInteger(v) && v >= 1) && 'an integer from 1')
const hosts = v => (!Array.isArray(v) || v.length === 0) && 'a non-empty array'
const host = v => (typeof v !== 'string' || v === '') && 'a host name or address'
const port = numeric(v => !isPort(v) && 'an integer from 1 to 65535')
const word = v => !(typeof v === 'string' && WORD.test(v)) && 'a name as in sentinel.conf'
const ms = numeric(v => !(typeof v === 'number' && v >= 0 && v <= MAX_MS) &&
  `a number of milliseconds from 0 to ${MAX_MS}`)

/** The names that Sentinel accepts for a primary. */
const WORD = /^[A-Za-z0-9._-]+$/
const MAX_MS = 2 ** 31 - 1
/** The default port of Sentinel. */
const PORT = 26379

/** name -> [check, default, meaning]. All other options are those of the client of each node. */
const SENTINEL = {
  name: [word, undefined, 'name of the primary, as the sentinels know it; required'],
  sentinelRootNodes: [hosts, undefined,
    '`{ host, port }` of some sentinels; all others are learned from them; required'],
  nodeClientOptions: [group, undefined, 'client options of the primary and its replicas'],
  sentinelClientOptions: [group, undefined, 'client options of the sentinels'],
  masterPoolSize: [size, undefined,
    'exclusive connections to the primary at once: `pool.max`, which is 16 by default'],
  replicaPoolSize: [count, 0, 'above 0: read from replicas, `readStrategy: \'replica\'`'],
  readStrategy: [reads, 'primary',
    'who serves reads: `primary`, `replica`, `nearest` or `{ zone: \'name\' }`'],
  scanInterval: [ms, 10000,
    'ms after which the sentinels are asked again even if nothing was announced; 0: a minute'],
  maxCommandRediscovers: [count, 16,
    'times that a command is sent again after `READONLY`; at most 15 are counted'],
  nodeAddressMap: [addressMap, undefined,
    'addresses as this client reaches them: `{ \'10.0.0.1:6379\': { host, port } }`, or a ' +
    'function'],
  passthroughClientErrorEvents: [flag, false, 'emit `client-error` as `error` as well'],
  reserveClient: [flag, false, 'accepted for compatibility: commands always have a connection']
}

/**
 * @param {object | undefined} given
 * @returns {{ client: object, topology: object, own: object, sentinels: object }} options of each
 *   node's client, the core's, those of the whole, and the parsed ones of the sentinels
 */
function parseSentinelOptions (given) {
  if (isNoObject(given)) throw new TypeError('options of a client of Sentinel must be an object')
  const { own, rest } = divide(given, SENTINEL)
  for (const name of ['name', 'sentinelRootNodes']) {
    if (own[name] === undefined) throw new TypeError(`option "${name}" is required`)
  }
  const unknown = new Unknown(rest.strictOptions === true)
  const seeds = own.sentinelRootNodes.map((node, index) => rootNode(node, index, unknown))
  unknown.tell()
  const addresses = addressesOf(own.nodeAddressMap)
  const strategy = own.readStrategy ?? (own.replicaPoolSize > 0 ? 'replica' : 'primary')
  const sentinels = parseWithin(own.sentinelClientOptions, 'sentinelClientOptions', rest)
  refuse(sentinels.credentialsProvider !== undefined, 'sentinelClientOptions.credentialsProvider',
    'must not be set: use username and password')
  refuse(sentinels.clientSideCache !== undefined, 'sentinelClientOptions.clientSideCache',
    'must not be set: sentinels have no keys')
  refuse(sentinels.database !== 0, 'sentinelClientOptions.database',
    'must not be set: a sentinel has no databases')
  return {
    own,
    client: clientOptions(own, rest),
    topology: {
      seeds: [],
      maxRedirects: own.maxCommandRediscovers ?? SENTINEL.maxCommandRediscovers[1],
      ...readsOf(strategy),
      ...addresses,
      period: (own.scanInterval ?? SENTINEL.scanInterval[1]) || undefined,
      sentinel: { name: own.name, seeds, options: [coreOptions(sentinels, 1)] }
    },
    sentinels
  }
}

/** The options of the client of a node. */
function clientOptions ({ nodeClientOptions = {}, masterPoolSize }, rest) {
  parseWithin(nodeClientOptions, 'nodeClientOptions', rest)
  for (const name of ['url', 'socket']) {
    refuse(!isAbsent(rest[name]), name,
      'must stand within nodeClientOptions or sentinelClientOptions')
  }
  const most = masterPoolSize && { max: masterPoolSize }
  const pool = { ...most, ...nodeClientOptions.pool, ...rest.pool }
  const client = { ...nodeClientOptions, ...rest, pool }
  refuse(parseOptions(client).lanes !== 1, 'lanes', 'must be 1: each node has a lane')
  return client
}

/** Checks client options that must not say where a server is. */
function parseWithin (given = {}, path, { strictOptions }) {
  const { url, socket } = given
  refuse(!isAbsent(url), `${path}.url`, 'must not be set: the sentinels know the addresses')
  for (const name of ['host', 'port', 'path']) {
    refuse(!isAbsent(socket?.[name]), `${path}.socket.${name}`,
      'must not be set: the sentinels know the addresses')
  }
  try {
    return parseOptions({ strictOptions, ...given })
  } catch (error) {
    if (error instanceof TypeError) {
      error.message = error.message.replace(/^option "/, `option "${path}.`)
    }
    throw error
  }
}

function rootNode (node, index, unknown) {
  const path = `sentinelRootNodes[${index}]`
  refuse(isNoObject(node), path, 'must be an object { host, port }')
  const { host, port = PORT } = check(node, ROOT_NODE, `${path}.`, unknown)
  refuse(host === undefined, `${path}.host`, 'must be a host name or address')
  return { host, port }
}

/** The options of a sentinel. All others are those of all sentinels: `sentinelClientOptions`. */
const ROOT_NODE = {
  host: [host],
  port: [port]
}

function refuse (isWrong, name, text) {
  if (isWrong) throw new TypeError(`option "${name}" ${text}`)
}

/** Every option by its name, for the documents. */
function documentedSentinel () {
  return documentedOf(SENTINEL)
}

module.exports = { documentedSentinel, parseSentinelOptions }
