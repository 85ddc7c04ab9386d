/** A point in time: Unix ms, a Date, or text such as `*` (now), `-` and `+` (first and last). */
export type TsTimestamp = RedisInteger | Date | string

export type TsEncoding = 'COMPRESSED' | 'UNCOMPRESSED'

/** What the server does with a sample whose timestamp the series has already. */
export type TsDuplicatePolicy = 'BLOCK' | 'FIRST' | 'LAST' | 'MIN' | 'MAX' | 'SUM'

export type TsAggregationType = 'AVG' | 'FIRST' | 'LAST' | 'MIN' | 'MAX' | 'SUM' | 'RANGE' |
  'COUNT' | 'COUNTNAN' | 'COUNTALL' | 'STD.P' | 'STD.S' | 'VAR.P' | 'VAR.S' | 'TWA'

/** How one series is computed from the series of a group. */
export type TsReducer = 'AVG' | 'SUM' | 'MIN' | 'MAX' | 'RANGE' | 'COUNT' | 'COUNTNAN' |
  'COUNTALL' | 'STD.P' | 'STD.S' | 'VAR.P' | 'VAR.S'

/** A sample that differs no more than this from the last one is left out. */
export interface TsIgnore {
  /** Milliseconds. */
  maxTimeDiff: RedisInteger
  maxValDiff: RedisDouble
}

export interface TsAlterOptions {
  /** Milliseconds that samples are kept; 0 is for ever. */
  RETENTION?: RedisInteger
  /** Bytes. Default 4096. */
  CHUNK_SIZE?: RedisInteger
  DUPLICATE_POLICY?: TsDuplicatePolicy
  LABELS?: Record<string, RedisArgument>
  IGNORE?: TsIgnore
}

export interface TsCreateOptions extends TsAlterOptions {
  /** Default COMPRESSED. */
  ENCODING?: TsEncoding
}

/** Of a series that is made by the sample; ON_DUPLICATE is for this sample. */
export interface TsAddOptions {
  /** Milliseconds that samples are kept; 0 is for ever. */
  RETENTION?: RedisInteger
  /** Default COMPRESSED. */
  ENCODING?: TsEncoding
  /** Bytes. Default 4096. */
  CHUNK_SIZE?: RedisInteger
  ON_DUPLICATE?: TsDuplicatePolicy
  LABELS?: Record<string, RedisArgument>
  IGNORE?: TsIgnore
}

export interface TsIncrByOptions {
  /** Default: now. */
  TIMESTAMP?: TsTimestamp | null
  /** Milliseconds that samples are kept; 0 is for ever. */
  RETENTION?: RedisInteger
  UNCOMPRESSED?: boolean
  /** Bytes. Default 4096. */
  CHUNK_SIZE?: RedisInteger
  LABELS?: Record<string, RedisArgument>
  IGNORE?: TsIgnore
}

export interface TsMAddSample {
  key: RedisArgument
  timestamp: TsTimestamp
  value: RedisDouble
}

export interface TsGetOptions {
  /** Includes the bucket of a compaction that is still open. */
  LATEST?: boolean
}

export interface TsReadOptions {
  BLOCK?: {
    /** How long to wait; 0 is for ever. */
    milliseconds: number
    /** Default 1. */
    minCount?: RedisInteger
  }
  MAX_COUNT?: RedisInteger
}

export interface TsSpanOptions {
  /** Includes the bucket of a compaction that is still open. */
  LATEST?: boolean
  FILTER_BY_TS?: TsTimestamp[]
  FILTER_BY_VALUE?: { min: RedisDouble; max: RedisDouble }
  COUNT?: RedisInteger
  /** Where buckets begin. Only with AGGREGATION. */
  ALIGN?: TsTimestamp
}

export interface TsBucket {
  /** Milliseconds. */
  timeBucket: TsTimestamp
  /** Which timestamp a bucket has: its first, middle or last. Default `-`. */
  BUCKETTIMESTAMP?: '-' | '~' | '+' | 'low' | 'mid' | 'high'
  /** Includes empty buckets. */
  EMPTY?: boolean
}

export interface TsRangeOptions extends TsSpanOptions {
  AGGREGATION?: TsBucket & { type: TsAggregationType }
}

export interface TsMRangeOptions extends TsRangeOptions {
  /** Leaves series without samples out. */
  EXCLUDEEMPTY?: boolean
}

export interface TsRangeMultiAggrOptions extends TsSpanOptions {
  AGGREGATION: TsBucket & { types: TsAggregationType[] }
}

export interface TsMRangeMultiAggrOptions extends TsRangeMultiAggrOptions {
  /** Leaves series without samples out. */
  EXCLUDEEMPTY?: boolean
}

export interface TsNRangeOptions extends TsSpanOptions {
  /** One list of types for each key. */
  AGGREGATION?: TsBucket & { types: TsAggregationType[][] }
}

export interface TsGroupBy {
  label: RedisArgument
  REDUCE: TsReducer
}

export interface TsSample {
  timestamp: number
  value: number
}

export interface TsMultiSample {
  timestamp: number
  values: number[]
}

export interface TsInfoReply<T> {
  totalSamples: number
  memoryUsage: number
  firstTimestamp: number
  lastTimestamp: number
  retentionTime: number
  chunkCount: number
  chunkSize: number
  chunkType: T
  duplicatePolicy: T | null
  labels: { name: T; value: T }[]
  sourceKey: T | null
  rules: { key: T; timeBucket: number; aggregationType: T }[]
  ignoreMaxTimeDiff: number
  ignoreMaxValDiff: number
}

export interface TsInfoDebugReply<T> extends TsInfoReply<T> {
  keySelfName: T
  chunks: {
    startTimestamp: number
    endTimestamp: number
    samples: number
    size: number
    bytesPerSample: string
  }[]
}
