/** What the legacy interface takes: arrays are flattened, numbers and dates become text. */
export type RedisLegacyArgument = RedisArgument | number | Date | RedisLegacyArgument[]

/** A reply without any transform. */
export type RedisLegacyCallback = (error: Error | null, reply?: any) => void

/** Arguments, then maybe a callback; without one an error is an `error` event of the client. */
export type RedisLegacyCommand = (
  ...args: RedisLegacyArgument[] | [...args: RedisLegacyArgument[], callback: RedisLegacyCallback]
) => void

/** Queues a command. */
export type RedisLegacyMultiCommand = (...args: RedisLegacyArgument[]) => RedisLegacyMulti

/** What `client.legacy()` returns: every command, with callbacks. `keyPrefix` is not applied. */
export type RedisLegacyClient = Record<RedisLegacyCommandName, RedisLegacyCommand> & {
  sendCommand: RedisLegacyCommand
  quit(callback?: RedisLegacyCallback): void
  multi(): RedisLegacyMulti
}

/** A transaction of the legacy interface. */
export type RedisLegacyMulti = RedisLegacyMultiCommands & {
  sendCommand: RedisLegacyMultiCommand
  exec(callback?: (error: Error | null, replies?: any[]) => void): void
}

export type RedisLegacyMultiCommands = {
  readonly [name in RedisLegacyCommandName]: RedisLegacyMultiCommand
}
