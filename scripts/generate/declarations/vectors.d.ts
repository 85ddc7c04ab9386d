export interface VAddOptions {
  /** Projects the vector to so many dimensions. */
  REDUCE?: RedisInteger
  /** Looks for neighbours in a thread, and adds it then if nothing has changed. */
  CAS?: boolean
  /** How coordinates are stored. Default Q8. */
  QUANT?: 'NOQUANT' | 'BIN' | 'Q8'
  /** The size of the candidate list while links are made (`ef`). Default 200. */
  EF?: RedisInteger
  /** Attributes for FILTER, sent as JSON. */
  SETATTR?: Record<string, unknown>
  /** The most links of an element. Default 16. */
  M?: RedisInteger
}

export interface VSimOptions {
  /** Default 10. */
  COUNT?: RedisInteger
  /** Only elements whose similarity is at least 1 - EPSILON. */
  EPSILON?: RedisDouble
  /** The size of the candidate list of the search (`ef`). */
  EF?: RedisInteger
  /** An expression over attributes: `.year > 1980`. */
  FILTER?: RedisArgument
  /** The most elements to try the filter on. */
  'FILTER-EF'?: RedisInteger
  /** Compares with every element, instead of searching the graph. */
  TRUTH?: boolean
  /** Searches in the server's main thread. */
  NOTHREAD?: boolean
}

export interface VEmbRawReply<T> {
  quantization: T
  raw: T
  l2Norm: number
  /** Only for Q8. */
  quantizationRange?: number
}

/** `vector-dim`, `size`, `max-level` ... are numbers, `quant-type` is text. */
export type VInfoReply = Record<string, number | string | Buffer>
