/**
 * The names of the diagnostics channels, those of node-redis 6. The first three are tracing
 * channels (`diagnostics_channel.tracingChannel(name)`). Those of maintenance, relaxed timeouts and
 * handoffs are there for programs that name them; nothing is told on them.
 */
export const CHANNELS: {
  readonly TRACE_COMMAND: 'node-redis:command'
  readonly TRACE_BATCH: 'node-redis:batch'
  readonly TRACE_CONNECT: 'node-redis:connect'
  readonly CONNECTION_READY: 'node-redis:connection:ready'
  readonly CONNECTION_CLOSED: 'node-redis:connection:closed'
  readonly CONNECTION_RELAXED_TIMEOUT: 'node-redis:connection:relaxed-timeout'
  readonly CONNECTION_HANDOFF: 'node-redis:connection:handoff'
  readonly ERROR: 'node-redis:error'
  readonly MAINTENANCE: 'node-redis:maintenance'
  readonly PUBSUB: 'node-redis:pubsub'
  readonly CACHE_REQUEST: 'node-redis:cache:request'
  readonly CACHE_EVICTION: 'node-redis:cache:eviction'
  readonly COMMAND_REPLY: 'node-redis:command:reply'
  readonly POOL_CONNECTION_WAIT: 'node-redis:pool:connection-wait'
}

/** What is told of a call of `connect()`. */
export interface ConnectTraceContext {
  /** The host, or the path of a Unix socket. */
  serverAddress: string | undefined
  serverPort: number | undefined
  clientId: string | undefined
}

/** What is told of one command. */
export interface CommandTraceContext extends ConnectTraceContext {
  /** The command's name in upper case, without its subcommand. */
  command: string
  /** The name, the keys, and `?` in place of all other arguments. */
  args: readonly string[]
  database: number | undefined
}

/** What is told of a chain as a whole. */
export interface BatchOperationContext extends ConnectTraceContext {
  batchMode: 'MULTI' | 'PIPELINE'
  /** How many commands it has. */
  batchSize: number
  database: number | undefined
}

/** What is told of one command of a pipeline. */
export interface BatchCommandTraceContext extends CommandTraceContext {
  batchMode: 'MULTI' | 'PIPELINE'
  batchSize: number
}

/** A connection has finished its handshake. */
export interface ConnectionReadyEvent extends ConnectTraceContext {
  /** ms from the look-up of the host name on. */
  createTimeMs: number
}

/** A connection has ended. */
export interface ConnectionClosedEvent {
  clientId: string
  /** `application_close`, `error`, or `replaced` by a newer one. */
  reason: string
  /** False if the client has ended before it had a connection. */
  wasConnected: boolean
}

/** What the event `error` tells, whether or not anybody listens to that. */
export interface ClientErrorEvent {
  error: Error
  origin: string
  internal: boolean
  clientId?: string
  /** Errors since a connection was made last. */
  retryCount?: number
}

/** A message has come for a listener. */
export interface PubSubMessageEvent {
  direction: 'in' | 'out'
  clientId: string
  channel?: unknown
  sharded?: boolean
}

/** The client-side cache was asked. */
export interface CacheRequestEvent {
  result: string
  clientId?: string
}

/** The client-side cache has dropped entries. */
export interface CacheEvictionEvent {
  reason: string
  count: number
  clientId?: string
}

/** A method has resolved. */
export interface CommandReplyEvent {
  /** As in `CommandTraceContext`. */
  args: readonly unknown[]
  /** In clear. */
  reply: unknown
  clientId: string
}

/** A caller has got a session. */
export interface PoolConnectionWaitEvent {
  clientId: string
  /** When it has asked, as `performance.now()` told it. */
  waitStartTimestamp: number
}

/** Told by node-redis only. */
export interface ConnectionRelaxedTimeoutEvent {
  clientId: string
  value: number
}

/** Told by node-redis only. */
export interface ConnectionHandoffEvent {
  clientId: string
}

/** Told by node-redis only. */
export interface MaintenanceNotificationEvent {
  notification: string
  clientId?: string
}

/** The messages of the plain channels, by their names. */
export interface ChannelEvents {
  'node-redis:connection:ready': ConnectionReadyEvent
  'node-redis:connection:closed': ConnectionClosedEvent
  'node-redis:connection:relaxed-timeout': ConnectionRelaxedTimeoutEvent
  'node-redis:connection:handoff': ConnectionHandoffEvent
  'node-redis:error': ClientErrorEvent
  'node-redis:maintenance': MaintenanceNotificationEvent
  'node-redis:pubsub': PubSubMessageEvent
  'node-redis:cache:request': CacheRequestEvent
  'node-redis:cache:eviction': CacheEvictionEvent
  'node-redis:command:reply': CommandReplyEvent
  'node-redis:pool:connection-wait': PoolConnectionWaitEvent
}

/** A group of metrics. */
export type MetricGroup =
  | 'command' | 'connection-basic' | 'connection-advanced' | 'resiliency' | 'pubsub' | 'streaming'
  | 'client-side-caching'

/** Which metrics are recorded, and how. */
export interface MetricConfig {
  /** Default false. */
  enabled?: boolean
  /** Default: the global one. */
  meterProvider?: { getMeter(name: string, version?: string): any }
  /** Names of commands whose duration is recorded; default all. */
  includeCommands?: string[]
  excludeCommands?: string[]
  /** Default `connection-basic` and `resiliency`. */
  enabledMetricGroups?: MetricGroup[]
  hidePubSubChannelNames?: boolean
  hideStreamNames?: boolean
  /** Bounds of histograms in seconds. */
  bucketsOperationDuration?: number[]
  bucketsConnectionCreateTime?: number[]
  bucketsConnectionWaitTime?: number[]
  bucketsStreamProcessingDuration?: number[]
}

/** Which spans are made. */
export interface TraceConfig {
  /** Default false. */
  enabled?: boolean
  /** Default: the global one. */
  tracerProvider?: { getTracer(name: string, version?: string): any }
  /** Names of commands that get a span; default all. */
  includeCommands?: string[]
  excludeCommands?: string[]
}

export interface ObservabilityConfig {
  metrics?: MetricConfig
  traces?: TraceConfig
}

/** Metrics and spans by the package `@opentelemetry/api`, which the application installs. */
export const OpenTelemetry: {
  /**
   * Begins to record; to be called once. Throws `OpenTelemetryError` if it was called before, or if
   * the package is not installed.
   */
  init(config?: ObservabilityConfig): void
}
