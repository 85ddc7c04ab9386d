'use strict'

/*
 * The options of a client as the application can read them: `client.options`.
 */

const { parseUrl } = require('./client')

/**
 * The options that were given, with what a URL among them says in their own fields.
 * @param {object | string | undefined} given options or a URL, which were accepted before
 */
function shownOptions (given) {
  const options = typeof given === 'string' ? { url: given } : { ...given }
  if (typeof options.url !== 'string') return options
  const url = parseUrl(options.url)
  const socket = { ...options.socket, ...url.socket, tls: url.socket.tls === true }
  // Fields of TLS beside `tls: true` stay what they are.
  if (options.socket?.tls !== undefined) socket.tls = options.socket.tls
  return { ...options, ...url.root, socket }
}

module.exports = { shownOptions }
