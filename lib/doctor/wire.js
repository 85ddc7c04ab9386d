'use strict'

/*
 * A plain connection for questions, one at a time: TCP, TLS or a Unix socket, and RESP.
 *
 * Not oxidis's own connection: that hides what a doctor wants to see. Every wait has an end. What a
 * server refuses is a `Refused`, which keeps the first word of its text only: servers repeat what
 * they were asked, and that may be a password.
 */

const net = require('node:net')

const { clearTimeout, performance, setTimeout } = require('../timers')

/** Ms for one step: enough for a slow network and a busy machine. A person waits for it. */
const STEP = 5000

/** Ms for a greeting: servers that have one send it at once. */
const GREETING = 30

/** An error reply. */
class Refused {
  #text

  /** @param {string} text the server's */
  constructor (text) {
    this.#text = text
  }

  /** The first word; `ERR` if it is none. */
  get code () {
    return /^[A-Z][A-Z_]*(?= |$)/.exec(this.#text)?.[0] ?? 'ERR'
  }

  /** Whether the server does not know the command. */
  get isUnknown () {
    return /^ERR unknown (sub)?command/i.test(this.#text)
  }

  /** Whether the server has no password. */
  get isUnasked () {
    return /without any password configured|no password is set/i.test(this.#text)
  }

  /** Whether the server wants a login before anything else. */
  get wantsLogin () {
    return this.#text.startsWith('NOAUTH ')
  }

  /** Whether the server is reading its data from disk. */
  get isLoading () {
    return this.#text.startsWith('LOADING ')
  }

  /** Whether the server takes no more clients. */
  get isFull () {
    return /max number of clients/i.test(this.#text)
  }
}

/** A step that did not work. `code` is that of the system, or `TIMEOUT`, `CLOSED`, `STRANGE`. */
class Failure extends Error {
  constructor (code, message = code) {
    super(message)
    this.code = code
  }
}

/** What `promise` resolves to, or a `Failure` with the code `TIMEOUT` after `ms`. */
async function within (promise, ms = STEP) {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Failure('TIMEOUT')), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Connects a socket. Resolves to it and the time that took.
 * @param {{ host?: string, port?: number, path?: string, localAddress?: string }} target
 * @param {number} [ms]
 */
async function reach (target, ms = STEP) {
  const since = performance.now()
  const socket = net.connect({ ...target, noDelay: true })
  try {
    await within(new Promise((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', error => reject(new Failure(error.code ?? error.message)))
    }), ms)
    return { socket, took: performance.now() - since }
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** Asks questions over a socket that is connected. */
class Wire {
  #socket
  #bytes = Buffer.alloc(0)
  #waiting = null
  #end = null
  /** How many bytes have come. */
  received = 0
  /** The reply to the first question, by which it was seen that the server speaks RESP. */
  first = undefined

  /** @param {import('node:stream').Duplex} socket */
  constructor (socket) {
    this.#socket = socket
    socket.on('error', error => this.#over(new Failure(error.code ?? error.message)))
    socket.on('close', () => this.#over(new Failure('CLOSED')))
    socket.on('end', () => this.#over(new Failure('CLOSED')))
    socket.on('data', data => {
      this.received += data.length
      this.#bytes = Buffer.concat([this.#bytes, data])
      this.#waiting?.look()
    })
  }

  /**
   * Waits a moment for what the server says before it is asked. One that takes no more clients says
   * so and hangs up, and whoever writes to it meanwhile does not hear it.
   */
  async greeting () {
    if (this.received > 0) return
    await within(new Promise(resolve => {
      this.#socket.once('data', resolve)
      this.#socket.once('close', resolve)
    }), GREETING).catch(() => {})
  }

  /** The first bytes that came and are no reply yet. */
  get head () {
    return this.#bytes.toString('latin1', 0, 16)
  }

  /**
   * Sends a command. Resolves to its reply; an error reply is a `Refused`.
   * @param {string[]} args
   */
  async ask (...args) {
    if (this.#end !== null) throw this.#end
    const parts = args.map(arg => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`)
    this.#socket.write(`*${args.length}\r\n${parts.join('')}`)
    try {
      return await within(this.#reply())
    } finally {
      this.#waiting = null
    }
  }

  /** As `ask`, but undefined for whatever is no answer: for what may be refused or be missing. */
  async try (...args) {
    const reply = await this.ask(...args)
    return reply instanceof Refused ? undefined : reply
  }

  #reply () {
    return new Promise((resolve, reject) => {
      const look = () => {
        try {
          const reader = new Reader(this.#bytes)
          const value = reader.value()
          this.#bytes = this.#bytes.subarray(reader.at)
          resolve(value)
        } catch (error) {
          if (error !== INCOMPLETE) reject(error)
          else if (this.#end !== null) reject(this.#end)
        }
      }
      this.#waiting = { look }
      look()
    })
  }

  #over (failure) {
    this.#end ??= failure
    this.#waiting?.look()
  }

  close () {
    this.#socket.destroy()
  }
}

/** Reads one reply. Maps become objects; pushed messages are left out. */
class Reader {
  constructor (bytes) {
    this.bytes = bytes
    this.at = 0
  }

  value () {
    const line = this.line()
    const text = line.slice(1)
    switch (line[0]) {
      case '+': return text
      case '-': return new Refused(text)
      case ':': return Number(text)
      case ',': return Number(text)
      case '(': return text
      case '#': return text === 't'
      case '_': return null
      case '$': case '=': case '!': {
        const body = this.body(Number(text))
        return line[0] === '!' ? new Refused(body) : line[0] === '=' ? body.slice(4) : body
      }
      case '*': case '~': return this.list(Number(text))
      case '%': return this.map(this.list(2 * Number(text)))
      case '|': this.list(2 * Number(text)); return this.value()
      case '>': this.list(Number(text)); return this.value()
      default: throw new Failure('STRANGE')
    }
  }

  line () {
    const end = this.bytes.indexOf('\r\n', this.at)
    if (end === -1) {
      const isReply = this.at >= this.bytes.length || MARKS.includes(this.bytes[this.at])
      throw isReply ? INCOMPLETE : new Failure('STRANGE')
    }
    const line = this.bytes.toString('utf8', this.at, end)
    this.at = end + 2
    return line
  }

  body (length) {
    if (length === -1) return null
    if (this.bytes.length < this.at + length + 2) throw INCOMPLETE
    const body = this.bytes.toString('utf8', this.at, this.at + length)
    this.at += length + 2
    return body
  }

  list (length) {
    return length === -1 ? null : Array.from({ length }, () => this.value())
  }

  map (flat) {
    return objectOf(flat)
  }
}

/** An object of a flat list of names and values. */
function objectOf (flat) {
  const pairs = []
  for (let i = 0; i + 1 < flat.length; i += 2) pairs.push([String(flat[i]), flat[i + 1]])
  return Object.fromEntries(pairs)
}

/** What a reply in either protocol holds: a map, or a flat list of names and values. */
function fieldsOf (reply) {
  if (Array.isArray(reply)) return objectOf(reply)
  return typeof reply === 'object' && reply !== null && !(reply instanceof Refused) ? reply : {}
}

const INCOMPLETE = Symbol('incomplete')
const MARKS = Buffer.from('+-:,(#_$=!*~%|>')

module.exports = { Failure, Refused, STEP, Wire, fieldsOf, reach, within }
