export interface BitCountRange {
  start: RedisInteger
  end: RedisInteger
  /** Default BYTE. */
  mode?: 'BYTE' | 'BIT'
}

export type BitFieldEncoding = `${'i' | 'u'}${number}`

/** A bit, or as text `#n`: the field number n of that width. */
export type BitFieldOffset = RedisInteger | `#${number}`

export interface BitFieldRoOperation {
  encoding: BitFieldEncoding
  offset: BitFieldOffset
}

export type BitFieldOperation =
  | { operation: 'GET'; encoding: BitFieldEncoding; offset: BitFieldOffset }
  | { operation: 'SET'; encoding: BitFieldEncoding; offset: BitFieldOffset; value: RedisInteger }
  | {
      operation: 'INCRBY'
      encoding: BitFieldEncoding
      offset: BitFieldOffset
      increment: RedisInteger
    }
  | { operation: 'OVERFLOW'; behavior: 'WRAP' | 'SAT' | 'FAIL' }

export type BitOperation = 'AND' | 'OR' | 'XOR' | 'NOT' | 'DIFF' | 'DIFF1' | 'ANDOR' | 'ONE'
