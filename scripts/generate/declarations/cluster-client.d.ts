/**
 * Returns a client of a cluster. It finds the nodes with its first command, or with `connect()`.
 * Types follow the options as those of `createClient` do.
 */
export function createCluster<
  M extends RedisModules = {}, F extends RedisFunctions = {}, S extends RedisScripts = {},
  RESP extends RespVersions = RespVersions, T extends TypeMapping = {}
>(
  options: RedisClusterOptions<M, F, S, RESP, T> & RedisDefinitions<S, F, M> &
    RedisDefaultMapping<T>
): RedisClusterForms<Known<S> & Known<F> & Known<M>>[RedisTextForm<T>]
export function createCluster(options?: RedisClusterOptions): RedisCluster

/** The class of what `createCluster` returns. */
export const RedisCluster: new (options?: RedisClusterOptions) => RedisCluster

/** Options of a node of a cluster: one login, and one way of encryption, for all of them. */
export type RedisClusterClientOptions = Omit<RedisClientOptions, 'lanes' | 'database'> & {
  /** A cluster has no other database than 0. */
  database?: 0
}

/** Who serves reads; a name of a zone is that of `availability-zone` on the servers. */
export type RedisReadStrategy = 'primary' | 'replica' | 'nearest' | { zone: string }

/** Options of `createCluster`: those of each node's client, and those of the whole. */
export interface RedisClusterOptions<
  M extends RedisModules = RedisModules, F extends RedisFunctions = RedisFunctions,
  S extends RedisScripts = RedisScripts, RESP extends RespVersions = RespVersions,
  T extends TypeMapping = TypeMapping
> extends Omit<RedisClusterClientOptions, 'url' | RedisTypedOptions>,
  Pick<RedisClientOptions<M, F, S, RESP, T>, RedisTypedOptions> {
  /**
   * Some nodes, by which the others are found: URLs, or options. Their login and TLS are those of
   * all nodes, so they have to agree. Default: the one at `127.0.0.1:6379`.
   */
  rootNodes?: (RedisClusterClientOptions | string)[]
  /** Options of all nodes; they go before those of `rootNodes`. */
  defaults?: RedisClusterClientOptions
  /** Reads from replicas: `readStrategy: 'replica'`. Default false. */
  useReplicas?: boolean
  /**
   * Who serves commands that only read: the primary (the default), replicas in turns, the node that
   * answers soonest, or the replicas of a zone. Replicas may be behind their primary.
   */
  readStrategy?: RedisReadStrategy
  /** How many redirects one command follows. Default 5, at most 15. */
  maxCommandRedirections?: number
  /** Addresses of the nodes, as they call themselves, by which this client reaches them. */
  nodeAddressMap?: NodeAddressMap
  /** Taken for node-redis's sake: connections are opened when they are needed. */
  minimizeConnections?: boolean
  /** Taken for node-redis's sake: lost connections always ask where everything is. */
  topologyRefreshOnReconnectionAttemptStrategy?:
    false | number | ((firstReconnectionAt: number) => false | number | undefined)
}

/**
 * By the addresses that servers name, those at which this client reaches them; or a function that
 * is asked once for each, and returns undefined for one that is right.
 */
export type NodeAddressMap = Record<string, { host: string; port: number }> |
  ((address: string) => { host: string; port: number } | undefined |
    Promise<{ host: string; port: number } | undefined>)

/** A node of a cluster. */
export interface RedisClusterNode {
  /** Its id in the cluster. */
  readonly id: string
  /** `host:port` */
  readonly address: string
  readonly host: string
  readonly port: number
  /** It is a replica. */
  readonly readonly: boolean
  /** A client of this node alone. It connects with its first command. */
  readonly client: RedisClient
}

/** A primary with its replicas. */
export interface RedisClusterShard {
  readonly master: RedisClusterNode
  readonly replicas: RedisClusterNode[]
}

/** Events of a cluster's client. None of them needs a listener. */
export interface RedisClusterEvents {
  /** The client knows the nodes and who has which slot. */
  connect: []
  /** Commands can be sent. */
  ready: []
  /** The client reaches none of the root nodes. */
  error: [error: Error]
  /** The client is closed. */
  end: []
  /** The client has asked the nodes again who has which slot. */
  'topology-change': []
  /** There is a connection to a node. */
  'node-connect': [node: RedisClusterNode | undefined]
  /** Commands can be sent to a node. */
  'node-ready': [node: RedisClusterNode | undefined]
  /** A node has left the cluster, or the client is closed. */
  'node-disconnect': [node: RedisClusterNode]
  /** The client is closed. */
  disconnect: []
  /** The connection to a node was lost and will be opened again. */
  'node-reconnecting': [state: { retries: number }]
  /** Something went wrong with a node, in the background. */
  'node-error': [error: Error, node?: RedisClusterNode]
  /** Subscriptions that a lost connection had ended stand again. */
  resubscribed: [gap: RedisResubscribed]
}

/** What clients of clusters have besides the commands. */
export interface RedisClusterCore extends EventEmitter {
  on<E extends keyof RedisClusterEvents>(
    event: E, listener: (...details: RedisClusterEvents[E]) => void): this
  on(event: string | symbol, listener: (...details: any[]) => void): this
  once<E extends keyof RedisClusterEvents>(
    event: E, listener: (...details: RedisClusterEvents[E]) => void): this
  once(event: string | symbol, listener: (...details: any[]) => void): this
  off<E extends keyof RedisClusterEvents>(
    event: E, listener: (...details: RedisClusterEvents[E]) => void): this
  off(event: string | symbol, listener: (...details: any[]) => void): this

  /** The options that were given. An object of the client's own. */
  readonly options: RedisClusterOptions
  /** The command options of this client or view. */
  readonly commandOptions: CommandOptions
  /** The client has been started and not closed. */
  readonly isOpen: boolean
  /** There is a connection to a node. */
  readonly isReady: boolean
  /** The primaries; empty before the nodes were found. */
  readonly masters: RedisClusterNode[]
  /** The replicas. */
  readonly replicas: RedisClusterNode[]
  readonly shards: RedisClusterShard[]
  /** For each of the 16,384 slots its shard; undefined where no node has it. */
  readonly slots: RedisClusterShard[]
  /** All nodes by `host:port`. */
  readonly nodeByAddress: Map<string, RedisClusterNode>
  /** @deprecated use `masters` */
  getMasters(): RedisClusterNode[]
  /** @deprecated use `slots[slot].master` */
  getSlotMaster(slot: number): RedisClusterNode | undefined
  /** Any node; undefined before the nodes were found. */
  getRandomNode(): RedisClusterNode | undefined
  /** Any node of the shard that has `slot`. */
  getSlotRandomNode(slot: number): RedisClusterNode | undefined

  /**
   * Finds the nodes, and resolves to the client. Rejects with the cause when the options can never
   * work, or when `connectTimeout` has passed.
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
  /** Numbers about the pools and lanes of all nodes, and the commands so far. */
  stats(): RedisClientStats

  /** A view of this client that turns replies into other types. */
  withTypeMapping(typeMapping: BufferTypeMapping): RedisBufferCluster
  withTypeMapping(typeMapping: TypeMapping): RedisCluster
  /** A view of this client whose commands `signal` can abort. */
  withAbortSignal(signal: AbortSignal): this
  /** A view of this client with other options for its commands. */
  withCommandOptions(
    options: CommandOptions & { typeMapping: BufferTypeMapping }): RedisBufferCluster
  withCommandOptions(options: CommandOptions): this

  /**
   * Sends any command as it is to the node that its keys say, or to several nodes if its method
   * does (`MGET`, `DBSIZE` ...), and resolves to the reply as it was decoded.
   */
  sendCommand<R = unknown>(args: readonly RedisArgument[], options?: CommandOptions): Promise<R>
  sendCommand<R = unknown>(args: readonly RedisArgument[], callback: Callback<R>): void
  sendCommand<R = unknown>(
    args: readonly RedisArgument[], options: CommandOptions | undefined, callback: Callback<R>
  ): void
  /** node-redis's form: `firstKey` decides, also for commands whose keys nobody knows. */
  sendCommand<R = unknown>(
    firstKey: RedisArgument | undefined, isReadonly: boolean | undefined,
    args: readonly RedisArgument[], options?: CommandOptions
  ): Promise<R>

  /** A cursor of blessed keys belongs to one node: use `nodeClient(node)`. */
  blessScan: never
  BLESS_SCAN: never
}

/** Sessions of a cluster are on one node, and for the keys of one slot. */
export interface RedisClusterSessionSource<Session> {
  /**
   * Runs `run` with a connection of its own to the node of `key`, behind everything that was sent
   * before, and gives the connection back afterwards, clean, whatever happened. All keys of the
   * session have to be in the slot of `key`: give them a common hash tag.
   */
  session<R>(key: RedisArgument, run: (session: Session) => R | PromiseLike<R>): Promise<R>
  /** A connection of one's own to the node of `key`, which has to be released. */
  acquire(key: RedisArgument): Promise<Session>
}

/** Clients of single nodes, with the options of the cluster's; they close with it. */
export interface RedisClusterNodeClients<Client> {
  /** A client of `node`, for what concerns that one alone. */
  nodeClient(node: RedisClusterNode): Promise<Client>
  /** A client of the node that has `key`; of a replica with `isReadonly`, if there is one. */
  getNodeClientForKey(key: RedisArgument, isReadonly?: boolean): Promise<Client>
}

/** A client of a cluster. */
export interface RedisCluster extends RedisClusterCore, RedisCommands, RedisModuleCommands,
  RedisIterators, RedisPubSub, RedisClusterSessionSource<RedisSession>,
  RedisClusterNodeClients<RedisClient> {
  blessScan: never
  BLESS_SCAN: never
  /** Goes through the keys of all primaries, also while slots move and nodes are replaced. */
  scanIterator(options?: ScanOptions): AsyncGenerator<string[], void, undefined>
  /** A new client with the same options, changed by `overrides`, and its own connections. */
  duplicate(overrides?: RedisClusterOptions): RedisCluster
  /**
   * A chain of commands to run as a transaction, whose keys have to be in one slot, or as a
   * pipeline. With `routing`, a key, commands without a key go to its node.
   */
  multi(routing?: RedisArgument): RedisMulti
  MULTI: RedisCluster['multi']
}

/** A client of a cluster, or a view of one, whose strings are Buffers. */
export interface RedisBufferCluster extends RedisClusterCore, RedisBufferCommands,
  RedisBufferModuleCommands, RedisBufferIterators, RedisPubSub,
  RedisClusterSessionSource<RedisBufferSession>, RedisClusterNodeClients<RedisBufferClient> {
  blessScan: never
  BLESS_SCAN: never
  /** Goes through the keys of all primaries, also while slots move and nodes are replaced. */
  scanIterator(options?: ScanOptions): AsyncGenerator<Buffer[], void, undefined>
  /** A new client with the same options, changed by `overrides`, and its own connections. */
  duplicate(overrides?: RedisClusterOptions): RedisBufferCluster
  /**
   * A chain of commands to run as a transaction, whose keys have to be in one slot, or as a
   * pipeline. With `routing`, a key, commands without a key go to its node.
   */
  multi(routing?: RedisArgument): RedisBufferMulti
  MULTI: RedisBufferCluster['multi']
}

/** The types of such a client with definitions. `createCluster` returns one of them. */
export interface RedisClusterForms<D> {
  strings: RedisClusterWith<D>
  buffers: RedisBufferClusterWith<D>
}

/** A client of a cluster with the methods of its definitions. */
export type RedisClusterWith<D> = [keyof D] extends [never] ? RedisCluster
  : RedisClusterExtended<RedisCluster, RedisSession, RedisClientWith<D>, RedisChain<[], D>, D>

/** A client of a cluster whose strings are Buffers, with the methods of its definitions. */
export type RedisBufferClusterWith<D> = [keyof D] extends [never] ? RedisBufferCluster
  : RedisClusterExtended<RedisBufferCluster, RedisBufferSession, RedisBufferClientWith<D>,
    RedisBufferChain<[], D>, D>

/** What a cluster's client has with definitions that has none without. */
export type RedisClusterExtended<C, Session, Client, Chain, D> = {
  withTypeMapping(typeMapping: BufferTypeMapping): RedisBufferClusterWith<D>
  withTypeMapping(typeMapping: TypeMapping): RedisClusterWith<D>
  withCommandOptions(options: CommandOptions & { typeMapping: BufferTypeMapping }):
    RedisBufferClusterWith<D>
  duplicate(overrides?: RedisClusterOptions):
    C extends RedisBufferCluster ? RedisBufferClusterWith<D> : RedisClusterWith<D>
  multi(routing?: RedisArgument): Chain
  MULTI(routing?: RedisArgument): Chain
} & RedisClusterSessionSource<RedisExtendedSession<Session, Chain, D>> &
  RedisClusterNodeClients<Client> & DefinedMethods<D> & C

/** node-redis's type of a cluster's client, as `RedisClientType`. */
export type RedisClusterType<
  M extends RedisModules = {}, F extends RedisFunctions = {}, S extends RedisScripts = {},
  RESP extends RespVersions = 3, T extends TypeMapping = {}
> = RedisClusterForms<Known<S> & Known<F> & Known<M>>[RedisTextForm<T>]
