/** What a chain resolves to: a tuple, or a list if the chain was built in several statements. */
export type MultiReplies<Replies extends unknown[]> = Replies extends [] ? unknown[] : Replies

/** Whether a chain resolves to its tuple in any case. */
export type MultiReply = 'generic' | 'typed'

/** What a chain resolves to that is asked for `Kind`. */
export type MultiReplyType<Kind extends MultiReply, Replies extends unknown[]> =
  Kind extends 'typed' ? Replies : MultiReplies<Replies>

/** Gets a reply, what the arguments' `preserve` holds, and the type mapping. */
export type MultiTransform<Reply> =
  (reply: any, preserve?: unknown, typeMapping?: TypeMapping) => Reply

/**
 * A chain with the methods of the client's definitions `D`: scripts, functions, modules. `T` is what
 * strings become. The plain chain is a part of it, so that a function which takes any chain takes it
 * too. Without that part the compiler would have to compare all methods of the two chains;
 * TypeScript 5.0 gives up on that (TS2590).
 */
export type RedisChain<Replies extends unknown[], D, T = string> = [keyof D] extends [never]
  ? RedisMulti<Replies, {}, T>
  : RedisMulti<Replies, D, T> & DefinedLinks<Replies, D, T> & RedisMulti<Replies, {}, T>

/** A chain with the methods of the client's definitions `D`. Strings are Buffers. */
export type RedisBufferChain<Replies extends unknown[], D> = RedisChain<Replies, D, Buffer>

/** A chain of commands, made by `multi()`. Strings are Buffers. */
export type RedisBufferMulti<Replies extends unknown[] = [], D = {}> =
  RedisMulti<Replies, D, Buffer>

/**
 * A chain of commands, made by `multi()`. Each method adds a command and returns the chain, which
 * may be executed again: all of it is sent again then. Wrong arguments reject the execution, before
 * anything is sent.
 */
export interface RedisMulti<
  out Replies extends unknown[] = [], in out D = {}, in out T = string
> {
  /**
   * Selects a database for the commands behind it. The client's own is selected again at the end
   * of the transaction. Not in a pipeline.
   */
  select(db: RedisInteger): RedisChain<[...Replies, 'OK'], D, T>
  select<Reply>(
    db: RedisInteger, transform: MultiTransform<Reply>
  ): RedisChain<[...Replies, Reply], D, T>
  SELECT: RedisMulti<Replies, D, T>['select']
  /** Adds any command; `transform` turns its reply into another. */
  addCommand<Reply = unknown>(
    args: readonly RedisArgument[], transform?: MultiTransform<Reply>
  ): RedisChain<[...Replies, Reply], D, T>
  /** Adds any command; its reply is the decoded one. */
  sendCommand<Reply = unknown>(
    args: readonly RedisArgument[]
  ): RedisChain<[...Replies, Reply], D, T>
  /**
   * Runs the chain as a transaction, with `true` as a pipeline, and resolves to all replies.
   *
   * Rejects with `WatchError` if a watched key has changed, with `MultiErrorReply` if commands
   * failed. An error whose `applied` is 'no' says that nothing was run; 'unknown', that all or
   * nothing was.
   */
  exec<Kind extends MultiReply = 'generic'>(
    execAsPipeline?: boolean
  ): Promise<MultiReplyType<Kind, Replies>>
  exec(callback: Callback<MultiReplies<Replies>>): void
  exec(execAsPipeline: boolean, callback: Callback<MultiReplies<Replies>>): void
  EXEC: RedisMulti<Replies, D, T>['exec']
  /** As `exec`, with the replies as a tuple in any case. */
  execTyped(execAsPipeline?: boolean): Promise<Replies>
  /** Sends the commands together, but not as a transaction: one may fail and others succeed. */
  execAsPipeline<Kind extends MultiReply = 'generic'>(): Promise<MultiReplyType<Kind, Replies>>
  execAsPipeline(callback: Callback<MultiReplies<Replies>>): void
  /** As `execAsPipeline`, with the replies as a tuple in any case. */
  execAsPipelineTyped(): Promise<Replies>
}
