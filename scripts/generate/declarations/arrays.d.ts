/** Indexes with values: an object, a Map or `[[index, value], ...]`. */
export type ArEntries =
  | Record<string | number, RedisArgument>
  | Map<RedisInteger, RedisArgument>
  | [RedisInteger, RedisArgument][]

export type ArOperation = 'SUM' | 'MIN' | 'MAX' | 'AND' | 'OR' | 'XOR' | 'MATCH' | 'USED'

export type ArPredicate = 'EXACT' | 'MATCH' | 'GLOB' | 'RE'

export interface ArGrepOptions {
  COMBINATOR?: 'AND' | 'OR'
  /** The most elements to return. */
  LIMIT?: RedisInteger
  NOCASE?: boolean
}
