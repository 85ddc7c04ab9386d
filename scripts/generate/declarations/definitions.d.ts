/** What the `parseCommand` of a definition writes its arguments to. */
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

/** A command of a module of one's own: see `modules` in the client's options. */
export interface RedisModuleCommand {
  /** Taken for node-redis's sake: what a command does is known by its name. */
  IS_READ_ONLY?: boolean
  /** Taken for node-redis's sake: keys are known by `pushKey`. */
  FIRST_KEY_INDEX?: unknown
  /**
   * Writes the command's name, then its arguments. Its parameters after the parser are the
   * method's.
   */
  parseCommand(parser: CommandParser, ...args: any[]): unknown
  /** One function, or one for each `RESP` that the client's options may ask for. */
  transformReply?:
    ScriptReplyTransform | { 2?: ScriptReplyTransform; 3?: ScriptReplyTransform }
}

/** A function of a library that the server has: see `functions` in the client's options. */
export interface RedisFunction extends RedisModuleCommand {
  /** How many of the pushed arguments are keys; left out, `parseCommand` pushes the number. */
  NUMBER_OF_KEYS?: number
  /** Calls the form that replicas accept: it must not write. Default false. */
  IS_READ_ONLY?: boolean
  /** Writes the arguments, keys first. Its parameters after the parser are the method's. */
  parseCommand(parser: CommandParser, ...args: any[]): unknown
}

/** A Lua script: see `defineScript`. */
export interface RedisScriptConfig extends RedisFunction {
  SCRIPT: string | Buffer
}

/** Scripts by the names of their methods. */
export type RedisScripts = Record<string, RedisScriptConfig>

/** Functions by library, then by name. */
export type RedisFunctions = Record<string, Record<string, RedisFunction>>

/** Commands by module, then by name. */
export type RedisModules = Record<string, Record<string, RedisModuleCommand>>

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
  D extends { transformReply: (...args: any[]) => infer R } ? UnwrappedReply<R>
    : D extends { transformReply: { 2?: (...args: any[]) => infer R2
      3?: (...args: any[]) => infer R3 } } ? UnwrappedReply<R2 | R3>
      : unknown

/** What node-redis's types of replies stand for, where no type mapping says otherwise. */
export type UnwrappedReply<R> =
  R extends { RESP_TYPE: unknown; DEFAULT: infer V }
    ? V extends (infer Item)[] ? UnwrappedReply<Item>[] : V
    : R

/** The method of a definition. */
export type ScriptMethod<D> =
  D extends { parseCommand(parser: any, ...args: infer A): unknown }
    ? {
        (...args: A): Promise<ScriptReply<D>>
        (...args: [...args: A, callback: Callback<ScriptReply<D>>]): void
        (...args: [...args: RequiredParameters<A>, callback: Callback<ScriptReply<D>>]): void
      }
    : never

/** The parameters in front of the first that may be left out. */
export type RequiredParameters<A extends unknown[]> =
  A extends [infer First, ...infer Others] ? [First, ...RequiredParameters<Others>] : []

/**
 * The methods of definitions: of scripts by their names, of functions and modules' commands within
 * an object for each library or module.
 */
export type DefinedMethods<D> = {
  readonly [name in keyof D]: D[name] extends { parseCommand: unknown }
    ? ScriptMethod<D[name]>
    : { readonly [member in keyof D[name]]: ScriptMethod<D[name][member]> }
}

/** The methods of definitions on a chain. `T` is what strings become. */
export type DefinedLinks<Replies extends unknown[], D, T = string> = {
  readonly [name in keyof D]: D[name] extends { parseCommand: unknown }
    ? DefinedLink<Replies, D, D[name], T>
    : { readonly [member in keyof D[name]]: DefinedLink<Replies, D, D[name][member], T> }
}

/** The method of one definition on a chain. */
export type DefinedLink<Replies extends unknown[], D, Definition, T = string> =
  Definition extends { parseCommand(parser: any, ...args: infer A): unknown }
    ? (...args: A) => RedisChain<[...Replies, ScriptReply<Definition>], D, T>
    : never

/** The methods of definitions on a chain whose strings are Buffers. */
export type DefinedBufferLinks<Replies extends unknown[], D> = DefinedLinks<Replies, D, Buffer>

/** The method of one definition on a chain whose strings are Buffers. */
export type DefinedBufferLink<Replies extends unknown[], D, Definition> =
  DefinedLink<Replies, D, Definition, Buffer>

/** The key of {@link RedisClientForms} and its like that a type mapping asks for. */
export type RedisTextForm<T> = 0 extends 1 & T ? 'strings'
  : T extends BufferTypeMapping ? 'buffers' : 'strings'

/**
 * The types of a client with definitions. `createClient` returns one of them. It is an interface so
 * that the compiler does not search the methods of an annotated variable for type arguments.
 */
export interface RedisClientForms<D> {
  strings: RedisClientWith<D>
  buffers: RedisBufferClientWith<D>
}

/** The types of a pool with definitions. `createClientPool` returns one of them. */
export interface RedisClientPoolForms<D> {
  strings: RedisClientPoolWith<D>
  buffers: RedisBufferClientPoolWith<D>
}

/** Definitions that are known by name; none if all that is known is that there may be some. */
export type Known<D> = string extends keyof D ? {} : D

/** A client with the methods of its definitions. Without any it is a plain client. */
export type RedisClientWith<D> = [keyof D] extends [never] ? RedisClient
  : RedisExtended<RedisClient, RedisSession, RedisChain<[], D>, D>

/** A view of such a client whose strings are Buffers. */
export type RedisBufferClientWith<D> = [keyof D] extends [never] ? RedisBufferClient
  : RedisBufferExtended<RedisBufferClient, D>

/** A pool with the methods of its definitions. */
export type RedisClientPoolWith<D> = [keyof D] extends [never] ? RedisClientPool
  : ExtendedExecute<RedisExtendedSession<RedisSession, RedisChain<[], D>, D>> &
    RedisExtended<RedisClientPool, RedisSession, RedisChain<[], D>, D>

/** A pool whose strings are Buffers, with the methods of its definitions. */
export type RedisBufferClientPoolWith<D> = [keyof D] extends [never] ? RedisBufferClientPool
  : ExtendedExecute<RedisExtendedSession<RedisBufferSession, RedisBufferChain<[], D>, D>> &
    RedisBufferExtended<RedisBufferClientPool, D>

/** The sessions of a pool keep its definitions. */
export interface ExtendedExecute<Session> {
  execute: RedisSessionSource<Session>['session']
}

/** The views and copies of a client keep its definitions. */
export interface ExtendedViews<D> {
  withTypeMapping(typeMapping: BufferTypeMapping): RedisBufferClientWith<D>
  withTypeMapping(typeMapping: TypeMapping): RedisClientWith<D>
  withCommandOptions(options: CommandOptions & { typeMapping: BufferTypeMapping }):
    RedisBufferClientWith<D>
}

/** What a client has with definitions that has none without. */
export type RedisExtended<C, Session, Chain, D> = ExtendedViews<D> & {
  duplicate(overrides?: RedisClientOptions): RedisClientWith<D>
  createPool(poolOptions?: RedisPoolOptions): RedisClientPoolWith<D>
  multi(): Chain
  MULTI(): Chain
} & RedisSessionSource<RedisExtendedSession<Session, Chain, D>> & DefinedMethods<D> & C

/** As `RedisExtended`, where strings are Buffers. */
export type RedisBufferExtended<C, D> = ExtendedViews<D> & {
  duplicate(overrides?: RedisClientOptions): RedisBufferClientWith<D>
  createPool(poolOptions?: RedisPoolOptions): RedisBufferClientPoolWith<D>
  multi(): RedisBufferChain<[], D>
  MULTI(): RedisBufferChain<[], D>
} & RedisSessionSource<RedisExtendedSession<RedisBufferSession, RedisBufferChain<[], D>, D>> &
  DefinedMethods<D> & C

/** A session of a client with definitions. */
export type RedisExtendedSession<Session, Chain, D> = {
  withTypeMapping(typeMapping: BufferTypeMapping):
    RedisExtendedSession<RedisBufferSession, RedisBufferChain<[], D>, D>
  withTypeMapping(typeMapping: TypeMapping):
    RedisExtendedSession<RedisSession, RedisChain<[], D>, D>
  multi(): Chain
  MULTI(): Chain
} & DefinedMethods<D> & Session
