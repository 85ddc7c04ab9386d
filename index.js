'use strict'

/*
 * oxidis: Redis and Valkey for Node.js. This file only gathers the public names.
 */

const { RedisClient } = require('./lib/client/client')
const { CHANNELS } = require('./lib/channels')
const commandConstants = require('./lib/commands/constants')
const { RESP_TYPES } = require('./lib/resp-types')
const errors = require('./lib/errors')
const { VerbatimString } = require('./lib/mode')
const moduleConstants = require('./lib/modules/constants')
const { defaultOf } = require('./lib/options/client')

/**
 * A client of one server. Connects with its first command.
 * @param {object | string} [options] options (see the README), or a URL
 */
function createClient (options) {
  return new RedisClient(options)
}

/**
 * A client whose commands are spread over several connections; order is kept only between
 * commands of which the earlier was awaited.
 * @param {object | string} [options] options (see the README), or a URL
 * @param {{ minimum?: number, maximum?: number, acquireTimeout?: number, cleanupDelay?: number }}
 *   [poolOptions]
 */
function createClientPool (options, poolOptions) {
  const { RedisClientPool, pooledOptions } = require('./lib/client/pool')
  return new RedisClientPool(pooledOptions(options, poolOptions))
}

/**
 * A client of a cluster. Finds the nodes with its first command.
 * @param {object} [options] `rootNodes`, `defaults` ... (see the README); by default the cluster
 *   of the node at 127.0.0.1:6379
 */
function createCluster (options) {
  return new module.exports.RedisCluster(options)
}

/**
 * A client of a primary and its replicas that Sentinel watches over. Finds them with its first
 * command.
 * @param {object} options `name`, `sentinelRootNodes` ... (see docs/sentinel.md)
 */
function createSentinel (options) {
  return new module.exports.RedisSentinel(options)
}

/**
 * A script for `createClient({ scripts: { name: defineScript({ ... }) } })`.
 * @param {{ SCRIPT: string | Buffer, parseCommand: Function }} definition see `RedisScriptConfig`
 */
function defineScript (definition) {
  return require('./lib/client/scripts').defineScript(definition)
}

/**
 * What the server's DIGEST says of a value, for the conditions IFDEQ and IFDNE.
 * @param {string | Buffer} value
 */
async function digest (value) {
  return require('./lib/digest').digest(value)
}

/** The caches. Most programs have none. */
function caches () {
  return require('./lib/cache/caches')
}

module.exports = {
  ...commandConstants,
  ...moduleConstants,
  createClient,
  createClientPool,
  createCluster,
  createSentinel,
  defineScript,
  digest,
  RedisClient,
  // Loaded by those who use them.
  get RedisClientPool () { return require('./lib/client/pool').RedisClientPool },
  // Made of all commands anew, which programs with one server need not wait for.
  get RedisCluster () { return require('./lib/cluster/cluster').RedisCluster },
  get RedisSentinel () { return require('./lib/sentinel/sentinel').RedisSentinel },
  get RedisSentinelClient () { return require('./lib/sentinel/sentinel').RedisSentinelClient },
  get BasicClientSideCache () { return caches().BasicClientSideCache },
  get BasicPooledClientSideCache () { return caches().BasicPooledClientSideCache },
  get CacheStats () { return caches().CacheStats },
  CHANNELS,
  // Loaded by those who call it: most programs are not watched.
  get OpenTelemetry () { return require('./lib/open-telemetry').OpenTelemetry },
  DEFAULT_RESP: defaultOf('RESP'),
  get GEO_REPLY_WITH () { return require('./lib/commands/geo-forms').GEO_REPLY_WITH },
  RESP_TYPES,
  VerbatimString,
  OxidisError: errors.OxidisError,
  ErrorReply: errors.ErrorReply,
  ConnectionError: errors.ConnectionError,
  SocketClosedUnexpectedlyError: errors.SocketClosedUnexpectedlyError,
  SocketTimeoutError: errors.SocketTimeoutError,
  ConnectionTimeoutError: errors.ConnectionTimeoutError,
  ReconnectStrategyError: errors.ReconnectStrategyError,
  TimeoutError: errors.TimeoutError,
  ClientClosedError: errors.ClientClosedError,
  DisconnectsClientError: errors.DisconnectsClientError,
  ClientOfflineError: errors.ClientOfflineError,
  QueueFullError: errors.QueueFullError,
  AbortError: errors.AbortError,
  WatchError: errors.WatchError,
  MultiErrorReply: errors.MultiErrorReply,
  ProtocolError: errors.ProtocolError,
  RootNodesUnavailableError: errors.RootNodesUnavailableError,
  MaxCommandRedirectionsError: errors.MaxCommandRedirectionsError,
  ScanIteratorInterruptedError: errors.ScanIteratorInterruptedError,
  OpenTelemetryError: errors.OpenTelemetryError,
  // What node-redis calls error replies by how they were written.
  SimpleError: errors.ErrorReply,
  BlobError: errors.ErrorReply
}
