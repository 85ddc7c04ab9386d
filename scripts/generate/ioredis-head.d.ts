// The types of `oxidis/ioredis` that are written by hand. scripts/generate-ioredis.js adds commands.

/* eslint-disable typescript/no-unsafe-declaration-merging --
   classes have the methods of the interfaces that users merge into */

import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import { ConnectionOptions as TlsOptions } from 'node:tls'

/** A key of the server. */
export type RedisKey = string | Buffer
/** An argument of a command. */
export type RedisValue = string | Buffer | Uint8Array | number | bigint
/** Arguments of a command: one level of arrays is flattened. */
export type RedisArguments = (RedisValue | readonly RedisValue[])[]
/** Fields and values of a sole object. */
export type RedisFields = Record<string, RedisValue | null | undefined | boolean> |
  Map<RedisValue, RedisValue>

/** A Node-style callback. */
export type Callback<T = unknown> = (err?: Error | null, result?: T) => void

/** What a method returns, by the kind of its owner. Merge into it to add a kind. */
export interface ResultTypes<Result, Context> {
  default: Promise<Result>
  pipeline: ChainableCommander
}
/** The kind of the owner of a method. */
export interface ClientContext {
  type: keyof ResultTypes<unknown, unknown>
}
/** What a method returns: a promise, or the pipeline. */
export type Result<T, Context extends ClientContext> = ResultTypes<T, Context>[Context['type']]

/** The status of an instance. */
export type RedisStatus = 'wait' | 'connecting' | 'connect' | 'ready' | 'close' | 'reconnecting' |
  'end' | 'monitoring' | 'disconnecting'

/** A Lua script as a method. */
export interface ScriptDefinition {
  lua: string
  numberOfKeys?: number
  readOnly?: boolean
}

/** What commands are made with. */
export interface CommandOptions {
  replyEncoding?: BufferEncoding | null
  errorStack?: Error
  keyPrefix?: string | Buffer
  readOnly?: boolean
}

/** Options that instances of any kind have. */
export interface CommonRedisOptions {
  /** Called before each attempt, from 1 on; no number ends the instance. */
  retryStrategy?: ((times: number) => number | void | null) | null
  /** Time (ms) from the call of a command to its reply. */
  commandTimeout?: number
  /** Time (ms) after which a command that waits for ever gives null. */
  blockingTimeout?: number
  blockingTimeoutGrace?: number
  /** Silence (ms) with a reply due that ends the connection. */
  socketTimeout?: number
  /** Silence (ms) before the first keepalive probe. */
  keepAlive?: number
  noDelay?: boolean
  connectionName?: string | null
  disableClientInfo?: boolean
  clientInfoTag?: string
  username?: string | null
  password?: string | null
  db?: number
  autoResubscribe?: boolean
  /**
   * Not given: what only reads, was not written, or waits is sent again after a loss. `true`:
   * everything is, so a command may run twice. `false`: nothing is.
   */
  autoResendUnfulfilledCommands?: boolean
  reconnectOnError?: ((err: Error) => boolean | 1 | 2) | null
  readOnly?: boolean
  stringNumbers?: boolean
  protocol?: 2 | 3
  replyMapping?: 'legacy' | 'resp3'
  /** Time (ms) of an attempt to connect. */
  connectTimeout?: number
  monitor?: boolean
  maxRetriesPerRequest?: number | null
  maxLoadingRetryTime?: number
  /** Of no effect: the commands of a turn are sent together in any case. */
  enableAutoPipelining?: boolean
  autoPipeliningIgnoredCommands?: string[]
  offlineQueue?: boolean
  enableOfflineQueue?: boolean
  enableReadyCheck?: boolean
  lazyConnect?: boolean
  keyPrefix?: string | Buffer
  scripts?: Record<string, ScriptDefinition>
  showFriendlyErrorStack?: boolean
}

/** Options of an instance of one server. */
export interface RedisOptions extends CommonRedisOptions {
  host?: string
  port?: number
  path?: string
  family?: number
  /** Options of `tls.connect`; `true` and `{}` are on. */
  tls?: TlsOptions | boolean
  /** The name of the primary that the sentinels watch over. */
  name?: string | null
  sentinels?: SentinelAddress[] | null
  sentinelUsername?: string
  sentinelPassword?: string
  sentinelTLS?: TlsOptions | boolean
  /** Whether `tls` is for the servers that the sentinels name. */
  enableTLSForSentinelMode?: boolean
  role?: 'master' | 'slave'
  preferredSlaves?: PreferredSlaves
  /** Asked when no sentinel answers, from 1 on; no number ends the instance. */
  sentinelRetryStrategy?: ((times: number) => number | void | null) | null
  sentinelCommandTimeout?: number
  updateSentinels?: boolean
  natMap?: Record<string, { host: string, port: number }> |
    ((address: string) => { host: string, port: number } | null | undefined) | null
}

/** A sentinel; default 127.0.0.1:26379. */
export interface SentinelAddress {
  host?: string
  port?: number | string
}

/** Which replica is taken: by a function, or the first of these that can be used. */
export type PreferredSlaves =
  ((replicas: { ip: string, port: string, flags: string }[]) => { ip: string, port: string } | null) |
  PreferredSlave | PreferredSlave[]
/** A replica; those of the smallest `prio` come first, default 1. */
export interface PreferredSlave {
  ip: string
  port: string
  prio?: number
}

/** Options of a scan of one key. */
export interface ScanStreamOptions {
  match?: string
  type?: string
  count?: number | string
  noValues?: boolean
}

/** A command by itself: methods make one, and `sendCommand` sends it. */
export class Command {
  constructor(name: string, args?: unknown[], options?: CommandOptions, callback?: Callback)
  readonly name: string
  readonly args: (string | Buffer)[]
  readonly promise: Promise<any>
  resolve: (result: any) => void
  reject: (error: Error) => void
  isReadOnly: boolean
  inTransaction: boolean
  getKeys(): (string | Buffer)[]
  static checkFlag(flagName: string, commandName: string): boolean
  static setArgumentTransformer(name: string, f: (args: any[]) => any[]): void
  static setReplyTransformer(name: string, f: (reply: any, context?: {
    commandName: string, protocol: number, replyMapping: string
  }) => any): void
}

/** A scan as a stream of arrays. */
export class ScanStream extends Readable {
  close(): void
}

/** What the server has answered, in its own words. */
export class ReplyError extends Error {
  constructor(message: string)
  command?: { name: string, args: (string | Buffer)[] }
  code: string
}

/** The connection could not be made so often that the command was given up. */
export class MaxRetriesPerRequestError extends Error {}

/** Prints the outcome of a command, as a callback. */
export function print(err: Error | null, reply?: any): void

/** The commands of a pipeline or of a transaction. */
export interface ChainableCommander extends RedisCommander<{ type: 'pipeline' }> {
  readonly length: number
}

/** What `pipeline()` and `multi()` make. */
export class Pipeline {
  readonly length: number
}
export interface Pipeline extends RedisCommander<{ type: 'pipeline' }> {}

/** The methods that transactions add. */
export interface Transaction {
  pipeline(commands?: unknown[][]): ChainableCommander
  multi(options: { pipeline: false }): Promise<'OK'>
  multi(): ChainableCommander
  multi(options: { pipeline: true }): ChainableCommander
  multi(commands?: unknown[][]): ChainableCommander
}

/** An instance, as ioredis has it, of one server. */
export class Redis extends EventEmitter {
  constructor()
  constructor(port: number | string, host: string, options: RedisOptions)
  constructor(port: number | string, host: string)
  constructor(port: number | string, options: RedisOptions)
  constructor(port: number | string)
  constructor(options: RedisOptions)
  static createClient(...args: ConstructorParameters<typeof Redis>): Redis
  static defaultOptions: RedisOptions
  static Command: typeof Command
  static Redis: typeof Redis
  static Cluster: typeof Cluster
  static default: typeof Redis
  static Pipeline: typeof Pipeline
  static ScanStream: typeof ScanStream
  static ReplyError: typeof ReplyError
  static print: typeof print
  options: RedisOptions
  status: RedisStatus
  readonly isCluster: boolean
  readonly mode: 'normal' | 'subscriber' | 'monitor'
  readonly autoPipelineQueueSize: number
  connect(callback?: Callback<void>): Promise<void>
  disconnect(reconnect?: boolean): void
  /** @deprecated Use `disconnect()`. */
  end(): void
  duplicate(override?: Partial<RedisOptions>): Redis
  monitor(callback?: Callback<Redis>): Promise<Redis>
  sendCommand(command: Command, stream?: unknown): unknown
  scanStream(options?: ScanStreamOptions): ScanStream
  scanBufferStream(options?: ScanStreamOptions): ScanStream
  sscanStream(key: RedisKey, options?: ScanStreamOptions): ScanStream
  sscanBufferStream(key: RedisKey, options?: ScanStreamOptions): ScanStream
  hscanStream(key: RedisKey, options?: ScanStreamOptions): ScanStream
  hscanBufferStream(key: RedisKey, options?: ScanStreamOptions): ScanStream
  zscanStream(key: RedisKey, options?: ScanStreamOptions): ScanStream
  zscanBufferStream(key: RedisKey, options?: ScanStreamOptions): ScanStream
  on(event: 'message', cb: (channel: string, message: string) => void): this
  on(event: 'messageBuffer' | 'smessageBuffer',
    cb: (channel: Buffer, message: Buffer) => void): this
  on(event: 'pmessage', cb: (pattern: string, channel: string, message: string) => void): this
  on(event: 'pmessageBuffer',
    cb: (pattern: string, channel: Buffer, message: Buffer) => void): this
  on(event: 'smessage', cb: (channel: string, message: string) => void): this
  on(event: 'error', cb: (error: Error) => void): this
  on(event: RedisStatus, cb: () => void): this
  on(event: string | symbol, cb: (...args: any[]) => void): this
}
export interface Redis extends RedisCommander<{ type: 'default' }>, Transaction {}

/** A node of a cluster that is asked first: a port, a URL, or options. */
export type ClusterNode = string | number | { host?: string, port?: number | string } & RedisOptions

/** Options of a cluster. */
export interface ClusterOptions extends CommonRedisOptions {
  /** Asked while no node answers, from 1 on; no number ends the instance. */
  clusterRetryStrategy?: ((times: number, reason?: Error) => number | void | null) | null
  clusterNodeRetryStrategy?: ((times: number) => number | void | null) | null
  enableOfflineQueue?: boolean
  enableReadyCheck?: boolean
  /** Who serves reads: a function chooses among the instances of the nodes of a slot. */
  scaleReads?: 'master' | 'slave' | 'all' |
    ((nodes: Redis[], command: Command) => Redis | Redis[] | undefined)
  maxRedirections?: number
  retryDelayOnFailover?: number
  retryDelayOnClusterDown?: number
  retryDelayOnTryAgain?: number
  retryDelayOnMoved?: number
  slotsRefreshTimeout?: number
  slotsRefreshInterval?: number
  /** Options of the connections to all nodes. */
  redisOptions?: Omit<RedisOptions, 'port' | 'host' | 'path'>
  lazyConnect?: boolean
  /** Addresses as this program reaches them. */
  natMap?: Record<string, { host: string, port: number }> |
    ((address: string) => { host: string, port: number } | null | undefined)
  dnsLookup?: (...args: any[]) => void
  shardedSubscribers?: boolean
}

/** No node of a cluster could say where everything is. */
export class ClusterAllFailedError extends Error {
  lastNodeError?: Error
}

/** An instance, as ioredis has it, of a whole cluster. */
export class Cluster extends EventEmitter {
  constructor(startupNodes: ClusterNode[], options?: ClusterOptions)
  options: ClusterOptions
  startupNodes: ClusterNode[]
  status: RedisStatus
  readonly isCluster: boolean
  readonly mode: 'normal'
  readonly autoPipelineQueueSize: number
  connect(): Promise<void>
  disconnect(reconnect?: boolean): void
  nodes(role?: 'all' | 'master' | 'slave'): Redis[]
  duplicate(startupNodes?: ClusterNode[], options?: ClusterOptions): Cluster
  sendCommand(command: Command, stream?: unknown, node?: unknown): unknown
  sscanStream(key: RedisKey, options?: ScanStreamOptions): ScanStream
  sscanBufferStream(key: RedisKey, options?: ScanStreamOptions): ScanStream
  hscanStream(key: RedisKey, options?: ScanStreamOptions): ScanStream
  hscanBufferStream(key: RedisKey, options?: ScanStreamOptions): ScanStream
  zscanStream(key: RedisKey, options?: ScanStreamOptions): ScanStream
  zscanBufferStream(key: RedisKey, options?: ScanStreamOptions): ScanStream
  on(event: 'message' | 'smessage', cb: (channel: string, message: string) => void): this
  on(event: 'messageBuffer' | 'smessageBuffer',
    cb: (channel: Buffer, message: Buffer) => void): this
  on(event: 'pmessage', cb: (pattern: string, channel: string, message: string) => void): this
  on(event: '+node' | '-node', cb: (node: Redis) => void): this
  on(event: 'node error', cb: (error: Error, address: string) => void): this
  on(event: 'error', cb: (error: Error) => void): this
  on(event: RedisStatus | 'refresh', cb: () => void): this
  on(event: string | symbol, cb: (...args: any[]) => void): this
}
export interface Cluster extends RedisCommander<{ type: 'default' }>, Transaction {}

export default Redis

/** What instances and pipelines share. Merge into it to add methods of your own. */
export interface RedisCommander<Context extends ClientContext = { type: 'default' }> {
  getBuiltinCommands(): string[]
  createBuiltinCommand(name: string): { string: any, buffer: any }
  addBuiltinCommand(name: string): void
  defineCommand(name: string, definition: ScriptDefinition): void
  call(command: string, ...args: [...RedisArguments, Callback<unknown>]): Result<unknown, Context>
  call(command: string, ...args: RedisArguments): Result<unknown, Context>
  callBuffer(command: string,
    ...args: [...RedisArguments, Callback<unknown>]): Result<unknown, Context>
  callBuffer(command: string, ...args: RedisArguments): Result<unknown, Context>
}
