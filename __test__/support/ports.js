'use strict'

// Ports of 127.0.0.1 for the servers of tests, such that nobody else takes them.
//
// A port has to stay free while its server is down: clients try to reach it, and the server comes
// back. Two things are done for that.
//
// The system gives ports of a certain range to outgoing connections. A client that tries to reach a
// dead server in that range may get the server's own port, and is then connected to itself. So the
// ports here are outside of that range.
//
// Several test files run at the same time. So each process takes blocks of ports for itself: it
// listens on the first port of a block, and the system frees that port when the process ends, in
// whatever way it ends.
//
// Another program may still take a port at any moment. `startServer` tries again when that happens.

const { randomInt } = require('node:crypto')
const { once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')

/**
 * Resolves to a port that nobody listens on, and that this process gives away only once. Nobody
 * listens on it later either, unless the caller does or a program of somebody else.
 */
async function freePort () {
  for (;;) {
    const port = await nextPort()
    const probe = net.createServer()
    if (!await listens(probe, port)) continue
    probe.close()
    await once(probe, 'close')
    return port
  }
}

/** Makes a `net.Server` listen on a port of its own, and resolves to that. */
async function listenAnywhere (server) {
  for (;;) {
    const port = await nextPort()
    if (await listens(server, port)) return port
  }
}

const ports = []
let taking

async function nextPort () {
  // All callers that find no port left wait for one block.
  while (ports.length === 0) await (taking ??= takeBlock().finally(() => { taking = undefined }))
  return ports.shift()
}

async function takeBlock () {
  const [lowest, end] = lastingRange()
  for (let attempt = 1; attempt <= BLOCK_ATTEMPTS; attempt++) {
    const first = lowest + BLOCK * randomInt(Math.floor((end - lowest) / BLOCK))
    const guard = net.createServer(socket => socket.destroy())
    if (!await listens(guard, first)) continue
    guard.unref()
    for (let port = first + 1; port < first + BLOCK; port++) ports.push(port)
    return
  }
  throw new Error(`no block of ports is free between ${lowest} and ${end}`)
}

/** Whether `server` listens on `port` now; false when somebody else does. */
async function listens (server, port) {
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
    return true
  } catch (error) {
    // EACCES: the system may keep ports for programs of its own.
    if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error
    return false
  }
}

/**
 * The ports that are never given to outgoing connections: the first one and the end. `text` is what
 * Linux says of its range, as two numbers.
 */
function lastingRange (text = outgoingRange()) {
  const [first, last] = text.trim().split(/\s+/).map(Number)
  if (first - LOWEST >= LEAST) return [LOWEST, first]
  if (HIGHEST - last >= LEAST) return [last + 1, HIGHEST + 1]
  // Nearly all ports are for outgoing connections: there is no safe place.
  return [LOWEST, HIGHEST + 1]
}

function outgoingRange () {
  try {
    return fs.readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
  } catch {
    return ELSEWHERE
  }
}

// macOS and Windows take 49,152 and above; Linux may be set to take 32,768 and above.
const ELSEWHERE = '32768 65535'

// Well-known servers have ports below 10,000.
const LOWEST = 10_000
const HIGHEST = 65_535

// A cluster of six nodes needs 12 ports. Few test files need more than one block.
const BLOCK = 40

// With fewer ports the processes of a loaded machine would often meet in the same block.
const LEAST = 100 * BLOCK

// There are about 570 blocks, of which a few are taken at any time.
const BLOCK_ATTEMPTS = 100

module.exports = { BLOCK, freePort, lastingRange, listenAnywhere }
