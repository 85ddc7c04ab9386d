'use strict'

// The support's own way to talk to a server: one RESP2 connection, commands in, replies out.
//
// It is there to set up servers and to look at them, apart from every client under test. It never
// connects again and never retries: what fails here is news for the test.

const { EventEmitter, once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')
const tls = require('node:tls')

/** One connection to each server, opened when it is first needed and again after it was lost. */
class Controls {
  constructor () {
    this.opened = new Map()
  }

  /** Sends one command to one server; see `ControlConnection`. */
  async command (server, ...args) {
    return (await this.to(server)).command(...args)
  }

  async to (server) {
    const known = await this.opened.get(server)
    if (known && !known.closed) return known
    if (!server.pid) throw new Error(`the server of port ${server.port} does not run`)
    // Callers that come while it opens wait for this connection.
    const fresh = openControl(server)
    this.opened.set(server, fresh)
    fresh.catch(() => this.opened.delete(server))
    return fresh
  }

  /** Closes the connection to a server that is about to end. */
  forget (server) {
    this.opened.get(server)?.then(control => control.close(), () => {})
    this.opened.delete(server)
  }
}

/** Connects to a started server, with TLS and with its password if it asks for them. */
async function openControl (server) {
  const socket = server.certificates
    ? tls.connect({ port: server.port, host: server.host, ...identity(server.certificates) })
    : net.connect({ port: server.port, host: server.host, noDelay: true })
  const control = new ControlConnection(socket)
  try {
    await within(once(socket, server.certificates ? 'secureConnect' : 'connect'), 'a connection')
    const { requirepass } = server.options
    if (requirepass) await control.command('AUTH', requirepass)
  } catch (error) {
    control.close()
    throw error
  }
  return control
}

/** Events: `push (elements)`, an array that no command asked for, such as a message; `close`. */
class ControlConnection extends EventEmitter {
  constructor (socket) {
    super()
    this.socket = socket
    this.closed = false
    this.waiting = []
    this.received = Buffer.alloc(0)
    socket.on('data', chunk => this.receive(chunk))
    socket.on('error', () => {}) // `close` follows and says all that matters
    socket.on('close', () => this.end())
    socket.unref()
  }

  /**
   * Resolves with the reply: strings, numbers, null, arrays of these. An error reply rejects, with
   * its text as the message; so does a lost connection, and silence that lasts.
   */
  command (...args) {
    if (this.closed) return Promise.reject(lost())
    const answer = new Promise((resolve, reject) => this.waiting.push({ resolve, reject }))
    this.socket.write(encode(args.map(String)))
    return within(answer, `a reply to ${args.slice(0, 2).join(' ')}`)
  }

  close () {
    this.socket.destroy()
    this.end()
  }

  end () {
    if (this.closed) return
    this.closed = true
    for (const { reject } of this.waiting.splice(0)) reject(lost())
    this.emit('close')
  }

  receive (chunk) {
    this.received = Buffer.concat([this.received, chunk])
    for (;;) {
      const reply = decode(this.received, 0)
      if (!reply) return
      this.received = this.received.subarray(reply.end)
      const next = this.waiting.shift()
      if (!next) this.emit('push', reply.value)
      else if (reply.value instanceof Error) next.reject(reply.value)
      else next.resolve(reply.value)
    }
  }
}

// A pending promise does not keep a process alive and neither does the socket: the timer does.
function within (promise, what) {
  return new Promise((resolve, reject) => {
    const late = new Error(`no ${what} within ${PATIENCE} ms`)
    const timer = setTimeout(reject, PATIENCE, late)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

// The client certificate serves servers that ask for one, and others do not look at it.
function identity ({ ca, client }) {
  const read = file => fs.readFileSync(file)
  return { ca: read(ca), cert: read(client.cert), key: read(client.key), servername: 'localhost' }
}

function encode (args) {
  const bulks = args.map(arg => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`)
  return `*${args.length}\r\n${bulks.join('')}`
}

// One RESP2 reply from `at` on: `{ value, end }`, or undefined while it is incomplete.
function decode (bytes, at) {
  const lineEnd = bytes.indexOf('\r\n', at)
  if (lineEnd < 0) return undefined
  const type = String.fromCharCode(bytes[at])
  const text = bytes.toString('utf8', at + 1, lineEnd)
  const end = lineEnd + 2
  if (type === '+') return { value: text, end }
  if (type === '-') return { value: new Error(text), end }
  if (type === ':') return { value: Number(text), end }
  const length = Number(text)
  if (length < 0) return { value: null, end }
  if (type === '*') return decodeArray(bytes, end, length)
  if (bytes.length < end + length + 2) return undefined
  return { value: bytes.toString('utf8', end, end + length), end: end + length + 2 }
}

function decodeArray (bytes, start, length) {
  const value = []
  let end = start
  while (value.length < length) {
    const element = decode(bytes, end)
    if (!element) return undefined
    value.push(element.value)
    end = element.end
  }
  return { value, end }
}

function lost () {
  return Object.assign(new Error('the control connection was closed'), { code: 'ECONNRESET' })
}

// Replies take less than a millisecond; a loaded 2-core machine has needed seconds. MIGRATE of a
// full slot is the longest command the support sends.
const PATIENCE = 30_000

module.exports = { Controls, openControl }
