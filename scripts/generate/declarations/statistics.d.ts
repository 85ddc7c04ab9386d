/** What `stats()` returns. Times are in ms. */
export interface RedisClientStats {
  pool: {
    /** Connections that exist, lanes included. */
    total: number
    /** Connections that nobody uses. */
    idle: number
    /** Exclusive leases that are out. */
    inUse: number
    /** Callers that wait for one. */
    waiting: number
    /** The most that may be out. */
    max: number
    /** How long callers waited. */
    acquire: RedisPercentiles
  }
  lanes: {
    /** Whether the connection stands. */
    connected: boolean
    /** Commands written and not answered. */
    inFlight: number
    /** Commands not written yet. */
    queued: number
    /** Bytes of commands that are not answered. */
    bytes: number
  }[]
  pubsub: {
    /** Channels and patterns that are subscribed to. */
    subscriptions: number
    /** Messages received. */
    received: number
    /** Of these, messages that were dropped, oldest first, because too many waited. */
    dropped: number
    /** Bytes of messages that wait for the event loop. */
    queuedBytes: number
  }
  /** Commands submitted. */
  commands: number
  /** Error replies. */
  errors: number
  /** Commands whose deadline passed. */
  timeouts: number
  /** Commands that were written again. */
  retries: number
  /** Commands that a node has sent on to another one. */
  redirects: number
  /** Connections opened. */
  connects: number
  /** Attempts to connect that failed. */
  connectFailures: number
  /** Connections that were lost, each followed by a reconnect. */
  reconnects: number
  /** Replies that were thrown away because their caller had gone. */
  lateReplies: number
  /** Push frames that nobody asked for. */
  pushesIgnored: number
  bytesIn: number
  bytesOut: number
  /** From submission to the arrival of the reply. */
  latency: RedisPercentiles
}

/** Upper bounds, at most an eighth too high. */
export interface RedisPercentiles {
  p50: number
  p99: number
  p999: number
}
