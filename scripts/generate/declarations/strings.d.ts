/** Pairs for MSET: `[[key, value], ...]`, `[key, value, ...]` or `{ key: value }`. */
export type MSetArguments =
  [RedisArgument, RedisArgument][] | RedisArgument[] | Record<string, RedisArgument>

/** When a key expires. Seconds for EX and EXAT, milliseconds for PX and PXAT. */
export type Expiration =
  | { type: 'EX' | 'PX'; value: RedisInteger }
  | { type: 'EXAT' | 'PXAT'; value: RedisInteger | Date }

export interface SetOptions {
  /** When the key expires; KEEPTTL leaves that as it was. Default: never. */
  expiration?: Expiration | { type: 'KEEPTTL' } | 'KEEPTTL'
  /** Sets only if the key does not exist (NX), exists (XX), or its value or digest matches. */
  condition?: 'NX' | 'XX' | 'IFEQ' | 'IFNE' | 'IFDEQ' | 'IFDNE'
  /** What `condition` compares with. */
  matchValue?: RedisArgument
  /** Returns the value from before. */
  GET?: boolean
  /** @deprecated use `expiration` */
  EX?: RedisInteger
  /** @deprecated use `expiration` */
  PX?: RedisInteger
  /** @deprecated use `expiration` */
  EXAT?: RedisInteger | Date
  /** @deprecated use `expiration` */
  PXAT?: RedisInteger | Date
  /** @deprecated use `expiration` */
  KEEPTTL?: boolean
  /** @deprecated use `condition` */
  NX?: boolean
  /** @deprecated use `condition` */
  XX?: boolean
}

export type GetExOptions =
  | Expiration
  | { type: 'PERSIST' }
  | { EX: RedisInteger }
  | { PX: RedisInteger }
  | { EXAT: RedisInteger | Date }
  | { PXAT: RedisInteger | Date }
  | { PERSIST: true }

export interface MSetExOptions {
  expiration?: Expiration | { type: 'KEEPTTL' } | 'KEEPTTL'
  /** Sets all only if none of the keys exists (NX), or if all exist (XX). */
  mode?: 'NX' | 'XX'
}

export interface DelExOptions {
  condition: 'IFEQ' | 'IFNE' | 'IFDEQ' | 'IFDNE'
  /** The value, or for IFDEQ and IFDNE the digest, to compare with. */
  matchValue: RedisArgument
}

export interface IncrExByFloatOptions {
  lowerBound?: RedisArgument | number
  upperBound?: RedisArgument | number
  /** Stops at a bound; otherwise what would cross it is not done. Default false. */
  saturate?: boolean
  /** ENX: only if the key has no expiration yet. */
  expiration?: (Expiration & { ENX?: boolean }) | { type: 'PERSIST' }
}

export interface IncrExOptions extends IncrExByFloatOptions {
  /** Default 1. */
  by?: RedisArgument | number
}

export interface LcsIdxOptions {
  /** Leaves out shorter matches. */
  MINMATCHLEN?: RedisInteger
}

export interface LcsIdxReply {
  matches: [key1: [start: number, end: number], key2: [start: number, end: number]][]
  len: number
}

export interface LcsIdxWithMatchLenReply {
  matches: [
    key1: [start: number, end: number], key2: [start: number, end: number], len: number][]
  len: number
}
