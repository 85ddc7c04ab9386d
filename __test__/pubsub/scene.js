'use strict'

// Servers and clients of one test of Pub/Sub, and a listener that remembers.

const { createClient } = require('../..')
const { startServer } = require('../support/redis-server')

/** Both protocols: messages come as arrays in one and as pushes in the other. */
const PROTOCOLS = [2, 3]

/** A server that stops with test `t`. */
async function serverFor (t, options) {
  const server = await startServer(options)
  t.after(() => server.stop())
  return server
}

/** A client that ends with test `t`. */
function clientFor (t, server, options) {
  const { host, port } = server
  const client = createClient({ ...options, socket: { host, port, ...options?.socket } })
  t.after(() => client.destroy())
  return client
}

/** A listener that keeps what it is called with, and lets one wait for it. */
function recorder () {
  const calls = []
  let wake = () => {}
  const listener = (...args) => {
    calls.push(args)
    wake()
  }
  listener.calls = calls
  listener.messages = () => calls.map(([message]) => message)
  /** Resolves once `isEnough(calls)`, a count of calls by default, is true. */
  listener.until = async enough => {
    const isEnough = typeof enough === 'number' ? () => calls.length >= enough : enough
    const end = setTimeout(() => wake(new Error(`only ${calls.length} calls: ${calls}`)), PATIENCE)
    try {
      while (!isEnough(calls)) {
        const error = await new Promise(resolve => { wake = resolve })
        if (error) throw error
      }
    } finally {
      clearTimeout(end)
    }
    return calls
  }
  return listener
}

/** Publishes a last message to `channel` and waits for it: everything before it has come then. */
async function flush (publisher, channel, listener) {
  const last = `last:${Math.random()}`
  await publisher.publish(channel, last)
  await listener.until(calls => calls.some(([message]) => String(message) === last))
  return listener.messages().filter(message => String(message) !== last)
}

/** The next event `name`, which must come. */
function heard (client, name) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${name} event came`)), PATIENCE)
    client.once(name, details => {
      clearTimeout(timer)
      resolve(details)
    })
  })
}

// What is waited for takes milliseconds; a busy 2-core machine has needed many seconds.
const PATIENCE = 60_000

module.exports = { PROTOCOLS, clientFor, flush, heard, recorder, serverFor }
