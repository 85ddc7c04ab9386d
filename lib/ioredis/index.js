'use strict'

/*
 * The public names of `oxidis/ioredis`, which are ioredis's: the class `Redis` carries them.
 */

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
  Command,
  Pipeline,
  ScanStream,
  ReplyError,
  ClusterAllFailedError,
  MaxRetriesPerRequestError,
  print
})
Object.defineProperties(Redis, {
  __esModule: { value: true },
  Cluster: {
    // Loaded by those who use it: most programs have one server.
    get () { return require('./cluster').Cluster },
    // As a plain property, which tests put stand-ins in the place of.
    set (value) { Object.defineProperty(Redis, 'Cluster', { value, writable: true }) },
    enumerable: true,
    configurable: true
  }
})
