/** Sets the expiration only if there is none, there is one, or the new one is later or sooner. */
export type ExpireMode = 'NX' | 'XX' | 'GT' | 'LT'

export interface CopyOptions {
  /** Database of the copy. Default: the same. */
  DB?: RedisInteger
  /** Replaces the destination. Default false. */
  REPLACE?: boolean
}

export interface MigrateOptions {
  /** Leaves the keys here as well. */
  COPY?: boolean
  /** Replaces keys there. */
  REPLACE?: boolean
  /** Credentials for the other server. */
  AUTH?: { username?: RedisArgument; password: RedisArgument }
}

export interface RestoreOptions {
  /** Replaces the key. Default false. */
  REPLACE?: boolean
  /** `ttl` is a Unix time in ms. Default false. */
  ABSTTL?: boolean
  /** Idle time in seconds. */
  IDLETIME?: RedisInteger
  /** Access frequency. */
  FREQ?: RedisInteger
}

export interface ScanCommonOptions {
  /** A glob pattern. */
  MATCH?: RedisArgument
  /** How much work to do in one call. Default 10. */
  COUNT?: RedisInteger
}

export interface ScanOptions extends ScanCommonOptions {
  /** Only keys of this type. */
  TYPE?: RedisArgument
}

export interface SortOptions {
  /** A pattern for the keys to sort by. */
  BY?: RedisArgument
  LIMIT?: RangeLimit
  /** Patterns for the keys to return. */
  GET?: RedisVariadicArgument
  DIRECTION?: 'ASC' | 'DESC'
  /** Sorts as text instead of numbers. */
  ALPHA?: boolean
}

/** A page of a longer result. */
export interface RangeLimit {
  offset: RedisInteger
  count: RedisInteger
}
