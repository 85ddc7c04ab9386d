/** Options of a client-side cache. */
export interface ClientSideCacheConfig {
  /** For how long (ms) a cached reply is served at most. Default 0: until it changes. */
  ttl?: number
  /** How many replies are cached at most. Default 0: no such bound. */
  maxEntries?: number
  /** How many bytes they take at most, as estimated. Default 64 MiB. */
  maxBytes?: number
  /** What goes when the cache is full: the least recently used (default), or the oldest. */
  evictPolicy?: 'LRU' | 'FIFO'
  /** Whether hits, misses and the like are counted. Default true. */
  recordStats?: boolean
}

/** What a cache has counted until one moment. */
export class CacheStats {
  private constructor()
  /** Statistics with these numbers. */
  static of(hitCount?: number, missCount?: number, loadSuccessCount?: number,
    loadFailureCount?: number, totalLoadTime?: number, evictionCount?: number): CacheStats
  /** Statistics of a cache in which nothing has happened. */
  static empty(): CacheStats
  /** Replies served from the cache. */
  readonly hitCount: number
  /** Reads that the cache had no reply for. */
  readonly missCount: number
  /** Commands sent for them that the server has answered. */
  readonly loadSuccessCount: number
  /** Commands sent for them that have ended with an error. */
  readonly loadFailureCount: number
  /** How long (ms) these commands have taken together. */
  readonly totalLoadTime: number
  /** Replies dropped for the bounds or the ttl. */
  readonly evictionCount: number
  /** Hits and misses. */
  requestCount(): number
  /** The part of the reads that were hits; 1 before the first read. */
  hitRate(): number
  /** The part of the reads that were misses; 0 before the first read. */
  missRate(): number
  /** Commands that were sent for misses and have ended. */
  loadCount(): number
  /** The part of these that have failed; 0 before the first. */
  loadFailureRate(): number
  /** How long (ms) such a command has taken on average; 0 before the first. */
  averageLoadPenalty(): number
  /** What has happened since `other`. */
  minus(other: CacheStats): CacheStats
  /** The numbers of both together. */
  plus(other: CacheStats): CacheStats
}

/**
 * A cache of replies, for the option `clientSideCache`. It may serve several clients of the same
 * server. Events: `invalidate` with a key that the server says has changed, or null for all of
 * them; `cache-evict` with the keys of a reply whose `ttl` is over.
 */
export class BasicClientSideCache extends EventEmitter {
  constructor(options?: ClientSideCacheConfig)
  readonly ttl: number
  readonly maxEntries: number
  readonly maxBytes: number
  /** Whether the least recently used reply goes when the cache is full. */
  readonly lru: boolean
  /** How many replies are cached. */
  size(): number
  /** What was counted since the cache was made, or since `clear()`. */
  stats(): CacheStats
  /** Drops everything, and counts anew; with false, what was cached counts as evicted. */
  clear(resetStats?: boolean): void
  /** Drops the replies that were made of a key, as it is sent; those of all keys for null. */
  invalidate(key: RedisArgument | null): void
}

/** node-redis's name of a cache for a pool. */
export class BasicPooledClientSideCache extends BasicClientSideCache {}
