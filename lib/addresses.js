'use strict'

/*
 * Addresses of servers as texts: `host:port`, or `[host]:port` for IPv6, as the native side writes
 * them.
 */

/** The address of a node. */
function addressOf ({ host, port }) {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/**
 * The host and the port of an address; undefined if it is none. The brackets of an IPv6 address may
 * be missing: node-redis leaves them out, and so do redirects.
 */
function parseAddress (address) {
  const at = address.lastIndexOf(':')
  const host = address.slice(0, at).replace(/^\[(.*)\]$/, '$1')
  const port = Number(address.slice(at + 1))
  return at > 0 && host !== '' && isPort(port) ? { host, port } : undefined
}

function isPort (port) {
  return Number.isInteger(port) && port > 0 && port < 65536
}

module.exports = { addressOf, isPort, parseAddress }
