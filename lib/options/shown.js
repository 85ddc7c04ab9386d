'use strict'

/*
 * The options of a client as the application can read them: `client.options`.
 */

const { withoutUrl } = require('./url')

/**
 * The options that were given, with what a URL among them says in their own fields.
 * @param {object | string | undefined} given options or a URL, which were accepted before
 */
function shownOptions (given) {
  const options = typeof given === 'string' ? { url: given } : given ?? {}
  if (typeof options.url !== 'string') return { ...options }
  const shown = withoutUrl(options)
  return { ...options, ...shown, socket: { ...shown.socket, tls: shown.socket.tls ?? false } }
}

module.exports = { shownOptions }
