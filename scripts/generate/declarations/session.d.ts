/**
 * A connection of one's own, until it is released. Made by `client.session(...)` and
 * `client.acquire()`.
 */
export interface RedisSessionCore {
  /** The session can be used: it is not released, and its connection stands. */
  readonly isOpen: boolean
  /**
   * Gives the connection back, cleaned of what was done to it. Rejects with a TypeError while
   * commands are pending, and if the session was released before.
   */
  release(): Promise<void>
  /** Gives the connection back, whatever is under way. May be called after `release()`. */
  [Symbol.asyncDispose](): Promise<void>

  /** Sends any command but those that would leave others without a reply. */
  sendCommand: RedisClientCore['sendCommand']

  /** A view of this session that turns replies into other types. */
  withTypeMapping(typeMapping: BufferTypeMapping): RedisBufferSession
  withTypeMapping(typeMapping: TypeMapping): RedisSession
  /** A view of this session whose commands `signal` can abort. */
  withAbortSignal(signal: AbortSignal): this
  /** A view of this session with other options for its commands. */
  withCommandOptions(
    options: CommandOptions & { typeMapping: BufferTypeMapping }): RedisBufferSession
  withCommandOptions(options: CommandOptions): this
}

/** A session. */
export interface RedisSession
  extends RedisSessionCore, RedisCommands, RedisOwnCommands, RedisModuleCommands, RedisIterators {
  hello: RedisOwnCommands['hello']
  HELLO: RedisOwnCommands['hello']
  /** A chain of commands to run as a transaction, or as a pipeline. Nothing is sent before. */
  multi(): RedisMulti
  MULTI: RedisSession['multi']
}

/** A view of a session whose strings are Buffers. */
export interface RedisBufferSession
  extends RedisSessionCore, RedisBufferCommands, RedisBufferOwnCommands,
  RedisBufferModuleCommands, RedisBufferIterators {
  hello: RedisBufferOwnCommands['hello']
  HELLO: RedisBufferOwnCommands['hello']
  /** A chain of commands to run as a transaction, or as a pipeline. Nothing is sent before. */
  multi(): RedisBufferMulti
  MULTI: RedisBufferSession['multi']
}

/** Where sessions come from. */
export interface RedisSessionSource<Session> {
  /**
   * Runs `run` with a connection of its own, behind everything that was sent before, and gives
   * the connection back afterwards, clean, whatever happened. Resolves to what `run` returns.
   *
   * Rejects with a `TimeoutError` (`POOL_TIMEOUT`) if no connection becomes free within
   * `pool.acquireTimeout`.
   */
  session<R>(run: (session: Session) => R | PromiseLike<R>): Promise<R>
  /**
   * A connection of one's own, which has to be released: `await using session = await
   * client.acquire()`, or `session.release()`. Fails as `session` does.
   */
  acquire(): Promise<Session>
}
