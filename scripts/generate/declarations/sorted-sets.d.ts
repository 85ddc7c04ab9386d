export interface SortedSetMember {
  value: RedisArgument
  score: RedisDouble
}

/** A score or a rank, or text such as `(5`, `-inf`, `[a`, `+`. */
export type RangeEnd = RedisArgument | number

export interface ZAddIncrOptions {
  /** Only new members (NX), or only members that exist (XX). */
  condition?: 'NX' | 'XX'
  /** Only scores that grow (GT) or shrink (LT). */
  comparison?: 'LT' | 'GT'
  /** Counts changed members too. */
  CH?: boolean
}

export interface ZAddOptions extends ZAddIncrOptions {
  /** @deprecated use `condition` */
  NX?: boolean
  /** @deprecated use `condition` */
  XX?: boolean
  /** @deprecated use `comparison` */
  LT?: boolean
  /** @deprecated use `comparison` */
  GT?: boolean
}

export interface ZMPopOptions {
  /** Default 1. */
  COUNT?: RedisInteger
}

export interface RangeLimitOptions {
  LIMIT?: RangeLimit
}

export interface ZRangeOptions extends RangeLimitOptions {
  /** What the ends of the range are. Default: ranks. */
  BY?: 'SCORE' | 'LEX'
  /** From the greatest to the least. */
  REV?: boolean
}

export interface ZKeyAndWeight {
  key: RedisArgument
  weight: RedisDouble
}

/** Keys to combine, all with weights or all without. */
export type ZKeys = RedisVariadicArgument | ZKeyAndWeight | ZKeyAndWeight[]

export interface ZAggregateOptions {
  /** How the score of a member is computed from its scores in the sets. Default SUM. */
  AGGREGATE?: 'SUM' | 'MIN' | 'MAX' | 'COUNT'
}

export interface ZInterCardOptions {
  /** Stops counting here. */
  LIMIT?: RedisInteger
}
