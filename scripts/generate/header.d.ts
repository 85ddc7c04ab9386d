import { EventEmitter } from 'node:events'
import { LookupFunction } from 'node:net'
import { ConnectionOptions } from 'node:tls'

/** What Redis takes as a key, a member or a value. */
export type RedisArgument = string | Buffer

/** One or several of them. */
export type RedisVariadicArgument = RedisArgument | RedisArgument[]

/** An integer of up to 64 bits: beyond 2^53 as a bigint or a decimal string. */
export type RedisInteger = number | bigint | `${number}`

/** A double. */
export type RedisDouble = number | `${number}`

/** Node-style callback, as in the old `redis` package. */
export type Callback<R> = (error: Error | null, reply?: R) => void

/**
 * Returns a client. It connects with its first command, or with `connect()`. Its types follow the
 * options: strings are Buffers with a type mapping that says so, and definitions add methods.
 */
export function createClient<
  M extends RedisModules = {}, F extends RedisFunctions = {}, S extends RedisScripts = {},
  RESP extends RespVersions = RespVersions, T extends TypeMapping = {}
>(options: RedisClientOptions<M, F, S, RESP, T> & RedisDefinitions<S, F, M> & RedisDefaultMapping<T>):
  RedisClientForms<Known<S> & Known<F> & Known<M>>[RedisTextForm<T>]
export function createClient(options?: RedisClientOptions | string): RedisClient
export function createClient<
  M extends RedisModules = {}, F extends RedisFunctions = {}, S extends RedisScripts = {},
  RESP extends RespVersions = RespVersions, T extends TypeMapping = {}
>(options?: RedisClientOptions<M, F, S, RESP, T>):
  RedisClientForms<Known<S> & Known<F> & Known<M>>[RedisTextForm<T>]

/**
 * Returns a client with several lanes: commands that are not awaited may overtake each other, in
 * exchange for the throughput of several connections.
 */
export function createClientPool<
  M extends RedisModules = {}, F extends RedisFunctions = {}, S extends RedisScripts = {},
  RESP extends RespVersions = RespVersions, T extends TypeMapping = {}
>(
  options: RedisClientOptions<M, F, S, RESP, T> & RedisDefinitions<S, F, M> & RedisDefaultMapping<T>,
  poolOptions?: Partial<RedisPoolOptions>
): RedisClientPoolForms<Known<S> & Known<F> & Known<M>>[RedisTextForm<T>]
export function createClientPool(
  options?: RedisClientOptions | string,
  poolOptions?: Partial<RedisPoolOptions>
): RedisClientPool
export function createClientPool<
  M extends RedisModules = {}, F extends RedisFunctions = {}, S extends RedisScripts = {},
  RESP extends RespVersions = RespVersions, T extends TypeMapping = {}
>(
  options?: RedisClientOptions<M, F, S, RESP, T>, poolOptions?: Partial<RedisPoolOptions>
): RedisClientPoolForms<Known<S> & Known<F> & Known<M>>[RedisTextForm<T>]

/** The options whose definitions become methods. */
export interface RedisDefinitions<S, F, M> {
  scripts?: S
  functions?: F
  modules?: M
}

/** The option that the types of all replies follow. */
export interface RedisDefaultMapping<T> {
  commandOptions?: { typeMapping?: T }
}

/**
 * The digest of a value as the server's DIGEST gives it, 16 hexadecimal digits: for the conditions
 * IFDEQ and IFDNE. Takes some 20 ms for each MiB.
 */
export function digest(value: RedisArgument): Promise<string>

/** The class of what `createClient` returns. */
export const RedisClient: new (options?: RedisClientOptions | string) => RedisClient

/** The class of what `createClientPool` returns. */
export const RedisClientPool: new (options?: RedisClientOptions | string) => RedisClientPool

/** The protocol version that a client speaks unless the option `RESP` says otherwise. */
export const DEFAULT_RESP: 3

/** What `geoSearchWith` and its relatives can tell beside the members. */
export const GEO_REPLY_WITH: {
  readonly DISTANCE: 'WITHDIST'
  readonly HASH: 'WITHHASH'
  readonly COORDINATES: 'WITHCOORD'
}

/** The versions of the protocol. */
export type RespVersions = 2 | 3

/** The RESP types that a type mapping can name. */
export const RESP_TYPES: {
  readonly NULL: 95
  readonly BOOLEAN: 35
  readonly NUMBER: 58
  readonly BIG_NUMBER: 40
  readonly DOUBLE: 44
  readonly SIMPLE_STRING: 43
  readonly BLOB_STRING: 36
  readonly VERBATIM_STRING: 61
  readonly SIMPLE_ERROR: 45
  readonly BLOB_ERROR: 33
  readonly ARRAY: 42
  readonly SET: 126
  readonly MAP: 37
  readonly PUSH: 62
}

/** Which JavaScript type each RESP type becomes. The first of each line is the default. */
export interface TypeMapping {
  /** `BLOB_STRING` */
  36?: StringConstructor | BufferConstructor
  /** `SIMPLE_STRING` */
  43?: StringConstructor | BufferConstructor
  /** `NUMBER` */
  58?: NumberConstructor | StringConstructor | BigIntConstructor
  /** `DOUBLE` */
  44?: NumberConstructor | StringConstructor
  /** `BIG_NUMBER` */
  40?: BigIntConstructor | StringConstructor
  /** `VERBATIM_STRING` */
  61?: StringConstructor | BufferConstructor | typeof VerbatimString
  /** `MAP` */
  37?: ObjectConstructor | MapConstructor | ArrayConstructor
  /** `SET` */
  126?: ArrayConstructor | SetConstructor
  /** `NULL`: has one type only, as have those that follow. */
  95?: null
  /** `BOOLEAN` */
  35?: BooleanConstructor
  /** `ARRAY` */
  42?: ArrayConstructor
  /** `PUSH` */
  62?: ArrayConstructor
  /** `SIMPLE_ERROR` */
  45?: typeof ErrorReply
  /** `BLOB_ERROR` */
  33?: typeof ErrorReply
}

/** A mapping that turns strings into Buffers: the commands' types follow it. */
export interface BufferTypeMapping extends TypeMapping {
  36: BufferConstructor
}

/** A verbatim string with its format: `txt` or `mkd`. */
export class VerbatimString extends String {
  constructor(format: string, value: string)
  readonly format: string
}

/** Options of single commands; as `commandOptions` the defaults of all. */
export interface CommandOptions<T extends TypeMapping = TypeMapping> {
  /** Deadline of the whole command, in ms. Default 5000; 0 or undefined means none. */
  timeout?: number
  /** Default: strings, numbers, plain objects and arrays. */
  typeMapping?: T
  /** Aborting it rejects the command with an AbortError. */
  abortSignal?: AbortSignal
  /** Taken for node-redis's sake: commands are always sent at once. */
  asap?: boolean
}

/** Node's names for them; next to `socket.tls: true` or as its value. */
export type RedisTlsOptions = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'pfx' |
  'servername' | 'rejectUnauthorized' | 'checkServerIdentity' | 'minVersion' | 'maxVersion' |
  'secureProtocol' | 'secureOptions' | 'ciphers' | 'ecdhCurve' | 'ALPNProtocols'> & {
  /** Whether a chain may end in a certificate of `ca` that another authority has signed. */
  allowPartialTrustChain?: boolean
}

/** Options of the socket. */
export interface RedisSocketOptions extends RedisTlsOptions {
  /** Default 'localhost'. */
  host?: string
  /** Default 6379. */
  port?: number
  /** A Unix socket instead of host and port. */
  path?: string
  /** IP version: 4, 6, or 0 (default) for both. */
  family?: 0 | 4 | 6
  /** Resolves host names, as that of `net.connect`. Default: the system's resolver. */
  lookup?: LookupFunction
  /** The local address of the sockets. */
  localAddress?: string
  /** TLS. Default false, or true for `rediss://`. */
  tls?: boolean | RedisTlsOptions
  /** Longest time for one attempt to connect, handshake included, in ms. Default 5000. */
  connectTimeout?: number
  /** Silence, while a reply is due, after which the connection counts as dead, in ms. */
  socketTimeout?: number
  /** TCP_NODELAY. Default true. */
  noDelay?: boolean
  /** TCP keep-alive. Default true. */
  keepAlive?: boolean
  /** Idle time before the first keep-alive probe, in ms. Default 30000. */
  keepAliveInitialDelay?: number
  /**
   * What to do after a lost connection: false gives up, a number waits that many ms, a function
   * decides. Default: full jitter, from 50 ms doubling up to 2 s, for ever.
   */
  reconnectStrategy?:
    false | number | ((retries: number, cause: Error) => false | number | Error)
}

/** The connections behind a client. */
export interface RedisConnectionPoolOptions {
  /** Connections that are kept open, those of lanes included. Default 1. */
  min?: number
  /** The most exclusive connections at once. Default 16. */
  max?: number
  /** Longest wait for an exclusive connection, in ms. Default 5000. */
  acquireTimeout?: number
  /** Idle time after which a connection is closed, in ms. Default 600000; 0 means never. */
  idleTimeout?: number
  /** Age at which a connection is replaced, in ms, jittered. Default 1800000; 0 means never. */
  maxLifetime?: number
  /** Time after which a connection still held gives a warning, in ms. Default 30000; 0: never. */
  leakThreshold?: number
}

/** The options that are typed by the parameters of `RedisClientOptions`. */
export type RedisTypedOptions = 'scripts' | 'functions' | 'modules' | 'RESP' | 'commandOptions'

/**
 * Options of `createClient`. They are never changed by the client. The parameters are those of
 * node-redis: definitions, protocol version, type mapping, options of the socket.
 */
export interface RedisClientOptions<
  M extends RedisModules = RedisModules, F extends RedisFunctions = RedisFunctions,
  S extends RedisScripts = RedisScripts, RESP extends RespVersions = RespVersions,
  T extends TypeMapping = TypeMapping, Socket extends RedisSocketOptions = RedisSocketOptions
> {
  /** `redis[s]://[[user][:password]@]host[:port][/db]`, `valkey[s]://...` or `unix://...`. */
  url?: string
  /** The socket; the URL goes before it. */
  socket?: Socket
  /** ACL user. Default 'default'. */
  username?: string
  password?: string
  /** Asked for credentials before every handshake, instead of `username` and `password`. */
  credentialsProvider?: RedisCredentialsProvider | RedisAsyncCredentialsProvider |
    RedisStreamingCredentialsProvider
  /** Name of the connections (`CLIENT SETNAME`). */
  name?: string
  /** Number of the database. Default 0. */
  database?: number
  /** Protocol version. Default 3, falling back to 2 by itself. */
  RESP?: RESP
  /** Put in front of every key. */
  keyPrefix?: RedisArgument
  /** The most commands without a reply; more are rejected. Default 1000000. */
  commandsQueueMaxLength?: number
  /** The most bytes of commands without a reply; more are rejected. Default 256 MiB. */
  maxQueuedBytes?: number
  /** Rejects commands at once while there is no connection. Default false. */
  disableOfflineQueue?: boolean
  /** Sends READONLY on each connection, for replicas of a cluster. Default false. */
  readonly?: boolean
  /** Idle time after which a connection is asked for a PING, in ms. Default 30000; 0: never. */
  pingInterval?: number
  /** Defaults of all commands. */
  commandOptions?: CommandOptions<T>
  /** The connections behind the client. */
  pool?: RedisConnectionPoolOptions
  /**
   * Connections that share the commands, up to 64. Default 1, which keeps the commands in order;
   * more trade the order of commands that are not awaited for throughput.
   */
  lanes?: number
  /**
   * A name. Clients of one process that give the same name, whichever worker threads they are in,
   * use one pool and its lanes. All options about connections must be the same, and
   * `reconnectStrategy` and `credentialsProvider` no functions. Default: not shared.
   */
  shared?: string
  /** Leaves out `CLIENT SETINFO`. Default false. */
  disableClientInfo?: boolean
  /** Added to the library's name in `CLIENT SETINFO`. */
  clientInfoTag?: string
  /** Lua scripts as methods of the client: see `defineScript`. */
  scripts?: S
  /** Functions as methods: `client.library.name()`. The server has the libraries already. */
  functions?: F
  /**
   * Commands of modules that the server has, as methods: `client.module.NAME()`. One with the name
   * of a namespace that is built in (`json`, `ft` ...) takes its place.
   */
  modules?: M
  /** Makes unknown options, also those of commands, a TypeError. Default false: a warning. */
  strictOptions?: boolean
  /** Taken for node-redis's sake: servers' maintenance notices are not listened to. */
  maintNotifications?: 'disabled' | 'enabled' | 'auto'
  /** Taken for node-redis's sake, as `maintNotifications`. */
  maintEndpointType?:
    'auto' | 'internal-ip' | 'internal-fqdn' | 'external-ip' | 'external-fqdn' | 'none'
  /** Taken for node-redis's sake, as `maintNotifications`. */
  maintRelaxedCommandTimeout?: number
  /** Taken for node-redis's sake, as `maintNotifications`. */
  maintRelaxedSocketTimeout?: number
}

export type RedisCredentialsProvider = () => RedisCredentials | Promise<RedisCredentials>

export interface RedisCredentials {
  username?: string
  password?: string
}

/** node-redis's form of a provider. */
export interface RedisAsyncCredentialsProvider {
  readonly type?: 'async-credentials-provider'
  credentials: RedisCredentialsProvider
}

/**
 * A provider that tells of new credentials by itself, as those of @redis/entraid do. All
 * connections are logged in again with them.
 */
export interface RedisStreamingCredentialsProvider {
  readonly type: 'streaming-credentials-provider'
  /** Resolves to the first credentials, and to what ends the subscription. */
  subscribe(listener: {
    onNext: (credentials: RedisCredentials) => void
    onError: (error: Error) => void
  }): Promise<[RedisCredentials, { dispose(): void }]>
  /** Called when a connection could not be logged in again, or no new credentials came. */
  onReAuthenticationError: (error: any) => void
}

/** Options of `createClientPool`. */
export interface RedisPoolOptions {
  /** Connections that are kept open. Default 1. */
  minimum?: number
  /** The most connections. Default 100. */
  maximum?: number
  /** Longest wait for a connection, in ms. Default 3000. */
  acquireTimeout?: number
  /** Idle time after which a connection is closed, in ms. Default 600000. */
  cleanupDelay?: number
}

/** Events of a client. None of them needs a listener, not even `error`. */
export interface RedisClientEvents {
  /** A connection is open. */
  connect: []
  /** Commands can be sent. */
  ready: []
  /** The connection was lost and will be opened again. */
  reconnecting: [state: { retries: number }]
  /** Something went wrong in the background. */
  error: [error: Error]
  /** The client is closed. */
  end: []
  /** Subscriptions that a lost connection had ended stand again. */
  resubscribed: [gap: RedisResubscribed]
  /** The server has answered the PING that an idle connection is asked for. */
  'ping-interval': [reply: 'PONG']
  /** A key of the client-side cache changed; null stands for all keys. */
  invalidate: [key: RedisArgument | null]
}

/** Options of one call of `connect`. */
export interface ConnectOptions {
  /** Rejects after so many ms, with the step and the cause; attempts go on until `close()`. */
  timeout?: number
}

/**
 * What changes the connection of a client with one lane: for its later commands, after a reconnect,
 * and for sessions that are acquired from then on. A client with several lanes and a shared one
 * reject with a TypeError. Keys that are watched guard the next transaction of anybody who uses the
 * client: a session is the better place for them.
 */
export interface RedisStandingCommands extends Pick<RedisOwnCommands,
  'auth' | 'AUTH' | 'clientNoEvict' | 'CLIENT_NO-EVICT' | 'clientNoTouch' | 'CLIENT_NO-TOUCH' |
  'clientSetName' | 'CLIENT_SETNAME' | 'clientTracking' | 'CLIENT_TRACKING' | 'scriptDebug' |
  'SCRIPT_DEBUG' | 'unwatch' | 'UNWATCH' | 'watch' | 'WATCH'> {
  /** Keys are watched, for the next transaction of this client. */
  readonly isWatching: boolean
  /** `setDirtyWatch` was called: the next transaction is to fail. */
  readonly isDirtyWatch: boolean
  /** Makes the next transaction fail with a `WatchError` that says `message`. */
  setDirtyWatch(message: string): void
  /** Calls `reset` if the database was changed, or anything is watched or subscribed to. */
  resetIfDirty(): Promise<void>
}

/** What all clients have besides the commands. */
export interface RedisClientCore extends EventEmitter {
  on<E extends keyof RedisClientEvents>(
    event: E, listener: (...details: RedisClientEvents[E]) => void): this
  on(event: string | symbol, listener: (...details: any[]) => void): this
  once<E extends keyof RedisClientEvents>(
    event: E, listener: (...details: RedisClientEvents[E]) => void): this
  once(event: string | symbol, listener: (...details: any[]) => void): this
  off<E extends keyof RedisClientEvents>(
    event: E, listener: (...details: RedisClientEvents[E]) => void): this
  off(event: string | symbol, listener: (...details: any[]) => void): this

  /** The options that were given, with what their URL says. An object of the client's own. */
  readonly options: RedisClientOptions
  /** The command options of this client or view. */
  readonly commandOptions: CommandOptions
  /** The client has been started and not closed. */
  readonly isOpen: boolean
  /** There is a connection, so that commands are sent at once. */
  readonly isReady: boolean

  /**
   * Connects, and resolves to the client. Goes on as long as `socket.reconnectStrategy` says. Rejects
   * at once when the options can never work (wrong password, TLS refused, no such database), when
   * an attempt fails while nobody listens to `error`, and when `timeout` has passed.
   */
  connect(options?: ConnectOptions): Promise<this>
  /** Lets pending commands finish (5 s at most), then closes. May be called twice. */
  close(): Promise<void>
  /** Rejects pending commands and closes at once. May be called twice. */
  destroy(): void
  /** @deprecated use `close()` */
  quit(): Promise<'OK'>
  /** @deprecated use `close()` */
  QUIT(): Promise<'OK'>
  /** @deprecated use `destroy()` */
  disconnect(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>

  /** Lets pending commands and subscriptions keep the process alive (the default). */
  ref(): void
  /** Lets the process end while commands are pending, or something is subscribed to. */
  unref(): void

  /**
   * Makes `database` the one of all later commands, also after a reconnect, and of sessions that
   * are acquired from then on. A TypeError on a client with several lanes, or a shared one.
   */
  select(database: number): Promise<'OK'>
  select(database: number, callback: Callback<'OK'>): void
  SELECT: RedisClientCore['select']
  /** The interface of node-redis 3 to this client: callbacks, and replies as they were sent. */
  legacy(): RedisLegacyClient
  /**
   * Numbers about the pool, the lanes and the commands so far. Of a shared client: those of all its
   * threads together, but for `pubsub`.
   */
  stats(): RedisClientStats

  /** A view of this client that turns replies into other types. */
  withTypeMapping(typeMapping: BufferTypeMapping): RedisBufferClient
  withTypeMapping(typeMapping: TypeMapping): RedisClient
  /** A view of this client whose commands `signal` can abort. */
  withAbortSignal(signal: AbortSignal): this
  /** A view of this client with other options for its commands. */
  withCommandOptions(
    options: CommandOptions & { typeMapping: BufferTypeMapping }): RedisBufferClient
  withCommandOptions(options: CommandOptions): this

  /** Sends any command, and resolves to the reply as it was decoded. */
  sendCommand<R = unknown>(args: readonly RedisArgument[], options?: CommandOptions): Promise<R>
  sendCommand<R = unknown>(args: readonly RedisArgument[], callback: Callback<R>): void
  sendCommand<R = unknown>(
    args: readonly RedisArgument[], options: CommandOptions | undefined, callback: Callback<R>
  ): void
}

/** Where an iterator starts. */
export interface ScanStart {
  /** The cursor of an earlier page; default `'0'`, the beginning. */
  cursor?: RedisArgument
}

/**
 * Iterators over pages, see `SCAN`. Each step is an array, which may be empty. `T` is string or
 * Buffer.
 */
export interface RedisIteratorsOf<T> {
  /** Goes through the keys of the database. */
  scanIterator(options?: ScanOptions & ScanStart): AsyncGenerator<T[], void, undefined>
  /** Goes through the fields of a hash, with their values. */
  hScanIterator(key: RedisArgument, options?: ScanCommonOptions & ScanStart):
    AsyncGenerator<{ field: T; value: T }[], void, undefined>
  /** Goes through the values of a hash. */
  hScanValuesIterator(key: RedisArgument, options?: ScanCommonOptions & ScanStart):
    AsyncGenerator<T[], void, undefined>
  /** Goes through the fields of a hash; needs Redis 7.4 or later. */
  hScanNoValuesIterator(key: RedisArgument, options?: ScanCommonOptions & ScanStart):
    AsyncGenerator<T[], void, undefined>
  /** Goes through the members of a set. */
  sScanIterator(key: RedisArgument, options?: ScanCommonOptions & ScanStart):
    AsyncGenerator<T[], void, undefined>
  /** Goes through the members of a sorted set, with their scores. */
  zScanIterator(key: RedisArgument, options?: ScanCommonOptions & ScanStart):
    AsyncGenerator<{ value: T; score: number }[], void, undefined>
}

/** Iterators over pages, see `SCAN`. */
export interface RedisIterators extends RedisIteratorsOf<string> {}

/** Iterators over pages, see `SCAN`. Strings are Buffers. */
export interface RedisBufferIterators extends RedisIteratorsOf<Buffer> {}

/** A client. */
export interface RedisClient extends RedisClientCore, RedisCommands, RedisModuleCommands,
  RedisIterators, RedisPubSub, RedisStandingCommands, RedisSessionSource<RedisSession> {
  hello: RedisOwnCommands['hello']
  HELLO: RedisOwnCommands['hello']
  /** A new client with the same options, changed by `overrides`, and its own connections. */
  duplicate(overrides?: RedisClientOptions): RedisClient
  /** A pool with this client's options: see `createClientPool`. */
  createPool(poolOptions?: Partial<RedisPoolOptions>): RedisClientPool
  /** A chain of commands to run as a transaction, or as a pipeline. Nothing is sent before. */
  multi(): RedisMulti
  MULTI: RedisClient['multi']
}

/** A client, or a view of one, whose strings are Buffers. */
export interface RedisBufferClient extends RedisClientCore, RedisBufferCommands,
  RedisBufferModuleCommands, RedisBufferIterators, RedisPubSub, RedisStandingCommands,
  RedisSessionSource<RedisBufferSession> {
  hello: RedisBufferOwnCommands['hello']
  HELLO: RedisBufferOwnCommands['hello']
  /** A new client with the same options, changed by `overrides`, and its own connections. */
  duplicate(overrides?: RedisClientOptions): RedisBufferClient
  /** A pool with this client's options: see `createClientPool`. */
  createPool(poolOptions?: Partial<RedisPoolOptions>): RedisBufferClientPool
  /** A chain of commands to run as a transaction, or as a pipeline. Nothing is sent before. */
  multi(): RedisBufferMulti
  MULTI: RedisBufferClient['multi']
}

/** What pools have besides. */
export interface RedisPoolNumbers {
  /** Connections that nobody uses. */
  readonly idleClients: number
  /** Connections in use. */
  readonly clientsInUse: number
  /** All connections. */
  readonly totalClients: number
  /** Callers that wait for a connection. */
  readonly tasksQueueLength: number
  /** `close()` was called, and what is under way has not ended. */
  readonly isClosing: boolean
}

/** A client with several lanes. */
export interface RedisClientPool extends RedisClient, RedisPoolNumbers {
  /** node-redis's name for `session`. */
  execute: RedisClient['session']
}

/** A client with several lanes whose strings are Buffers. */
export interface RedisBufferClientPool extends RedisBufferClient, RedisPoolNumbers {
  /** node-redis's name for `session`. */
  execute: RedisBufferClient['session']
}
