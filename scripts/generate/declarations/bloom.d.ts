export interface BfInsertOptions {
  /** How many items a new filter is for. */
  CAPACITY?: RedisInteger
  /** The rate of false positives of a new filter, between 0 and 1. */
  ERROR?: RedisDouble
  /** How much larger each further sub-filter is. */
  EXPANSION?: RedisInteger
  /** Fails if there is no filter. */
  NOCREATE?: boolean
  /** A new filter does not grow: it is full at its capacity. */
  NONSCALING?: boolean
}

export interface BfReserveOptions {
  /** How much larger each further sub-filter is. */
  EXPANSION?: RedisInteger
  /** The filter does not grow: it is full at its capacity. */
  NONSCALING?: boolean
}

export interface BfInfoReply {
  Capacity: number
  Size: number
  'Number of filters': number
  'Number of items inserted': number
  /** null for a filter that does not grow. */
  'Expansion rate': number | null
}

export interface CfInsertOptions {
  /** How many items a new filter is for. */
  CAPACITY?: RedisInteger
  /** Fails if there is no filter. */
  NOCREATE?: boolean
}

export interface CfReserveOptions {
  /** Items in each bucket. */
  BUCKETSIZE?: RedisInteger
  /** How often items are moved before the filter grows. */
  MAXITERATIONS?: RedisInteger
  /** How much larger each further sub-filter is. */
  EXPANSION?: RedisInteger
}

export interface CfInfoReply {
  Size: number
  'Number of buckets': number
  'Number of filters': number
  'Number of items inserted': number
  'Number of items deleted': number
  'Bucket size': number
  'Expansion rate': number
  'Max iterations': number
}

/** An item, and by how much its count grows. */
export interface BfIncrByItem {
  item: RedisArgument
  incrementBy: RedisInteger
}

export interface CmsInitOptions {
  /** Bytes of each counter. */
  CELL_SIZE?: 1 | 2 | 4 | 8
}

/** Sketches to merge: all with weight 1, or each with its own. */
export type CmsMergeSketches =
  RedisArgument[] | { name: RedisArgument; weight: RedisInteger }[]

export interface CmsInfoReply {
  width: number
  depth: number
  count: number
  /** Not told by older servers. */
  'cell size'?: number
}

export interface TopKReserveOptions {
  /** The number of counters in each array. */
  width: RedisInteger
  /** The number of arrays of counters. */
  depth: RedisInteger
  /** How likely a counter is to shrink in a collision, between 0 and 1. */
  decay: RedisDouble
}

export interface TopKInfoReply {
  k: number
  width: number
  depth: number
  decay: number
}

export interface TDigestCreateOptions {
  /** The more, the more exact, and the larger. */
  COMPRESSION?: RedisInteger
}

export interface TDigestMergeOptions extends TDigestCreateOptions {
  /** What the destination held before is left out. */
  OVERRIDE?: boolean
}

export interface TDigestInfoReply {
  Compression: number
  Capacity: number
  'Merged nodes': number
  'Unmerged nodes': number
  'Merged weight': number
  'Unmerged weight': number
  Observations: number
  'Total compressions': number
  'Memory usage': number
}
