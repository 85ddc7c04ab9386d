/** What the `parseCommand` of a script or function writes its arguments to. */
export interface CommandParser {
  /** What was pushed, keys with their prefix. */
  readonly redisArgs: readonly RedisArgument[]
  /** The keys that were pushed, with their prefix. */
  readonly keys: readonly RedisArgument[]
  readonly firstKey: RedisArgument | undefined
  /** Handed to `transformReply` as its second argument. */
  preserve: unknown
  /** Any number of arguments. */
  push(...args: RedisArgument[]): void
  /** One argument or an array of them. */
  pushVariadic(args: RedisVariadicArgument): void
  /** The number of arguments, then the arguments. */
  pushVariadicWithLength(args: RedisVariadicArgument): void
  /** One number or an array of them. */
  pushVariadicNumber(numbers: number | number[]): void
  /** One key, with the client's key prefix unless `withPrefix` is false. */
  pushKey(key: RedisArgument, withPrefix?: boolean): void
  /** One key or an array of them. */
  pushKeys(keys: RedisVariadicArgument): void
  /** The number of keys, then the keys: for definitions without `NUMBER_OF_KEYS`. */
  pushKeysLength(keys: RedisVariadicArgument): void
}

/** Makes of a reply, as the server sent it, what the caller gets. */
export type ScriptReplyTransform =
  (reply: any, preserve?: any, typeMapping?: TypeMapping) => unknown

/** A function of a library that the server has: see `functions` in the client's options. */
export interface RedisFunction {
  /** How many of the pushed arguments are keys; left out, `parseCommand` pushes the number. */
  NUMBER_OF_KEYS?: number
  /** Calls the form that replicas accept: it must not write. Default false. */
  IS_READ_ONLY?: boolean
  /** Taken for node-redis's sake: keys are known by `pushKey`. */
  FIRST_KEY_INDEX?: unknown
  /** Writes the arguments, keys first. Its parameters after the parser are the method's. */
  parseCommand(parser: CommandParser, ...args: any[]): unknown
  /** One function, or one for each `RESP` that the client's options may ask for. */
  transformReply?:
    ScriptReplyTransform | { 2?: ScriptReplyTransform; 3?: ScriptReplyTransform }
}

/** A Lua script: see `defineScript`. */
export interface RedisScriptConfig extends RedisFunction {
  SCRIPT: string | Buffer
}

/** Scripts by the names of their methods. */
export type RedisScripts = Record<string, RedisScriptConfig>

/** Functions by library, then by name. */
export type RedisFunctions = Record<string, Record<string, RedisFunction>>

/**
 * A script for `createClient({ scripts: { name: defineScript({ ... }) } })`.
 *
 * It is called by its digest. A server that does not know it gets the text: that call runs behind
 * the commands that were issued meanwhile, within the same deadline. Within `multi()` the first
 * call of each script carries the text.
 */
export function defineScript<S extends RedisScriptConfig>(script: S): S & { SHA1: string }

/** What the method of a definition resolves to: `unknown`, or what its transform returns. */
export type ScriptReply<D> =
  D extends { transformReply: (...args: any[]) => infer R } ? R
    : D extends { transformReply: { 2?: (...args: any[]) => infer R2
      3?: (...args: any[]) => infer R3 } } ? R2 | R3
      : unknown

/** The method of a definition. */
export type ScriptMethod<D> =
  D extends { parseCommand(parser: any, ...args: infer A): unknown }
    ? {
        (...args: A): Promise<ScriptReply<D>>
        (...args: [...A, callback: Callback<ScriptReply<D>>]): void
      }
    : never

/** The methods that scripts and functions add to a client. */
export type ScriptMethods<S, F> =
  { readonly [name in keyof S]: ScriptMethod<S[name]> } &
  { readonly [library in keyof F]:
    { readonly [name in keyof F[library]]: ScriptMethod<F[library][name]> } }

/** The views and copies of a client keep its scripts and functions. */
export interface ScriptedViews<S, F> {
  duplicate(overrides?: RedisClientOptions): RedisScripted<RedisClient, S, F>
  createPool(poolOptions?: RedisPoolOptions): RedisScripted<RedisClientPool, S, F>
  withTypeMapping(typeMapping: BufferTypeMapping): RedisScripted<RedisBufferClient, S, F>
  withTypeMapping(typeMapping: TypeMapping): RedisScripted<RedisClient, S, F>
  withCommandOptions(options: CommandOptions & { typeMapping: BufferTypeMapping }):
    RedisScripted<RedisBufferClient, S, F>
  withCommandOptions(options: CommandOptions): RedisScripted<RedisClient, S, F>
}

/** A client, pool or view with the methods of its scripts and functions. */
export type RedisScripted<C, S, F> = ScriptedViews<S, F> &
  RedisSessionSource<RedisScriptedSession<C, S, F>> & ScriptMethods<S, F> & C
