'use strict'

/*
 * The texts that name a server: a port, the path of a socket, a URL with or without its scheme.
 */

/**
 * The options that a text says.
 * @param {string} text
 */
function parseURL (text) {
  if (isInteger(text)) return { port: text }
  const isRelative = text.startsWith('//')
  if (text[0] === '/' && !isRelative) return ofPath(text)
  const hasScheme = /^rediss?:\/\//i.test(text)
  const url = new URL(hasScheme ? text : isRelative ? `redis:${text}` : `redis://${text}`)
  const options = {}
  if (url.username || url.password) {
    options.username = decodeURIComponent(url.username)
    options.password = decodeURIComponent(url.password)
  }
  if (url.pathname.length > 1) {
    // Without a scheme a path is one of the file system, as ioredis reads it.
    if (hasScheme || isRelative) options.db = url.pathname.slice(1)
    else options.path = url.pathname
  }
  // An IPv6 address has brackets in a URL only.
  if (url.hostname) options.host = url.hostname.replace(/^\[|\]$/g, '')
  if (url.port) options.port = url.port
  return { ...ofQuery(url.searchParams), ...options }
}

function ofPath (text) {
  const [path, ...query] = text.split('?')
  return { ...ofQuery(new URLSearchParams(query.join('?'))), path }
}

function ofQuery (params) {
  const options = {}
  for (const [name, value] of params) {
    const family = name === 'family' ? Number.parseInt(value, 10) : Number.NaN
    options[name] = Number.isNaN(family) ? value : family
  }
  return options
}

/** Whether a text or number is an integer of 32 bits, as ioredis tells it. */
function isInteger (value) {
  const number = Number.parseFloat(value)
  return !Number.isNaN(Number(value)) && (number | 0) === number
}

module.exports = { isInteger, parseURL }
