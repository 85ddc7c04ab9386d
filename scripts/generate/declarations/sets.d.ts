export interface SInterCardOptions {
  /** Stops counting here; 0 means never. */
  LIMIT?: RedisInteger
}

export interface SDiffCardOptions {
  /** Stops counting here; 0 means never. */
  LIMIT?: RedisInteger
}

export interface SUnionCardOptions {
  /** Counts approximately, with a HyperLogLog. */
  APPROX?: boolean
  /** Stops counting here; 0 means never. */
  LIMIT?: RedisInteger
}
