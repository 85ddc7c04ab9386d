/** What can be written as JSON. */
export type RedisJsonArgument = string | number | boolean | object | null

/** A JSON value as it is read; a `Date` where a reviver makes one. */
export type RedisJSON =
  string | number | boolean | null | Date | RedisJSON[] | { [name: string]: RedisJSON }

/** Called for each value, as the second argument of `JSON.parse`. */
export type JsonReviver = (this: any, key: string, value: any) => any

/** Where in the document. The root by default. */
export interface JsonPathOptions {
  path?: RedisArgument
}

export interface JsonArrIndexOptions {
  /** Where to look: from `start`, up to but without `stop`. */
  range?: { start: RedisInteger; stop?: RedisInteger }
}

export interface JsonArrPopOptions {
  path?: RedisArgument
  /** Which element; negative from the end. Default -1. Needs a `path`. */
  index?: RedisInteger
  reviver?: JsonReviver
}

export interface JsonGetOptions {
  path?: RedisVariadicArgument
  reviver?: JsonReviver
}

export interface JsonMSetItem {
  key: RedisArgument
  path: RedisArgument
  value: RedisJsonArgument
}

export interface JsonSetOptions {
  /** Only if the path does not exist (NX), or only if it does (XX). */
  condition?: 'NX' | 'XX'
  /** @deprecated use `condition` */
  NX?: boolean
  /** @deprecated use `condition` */
  XX?: boolean
  /** How arrays of floating-point numbers are kept. */
  fpha?: 'BF16' | 'FP16' | 'FP32' | 'FP64'
}
