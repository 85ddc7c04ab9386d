/** An entry of a stream. */
export interface StreamMessage<T> {
  id: T
  /** Empty when the entry was deleted while it was pending. */
  message: Record<string, T>
  /** In ms, like `deliveriesCounter` only for what was claimed by the option CLAIM. */
  millisElapsedFromDelivery?: number
  deliveriesCounter?: number
}

/** The entries of one stream that were read. */
export interface StreamMessages<T> {
  /** A string in RESP3, whose maps have such keys, unless it is no UTF-8; in RESP2 as all text. */
  name: T | string
  messages: StreamMessage<T>[]
}

/** What happens to references of groups to a deleted entry (since 8.2.0). Default KEEPREF. */
export type StreamDeletionPolicy = 'KEEPREF' | 'DELREF' | 'ACKED'

/** -1: no such id, 1: deleted, 2: kept, since there still are references. */
export type StreamDeletionReplyCode = -1 | 1 | 2

export interface XAddOptions {
  policy?: StreamDeletionPolicy
  /** Adds it once for each producer and content. */
  IDMPAUTO?: { pid: RedisArgument }
  /** Adds it once for each producer and id. */
  IDMP?: { pid: RedisArgument; iid: RedisArgument }
  TRIM?: {
    strategy: 'MAXLEN' | 'MINID'
    /** `~` may keep more, and costs less. Default `=`. */
    strategyModifier?: '=' | '~'
    /** A length, or for MINID an id. */
    threshold: RedisInteger | RedisArgument
    /** Deletes at most this many entries; only with `~`. */
    limit?: RedisInteger
    policy?: StreamDeletionPolicy
  }
}

export type XTrimOptions =
  | { strategyModifier?: '='; policy?: StreamDeletionPolicy }
  | { strategyModifier: '~'; LIMIT?: RedisInteger; policy?: StreamDeletionPolicy }

export interface XCfgSetOptions {
  /** In seconds. */
  IDMP_DURATION?: RedisInteger
  IDMP_MAXSIZE?: RedisInteger
}

export interface XSetIdOptions {
  ENTRIESADDED?: RedisInteger
  MAXDELETEDID?: RedisArgument
}

export interface XRangeOptions {
  /** The most entries to return. */
  COUNT?: RedisInteger
}

/** A stream, and the id behind which to read. */
export interface XReadStream {
  key: RedisArgument
  /** `$`: what comes from now on; `+`: the last entry; `>`: what no consumer has got yet. */
  id: RedisArgument
}

export interface XReadOptions {
  /** The most entries of each stream. */
  COUNT?: RedisInteger
  /** The most entries of all streams. */
  MAXCOUNT?: RedisInteger
  /** The most bytes of all streams. */
  MAXSIZE?: RedisInteger
  /** How long to wait for an entry, in ms; 0 is for ever. Default: not at all. */
  BLOCK?: RedisInteger
}

export interface XReadGroupOptions extends XReadOptions {
  /** Entries need no XACK. */
  NOACK?: boolean
  /** Claims what has been pending for so many ms as well (since 8.4.0). */
  CLAIM?: RedisInteger
}

export interface XAutoClaimOptions {
  /** The most entries to claim. Default 100. */
  COUNT?: RedisInteger
}

export interface XClaimOptions {
  /** Idle time to set, in ms. Default 0. */
  IDLE?: RedisInteger
  /** Sets the idle time so that it began at this point in time, in Unix ms. */
  TIME?: RedisInteger | Date
  RETRYCOUNT?: RedisInteger
  /** Claims entries that are not pending too. */
  FORCE?: boolean
  LASTID?: RedisArgument
}

export interface XGroupSetIdOptions {
  ENTRIESREAD?: RedisInteger
}

export interface XGroupCreateOptions extends XGroupSetIdOptions {
  /** Creates the stream too. */
  MKSTREAM?: boolean
}

export interface XNackOptions {
  RETRYCOUNT?: RedisInteger
  FORCE?: boolean
}

export interface XPendingRangeOptions {
  /** Only what has been idle for so many ms. */
  IDLE?: RedisInteger
  consumer?: RedisArgument
}

export interface XInfoStreamReply<T> {
  length: number
  'radix-tree-keys': number
  'radix-tree-nodes': number
  'last-generated-id': T
  'max-deleted-entry-id'?: T
  'entries-added'?: number
  'recorded-first-entry-id'?: T
  'idmp-duration'?: number
  'idmp-maxsize'?: number
  'pids-tracked'?: number
  'iids-tracked'?: number
  'iids-added'?: number
  'iids-duplicates'?: number
  groups: number
  'first-entry': StreamMessage<T> | null
  'last-entry': StreamMessage<T> | null
}

export interface XInfoGroup<T> {
  name: T
  consumers: number
  pending: number
  'last-delivered-id': T
  'entries-read'?: number | null
  lag?: number | null
}

export interface XInfoConsumer<T> {
  name: T
  pending: number
  /** Since it last tried to read, in ms. */
  idle: number
  /** Since it last got something, in ms (since 7.2.0). */
  inactive?: number
}
