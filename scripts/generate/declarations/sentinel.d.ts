/**
 * Returns a client of a primary and its replicas that Sentinel watches over. It finds them with its
 * first command, or with `connect()`. Types follow the options as those of `createClient` do.
 */
export function createSentinel<
  M extends RedisModules = {}, F extends RedisFunctions = {}, S extends RedisScripts = {},
  RESP extends RespVersions = RespVersions, T extends TypeMapping = {}
>(
  options: RedisSentinelOptions<M, F, S, RESP, T> & RedisDefinitions<S, F, M> &
    RedisDefaultMapping<T>
): RedisSentinelForms<Known<S> & Known<F> & Known<M>>[RedisTextForm<T>]
export function createSentinel(options: RedisSentinelOptions): RedisSentinel

/** The class of what `createSentinel` returns. */
export const RedisSentinel: new (options: RedisSentinelOptions) => RedisSentinel

/** Where a server listens. */
export interface RedisNode {
  host: string
  port: number
}

/** Options of the client of a node, whose address the sentinels know. */
export type RedisSentinelNodeOptions = Omit<RedisClientOptions, 'url' | 'socket' | 'lanes'> & {
  /** Options of the socket, without host, port and path. */
  socket?: Omit<RedisSocketOptions, 'host' | 'port' | 'path'>
}

/** Options of `createSentinel`: those of the whole, and others of each node's client. */
export interface RedisSentinelOptions<
  M extends RedisModules = RedisModules, F extends RedisFunctions = RedisFunctions,
  S extends RedisScripts = RedisScripts, RESP extends RespVersions = RespVersions,
  T extends TypeMapping = TypeMapping
> extends Omit<RedisSentinelNodeOptions, 'name' | 'socket' | RedisTypedOptions>,
  Pick<RedisClientOptions<M, F, S, RESP, T>, RedisTypedOptions> {
  /** The name of the primary, as the sentinels know it. */
  name: string
  /** Some sentinels; the port is 26379 by default. The others are learned from them. */
  sentinelRootNodes: { host: string; port?: number }[]
  /** Options of the primary and its replicas. What stands beside this goes before it. */
  nodeClientOptions?: RedisSentinelNodeOptions
  /** Options of the sentinels, which have logins and certificates of their own. */
  sentinelClientOptions?:
    Omit<RedisSentinelNodeOptions, 'database' | 'credentialsProvider' | 'commandOptions'>
  /** Exclusive connections to the primary at once: `pool.max`. Default 16. */
  masterPoolSize?: number
  /** Above 0: reads from replicas, `readStrategy: 'replica'`. Default 0. */
  replicaPoolSize?: number
  /**
   * Who serves commands that only read: the primary (the default), replicas in turns, the node that
   * answers soonest, or the replicas of a zone. Replicas may be behind their primary.
   */
  readStrategy?: 'primary' | 'replica' | 'nearest' | { zone: string }
  /**
   * Time after which the sentinels are asked again although nothing was heard, in ms. Default 10000;
   * 0 means a minute.
   */
  scanInterval?: number
  /** How often a command is sent again after `READONLY`. Default 16; at most 15 are counted. */
  maxCommandRediscovers?: number
  /** Addresses as servers name them, by which this client reaches them. */
  nodeAddressMap?: NodeAddressMap
  /** Emits `error` for each `client-error`, too. Default false. */
  passthroughClientErrorEvents?: boolean
  /** Taken for node-redis's sake: commands always have a connection. */
  reserveClient?: boolean
}

/** What has changed: the primary, a replica or a sentinel. */
export type RedisSentinelEvent =
  | {
    type: 'SENTINEL_CHANGE' | 'MASTER_CHANGE' | 'REPLICA_ADD' | 'REPLICA_REMOVE'
    node: RedisNode
  }
  | { type: 'SENTINE_LIST_CHANGE'; size: number }

/** What is wrong with one connection. */
export interface RedisSentinelClientError {
  type: 'MASTER' | 'REPLICA' | 'SENTINEL'
  node: RedisNode
  error: Error
}

/** Events of a client of Sentinel. None of them needs a listener, not even `error`. */
export interface RedisSentinelEvents {
  /** The primary is known. */
  connect: []
  /** Commands can be sent; again after each failover. */
  ready: []
  /** The primary is another one. */
  reconnecting: []
  /** No sentinel can be asked, or the primary that they name cannot serve. */
  error: [error: Error]
  /** A connection was lost, or could not be made. */
  'client-error': [event: RedisSentinelClientError]
  'topology-change': [event: RedisSentinelEvent]
  /** The client is closed. */
  end: []
  /** Subscriptions that a lost connection had ended stand again. */
  resubscribed: [gap: RedisResubscribed]
}

/** node-redis's form of `sendCommand`: which commands a replica may run is known here. */
export interface RedisFlaggedCommand {
  sendCommand<R = unknown>(args: readonly RedisArgument[], options?: CommandOptions): Promise<R>
  sendCommand<R = unknown>(args: readonly RedisArgument[], callback: Callback<R>): void
  sendCommand<R = unknown>(
    args: readonly RedisArgument[], options: CommandOptions | undefined, callback: Callback<R>
  ): void
  sendCommand<R = unknown>(
    isReadonly: boolean | undefined, args: readonly RedisArgument[], options?: CommandOptions
  ): Promise<R>
}

/** What clients of Sentinel have besides the commands. */
export interface RedisSentinelCore extends EventEmitter, RedisFlaggedCommand {
  on<E extends keyof RedisSentinelEvents>(
    event: E, listener: (...details: RedisSentinelEvents[E]) => void): this
  on(event: string | symbol, listener: (...details: any[]) => void): this
  once<E extends keyof RedisSentinelEvents>(
    event: E, listener: (...details: RedisSentinelEvents[E]) => void): this
  once(event: string | symbol, listener: (...details: any[]) => void): this
  off<E extends keyof RedisSentinelEvents>(
    event: E, listener: (...details: RedisSentinelEvents[E]) => void): this
  off(event: string | symbol, listener: (...details: any[]) => void): this

  /** The options that were given. An object of the client's own. */
  readonly options: RedisSentinelOptions
  /** The command options of this client or view. */
  readonly commandOptions: CommandOptions
  /** The client has been started and not closed. */
  readonly isOpen: boolean
  /** There is a connection to the primary. */
  readonly isReady: boolean

  /**
   * Finds the primary, and resolves to the client. Rejects with a `RootNodesUnavailableError` if no
   * sentinel has answered within `socket.connectTimeout` of the nodes, with the cause if the options
   * can never work.
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
  /** The interface of node-redis 3 to this client: callbacks, and replies as they were sent. */
  legacy(): RedisLegacyClient
  /** Numbers about the pools and lanes of all nodes, and the commands so far. */
  stats(): RedisClientStats

  /** The sentinel that is listened to; undefined while there is none. */
  getSentinelNode(): RedisNode | undefined
  /** The primary; undefined before it is known. */
  getMasterNode(): RedisNode | undefined
  /** The replicas, each with the number of connections that stand to it. */
  getReplicaNodes(): Map<RedisNode, number>

  /** A view of this client that turns replies into other types. */
  withTypeMapping(typeMapping: BufferTypeMapping): RedisBufferSentinel
  withTypeMapping(typeMapping: TypeMapping): RedisSentinel
  /** A view of this client whose commands `signal` can abort. */
  withAbortSignal(signal: AbortSignal): this
  /** A view of this client with other options for its commands. */
  withCommandOptions(
    options: CommandOptions & { typeMapping: BufferTypeMapping }): RedisBufferSentinel
  withCommandOptions(options: CommandOptions): this
}

/** Sessions of a client of Sentinel, on its primary. */
export interface RedisSentinelSessionSource<Session> extends RedisSessionSource<Session> {
  /** node-redis's name for `session`. */
  use<R>(run: (session: Session) => R | PromiseLike<R>): Promise<R>
}

/** node-redis's name of a session of such a client: a lease of a connection to the primary. */
export interface RedisSentinelClient extends Omit<RedisSession, 'sendCommand'>,
  RedisFlaggedCommand {}

/** The class of such sessions, for `instanceof`. */
export const RedisSentinelClient: abstract new () => RedisSentinelClient

/** The same, whose strings are Buffers. */
export interface RedisBufferSentinelClient extends Omit<RedisBufferSession, 'sendCommand'>,
  RedisFlaggedCommand {}

/** A client of a primary and its replicas that Sentinel watches over. */
export interface RedisSentinel extends RedisSentinelCore, RedisCommands, RedisModuleCommands,
  RedisIterators, RedisPubSub, RedisSentinelSessionSource<RedisSentinelClient> {
  /** A new client with the same options, changed by `overrides`, and its own connections. */
  duplicate(overrides?: Partial<RedisSentinelOptions>): RedisSentinel
  /** A chain of commands to run as a transaction, or as a pipeline. Nothing is sent before. */
  multi(): RedisMulti
  MULTI: RedisSentinel['multi']
  /** Each node has its own: use a client of that node. */
  monitor: never
  MONITOR: never
}

/** A client of Sentinel, or a view of one, whose strings are Buffers. */
export interface RedisBufferSentinel extends RedisSentinelCore, RedisBufferCommands,
  RedisBufferModuleCommands, RedisBufferIterators, RedisPubSub,
  RedisSentinelSessionSource<RedisBufferSentinelClient> {
  /** A new client with the same options, changed by `overrides`, and its own connections. */
  duplicate(overrides?: Partial<RedisSentinelOptions>): RedisBufferSentinel
  /** A chain of commands to run as a transaction, or as a pipeline. Nothing is sent before. */
  multi(): RedisBufferMulti
  MULTI: RedisBufferSentinel['multi']
  /** Each node has its own: use a client of that node. */
  monitor: never
  MONITOR: never
}

/** The types of such a client with definitions. `createSentinel` returns one of them. */
export interface RedisSentinelForms<D> {
  strings: RedisSentinelWith<D>
  buffers: RedisBufferSentinelWith<D>
}

/** A client of Sentinel with the methods of its definitions. */
export type RedisSentinelWith<D> = [keyof D] extends [never] ? RedisSentinel
  : RedisSentinelExtended<RedisSentinel, RedisSentinelClient, RedisChain<[], D>, D>

/** A client of Sentinel whose strings are Buffers, with the methods of its definitions. */
export type RedisBufferSentinelWith<D> = [keyof D] extends [never] ? RedisBufferSentinel
  : RedisSentinelExtended<RedisBufferSentinel, RedisBufferSentinelClient, RedisBufferChain<[], D>,
    D>

/** What a client of Sentinel has with definitions that has none without. */
export type RedisSentinelExtended<C, Session, Chain, D> = {
  withTypeMapping(typeMapping: BufferTypeMapping): RedisBufferSentinelWith<D>
  withTypeMapping(typeMapping: TypeMapping): RedisSentinelWith<D>
  withCommandOptions(options: CommandOptions & { typeMapping: BufferTypeMapping }):
    RedisBufferSentinelWith<D>
  duplicate(overrides?: Partial<RedisSentinelOptions>):
    C extends RedisBufferSentinel ? RedisBufferSentinelWith<D> : RedisSentinelWith<D>
  multi(): Chain
  MULTI(): Chain
} & RedisSentinelSessionSource<RedisExtendedSession<Session, Chain, D>> & DefinedMethods<D> & C

/** node-redis's type of a client of Sentinel, as `RedisClientType`. */
export type RedisSentinelType<
  M extends RedisModules = {}, F extends RedisFunctions = {}, S extends RedisScripts = {},
  RESP extends RespVersions = 3, T extends TypeMapping = {}
> = RedisSentinelForms<Known<S> & Known<F> & Known<M>>[RedisTextForm<T>]

/** node-redis's type of a lease, as `RedisClientType`. */
export type RedisSentinelClientType<
  M extends RedisModules = {}, F extends RedisFunctions = {}, S extends RedisScripts = {},
  RESP extends RespVersions = 3, T extends TypeMapping = {}
> = RedisTextForm<T> extends 'buffers' ? RedisBufferSentinelClient : RedisSentinelClient
