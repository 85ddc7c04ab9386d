'use strict'

/*
 * The names of attributes: those of OpenTelemetry's conventions for databases, and node-redis's own
 * (https://opentelemetry.io/docs/specs/semconv/db/redis/). And what errors mean in their words.
 */

const { ConnectionError, ErrorReply, ReconnectStrategyError } = require('../errors')
const { identityOf } = require('../observability/identity')
const version = require('../version')

/** What every metric and every span has. */
const COMMON = Object.freeze({
  'db.system.name': 'redis',
  'redis.client.library': `oxidis:${version}`
})

/** Of a message that says where its server is. */
function serverOf ({ serverAddress, serverPort, database }) {
  return withValues({
    'server.address': serverAddress,
    'server.port': serverPort,
    'db.namespace': database === undefined ? undefined : String(database)
  })
}

/** Of the client with this id, by which its connections are told from those of others. */
function clientOf (clientId) {
  const identity = identityOf(clientId)
  if (identity === undefined) return {}
  return {
    ...serverOf({ ...identity.server(), database: identity.database }),
    'db.client.connection.pool.name': clientId
  }
}

/** Of an error: its class, and the first word of the server's text. */
function errorOf (error) {
  const actual = error instanceof ReconnectStrategyError ? error.originalError : error
  return withValues({
    'error.type': actual instanceof Error ? actual.name : 'unknown',
    'db.response.status_code': actual instanceof ErrorReply ? actual.code : undefined,
    'redis.client.errors.category': categoryOf(actual)
  })
}

function categoryOf (error) {
  const { kind } = error ?? {}
  if (kind === 'AUTH' || AUTH.has(error?.code)) return 'auth'
  if (error instanceof ErrorReply) return 'server'
  if (typeof kind === 'string' && kind.startsWith('TLS')) return 'tls'
  if (error instanceof ConnectionError || SYSTEM.has(error?.code)) return 'network'
  return 'other'
}

/** `fields` without those that have no value. */
function withValues (fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** First words of error replies about logins and rights. */
const AUTH = new Set(['NOAUTH', 'NOPERM', 'WRONGPASS'])
/** Codes of the system, in errors of the application's own functions. */
const SYSTEM = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND',
  'EPIPE', 'ETIMEDOUT'])

module.exports = { COMMON, clientOf, errorOf, serverOf, withValues }
