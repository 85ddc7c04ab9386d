'use strict'

// The child process that keeps one subscriber busy: as many messages as it takes, never more than
// WINDOW ahead of it, so that neither a server's output buffer nor a client's backlog overflows.
//
// Two ways: through a real server, by pipelined PUBLISH; and directly, as a server of its own that
// writes the same encoded block again and again, which costs next to nothing, so that the
// subscriber is the limit. The subscriber gives credit back over a socket, a byte for CREDIT
// messages.

const net = require('node:net')
const { once } = require('node:events')

const { CREDIT, PAYLOAD, WINDOW } = require('./messages')

const BLOCK = 256
let feed = () => {}
let credit = 0
let published = 0
let isOn = false

const [, , way, host, port, CHANNEL] = process.argv

async function main () {
  const ports = { credit: await listen(takeCredit) }
  if (way === 'server') publishTo(net.connect(Number(port), host))
  else ports.server = await listen(serve)
  process.on('message', on => {
    isOn = on
    if (!on) return process.send({ published })
    // What was under way at the last stop has come meanwhile.
    credit = WINDOW
    feed()
  })
  process.on('disconnect', () => process.exit())
  process.send(ports)
}

async function listen (accept) {
  const server = net.createServer({ noDelay: true }, socket => {
    socket.on('error', () => {})
    accept(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server.address().port
}

function takeCredit (socket) {
  socket.on('data', bytes => {
    credit += bytes.length * CREDIT
    feed()
  })
}

function write (socket, block) {
  feed = () => {
    while (isOn && credit >= BLOCK) {
      credit -= BLOCK
      published += BLOCK
      socket.write(block)
    }
  }
}

/** PUBLISH to a real server; the replies are read and forgotten. */
function publishTo (socket) {
  socket.on('data', () => {}).setNoDelay(true)
  write(socket, Buffer.from(encode('*3', 'PUBLISH', CHANNEL, PAYLOAD).repeat(BLOCK)))
}

/** Acts as the server of one client at a time. */
function serve (socket) {
  let protocol = 2
  socket.on('data', bytes => {
    for (const [, parts] of bytes.toString().matchAll(/\*\d+\r\n((?:\$\d+\r\n.*\r\n)+)/g)) {
      const [name, first] = parts.split('\r\n').filter((_, i) => i % 2 === 1)
      switch (name.toUpperCase()) {
        case 'HELLO':
          protocol = Number(first)
          socket.write(`%2\r\n+proto\r\n:${first}\r\n+version\r\n+8.0.0\r\n`)
          break
        case 'SUBSCRIBE': {
          const mark = protocol === 3 ? '>3' : '*3'
          socket.write(`${mark}\r\n$9\r\nsubscribe\r\n$${CHANNEL.length}\r\n${CHANNEL}\r\n:1\r\n`)
          write(socket, Buffer.from(encode(mark, 'message', CHANNEL, PAYLOAD).repeat(BLOCK)))
          break
        }
        case 'INFO':
          socket.write('$19\r\nredis_version:8.0.0\r\n')
          break
        case 'PING':
          socket.write('+PONG\r\n')
          break
        default:
          socket.write('+OK\r\n')
      }
    }
  })
}

function encode (mark, ...parts) {
  return `${mark}\r\n${parts.map(part => `$${part.length}\r\n${part}\r\n`).join('')}`
}

main()
