export type ListSide = 'LEFT' | 'RIGHT'

export interface LMPopOptions {
  /** Default 1. */
  COUNT?: RedisInteger
}

/** OBO moves one by one, so that the order turns round; BULK keeps it. */
export type LMoveMOptions =
  | { COUNT: RedisInteger; ORDER: 'OBO' | 'BULK' }
  | { EXACTLY: RedisInteger; ORDER: 'OBO' | 'BULK' }

export interface LPosOptions {
  /** Which match to begin with: 1 is the first, -1 the last. */
  RANK?: RedisInteger
  /** Compares at most this many elements; 0 means all. */
  MAXLEN?: RedisInteger
}
