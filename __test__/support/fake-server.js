'use strict'

// A scripted RESP server: tests decide, command by command, what bytes come back and when.
//
// It speaks just enough to get a client through its handshake and answers nothing else by itself.
// Commands reach the script in the order they arrive; what the script does not answer stays
// unanswered, as on a server that hangs.

const { EventEmitter, once } = require('node:events')
const net = require('node:net')

const { listenAnywhere } = require('./ports')

/**
 * Starts a fake server on a free port of 127.0.0.1. Options, all optional:
 * - `handshake`: answer HELLO, AUTH, SELECT, CLIENT and PING ourselves, default true
 * - `hello`: false makes it a server from before HELLO (RESP2 only)
 *
 * Events:
 * - `command (args, reply, connection)`: `args` are strings, `args.raw` the Buffers; see `Reply`
 * - `connection (connection)`, `disconnection (connection)`
 */
async function startFakeServer (options) {
  const server = new FakeServer(options)
  server.port = await listenAnywhere(server.listener)
  return server
}

class FakeServer extends EventEmitter {
  constructor ({ handshake = true, hello = true } = {}) {
    super()
    this.handshake = handshake
    this.hello = hello
    this.host = '127.0.0.1'
    this.port = undefined
    /** Every command received so far, handshakes included, as arrays of strings. */
    this.commands = []
    /** The connections that are open now. */
    this.connections = new Set()
    /** How many connections were ever accepted. */
    this.accepted = 0
    this.listener = net.createServer({ noDelay: true }, socket => this.accept(socket))
  }

  get url () {
    return `redis://${this.host}:${this.port}`
  }

  /** Sends bytes to every open connection, asked or not: pushes, or rubbish. */
  send (bytes) {
    for (const connection of this.connections) connection.send(bytes)
  }

  /** Resolves with the next command of this name: `{ args, reply, connection }`. */
  next (name) {
    return new Promise(resolve => {
      const listen = (args, reply, connection) => {
        if (args[0].toUpperCase() !== name.toUpperCase()) return
        this.off('command', listen)
        resolve({ args, reply, connection })
      }
      this.on('command', listen)
    })
  }

  /** Closes the listener and every connection. */
  async stop () {
    for (const connection of this.connections) connection.close()
    if (!this.listener.listening) return
    this.listener.close()
    await once(this.listener, 'close')
  }

  accept (socket) {
    this.accepted++
    const connection = new Connection(this, socket)
    this.connections.add(connection)
    // Whoever has ended reads no more. What waits to be written to him would keep the socket open
    // for as long as the kernel tries, about 100 s.
    socket.on('end', () => socket.destroy())
    socket.on('close', () => {
      this.connections.delete(connection)
      this.emit('disconnection', connection)
    })
    this.emit('connection', connection)
  }

  dispatch (connection, raw) {
    const args = raw.map(String)
    args.raw = raw
    this.commands.push(args)
    const reply = new Reply(connection)
    if (this.handshake && this.shakeHands(args, reply)) return
    this.emit('command', args, reply, connection)
  }

  // Answers what clients say before the first command. HELLO's 3 or 2 decides how.
  shakeHands (args, reply) {
    switch (args[0].toUpperCase()) {
      case 'HELLO':
        if (!this.hello) return reply.error('ERR unknown command \'HELLO\'')
        reply.connection.protocol = Number(args[1] ?? 2)
        return reply.map([
          ['server', 'redis'], ['version', '7.4.0'], ['proto', reply.connection.protocol],
          ['id', this.accepted], ['mode', 'standalone'], ['role', 'master'], ['modules', []]
        ])
      case 'AUTH':
      case 'SELECT':
      case 'CLIENT':
        return reply.ok()
      case 'PING':
        return args.length === 1 && reply.send('+PONG\r\n')
      default:
        return false
    }
  }
}

/** One client's socket: parses commands, sends bytes. */
class Connection {
  constructor (server, socket) {
    this.server = server
    this.socket = socket
    this.protocol = 2
    this.received = Buffer.alloc(0)
    socket.on('data', chunk => this.receive(chunk))
    socket.on('error', () => {}) // the client went away, which tests provoke
  }

  /** Writes bytes (a latin1 string or a Buffer) as they are. */
  send (bytes) {
    if (!this.socket.writable) return
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** FIN: what was sent before still arrives. */
  close () {
    this.socket.end()
  }

  /** RST, at once. */
  reset () {
    // Node 20 never closes the handle of a socket that is reset while its end is being written, and
    // waits for it when the process ends.
    if (this.socket.writableEnded) this.socket.destroy()
    else this.socket.resetAndDestroy()
  }

  /** Stops reading, as a server that is stuck: the client's writes pile up. */
  pause () {
    this.socket.pause()
  }

  resume () {
    this.socket.resume()
  }

  receive (chunk) {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk])
    for (;;) {
      const command = parseCommand(this.received)
      if (!command) return
      this.received = this.received.subarray(command.end)
      this.server.dispatch(this, command.args)
    }
  }
}

/**
 * What the script answers to one command. All methods return true and may be called more than
 * once (more bytes than one reply is a fault, too) or never.
 */
class Reply {
  constructor (connection) {
    this.connection = connection
  }

  send (bytes) {
    this.connection.send(bytes)
    return true
  }

  ok () {
    return this.send('+OK\r\n')
  }

  integer (value) {
    return this.send(`:${value}\r\n`)
  }

  error (message) {
    return this.send(`-${message}\r\n`)
  }

  bulk (value) {
    return this.send(encode(value))
  }

  null () {
    return this.send(this.connection.protocol === 3 ? '_\r\n' : '$-1\r\n')
  }

  array (values) {
    return this.send(encode(values))
  }

  /** A map in RESP3, a flat array in RESP2. */
  map (pairs) {
    const size = this.connection.protocol === 3 ? `%${pairs.length}` : `*${pairs.length * 2}`
    return this.send(`${size}\r\n${pairs.flat(1).map(encode).join('')}`)
  }

  /** Closes the connection, after what was sent. */
  close () {
    this.connection.close()
    return true
  }

  reset () {
    this.connection.reset()
    return true
  }
}

// Latin1 text whose characters are the reply's bytes.
function encode (value) {
  if (Array.isArray(value)) return `*${value.length}\r\n${value.map(encode).join('')}`
  if (typeof value === 'number') return `:${value}\r\n`
  if (value === null) return '$-1\r\n'
  const bytes = Buffer.from(value)
  return `$${bytes.length}\r\n${bytes.latin1Slice()}\r\n`
}

// One command from the start of `bytes`: `{ args, end }`, or undefined while it is incomplete.
function parseCommand (bytes) {
  const count = header(bytes, 0, '*')
  if (!count) return undefined
  const args = []
  let at = count.end
  for (let index = 0; index < count.value; index++) {
    const length = header(bytes, at, '$')
    if (!length || bytes.length < length.end + length.value + 2) return undefined
    args.push(bytes.subarray(length.end, length.end + length.value))
    at = length.end + length.value + 2
  }
  return { args, end: at }
}

function header (bytes, at, type) {
  const end = bytes.indexOf('\r\n', at)
  if (end < 0) return undefined
  const line = bytes.latin1Slice(at, end)
  if (line[0] !== type || !/^\d+$/.test(line.slice(1))) {
    throw new Error(`the client sent ${JSON.stringify(line.slice(0, 32))} where "${type}" belongs`)
  }
  return { value: Number(line.slice(1)), end: end + 2 }
}

module.exports = { startFakeServer }
