'use strict'

/*
 * The public names of `oxidis/ioredis`, which are ioredis's: the class `Redis` carries them.
 */

const { Cluster } = require('./cluster')
const { Command } = require('./command')
const { ClusterAllFailedError, MaxRetriesPerRequestError, ReplyError } = require('./errors')
const { Pipeline } = require('./pipeline')
const { Redis } = require('./redis')
const { ScanStream } = require('./scan-stream')

/** Prints the outcome of a command, as a callback. */
function print (error, reply) {
  console.log(error ? `Error: ${error}` : `Reply: ${reply}`)
}

module.exports = Object.assign(Redis, {
  default: Redis,
  Redis,
  Cluster,
  Command,
  Pipeline,
  ScanStream,
  ReplyError,
  ClusterAllFailedError,
  MaxRetriesPerRequestError,
  print
})
Object.defineProperty(Redis, '__esModule', { value: true })
