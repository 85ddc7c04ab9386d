'use strict'

/*
 * What a connection URL says among the other options.
 *
 * The URL wins over the options `socket`, `database`, `username` and `password`, as in node-redis.
 * Where it says nothing, they apply. A login in the URL is a whole one: neither the other options
 * nor `credentialsProvider` add to it.
 */

const native = require('../native')
const { isAbsent, isNoObject } = require('./check')

/**
 * `given` with the parts of its URL in their places, and without the URL. Nothing is changed.
 * @param {object | string} given options or a URL
 */
function withoutUrl (given) {
  const { url, ...options } = typeof given === 'string' ? { url: given } : given
  if (isAbsent(url) || url === '') return options
  if (typeof url !== 'string') throw new TypeError('option "url" must be a string')
  const parts = refusing(() => native.parseConnectionUrl(url))
  const { socket } = options
  // Refused by its own check.
  if (!isAbsent(socket) && isNoObject(socket)) return options
  return { ...options, ...rootOf(parts), socket: { ...socket, ...socketOf(parts, socket?.tls) } }
}

/**
 * `base` changed by `overrides`, which win over the URL of `base` but not over one of their own.
 * @param {object} base options
 * @param {object | null} [overrides]
 */
function overridden (base, overrides) {
  if (isAbsent(overrides) || isAbsent(base.url) || !isAbsent(overrides.url)) {
    return { ...base, ...overrides }
  }
  const changed = { ...withoutUrl(base), ...overrides }
  if (isAbsent(overrides.socket) || isNoObject(overrides.socket)) return changed
  // `socket` is replaced as a whole, but the address was never a part of it.
  return { ...changed, socket: { ...withoutUrl(base.url).socket, ...overrides.socket } }
}

function rootOf ({ username, password, database }) {
  const hasLogin = !isAbsent(username) || !isAbsent(password)
  return {
    ...(hasLogin && { username, password, credentialsProvider: undefined }),
    ...(!isAbsent(database) && { database })
  }
}

function socketOf ({ host, port, path, tls }, given) {
  if (tls && given === false) {
    throw new TypeError('option "socket.tls" must not be false with a URL that asks for TLS')
  }
  return {
    // The URL of a Unix socket names no host, and every other URL no path.
    path: path ?? undefined,
    ...(!isAbsent(host) && { host }),
    ...(!isAbsent(port) && { port }),
    ...(tls && isAbsent(given) && { tls })
  }
}

/** Calls `ask`. An option that the native core refuses becomes a TypeError, like any other. */
function refusing (ask) {
  try {
    return ask()
  } catch (error) {
    if (error.code !== 'InvalidArg') throw error
    throw new TypeError(error.message, { cause: error })
  }
}

module.exports = { overridden, refusing, withoutUrl }
