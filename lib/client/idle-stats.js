'use strict'

/*
 * The statistics of a client that has not started, or that has ended.
 */

const NO_TIMES = { p50: 0, p99: 0, p999: 0 }

const IDLE_STATS = Object.freeze({
  pool: { total: 0, idle: 0, inUse: 0, waiting: 0, max: 0, acquire: NO_TIMES },
  lanes: [],
  pubsub: { subscriptions: 0, received: 0, dropped: 0, queuedBytes: 0 },
  commands: 0,
  errors: 0,
  timeouts: 0,
  retries: 0,
  redirects: 0,
  connects: 0,
  connectFailures: 0,
  reconnects: 0,
  lateReplies: 0,
  pushesIgnored: 0,
  bytesIn: 0,
  bytesOut: 0,
  latency: NO_TIMES
})

module.exports = { IDLE_STATS }
