'use strict'

// A TCP proxy between a client and a server that does to the bytes what bad networks do.
//
// Faults are switched on and off while traffic flows and act on every connection, in one
// direction ('up': client to server, 'down': server to client) or in both. No byte is lost or
// reordered unless a fault says so: a black hole holds what it is given, as TCP would send it
// again, and lets it go when it is healed.

const { EventEmitter, once } = require('node:events')
const net = require('node:net')

const { listenAnywhere } = require('./ports')

/** Starts a proxy to `target` (`{ host, port }`, such as a started server) on a free port. */
async function startFaultProxy (target) {
  const proxy = new FaultProxy(target)
  await proxy.up()
  return proxy
}

/**
 * Events: `connection (link)`, `disconnection (link)`, and `held (direction)` when a black hole
 * has begun to hold bytes. To lose replies of commands that were carried out, for certain:
 *
 *     proxy.blackHole({ direction: 'down' })
 *     await once(proxy, 'held')
 *     proxy.reset()
 *
 * A reset at any other moment may meet a connection with nothing in flight, and then tests nothing.
 */
class FaultProxy extends EventEmitter {
  constructor (target) {
    super()
    this.target = { host: target.host ?? '127.0.0.1', port: target.port }
    this.host = '127.0.0.1'
    this.port = undefined
    /** The connections that are open now. */
    this.links = new Set()
    /** How many connections were ever accepted. */
    this.accepted = 0
    this.listener = undefined
    this.setFaults()
  }

  get url () {
    return `redis://${this.host}:${this.port}`
  }

  /** Delays every chunk by `ms`, give or take up to `jitter` ms. Order is kept. */
  latency (ms, { jitter = 0, direction } = {}) {
    this.fault(direction, { latency: ms, jitter })
  }

  /** Lets `bytesPerSecond` pass, per connection and direction. */
  bandwidth (bytesPerSecond, { direction } = {}) {
    this.fault(direction, { bandwidth: bytesPerSecond })
  }

  /** Cuts the stream into packets of `size` bytes. */
  slice (size = 1, { direction } = {}) {
    this.fault(direction, { slice: size })
  }

  /** Nothing passes, nothing is closed, new connections are accepted: a half-open network. */
  blackHole ({ direction } = {}) {
    this.fault(direction, { hole: true })
  }

  /** Lets `count` more bytes pass, then cuts the connection by `how`: 'reset' or 'close'. */
  cutAfter (count, { direction = 'down', how = 'reset' } = {}) {
    this.fault(direction, { cut: { left: count, how } })
  }

  /** Throws the next `count` bytes away: a lost reply. */
  swallow (count, { direction = 'down' } = {}) {
    this.fault(direction, { swallow: { left: count } })
  }

  /** Sends bytes that nobody sent, to the client by default. */
  inject (bytes, { direction = 'down' } = {}) {
    for (const link of this.links) link[direction].output.write(bytes)
  }

  /** RST on every open connection, to both sides. */
  reset () {
    for (const link of this.links) link.cut('reset')
  }

  /** Refuses connections above `count`: they are closed as soon as they are accepted. */
  limit (count) {
    this.maximum = count
  }

  /** The server is gone: open connections are reset, new ones are refused. */
  async down () {
    this.reset()
    if (!this.listener) return
    const listener = this.listener
    this.listener = undefined
    listener.close()
    await once(listener, 'close')
  }

  /** Ends `down()`, on the same port. */
  async up () {
    if (this.listener) return
    this.listener = net.createServer({ noDelay: true, allowHalfOpen: true }, s => this.accept(s))
    if (this.port === undefined) {
      this.port = await listenAnywhere(this.listener)
    } else {
      this.listener.listen(this.port, this.host)
      await once(this.listener, 'listening')
    }
  }

  /** Ends every fault but `down()`; what a black hole held flows on. */
  heal () {
    const { up, down } = this.faults
    this.setFaults()
    for (const faults of [up, down]) faults.healed()
  }

  /** Closes everything. */
  async stop () {
    this.heal()
    await this.down()
  }

  accept (client) {
    this.accepted++
    if (this.links.size >= this.maximum) return client.destroy()
    const link = new Link(this, client)
    this.links.add(link)
    this.emit('connection', link)
  }

  fault (direction, fault) {
    for (const one of direction ? [direction] : ['up', 'down']) {
      Object.assign(this.faults[one], fault)
    }
  }

  setFaults () {
    this.maximum = Infinity
    this.faults = { up: noFaults(), down: noFaults() }
  }
}

function noFaults () {
  const faults = {
    latency: 0, jitter: 0, bandwidth: Infinity, slice: Infinity, hole: false, cut: null,
    swallow: null
  }
  faults.ended = new Promise(resolve => { faults.healed = resolve })
  return faults
}

/** One connection through the proxy: two sockets, one pipe in each direction. */
class Link {
  constructor (proxy, client) {
    this.proxy = proxy
    this.client = client
    this.server = net.connect({ ...proxy.target, noDelay: true, allowHalfOpen: true })
    this.up = new Pipe(this, 'up', client, this.server)
    this.down = new Pipe(this, 'down', this.server, client)
    for (const socket of [client, this.server]) {
      socket.on('error', () => this.passed(() => this.cut('reset')))
      socket.on('close', () => this.passed(() => this.closed()))
    }
  }

  // In a network that swallows everything, neither side hears of the other's end.
  async passed (then) {
    const { proxy } = this
    while (proxy.faults.up.hole && proxy.faults.down.hole) await proxy.faults.up.ended
    then()
  }

  /** Ends both sides: 'reset' sends RST, 'close' sends FIN after what was written. */
  cut (how) {
    for (const socket of [this.client, this.server]) {
      if (how === 'close') socket.end(() => socket.destroy())
      // libuv refuses to reset what is shut down already, and Node then never lets go of it: the
      // process spins at its exit.
      else if (socket.connecting || socket.writableEnded) socket.destroy()
      else socket.resetAndDestroy()
    }
  }

  closed () {
    if (!this.proxy.links.delete(this)) return
    // A side that closed after both had ended is done; otherwise the other one must hear of it.
    for (const socket of [this.client, this.server]) socket.destroySoon()
    this.proxy.emit('disconnection', this)
  }
}

/** One direction: reads chunks, notes when each is due, and writes them out one after another. */
class Pipe {
  constructor (link, direction, input, output) {
    this.link = link
    this.direction = direction
    this.input = input
    this.output = output
    this.queue = []
    this.queued = 0
    this.busy = false
    this.stopped = false
    input.on('data', chunk => this.push(chunk))
    input.on('end', () => this.push(null))
  }

  get flows () {
    return !this.stopped && !this.output.destroyed
  }

  get faults () {
    return this.link.proxy.faults[this.direction]
  }

  push (chunk) {
    const { latency, jitter } = this.faults
    const due = performance.now() + latency + (Math.random() * 2 - 1) * jitter
    this.queue.push({ chunk, due })
    this.queued += chunk?.length ?? 0
    if (this.queued > QUEUE_LIMIT) this.input.pause()
    this.drain()
  }

  async drain () {
    if (this.busy) return
    this.busy = true
    while (this.queue.length > 0 && this.flows) {
      const { chunk, due } = this.queue.shift()
      const wait = due - performance.now()
      if (wait > 0) await delay(wait)
      if (this.faults.hole) this.link.proxy.emit('held', this.direction)
      // A hole that is healed may be followed by another.
      while (this.faults.hole && this.flows) await this.faults.ended
      if (chunk === null) {
        this.output.end()
      } else {
        await this.send(chunk)
        this.queued -= chunk.length
      }
      if (this.queued <= QUEUE_LIMIT) this.input.resume()
    }
    this.busy = false
  }

  async send (chunk) {
    let rest = this.swallowed(chunk)
    while (rest.length > 0 && this.flows) {
      const { bandwidth, slice } = this.faults
      const pace = Math.max(1, Math.ceil(bandwidth * PACE_SECONDS))
      const piece = rest.subarray(0, Math.min(rest.length, slice, pace))
      rest = rest.subarray(piece.length)
      if (this.cutBy(piece)) return
      if (!this.output.write(piece)) await drained(this.output)
      if (bandwidth < Infinity) await delay(piece.length / bandwidth * 1000)
      // A turn of the event loop apart, with no delay set, pieces are packets of their own.
      else if (rest.length > 0) await new Promise(setImmediate)
    }
  }

  swallowed (chunk) {
    const { swallow } = this.faults
    if (!swallow) return chunk
    const count = Math.min(swallow.left, chunk.length)
    swallow.left -= count
    return chunk.subarray(count)
  }

  // True when this piece reaches the end of what may pass; what may is written first.
  cutBy (piece) {
    const { cut } = this.faults
    if (!cut) return false
    if (piece.length < cut.left) {
      cut.left -= piece.length
      return false
    }
    this.faults.cut = null // one cut is one connection's
    this.stopped = true
    // A reset throws away what is still in the send buffer, so it waits for the last bytes.
    this.output.write(piece.subarray(0, cut.left), () => {
      setImmediate(() => this.link.cut(cut.how))
    })
    return true
  }
}

function drained (socket) {
  return new Promise(resolve => {
    socket.once('drain', resolve)
    socket.once('close', resolve)
  })
}

function delay (ms) {
  return new Promise(resolve => { setTimeout(resolve, ms) })
}

// Beyond this the proxy stops reading, so that a client's own limits come into play.
const QUEUE_LIMIT = 1024 * 1024
// Bandwidth is paced in steps of 20 ms: coarse enough for timers, fine enough to look steady.
const PACE_SECONDS = 0.02

module.exports = { startFaultProxy }
