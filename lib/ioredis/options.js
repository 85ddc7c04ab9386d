'use strict'

/*
 * The options of the second face: ioredis's names, forms and defaults.
 *
 * `options` of an instance holds all of them, since libraries read them there and hand them to
 * other instances. What oxidis cannot do is refused by name, as soon as it is asked for.
 */

const { POOL, coreOptions, parseOptions } = require('../options/client')
const { parseURL } = require('./url')

const DEFAULTS = {
  port: 6379,
  host: 'localhost',
  family: 0,
  connectTimeout: 10000,
  disconnectTimeout: 2000,
  retryStrategy: times => Math.min(2 ** (times - 1) * 50, 5000) + Math.floor(Math.random() * 200),
  keepAlive: 30000,
  noDelay: true,
  connectionName: null,
  disableClientInfo: false,
  clientInfoTag: undefined,
  sentinels: null,
  name: null,
  role: 'master',
  sentinelRetryStrategy: times => Math.min(times * 10, 1000),
  sentinelReconnectStrategy: () => 60000,
  natMap: null,
  enableTLSForSentinelMode: false,
  updateSentinels: true,
  failoverDetector: false,
  username: null,
  password: null,
  db: 0,
  enableOfflineQueue: true,
  enableReadyCheck: true,
  autoResubscribe: true,
  autoResendUnfulfilledCommands: true,
  lazyConnect: false,
  keyPrefix: '',
  reconnectOnError: null,
  readOnly: false,
  stringNumbers: false,
  protocol: 3,
  replyMapping: 'legacy',
  maxRetriesPerRequest: 20,
  maxLoadingRetryTime: 10000,
  enableAutoPipelining: false,
  autoPipeliningIgnoredCommands: [],
  sentinelMaxConnections: 10,
  blockingTimeoutGrace: 100
}

/**
 * Which commands are sent again after a loss is the application's choice only where it has made
 * one. A copy of the options keeps that, as `duplicate` and libraries make it by `{ ...options }`.
 */
const RESEND = Symbol('autoResendUnfulfilledCommands as given')

/** Options that name a thing of ioredis's own, which oxidis does not have. */
const REFUSED = {
  Connector: 'oxidis makes its connections itself',
  himportFieldsets: 'use call("HIMPORT", ...) on an instance of its own'
}

/**
 * The options of an instance.
 * @param {unknown[]} given the arguments of the constructor; earlier ones win
 */
function instanceOptions (given) {
  const options = {}
  let isTls = false
  for (const arg of given) {
    if (arg === null || arg === undefined) continue
    if (typeof arg === 'object') fill(options, arg)
    else if (typeof arg === 'number') options.port = arg
    else if (typeof arg === 'string') {
      fill(options, parseURL(arg))
      isTls ||= arg.startsWith('rediss://')
    } else throw new Error(`Invalid argument ${String(arg)}`)
  }
  if (isTls) fill(options, { tls: true })
  const resend = given.find(arg => arg?.[RESEND] !== undefined)
  options[RESEND] = resend?.[RESEND] ?? resendOf(options.autoResendUnfulfilledCommands)
  const wanted = options[RESEND]
  fill(options, DEFAULTS)
  // A copy of options that changes this one says so by its value.
  if (options.autoResendUnfulfilledCommands === false) options[RESEND] = 'none'
  else if (wanted === 'none') options[RESEND] = 'all'
  if (typeof options.port === 'string') options.port = Number.parseInt(options.port, 10)
  if (typeof options.db === 'string') options.db = Number.parseInt(options.db, 10)
  if (options.replyMapping === 'resp3' && options.protocol !== 3) {
    throw new Error('The "resp3" replyMapping is only supported with protocol 3')
  }
  refuse(options)
  return options
}

function resendOf (given) {
  return given === undefined || given === null ? 'safe' : given ? 'all' : 'none'
}

/** Adds to `options` what it does not have: null is a value, and inherited ones count. */
function fill (options, more) {
  for (const name in more) {
    if (options[name] === undefined) options[name] = more[name]
  }
}

function refuse (options) {
  for (const [name, why] of Object.entries(REFUSED)) {
    const value = options[name]
    if (value !== undefined && value !== null && value !== false) {
      throw new TypeError(`option "${name}" is not supported: ${why}`)
    }
  }
  const { sentinels, name } = options
  if (sentinels && (!Array.isArray(sentinels) || sentinels.length === 0)) {
    throw new TypeError('option "sentinels" must be an array of at least one sentinel')
  }
  if (sentinels && !name) throw new Error('Requires the name of master.')
  if (typeof options.tls === 'string' || typeof options.tls?.profile === 'string') {
    throw new TypeError('option "tls" names a profile, which oxidis does not have: give the ' +
      'authorities of your service as tls.ca')
  }
}

/**
 * The options of the native core for one connection.
 * @param {object} options of the instance
 * @param {{ select: number, reconnect: string, name?: string, pool?: object, lookup?: Function }}
 *   state what the connection begins with, and who makes the next one; of several nodes also their
 *   pools, and the function that resolves names
 */
function connectionOptions (options, { select, reconnect, name, pool, lookup }) {
  const { tls, path } = options
  const parsed = parseOptions({
    socket: {
      ...(path ? { path } : { host: options.host || 'localhost', port: options.port || 6379 }),
      family: options.family || 0,
      connectTimeout: options.connectTimeout || LONGEST,
      socketTimeout: options.socketTimeout || undefined,
      keepAlive: typeof options.keepAlive === 'number',
      // The shortest that the native side takes.
      keepAliveInitialDelay: Math.max(options.keepAlive || 0, 1000),
      noDelay: options.noDelay !== false,
      lookup,
      ...(tls ? { ...(tls === true ? {} : tls), tls: true } : {})
    },
    username: options.username || undefined,
    password: options.password || undefined,
    database: select,
    name,
    RESP: isResp3(options) ? 3 : 2,
    readonly: options.readOnly === true,
    clientInfoTag: options.clientInfoTag,
    disableClientInfo: options.disableClientInfo === true,
    pool: { min: 0, max: pool?.max ?? 1, maxLifetime: 0, acquireTimeout: pool?.acquireTimeout }
  })
  return { core: { ...coreOptions(parsed), reconnect, reconnectDelay: 0 }, parsed }
}

/** Whether replies keep the types of RESP3. Otherwise RESP2 itself gives ioredis's shapes. */
function isResp3 ({ protocol, replyMapping }) {
  return protocol === 3 && replyMapping === 'resp3'
}

/** The longest time (ms) that the native side takes. */
const LONGEST = 2 ** 31 - 1

/** What a connection's own pool has by default, for its bridge. */
const POOL_OF_ONE = Object.freeze({
  max: 1, acquireTimeout: POOL.acquireTimeout[1], leakThreshold: 0
})

/** Bounds of what waits for a reply, which are those of `createClient`. */
const LIMITS = Object.freeze({ maxCommands: 1_000_000, maxBytes: 256 * 2 ** 20 })

module.exports = {
  DEFAULTS, LIMITS, POOL_OF_ONE, RESEND, connectionOptions, instanceOptions, isResp3
}
