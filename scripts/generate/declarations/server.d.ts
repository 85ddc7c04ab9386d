export interface EvalOptions {
  /** KEYS of the script; the client's prefix is put in front of them. */
  keys?: RedisArgument[]
  /** ARGV of the script. */
  arguments?: RedisArgument[]
}

export type RedisFlushMode = 'ASYNC' | 'SYNC'

/** One connection, as the server sees it. What an old server does not know is undefined. */
export interface ClientInfo {
  id: number
  addr: string
  laddr?: string
  fd: number
  name: string
  /** In seconds, like `idle`. */
  age: number
  idle: number
  flags: string
  db: number
  sub: number
  psub: number
  ssub?: number
  multi: number
  watch?: number
  qbuf: number
  qbufFree: number
  argvMem?: number
  multiMem?: number
  rbs?: number
  rbp?: number
  obl: number
  oll: number
  omem: number
  totMem?: number
  events: string
  cmd: string
  user?: string
  redir?: number
  resp?: number
  libName?: string
  libVer?: string
}

export type ClientListFilter =
  | { TYPE: 'NORMAL' | 'MASTER' | 'REPLICA' | 'PUBSUB'; ID?: never }
  | { ID: RedisArgument[]; TYPE?: never }

export type ClientKillFilter =
  | { filter: 'ADDR'; address: `${string}:${number}` }
  | { filter: 'LADDR'; localAddress: `${string}:${number}` }
  | { filter: 'ID'; id: RedisInteger }
  | { filter: 'TYPE'; type: 'normal' | 'master' | 'replica' | 'pubsub' }
  | { filter: 'USER'; username: string }
  | { filter: 'SKIPME'; skipMe: boolean }
  | { filter: 'MAXAGE'; maxAge: RedisInteger }
  | 'SKIPME'

/** What the server says about one of its commands. */
export interface CommandReply {
  name: string
  arity: number
  flags: Set<string>
  firstKeyIndex: number
  lastKeyIndex: number
  step: number
  categories: Set<string>
  policies: { request: string | undefined; response: string | undefined }
  isKeyless: boolean
  nondeterministicOutput: boolean
  tips: string[]
  keySpecs: CommandKeySpec[]
  subcommands: CommandReply[]
}

export interface CommandKeySpec {
  beginSearch:
    | { type: 'index'; index: number }
    | { type: 'keyword'; keyword: string; startFrom: number }
    | { type: 'unknown' }
  findKeys:
    | { type: 'range'; lastKey: number; keyStep: number; limit: number }
    | { type: 'keynum'; keyNumIdx: number; firstKey: number; keyStep: number }
    | { type: 'unknown' }
}

export interface CommandDoc<T> {
  summary?: T
  since?: T
  group?: T
  complexity?: T
  module?: T
  doc_flags?: T[]
  deprecated_since?: T
  replaced_by?: T
  history?: [version: T, change: T][]
  arguments?: CommandDocArgument<T>[]
  subcommands?: Record<string, CommandDoc<T>>
  reply_schema?: unknown
}

export interface CommandDocArgument<T> {
  name?: T
  type?: T
  display_text?: T
  key_spec_index?: number
  token?: T
  summary?: T
  since?: T
  deprecated_since?: T
  flags?: T[]
  arguments?: CommandDocArgument<T>[]
}

export interface CommandListOptions {
  FILTERBY?: { type: 'MODULE' | 'ACLCAT' | 'PATTERN'; value: RedisArgument }
}

/** An event that LATENCY knows: `command`, `fork`, `expire-cycle` ... */
export type LatencyEvent =
  | 'active-defrag-cycle' | 'aof-fstat' | 'aof-fsync-always' | 'aof-stat'
  | 'aof-rewrite-diff-write' | 'aof-rename' | 'aof-write' | 'aof-write-active-child'
  | 'aof-write-alone' | 'aof-write-pending-fsync' | 'command' | 'expire-cycle'
  | 'eviction-cycle' | 'eviction-del' | 'eviction-lazyfree' | 'fast-command' | 'fork'
  | 'rdb-unlink-temp-file' | 'while-blocked-cron'

/** `db.0` and the like hold objects, all else is a number. */
export type MemoryStats = Record<string, number | Record<string, number>>

/** The misspelt `replicationOffest` is node-redis's. */
export type RoleReply<T> =
  | {
      role: 'master'
      replicationOffest: number
      replicas: { host: T; port: number; replicationOffest: number }[]
    }
  | {
      role: 'slave'
      master: { host: T; port: number }
      state: 'connect' | 'connecting' | 'sync' | 'connected' | 'handshake' | 'none'
      dataReceived: number
    }
  | { role: 'sentinel'; masterNames: T[] }
