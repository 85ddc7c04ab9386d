/** What a hash's field or value is set to. */
export type HashTypes = RedisArgument | number

/** Fields with values: an object, a Map, `[[field, value], ...]` or `[field, value, ...]`. */
export type HashFields =
  | Record<string | number, HashTypes>
  | Map<HashTypes, HashTypes>
  | [HashTypes, HashTypes][]
  | HashTypes[]

/** -2: no such field, 0: condition not met, 1: set, 2: deleted because the time has passed. */
export type HashExpiration = -2 | 0 | 1 | 2

export interface HGetExOptions {
  expiration?: Expiration | { type: 'PERSIST' } | 'PERSIST'
}

export interface HSetExOptions {
  expiration?: Expiration | { type: 'KEEPTTL' } | 'KEEPTTL'
  /** Sets all only if none of the fields exists (FNX), or if all exist (FXX). */
  mode?: 'FNX' | 'FXX'
}
