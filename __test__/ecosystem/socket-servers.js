'use strict'

// What Socket.IO servers do through an adapter: three servers with two browsers each, messages to
// rooms across servers, acknowledgements, remote sockets, and an emitter that is no server.

const assert = require('node:assert')
const http = require('node:http')

const { Server } = require('socket.io')
const { io: browser } = require('socket.io-client')

const SERVERS = 3

/**
 * Runs all of it. `makeAdapter(index)` gives the adapter of one server, `emitter`, where there is
 * one, is tried last. Resolves to what browsers and servers have seen.
 * `isOrdered` tells whether messages of one server come in its order.
 */
async function useServers (makeAdapter, { emitter, isOrdered }) {
  const servers = []
  for (let index = 0; index < SERVERS; index++) servers.push(await startServer(index, makeAdapter))
  const browsers = (await Promise.all(servers.flatMap(({ port }, index) =>
    ['a', 'b'].map(letter => connect(port, `${index}${letter}`)))))
  await ready(servers, browsers)

  const seen = {}
  seen.servers = await servers[0].io.of('/').adapter.serverCount()
  for (let number = 0; number < 20; number++) servers[1].io.to('room a').emit('message', number)
  servers[2].io.except('room b').emit('message', 'except b')
  servers[0].io.emit('binary', Buffer.from([0, 255, 128]), 'ünï')
  await arrived(browsers, { a: 22, b: 1 })
  seen.acks = (await servers[0].io.timeout(ACK_TIMEOUT).emitWithAck('ask', 2)).toSorted()
  seen.sockets = (await servers[1].io.fetchSockets()).map(({ data }) => data.name).toSorted()
  seen.serverSide = (await servers[0].io.serverSideEmitWithAck('who')).toSorted()
  servers[0].io.in('room b').socketsJoin('later')
  await inRoom(servers[1].io, 'later', 3)
  await reached(servers[0].io, 'later', browsers.filter(({ name }) => name.endsWith('b')))
  servers[0].io.to('later').emit('message', 'to those who joined')
  await arrived(browsers, { a: 22, b: 2 })
  servers[0].io.in('room b').socketsLeave('later')
  await inRoom(servers[1].io, 'later', 0)
  servers[0].io.to('later').emit('message', 'to nobody')
  if (emitter !== undefined) {
    emitter.to('room a').emit('message', 'of the emitter')
    emitter.emit('binary', Buffer.from('emitted'), 1)
    emitter.in('room b').socketsJoin('emitted')
    await inRoom(servers[1].io, 'emitted', 3)
    emitter.to('emitted').emit('message', 'to those whom the emitter has joined')
    emitter.serverSideEmit('told', 'by the emitter')
    await arrived(browsers, { a: 24, b: 4 })
    while (!servers.every(({ told }) => told.length > 0)) await pause()
  }
  const gone = browsers.filter(({ name }) => name.endsWith('b')).map(({ socket }) =>
    new Promise(resolve => { socket.once('disconnect', resolve) }))
  if (emitter === undefined) servers[2].io.in('room b').disconnectSockets(true)
  else emitter.in('room b').disconnectSockets(true)
  seen.gone = await Promise.all(gone)
  seen.left = (await servers[0].io.fetchSockets()).map(({ data }) => data.name).toSorted()
  // What several servers send has no order, what one sends has.
  seen.browsers = Object.fromEntries(browsers.map(({ name, events, numbers }) =>
    [name, [...isOrdered ? numbers : numbers.toSorted((a, b) => a - b), ...events.toSorted()]]))
  seen.told = servers.map(({ told }) => told)
  for (const { socket } of browsers) socket.disconnect()
  await Promise.all(servers.map(({ io }) => io.close()))
  assert.strictEqual(seen.servers, SERVERS)
  assert.deepStrictEqual(seen.browsers['1a'].slice(0, 20), [...Array(20).keys()])
  assert.ok(seen.browsers['2a'].includes('except b') && !seen.browsers['2b'].includes('except b'))
  return seen
}

async function startServer (index, makeAdapter) {
  const listener = http.createServer()
  const io = new Server(listener, { adapter: await makeAdapter(index), transports: ['websocket'] })
  const told = []
  io.on('who', answer => answer(`server ${index}`))
  io.on('told', what => told.push(what))
  io.on('connection', socket => {
    const { name } = socket.handshake.auth
    socket.data.name = name
    socket.join(`room ${name.at(-1)}`)
    socket.emit('joined')
  })
  listener.listen(0, '127.0.0.1')
  await new Promise(resolve => { listener.once('listening', resolve) })
  return { io, port: listener.address().port, told }
}

async function connect (port, name) {
  const socket = browser(`http://127.0.0.1:${port}`, {
    transports: ['websocket'], auth: { name }, reconnection: false, forceNew: true
  })
  const one = { name, socket, numbers: [], events: [], marks: new Set() }
  socket.on('mark', mark => one.marks.add(mark))
  socket.on('message', what => one[typeof what === 'number' ? 'numbers' : 'events'].push(what))
  socket.on('binary', (bytes, text) =>
    one.events.push(`${Buffer.from(bytes).toString('hex')} ${text}`))
  socket.on('ask', (number, answer) => answer(`${name} ${number * number}`))
  await new Promise((resolve, reject) => {
    socket.once('joined', resolve).once('connect_error', reject)
  })
  return one
}

/** Each server hears each other one. Adapters subscribe, or begin to read, in their own time. */
async function ready (servers, browsers) {
  for (const [index, { io }] of servers.entries()) {
    for (const letter of ['a', 'b']) {
      const like = browsers.filter(({ name }) => name.endsWith(letter))
      await reached(io, `room ${letter}`, like, `by ${index}`)
    }
  }
}

/** What is sent to a room reaches these: servers may subscribe to each room by itself. */
async function reached (io, room, browsers, how = '') {
  const mark = `${room} ${how}`
  while (!browsers.every(({ marks }) => marks.has(mark))) {
    io.to(room).emit('mark', mark)
    await pause()
  }
}

/** So many messages have come to each browser, by its letter. */
function arrived (browsers, counts) {
  return Promise.all(browsers.map(({ name, socket, numbers, events }) => new Promise(resolve => {
    const look = () => {
      if (numbers.length + events.length < counts[name.at(-1)]) return
      socket.offAny(later)
      resolve()
    }
    // Listeners of any event are called before those of the event itself.
    const later = () => setImmediate(look)
    socket.onAny(later)
    look()
  })))
}

/** So many of all servers' sockets are in the room. Nothing announces that. */
async function inRoom (io, room, count) {
  while ((await io.in(room).fetchSockets()).length !== count) await pause()
}

function pause () {
  return new Promise(resolve => { setTimeout(resolve, 20) })
}

/** A bound only; the answers come in milliseconds. */
const ACK_TIMEOUT = 60_000

module.exports = { useServers }
