/** Called with each message of a channel, and with the channel's name. */
export type PubSubListener<T = string> = (message: T, channel: T) => void

/** Subscribing, unsubscribing and monitoring. All listeners of a name share one subscription. */
export interface RedisPubSub {
  /** Whether anything is subscribed to. */
  readonly isPubSubActive: boolean

  /**
   * Calls `listener` with each message that is published to one of `channels`. Resolves when the
   * server has confirmed it. Subscriptions are restored after a lost connection, which the event
   * `resubscribed` tells; they keep the process alive. With `bufferMode` the listener gets Buffers.
   */
  subscribe(channels: RedisVariadicArgument, listener: PubSubListener, bufferMode?: false):
    Promise<void>
  subscribe(channels: RedisVariadicArgument, listener: PubSubListener<Buffer>, bufferMode: true):
    Promise<void>
  subscribe(channels: RedisVariadicArgument, listener: PubSubListener, callback: Callback<void>):
    void
  subscribe(channels: RedisVariadicArgument, listener: PubSubListener<Buffer>, bufferMode: true,
    callback: Callback<void>): void
  SUBSCRIBE: RedisPubSub['subscribe']

  /**
   * Takes `listener` away from `channels`; without a listener all of theirs, without channels all
   * listeners of channels. They are not called any more from now on. `bufferMode` is to be the one
   * that the listener was subscribed with.
   */
  unsubscribe(channels?: RedisVariadicArgument, listener?: PubSubListener, bufferMode?: false):
    Promise<void>
  unsubscribe(channels: RedisVariadicArgument, listener: PubSubListener<Buffer>,
    bufferMode: true): Promise<void>
  unsubscribe(callback: Callback<void>): void
  unsubscribe(channels: RedisVariadicArgument, listener: PubSubListener | undefined,
    callback: Callback<void>): void
  unsubscribe(channels: RedisVariadicArgument, listener: PubSubListener<Buffer>, bufferMode: true,
    callback: Callback<void>): void
  UNSUBSCRIBE: RedisPubSub['unsubscribe']

  /** As `subscribe`, for all channels that match one of `patterns`. */
  pSubscribe: RedisPubSub['subscribe']
  PSUBSCRIBE: RedisPubSub['subscribe']
  pUnsubscribe: RedisPubSub['unsubscribe']
  PUNSUBSCRIBE: RedisPubSub['unsubscribe']

  /** As `subscribe`, for shard channels. A cluster keeps their messages within a shard. */
  sSubscribe: RedisPubSub['subscribe']
  SSUBSCRIBE: RedisPubSub['subscribe']
  sUnsubscribe: RedisPubSub['unsubscribe']
  SUNSUBSCRIBE: RedisPubSub['unsubscribe']

  /**
   * Calls `callback` with each line of MONITOR, over a connection of its own: every command that
   * the server runs, with its arguments. Resolves, once that has begun, to a function that ends it.
   */
  monitor(callback: (line: string) => void): Promise<() => Promise<void>>
  MONITOR: RedisPubSub['monitor']

  /** Ends all subscriptions and all monitoring. */
  reset(): Promise<void>
  RESET: RedisPubSub['reset']
}

/** What the listeners of a connection may have missed after its loss. */
export interface RedisResubscribed {
  /** Channels that are subscribed to again. */
  channels: number
  patterns: number
  shardChannels: number
  /**
   * How long messages may have been missed at most, in ms: from the loss, or from the last sign of
   * life of a dead peer, until the last one of these was confirmed.
   */
  lostMs: number
}
