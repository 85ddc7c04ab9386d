'use strict'

/*
 * The options of a client: a table with the check, the default and the meaning of each.
 *
 * Owns all checks of names, types and ranges, and the translation into the options of the native
 * core. The tables in the documents are made of this one. Objects of options are read; they are
 * never kept and never changed. No message shows a value, because it may be a password in the wrong
 * place.
 */


const { isDatabase, isText } = require('../arguments')
const { pack } = require('../mode')
const { CACHE, IS_CACHE, cacheOption, parseCacheOptions } = require('./cache')
const { check, isAbsent, isNoObject, numeric, optional } = require('./check')
const { tlsOptions, TLS_OPTIONS } = require('./tls')
const { Unknown } = require('../unknown-options')
const { withoutUrl } = require('./url')
const version = require('../version')

const { toString } = Object.prototype

const MAX_MS = 2 ** 31 - 1

/* Checks: each returns what is expected if the value is wrong, else false. */
const text = v => typeof v !== 'string' && 'a string'
const word = v => (typeof v !== 'string' || v === '') && 'a string that is not empty'
const flag = v => typeof v !== 'boolean' && 'a boolean'
const textOrBuffer = v =>
  !isText(v) && 'a string or a Buffer'
const within = (min, max) => numeric(v =>
  !(Number.isInteger(v) && v >= min && v <= max) && `an integer from ${min} to ${max}`)
const ms = min => numeric(v => !(typeof v === 'number' && v >= min && v <= MAX_MS) &&
  `a number of milliseconds from ${min} to ${MAX_MS}`)
const msOrNothing = numeric(v => v !== false && ms(0)(v))
const database = numeric(v => !isDatabase(v) && `an integer from 0 to ${2 ** 31 - 1}`)
const protocol = numeric(v => v !== 2 && v !== 3 && '2 or 3')
const family = numeric(v => ![0, 4, 6].includes(v) && '0, 4 or 6')
const timeout = numeric(v => v !== 0 && ms(1)(v))
const group = v => isNoObject(v) && 'an object'
const provider = v => typeof v !== 'function' && typeof v.credentials !== 'function' &&
  typeof v.subscribe !== 'function' &&
  'a function, or an object with a function credentials or subscribe'
const strategy = numeric(v => v !== false && typeof v !== 'function' && ms(0)(v) &&
  'false, a number of milliseconds or a function')
const callback = v => typeof v !== 'function' && 'a function'
const address = v => require('node:net').isIP(v) === 0 && 'an IP address'
const tls = v => typeof v !== 'boolean' && group(v) && 'a boolean or an object'
const signal = v => (typeof v?.addEventListener !== 'function' ||
  typeof v.removeEventListener !== 'function') && 'an AbortSignal'

const CLIENT_SIDE_CACHE = [cacheOption, undefined,
  'keeps replies here until the server says that they have changed; see `clientSideCache.*`']

/** name -> [check, default, meaning]. A default of undefined means: none. */
const OPTIONS = {
  url: [text, undefined,
    '`redis[s]://`, `valkey[s]://` or `unix://`; wins over the other options'],
  socket: [group, undefined, 'see `socket.*`'],
  username: [optional(text), undefined, 'ACL user'],
  password: [optional(text), undefined, 'password of the user, or of the server'],
  credentialsProvider: [provider, undefined,
    'asked before each connection for `{ username, password }`'],
  name: [optional(text), undefined, 'connection name for `CLIENT LIST`'],
  database: [database, 0, 'database to select'],
  RESP: [protocol, 3, 'protocol; falls back to 2 by itself'],
  keyPrefix: [textOrBuffer, undefined, 'put in front of every key that is sent'],
  commandsQueueMaxLength: [within(1, 2 ** 31 - 1), 1000000,
    'commands without a reply; more get `QueueFullError`'],
  maxQueuedBytes: [within(1024, Number.MAX_SAFE_INTEGER), 256 * 2 ** 20,
    'bytes of commands without a reply; more get `QueueFullError`'],
  disableOfflineQueue: [flag, false, 'fail at once while there is no connection'],
  readonly: [flag, false, 'send `READONLY` on each connection'],
  pingInterval: [ms(0), 30000, 'ms after which an idle connection is asked for a PING; 0: never'],
  lanes: [within(1, 64), 1, 'shared connections; more than one gives up order across commands'],
  shared: [word, undefined, 'name by which worker threads share one pool and its lanes'],
  pool: [group, undefined, 'see `pool.*`'],
  commandOptions: [group, undefined, 'see `commandOptions.*`'],
  disableClientInfo: [flag, false, 'do not send `CLIENT SETINFO`'],
  clientInfoTag: [optional(text), undefined, 'added to the library name in `CLIENT SETINFO`'],
  scripts: [group, undefined, 'Lua scripts as methods: `{ name: defineScript({ ... }) }`'],
  functions: [group, undefined, 'functions as methods: `{ library: { name: { ... } } }`'],
  modules: [group, undefined,
    'commands of your own modules as methods: `{ name: { COMMAND: { ... } } }`'],
  clientSideCache: CLIENT_SIDE_CACHE,
  strictOptions: [flag, false, 'unknown options are errors; else they are ignored with a warning']
}

const SOCKET = {
  host: [optional(text), 'localhost', 'host name or address'],
  port: [within(1, 65535), 6379, 'TCP port'],
  path: [text, undefined, 'Unix socket, instead of host and port'],
  lookup: [callback, undefined, 'resolves host names, as that of `net.connect`'],
  localAddress: [address, undefined, 'local address of the sockets'],
  family: [family, 0, 'addresses to use: 0 for both'],
  tls: [tls, false, 'true, or an object with options of `tls.connect`'],
  connectTimeout: [ms(1), 5000, 'ms for DNS, TCP, TLS and handshake together'],
  socketTimeout: [msOrNothing, undefined, 'ms of silence, with a reply due, that end a connection'],
  noDelay: [flag, true, 'TCP_NODELAY'],
  keepAlive: [flag, true, 'TCP keepalive'],
  keepAliveInitialDelay: [ms(1000), 30000, 'ms of silence before the first keepalive probe'],
  reconnectStrategy: [strategy, undefined,
    '`false`, ms, or `(retries, cause) => false \\| ms \\| Error`; full jitter, 50 ms to 2 s']
}

const POOL = {
  min: [within(0, 10000), 1, 'connections kept, those of lanes included'],
  max: [within(1, 10000), 16, 'exclusive connections at once'],
  acquireTimeout: [ms(1), 5000, 'ms to wait for an exclusive connection'],
  idleTimeout: [ms(0), 600000, 'ms after which an idle connection is closed; 0: never'],
  maxLifetime: [ms(0), 1800000, 'ms after which a connection is replaced; 0: never'],
  leakThreshold: [ms(0), 30000, 'ms after which a held connection gives a warning; 0: never']
}

const COMMAND = {
  timeout: [timeout, 5000, 'ms from call to reply; 0 or `undefined`: no deadline'],
  typeMapping: [group, undefined, 'classes for RESP types, see `withTypeMapping`'],
  abortSignal: [signal, undefined, 'ends the command when aborted'],
  cache: [flag, true, '`false`: read past the cache of `clientSideCache`'],
  asap: [flag, undefined, 'accepted for compatibility; commands are always sent at once']
}

/** Options of node-redis that oxidis does not have yet. Their error says so. */
const NOT_YET = ['emitInvalidate']
/** Options of node-redis that have no meaning here. Any value is accepted and ignored. */
const MAINTENANCE = ['maintNotifications', 'maintEndpointType', 'maintRelaxedCommandTimeout',
  'maintRelaxedSocketTimeout']

/**
 * Checks `given` and fills in defaults.
 * @param {object | string | undefined} given options or a URL
 */
function parseOptions (given) {
  const root = typeof given === 'string' ? { url: given } : given ?? {}
  if (typeof root !== 'object' || Array.isArray(root) || toString.call(root) === '[object URL]') {
    throw new TypeError('options must be an object, or a URL as a string')
  }
  const isStrict = root.strictOptions === true
  const unknown = new Unknown(isStrict)
  const options = withoutUrl(root)
  const checked = check(withoutForeign(options), OPTIONS, '', unknown)
  const socket = check(withoutTls(options.socket), SOCKET, 'socket.', unknown)
  const pool = check(options.pool ?? {}, POOL, 'pool.', unknown)
  const command = parseCommandOptions(options.commandOptions, { ...DEFAULT_COMMAND, isStrict })
  const parsed = {
    ...defaultsOf(OPTIONS),
    ...checked,
    socket: { ...defaultsOf(SOCKET), ...socket },
    tls: tlsOptions(options.socket ?? {}, unknown),
    pool: { ...defaultsOf(POOL), ...pool },
    command
  }
  if (parsed.clientSideCache !== undefined) parsed.clientSideCache = cacheOf(parsed, isStrict)
  unknown.tell()
  return parsed
}

/** The checked option `clientSideCache`: a cache, or all options of one. */
function cacheOf ({ clientSideCache: given, RESP }, isStrict) {
  if (RESP === 2) {
    throw new TypeError('option "clientSideCache" needs RESP 3: servers tell of changed keys in it')
  }
  return given[IS_CACHE] ? given : parseCacheOptions(given, 'clientSideCache.', isStrict)
}

/**
 * Command options, compiled for the hot path.
 * @param {object | undefined | null} given
 * @param {object} [base] compiled options that `given` overrides
 */
function parseCommandOptions (given, base = DEFAULT_COMMAND) {
  if (isAbsent(given)) return base
  if (group(given)) throw new TypeError('commandOptions must be an object')
  const unknown = new Unknown(base.isStrict)
  const checked = check(given, COMMAND, 'commandOptions.', unknown)
  const command = {
    timeout: Object.hasOwn(given, 'timeout') ? checked.timeout ?? 0 : base.timeout,
    typeMapping: Object.hasOwn(given, 'typeMapping') ? checked.typeMapping : base.typeMapping,
    mode: Object.hasOwn(given, 'typeMapping') ? pack(checked.typeMapping) : base.mode,
    signal: Object.hasOwn(given, 'abortSignal') ? checked.abortSignal : base.signal,
    cache: Object.hasOwn(given, 'cache') ? checked.cache ?? true : base.cache,
    isStrict: base.isStrict
  }
  unknown.tell()
  return command
}

/**
 * Whether the event loop of this runtime can watch sockets for the native side. Only Node's can.
 * Bun exports the functions of libuv as well, but they end the process.
 */
const CAN_WATCH = process.versions.bun === undefined && process.versions.deno === undefined

const DEFAULT_COMMAND = Object.freeze({
  timeout: COMMAND.timeout[1],
  typeMapping: undefined,
  mode: 0,
  signal: undefined,
  cache: true,
  isStrict: false
})

/**
 * The options of the native core (`src/binding/options.rs`).
 * @param {object} options parsed ones
 * @param {number} [number] the number by which the core asks for functions of these options
 */
function coreOptions (options, number = 0) {
  const { socket, pool, tls } = options
  const { reconnectStrategy } = socket
  return {
    host: socket.host,
    port: socket.port,
    path: socket.path,
    family: socket.family,
    localAddress: socket.localAddress,
    askLookup: socket.lookup && number,
    tls: tls && { ...tls, askIdentity: tls.checkServerIdentity && number },
    connectTimeout: socket.connectTimeout,
    socketTimeout: socket.socketTimeout || 0,
    noDelay: socket.noDelay,
    keepAlive: socket.keepAlive ? socket.keepAliveInitialDelay : 0,
    reconnect: reconnectKind(reconnectStrategy),
    reconnectDelay: typeof reconnectStrategy === 'number' ? reconnectStrategy : 0,
    username: options.username,
    password: options.password,
    askCredentials: options.credentialsProvider !== undefined,
    name: options.name,
    database: options.database,
    resp: options.RESP,
    readonly: options.readonly,
    libName: options.disableClientInfo ? undefined : libraryName(options.clientInfoTag),
    libVer: version,
    shared: options.shared,
    lanes: options.lanes,
    pingInterval: options.pingInterval,
    offlineQueue: !options.disableOfflineQueue,
    watch: CAN_WATCH,
    poolMin: pool.min,
    poolMax: pool.max,
    acquireTimeout: pool.acquireTimeout,
    idleTimeout: pool.idleTimeout,
    maxLifetime: pool.maxLifetime,
    leakThreshold: pool.leakThreshold,
    cache: options.clientSideCache && fingerprint(options.clientSideCache)
  }
}

/** A text that is equal for caches with equal options, so that threads can compare theirs. */
function fingerprint (cache) {
  return JSON.stringify(Object.keys(CACHE).map(name => cache[name]))
}

function libraryName (tag) {
  return tag === undefined ? 'oxidis' : `oxidis(${tag})`
}

function reconnectKind (strategy) {
  if (strategy === undefined) return 'backoff'
  if (strategy === false) return 'never'
  return typeof strategy === 'number' ? 'fixed' : 'ask'
}

/**
 * `options` without those that have no meaning here. An option that is not there yet is refused,
 * because a program that asks for it depends on it.
 */
function withoutForeign (options) {
  const given = Object.entries(options).filter(([, value]) => !isAbsent(value))
  for (const [name] of given) {
    if (NOT_YET.includes(name)) throw new TypeError(`option "${name}" is not supported yet`)
  }
  return Object.fromEntries(given.filter(([name]) => !MAINTENANCE.includes(name)))
}

/** `socket` without TLS options, which node-redis takes there beside `tls: true`. */
function withoutTls (socket) {
  if (isAbsent(socket)) return {}
  if (group(socket)) throw new TypeError('option "socket" must be an object')
  return Object.fromEntries(Object.entries(socket).filter(([name]) => !TLS_OPTIONS.has(name)))
}

function set (object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => !isAbsent(value)))
}

function defaultsOf (table) {
  return set(Object.fromEntries(Object.entries(table).map(([name, [, value]]) => [name, value])))
}

/** The default of a client's option. */
function defaultOf (name) {
  return OPTIONS[name][1]
}

/** Options that are objects of options. */
const GROUPS = ['socket', 'pool', 'commandOptions', 'clientSideCache']

/** Every option by its full name, for the documents. */
function documented () {
  const flat = (table, path) => Object.entries(table)
    .filter(([name]) => !(path === '' && GROUPS.includes(name)))
    .map(([name, [, value, meaning]]) => ({ name: path + name, default: value, meaning }))
  return [...flat(OPTIONS, ''), ...flat(SOCKET, 'socket.'), ...flat(POOL, 'pool.'),
    ...flat(COMMAND, 'commandOptions.'), ...flat(CACHE, 'clientSideCache.')]
}

module.exports = {
  CLIENT_SIDE_CACHE, coreOptions, defaultOf, documented, parseCommandOptions, parseOptions, POOL
}
